"""Who is concerned in a stay, and since when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from services.planning.domain.amendments import amend, standing_admission
from services.planning.domain.events import Admission, CaseEvent, Compulsory, EventKey, EventType, Need
from services.planning.domain.findings import Finding, FindingCode

MUNICIPAL: Final[frozenset[Need]] = frozenset({"municipal_social", "municipal_health"})
_ADDRESSING: Final = frozenset({EventType.ADMITTED, EventType.EVENT_CANCELLED})
OUTPATIENT_CONCERNED: Final[frozenset[Need]] = frozenset({"outpatient", "municipal_health"})


class Recipient(NamedTuple):
    """Who a notice is for: a municipality by its SCB code, or a care unit by its HSA-id. The directory knows the mailboxes."""

    kind: Literal["municipality", "unit"]
    code: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.code}"


class Party(NamedTuple):
    """A recipient that is concerned in the stay, and the instant from which it has been so without a break: its admission notice (N1)."""

    recipient: Recipient
    since: datetime


@dataclass(frozen=True, slots=True)
class Directory:
    """The recipients that can be reached, as known to whoever folds the case."""

    recipients: frozenset[Recipient]


def concerned(admission: Admission, directory: Directory) -> tuple[Recipient, ...]:
    """The recipients of the admission notice, and of everything after it, that can be reached.

    The municipality when municipal measures may be needed; the outpatient unit when outpatient measures may be needed, and always
    when municipal health care may be.

    Source:
        Lag (2017:612) 2 kap. 1-2 §§.
    """
    return tuple(recipient for recipient in _named(admission) if recipient in directory.recipients)


def _named(admission: Admission) -> list[Recipient]:
    named = []
    if admission.registered_municipality is not None and not MUNICIPAL.isdisjoint(admission.needs):
        named.append(Recipient("municipality", admission.registered_municipality))
    if admission.outpatient_unit is not None and not OUTPATIENT_CONCERNED.isdisjoint(admission.needs):
        named.append(Recipient("unit", admission.outpatient_unit))
    return named


def sip_required(needs: frozenset[Need], compulsory: Compulsory) -> bool:
    """Whether a SIP must be called: measures from both region and municipality are needed, and no ÖPT or ÖRV care plan stands instead.

    The region's own measures are those stated as `outpatient`; that outpatient care takes part beside municipal health care (4 kap. 2 §)
    does not by itself make them needed.

    Source:
        Lag (2017:612) 4 kap. 1 §.
    """
    return compulsory == "none" and "outpatient" in needs and not MUNICIPAL.isdisjoint(needs)


def parties(events: Sequence[CaseEvent], directory: Directory) -> tuple[Party, ...]:
    """Who is concerned now, each with the instant from which it has been so.

    A notice counts for a party from when it was that party's: after a corrected registration the new municipality is a party from the
    correction on, however early the events were sent that it now hears of. The past is replayed by sent times, never by arrival.

    Args:
        events: The events of the case as sent, none twice.
        directory: Who can be reached.
    """
    addressing = [event for event in events if event.type in _ADDRESSING]
    present: tuple[Recipient, ...] | None = None
    unbroken: set[Recipient] = set()
    since: dict[Recipient, datetime] = {}
    for instant in sorted({event.sent_at for event in addressing}, reverse=True):
        then = _concerned_as_known(addressing, instant, directory)
        if present is None:
            present, unbroken = then, set(then)
        unbroken.intersection_update(then)
        if not unbroken:
            break
        since.update(dict.fromkeys(unbroken, instant))
    return tuple(Party(recipient, since[recipient]) for recipient in present or ())


def _concerned_as_known(addressing: Sequence[CaseEvent], instant: datetime, directory: Directory) -> tuple[Recipient, ...]:
    """Who was concerned by what had been sent up to and including `instant`."""
    admission = standing_admission(amend(event for event in addressing if event.sent_at <= instant))
    if admission is None or not isinstance(admission.data, Admission):
        return ()
    return concerned(admission.data, directory)


def routing_findings(key: EventKey, admission: Admission, directory: Directory) -> list[Finding]:
    """Who should have been notified of an admission but cannot be."""
    findings = []
    if not admission.needs:
        findings.append(Finding(FindingCode.NEEDS_MISSING, key))
    if not MUNICIPAL.isdisjoint(admission.needs):
        code = admission.registered_municipality
        if code is None:
            findings.append(Finding(FindingCode.MUNICIPALITY_MISSING, key))
        elif Recipient("municipality", code) not in directory.recipients:
            findings.append(Finding(FindingCode.MUNICIPALITY_UNKNOWN, key, code))
    if not OUTPATIENT_CONCERNED.isdisjoint(admission.needs):
        unit = admission.outpatient_unit
        if unit is None:
            findings.append(Finding(FindingCode.OUTPATIENT_UNIT_MISSING, key))
        elif Recipient("unit", unit) not in directory.recipients:
            findings.append(Finding(FindingCode.OUTPATIENT_UNIT_UNKNOWN, key, unit))
    return findings
