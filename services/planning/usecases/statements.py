"""What was stated with a command taken back by who stated it, and the SIP requirement contested."""

from uuid import UUID

from services.planning.domain.access import Action
from services.planning.domain.acknowledgement import NoticeStatus
from services.planning.domain.events import EventType, ward_of
from services.planning.domain.notices import NoticeType
from services.planning.domain.statements import BY_COMMAND
from services.planning.repository import directory
from services.planning.usecases.authorising import locked_case, require_step
from services.planning.usecases.folding import Folded, fold_cases
from services.planning.usecases.mailing import Letter, Post
from services.planning.usecases.parties import DECLINED_TO_WARD
from services.planning.usecases.stating import Stated, keep_statement, stating_unit
from shared.db import Work
from shared.errors import NotFound, Refused
from shared.http.auth import Caller


async def withdraw_statement(work: Work, caller: Caller, case_id: UUID, event_id: str, reason: str) -> Stated:
    """Take back what one of the caller's own units stated by mistake; whatever followed from it is undone.

    Raises:
        NotFound: The case is unknown or not the caller's, or nothing of that id was stated of it.
        HttpProblem: 403, another organisation stated it.
        Refused: 409, it was withdrawn before.
    """
    case = await locked_case(work, caller, case_id, Action.WITHDRAW_STATEMENT)
    folded = (await fold_cases(work, [case.id]))[case.id]
    stated = [event for event in folded.story.events if event.key.id == event_id and event.type in BY_COMMAND]
    if not stated:
        raise NotFound
    require_step(caller, Action.WITHDRAW_STATEMENT, case, stated_by=frozenset(ward_of(event.key.source) for event in stated))
    own = next(event for event in stated if caller.acts_for(ward_of(event.key.source)))
    if own.key not in {event.key for event in folded.state.story}:
        raise Refused("case.statement_withdrawn", "The statement was withdrawn before.")
    data = {"event": event_id, "reason": reason}
    unit = ward_of(own.key.source)
    kept = (await keep_statement(work, caller, case, unit, EventType.EVENT_CANCELLED, work.at, data, stay=own.stay))[1]
    await _untell_ward(work, folded, event_id, unit)
    return kept


async def _untell_ward(work: Work, case: Folded, decline_id: str, unit: str) -> None:
    """The parties learn from the case that measures were not declined after all; the ward has its notice from who stated it."""
    told = [row for row in case.sent if row.origin == f"{DECLINED_TO_WARD}/{decline_id}"]
    boxes = {box.id: box for box in await directory.by_id(work, [row.mailbox for row in told])}
    post = Post()
    for row in told:
        post.put(
            Letter(
                mailbox=boxes[row.mailbox],
                type=NoticeType.CANCELLED.value,
                sender=unit,
                sent_at=work.at,
                origin=f"{NoticeType.CANCELLED} {row.id}",
                case_id=case.case_id,
                case_version=case.version,
                supersedes=row.id,
            )
        )
        post.ended.append((row.id, NoticeStatus.CANCELLED.value))
    await post.write(work)


async def contest_sip(work: Work, caller: Caller, case_id: UUID, unit: str | None, *, contested: bool, reason: str | None) -> Stated:
    """Ward or municipality states that the needs do not say rightly whether a SIP is required, or does no longer.

    Raises:
        NotFound: The case is unknown or not the caller's.
        HttpProblem: 403, the unit is not one of the caller's, or neither the ward that holds the patient nor a municipality's.
        Malformed: No unit is named and the caller has none.

    Source:
        Lag (2017:612) 4 kap. 1 §; domain rule 2.
    """
    case = await locked_case(work, caller, case_id, Action.CONTEST_SIP)
    unit = await stating_unit(work, caller, unit)
    require_step(caller, Action.CONTEST_SIP, case, unit=unit)
    data = {"contested": contested} | ({} if reason is None else {"reason": reason})
    return (await keep_statement(work, caller, case, unit, EventType.SIP_CONTESTED, work.at, data))[1]
