"""What a care centre or municipality states of a stay with a command: kept as an event of the stay, and folded like any other."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import msgspec

from services.planning.domain.access import Action
from services.planning.domain.events import BlockKind, EventKey, EventType, Placement, StayKey
from services.planning.domain.findings import EXPLANATIONS, FindingCode
from services.planning.domain.persons import placed_by
from services.planning.repository import directory
from services.planning.repository import intake as rows
from services.planning.usecases.authorising import locked_case, require_step
from services.planning.usecases.folding import Folded, fold_cases, write_folded
from shared.dates import format_instant, local_date
from shared.db import Work
from shared.errors import FieldError, Malformed, Refused
from shared.http.auth import Caller
from shared.http.problems import HttpProblem
from shared.identifiers import uuid7
from shared.streams.canonical import canonical_plain

_OUTSIDE: Final = frozenset(
    {
        FindingCode.BLOCK_BEFORE_ADMITTED,
        FindingCode.BLOCK_AFTER_DISCHARGE,
        FindingCode.BLOCK_AFTER_DEATH,
        FindingCode.BLOCK_WITHOUT_ADMISSION,
    }
)


@dataclass(frozen=True, slots=True)
class BlockStated:
    """That outpatient care holds a discharge up from an instant on, or does no longer; `kind` for a beginning only."""

    unit: str | None
    at: datetime
    kind: BlockKind | None
    contested: bool = False


@dataclass(frozen=True, slots=True)
class PlacementStated:
    """Which municipality placed the patient, by which decision; history says also which municipality stated it, and when."""

    municipality: str
    decision_date: date
    reference: str
    unit: str | None = None
    stated_by: str | None = None
    stated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """What became of it: the event it is kept as, and the case after it."""

    event_id: str
    unit: str
    case_id: UUID
    case_version: int
    sent_at: datetime
    disputed: bool = False


async def state_outpatient_block(work: Work, caller: Caller, case_id: UUID, block: BlockStated) -> Stated:
    """A party states that outpatient care measures are missing or not clarified, or that they are there.

    Raises:
        NotFound: The case is unknown or not the caller's.
        HttpProblem: 403, the unit is not one of the caller's, or a municipality contests what only the region can.
        Malformed: It lies in the future, or no unit is named and the caller has none.
        Refused: 409, it lies outside the stay, lasts already, or never began.

    Source:
        Lag (2017:612) 5 kap. 5 §.
    """
    case = await locked_case(work, caller, case_id, Action.BLOCK)
    if block.contested:
        require_step(caller, Action.CONTEST_BLOCK, case)
    if block.at > work.at:
        raise Malformed("request.malformed", errors=(FieldError("/at", "in_future"),))
    unit = await stating_unit(work, caller, block.unit)
    require_step(caller, Action.BLOCK, case, unit=unit)
    data: dict[str, object]
    if block.kind is None:
        kind, data = EventType.OUTPATIENT_BLOCK_ENDED, {"contested": block.contested}
    else:
        kind, data = EventType.OUTPATIENT_BLOCK_STARTED, {"kind": block.kind}
    folded, stated = await keep_statement(work, caller, case, unit, kind, block.at, data)
    key = EventKey(f"urn:hsa:{unit}", stated.event_id)
    against = next((finding.code for finding in folded.state.findings if finding.event == key), None)
    if against is FindingCode.BLOCK_TWICE:
        raise Refused("case.block_lasts", EXPLANATIONS[against])
    if against is FindingCode.BLOCK_NOT_STARTED:
        raise Refused("case.block_not_started", EXPLANATIONS[against])
    if against in _OUTSIDE and against is not None:
        raise Refused("case.block_outside_stay", EXPLANATIONS[against])
    return stated


async def state_placement(work: Work, caller: Caller, case_id: UUID, placement: PlacementStated) -> Stated:
    """A municipality states which municipality placed the patient by decision and is liable instead; saying it again changes nothing.

    The placing municipality becomes a party like any other, with an admission notice of its own. Where the municipalities do not agree
    the stay is held for review.

    Raises:
        NotFound: The case is unknown or not the caller's.
        HttpProblem: 403, the caller is no municipality and imports no history, or the unit is not one of its own.
        Malformed: The decision or the statement lies in the future, or history does not say who stated it when.

    Source:
        Lag (2017:612) 5 kap. 2 §.
    """
    stated_by = _stating_municipality(caller, placement, work.at)
    case = await locked_case(work, caller, case_id, Action.PLACE)
    if placement.decision_date > local_date(work.at):
        raise Malformed("request.malformed", errors=(FieldError("/decision_date", "in_future"),))
    unit = await stating_unit(work, caller, placement.unit)
    require_step(caller, Action.PLACE, case, unit=unit)
    said = Placement(placement.municipality, placement.decision_date, placement.reference, stated_by)
    folded = (await fold_cases(work, [case.id]))[case.id]
    before = next((event for event in folded.state.placements if event.data == said), None)
    if before is not None:
        disputed = placed_by(folded.state.placements) is None
        return Stated(before.key.id, unit, case.id, case.version, before.sent_at, disputed)
    data = {
        "municipality": said.municipality,
        "decision_date": said.decision_date.isoformat(),
        "reference": said.reference,
        "stated_by": said.stated_by,
    }
    at = placement.stated_at or work.at
    return (await keep_statement(work, caller, case, unit, EventType.MUNICIPALITY_PLACED, at, data, sent_at=placement.stated_at))[1]


def _stating_municipality(caller: Caller, placement: PlacementStated, at: datetime) -> str:
    """Who states the placement: the municipality that calls, or the one that history names, with when it did."""
    if placement.stated_by is None and placement.stated_at is None:
        if caller.municipality is None:
            raise HttpProblem("access.denied")
        return caller.municipality
    if not caller.may("events:import"):
        raise HttpProblem("event.sentat_denied")
    if placement.stated_by is None or placement.stated_at is None:
        missing = "/stated_by" if placement.stated_by is None else "/stated_at"
        raise Malformed("request.malformed", errors=(FieldError(missing, "missing"),))
    if placement.stated_at > at:
        raise Malformed("event.sentat_invalid", errors=(FieldError("/stated_at", "in_future"),))
    return placement.stated_by


async def stating_unit(work: Work, caller: Caller, named: str | None) -> str:
    """The unit that states something: the one named, or the caller's first that has a mailbox."""
    if named is not None:
        if not caller.acts_for(named):
            raise HttpProblem("access.denied")
        return named
    own = await directory.mailboxes_of(work, caller)
    if not own:
        raise Malformed("request.malformed", errors=(FieldError("/unit", "missing"),))
    return own[0].unit


async def keep_statement(  # noqa: PLR0913  # what is stated, by whom, of what, and when
    work: Work,
    caller: Caller,
    case: Any,
    unit: str,
    kind: EventType,
    time: datetime,
    data: Mapping[str, object],
    *,
    sent_at: datetime | None = None,
    stay: StayKey | None = None,
) -> tuple[Folded, Stated]:
    """Keep a statement as an event of a locked case, and write what follows from it; with `sent_at` it is history.

    `stay`: by which of the ids that the case has had since a transfer; by its first where none is named.
    """
    event_id = str(uuid7())
    at = sent_at or work.at
    row = await insert_statement(work, caller, case, unit, kind, time, data, event_id=event_id, sent_at=sent_at, stay=stay)
    found = await fold_cases(work, [case.id])
    folded = found[case.id]
    folded.version += 1
    disputed = bool(folded.state.placements) and placed_by(folded.state.placements) is None
    stated = Stated(event_id, unit, folded.case_id, folded.version, at, disputed)
    answer = msgspec.json.encode({"event_id": event_id, "unit": unit, "case_version": folded.version}).decode()
    line = rows.HistoryRow(folded.case_id, folded.version, work.at, caller.client_id, kind.value, row, answer)
    await write_folded(work, list(found.values()), [line])
    return folded, stated


async def insert_statement(  # noqa: PLR0913  # as above
    work: Work,
    caller: Caller,
    case: Any,
    unit: str,
    kind: EventType,
    time: datetime,
    data: Mapping[str, object],
    *,
    event_id: str,
    sent_at: datetime | None = None,
    stay: StayKey | None = None,
) -> int:
    """Keep a statement as an event, for a fold that comes after; its row."""
    source = f"urn:hsa:{unit}"
    space, subject = stay or StayKey(case.space, case.subject)
    value = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": kind.value,
        "subject": subject,
        "time": format_instant(time),
        "data": data,
    }
    body = canonical_plain(value)
    row = rows.EventRow(
        source=source,
        event_id=event_id,
        ward=unit,
        provider=case.provider,
        subject=subject,
        sent_at=sent_at or work.at,
        received_at=work.at,
        history=sent_at is not None,
        client=caller.client_id,
        fingerprint=sha256(body.encode()).digest(),
        body=body,
        space=space,
    )
    return (await rows.insert_events(work, [row], by_command=True))[source, event_id].row
