"""Who is concerned in a stay, and since when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from services.planning.domain.amendments import amend
from services.planning.domain.events import Admission, CaseEvent, Compulsory, EventKey, Need, Placement
from services.planning.domain.findings import Finding, FindingCode
from services.planning.domain.persons import ADDRESSING, PersonKnown, person_known, placed_by

MUNICIPAL: Final[frozenset[Need]] = frozenset({"municipal_social", "municipal_health"})
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


class Returned(NamedTuple):
    """A recipient sent a notice of the stay back as wrongly addressed (felsänt)."""

    recipient: Recipient
    at: datetime


@dataclass(frozen=True, slots=True)
class Directory:
    """The recipients that can be reached, as known to whoever folds the case."""

    recipients: frozenset[Recipient]


def concerned(known: PersonKnown, directory: Directory) -> tuple[Recipient, ...]:
    """The recipients of the admission notice, and of everything after it, that can be reached.

    The municipality when municipal measures may be needed, and beside it one the person moved from or one that placed her there; the
    outpatient unit when outpatient measures may be needed, and always when municipal health care may be.

    Source:
        Lag (2017:612) 2 kap. 1-2 §§, 5 kap. 2 §.
    """
    return tuple(recipient for recipient in _named(known) if recipient in directory.recipients)


def _named(known: PersonKnown) -> list[Recipient]:
    admission, named = known.about, []
    if not MUNICIPAL.isdisjoint(admission.needs):
        named += [Recipient("municipality", code) for code in known.municipalities]
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


def parties(events: Sequence[CaseEvent], directory: Directory, returned: Sequence[Returned] = ()) -> tuple[Party, ...]:
    """Who is concerned now, each with the instant from which it has been so.

    A notice counts for a party from when it was that party's: after a corrected registration the new municipality is a party from the
    correction on, however early the events were sent that it now hears of. The past is replayed by sent times, never by arrival.

    Args:
        events: The events of the case as sent, none twice.
        directory: Who can be reached.
        returned: Who sent a notice back as wrongly addressed: no party from then on, see `sent_back`.
    """
    addressing = [event for event in events if event.type in ADDRESSING]
    away = _away(addressing, directory, returned)
    present: tuple[Recipient, ...] | None = None
    unbroken: set[Recipient] = set()
    since: dict[Recipient, datetime] = {}
    for instant in sorted({event.sent_at for event in addressing} | set(away), reverse=True):
        then = _concerned_as_known(addressing, instant, directory)
        then = tuple(recipient for recipient in then if recipient not in away.get(instant, ()))
        if present is None:
            present, unbroken = then, set(then)
        unbroken.intersection_update(then)
        if not unbroken:
            break
        since.update(dict.fromkeys(unbroken, instant))
    return tuple(Party(recipient, since[recipient]) for recipient in present or ())


def sent_back(events: Sequence[CaseEvent], directory: Directory, returned: Sequence[Returned]) -> tuple[Recipient, ...]:
    """Who is named by the ward but sent its notices back, and has stayed named ever since.

    A recipient that returned a notice stays away until the ward has named another one, or none, and then names it again: correcting
    something else must not bring back one who said that it is not concerned.

    Source:
        Domain rule 2.2; offentlighets- och sekretesslagen (2009:400) 25 kap. 1 §.
    """
    away = _away([event for event in events if event.type in ADDRESSING], directory, returned)
    return tuple(sorted(away[max(away)])) if away else ()


def _away(addressing: Sequence[CaseEvent], directory: Directory, returned: Sequence[Returned]) -> dict[datetime, frozenset[Recipient]]:
    """Who stayed away at each instant; empty when nobody ever returned anything."""
    if not returned:
        return {}
    found: dict[datetime, frozenset[Recipient]] = {}
    away: set[Recipient] = set()
    for instant in sorted({event.sent_at for event in addressing} | {one.at for one in returned}):
        named = _concerned_as_known(addressing, instant, directory)
        away.update(one.recipient for one in returned if one.at == instant)
        away.intersection_update(named)
        found[instant] = frozenset(away)
    return found


def _concerned_as_known(addressing: Sequence[CaseEvent], instant: datetime, directory: Directory) -> tuple[Recipient, ...]:
    """Who was concerned by what had been sent up to and including `instant`."""
    known = person_known(amend(event for event in addressing if event.sent_at <= instant))
    if known is None:
        return ()
    return concerned(known, directory)


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


def placement_findings(placements: Sequence[CaseEvent], directory: Directory) -> list[Finding]:
    """What stands in the way of a municipality that placed the patient and is to be liable instead.

    Source:
        Lag (2017:612) 5 kap. 2 §.
    """
    findings = [
        Finding(FindingCode.PLACED_MUNICIPALITY_UNKNOWN, event.key, event.data.municipality)
        for event in placements
        if isinstance(event.data, Placement) and Recipient("municipality", event.data.municipality) not in directory.recipients
    ]
    if placements and placed_by(placements) is None:
        findings.append(Finding(FindingCode.PLACEMENT_DISPUTED, placements[-1].key))
    return findings
