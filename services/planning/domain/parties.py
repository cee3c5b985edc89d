"""Who is concerned in a stay, and since when."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal, NamedTuple

from services.planning.domain.amendments import amend
from services.planning.domain.events import Admission, CaseEvent, Compulsory, EventKey, EventType, Need, PersonChange, Placement
from services.planning.domain.findings import Finding, FindingCode
from services.planning.domain.moving import READINESS, decided_by
from services.planning.domain.outages import NOT_ON_PAPER, OnPaper, Outage
from services.planning.domain.persons import ADDRESSING, PersonKnown, person_known, placed_by
from shared.dates import local_date

MUNICIPAL: Final[frozenset[Need]] = frozenset({"municipal_social", "municipal_health"})
OUTPATIENT_CONCERNED: Final[frozenset[Need]] = frozenset({"outpatient", "municipal_health"})


class Recipient(NamedTuple):
    """Who a notice is for: a municipality by its SCB code, or a care unit by its HSA-id. The directory knows the mailboxes."""

    kind: Literal["municipality", "unit"]
    code: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.code}"


class Party(NamedTuple):
    """A recipient that is concerned in the stay, and the instant from which it has been so without a break: its admission notice (N1).

    `paper`: that the notice had been given to it on paper before.
    """

    recipient: Recipient
    since: datetime
    paper: OnPaper = NOT_ON_PAPER

    @property
    def counts_from(self) -> datetime:
        """When its admission notice counts as sent."""
        return self.paper.counts_from(self.since)


class Returned(NamedTuple):
    """A recipient sent a notice of the stay back as wrongly addressed (felsänt)."""

    recipient: Recipient
    at: datetime


class Standing(NamedTuple):
    """The days, both included, on which a unit and its organisation stand in the directory; open where none is named."""

    first: date | None = None
    last: date | None = None

    def on(self, day: date) -> bool:
        """Whether they stand on a day."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


ALWAYS: Final = Standing()
"""What has neither a first nor a last day."""


@dataclass(frozen=True, slots=True)
class Directory:
    """The recipients that can be reached, as known to whoever folds the case; by `standing` only on some days."""

    recipients: frozenset[Recipient]
    standing: Mapping[Recipient, tuple[Standing, ...]] = field(default_factory=dict)

    def reaches(self, recipient: Recipient, day: date) -> bool:
        """Whether a recipient can be reached by what is sent on a day: one of its mailboxes stands at a unit that is there then.

        Source:
            Domain rule 2.2; validity dates of the directory.
        """
        days = self.standing.get(recipient)
        return recipient in self.recipients and (days is None or any(one.on(day) for one in days))


def concerned(
    known: PersonKnown, directory: Directory, named_on: Mapping[Recipient, date], by: datetime | None = None
) -> tuple[Recipient, ...]:
    """The recipients of the admission notice, and of everything after it, that can be reached.

    The municipality when municipal measures may be needed, and beside it one the person moved from later than `by`, or one that placed
    her there; the outpatient unit when outpatient measures may be needed, and always when municipal health care may be. Each by whether it
    was there on the day it was named: who closes while the patient is in hospital stays a party of the stay it was told of.

    Source:
        Lag (2017:612) 2 kap. 1-2 §§, 5 kap. 2 §.
    """
    return tuple(recipient for recipient in _named(known, by) if directory.reaches(recipient, named_on[recipient]))


def _named(known: PersonKnown, by: datetime | None) -> list[Recipient]:
    admission, named = known.about, []
    if not MUNICIPAL.isdisjoint(admission.needs):
        named += [Recipient("municipality", code) for code in known.municipalities(by)]
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


def parties(
    events: Sequence[CaseEvent], directory: Directory, returned: Sequence[Returned] = (), outages: Sequence[Outage] = ()
) -> tuple[Party, ...]:
    """Who is concerned now, each with the instant from which it has been so.

    A notice counts for a party from when it was that party's: after a corrected registration the new municipality is a party from the
    correction on, however early the events were sent that it now hears of. The past is replayed by sent times, never by arrival.

    Args:
        events: The events of the case as sent, none twice.
        directory: Who can be reached.
        returned: Who sent a notice back as wrongly addressed: no party from then on, see `sent_back`.
        outages: They decide from when a ready notice counts that was given on paper.
    """
    addressing = _addressing(events)
    away = _away(addressing, returned, outages)
    named_on: dict[Recipient, date] = {}
    since: dict[Recipient, datetime] = {}
    for instant in sorted({event.sent_at for event in addressing} | set(away)):
        known, by = _known_at(addressing, instant, outages)
        named_on = {} if known is None else {one: named_on.get(one, local_date(instant)) for one in _named(known, by)}
        present = () if known is None else concerned(known, directory, named_on, by)
        since = {one: since.get(one, instant) for one in present if one not in away.get(instant, ())}
    return tuple(Party(recipient, instant) for recipient, instant in since.items())


def sent_back(events: Sequence[CaseEvent], returned: Sequence[Returned], outages: Sequence[Outage] = ()) -> tuple[Recipient, ...]:
    """Who is named by the ward but sent its notices back, and has stayed named ever since.

    A recipient that returned a notice stays away until the ward has named another one, or none, and then names it again: correcting
    something else must not bring back one who said that it is not concerned.

    Source:
        Domain rule 2.2; offentlighets- och sekretesslagen (2009:400) 25 kap. 1 §.
    """
    away = _away(_addressing(events), returned, outages)
    return tuple(sorted(away[max(away)])) if away else ()


def _addressing(events: Sequence[CaseEvent]) -> list[CaseEvent]:
    """The events that decide who is concerned; when the patient became ready decides it only after a real move.

    Transfers do where several wards say who she is: one that never held her cannot make her another person.
    """
    moved = any(isinstance(event.data, PersonChange) and event.data.moved for event in events)
    several = any(isinstance(event.data, PersonChange) for event in events) and len({event.key.source for event in events}) > 1
    also = (READINESS if moved else frozenset()) | ({EventType.TRANSFERRED} if several else frozenset())
    return [event for event in events if event.type in ADDRESSING or event.type in also]


def _away(
    addressing: Sequence[CaseEvent], returned: Sequence[Returned], outages: Sequence[Outage]
) -> Mapping[datetime, frozenset[Recipient]]:
    """Who stayed away at each instant; empty when nobody ever returned anything."""
    if not returned:
        return {}
    found: dict[datetime, frozenset[Recipient]] = {}
    away: set[Recipient] = set()
    for instant in sorted({event.sent_at for event in addressing} | {one.at for one in returned}):
        known, by = _known_at(addressing, instant, outages)
        away.update(one.recipient for one in returned if one.at == instant)
        away.intersection_update(() if known is None else _named(known, by))
        found[instant] = frozenset(away)
    return found


def _known_at(addressing: Sequence[CaseEvent], instant: datetime, outages: Sequence[Outage]) -> tuple[PersonKnown | None, datetime | None]:
    """What was known of the person by what had been sent up to and including `instant`, and by when who she left is out of it."""
    amended = amend(event for event in addressing if event.sent_at <= instant)
    known = person_known(amended)
    return known, decided_by(amended, instant, outages) if known is not None and known.residences[1:] else None


def routing_findings(key: EventKey, admission: Admission, reached: Set[Recipient]) -> list[Finding]:
    """Who should have been notified of an admission but cannot be: not in the directory, or not there when the ward named it."""
    findings = []
    if not admission.needs:
        findings.append(Finding(FindingCode.NEEDS_MISSING, key))
    if not MUNICIPAL.isdisjoint(admission.needs):
        code = admission.registered_municipality
        if code is None:
            findings.append(Finding(FindingCode.MUNICIPALITY_MISSING, key))
        elif Recipient("municipality", code) not in reached:
            findings.append(Finding(FindingCode.MUNICIPALITY_UNKNOWN, key, code))
    if not OUTPATIENT_CONCERNED.isdisjoint(admission.needs):
        unit = admission.outpatient_unit
        if unit is None:
            findings.append(Finding(FindingCode.OUTPATIENT_UNIT_MISSING, key))
        elif Recipient("unit", unit) not in reached:
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
        if isinstance(event.data, Placement)
        and not directory.reaches(Recipient("municipality", event.data.municipality), local_date(event.sent_at))
    ]
    if placements and placed_by(placements) is None:
        findings.append(Finding(FindingCode.PLACEMENT_DISPUTED, placements[-1].key))
    return findings
