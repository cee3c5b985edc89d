"""The steps of a plan after the consent: invitation, answers, meeting, measures, follow-up, close; each a fact for the other services."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.planning.domain.access import Action
from services.planning.domain.plan_contents import Measures, Meeting, Outcome, agree, follow_up, hold, schedule
from services.planning.domain.plans import (
    CloseReason,
    Invitation,
    Plan,
    PlanKind,
    PlanStatus,
    PlanTrigger,
    check_kind,
    invite,
    move,
    ready_says,
)
from services.planning.repository import cases
from services.planning.repository import plans as rows
from services.planning.repository.directory import Mailbox
from services.planning.usecases.mailing import Post
from services.planning.usecases.plan_access import PlanAtHand, check_day, led, locked
from services.planning.usecases.plan_letters import call_units, tell_ward, told
from shared.dates import format_instant, local_date, parse_instant
from shared.db import Work
from shared.errors import FieldError, Malformed, NotFound
from shared.events.command_facts import PlanMeetingSet
from shared.events.facts import Fact, PlanAgreed, PlanAnswered, PlanClosed, PlanFollowedUp, PlanHeld, PlanInvited
from shared.http.auth import Caller
from shared.http.problems import HttpProblem
from shared.identifiers import uuid7
from shared.streams.outbox import stage_facts


async def send_invitation(  # who is called, to what, and when
    work: Work, caller: Caller, plan_id: UUID, *, units: Sequence[str], meeting: Mapping[str, Any] | None, sent_at: datetime | None
) -> Invitation:
    """The permanent care contact calls the units to the plan (N8, kallelse); behind a team, the units of its members are called as well.

    Raises:
        NotFound: Unknown, or not the caller's.
        Malformed: A unit has no mailbox, or the meeting is nowhere.
        HttpProblem: 403, only the plan's own unit invites, and only a history client may state when it was sent.
        Refused: 409, the patient has not consented, or the ready notice says that a care plan has no basis.

    Source:
        Lag (2017:612) 4 kap. 3 §.
    """
    if sent_at is not None:
        _check_stated(caller, sent_at, work.at)
    found = await led(work, caller, plan_id)
    if sent_at is None:
        await _check_basis(work, caller, found.plan)
        if meeting is not None and meeting.get("place") is None and meeting.get("link") is None:
            raise Malformed("plan.meeting_nowhere", errors=(FieldError("/meeting/place", "missing"),))
    reached = await rows.reached(work, units, local_date(sent_at or work.at))
    teams = {row.team for row in reached if row.team is not None}
    missing = {row.asked for row in reached if row.id is None} - teams
    if missing:
        places = tuple(FieldError(f"/units/{index}", "unit_unknown") for index, unit in enumerate(units) if unit in missing)
        raise Malformed("plan.unit_unknown", errors=places or (FieldError("/units", "unit_unknown"),))
    if sent_at is None:  # what history did is stated, not asked for: a party of then may have been corrected away since
        await _check_concerned(work, found, units, reached)
    invitation = Invitation(uuid7(), sent_at or work.at, found.row.unit if sent_at is None else found.row.opened_by)
    plan = invite(found.plan, invitation)
    await rows.invite(work, plan, invitation, units=units, meeting=meeting, client=caller.client_id)
    await rows.add_parties(work, plan_id, [(row.asked, row.team) for row in reached])
    if meeting is not None:
        await rows.say(work, plan_id, "meeting", dict(meeting), client=caller.client_id)
    post = Post()
    mailboxes = [rows.mailbox_of(row) for row in reached if row.id is not None]
    call_units(post, replace(found, plan=plan), invitation, mailboxes, meeting, history=sent_at is not None)
    await post.write(work)
    await rows.keep_notices(work, plan_id, [notice.id for notice in post.notices])
    if meeting is not None:
        at = parse_instant(str(meeting["at"]))
        set_for = Meeting(at, meeting.get("place"), meeting.get("link"))
        await stage_facts(work, [(_meeting_set(plan, set_for, invitation.sent_at), plan.case_id)])
        if sent_at is None:
            await tell_ward(work, found, at=at)
    about = {"invitation_id": str(invitation.id), "sent_at": format_instant(invitation.sent_at)}
    await told(work, caller, found, "invited", fact=_invited(plan, invitation, mailboxes), about=about, only=frozenset())
    return invitation


async def _check_concerned(work: Work, found: PlanAtHand, units: Sequence[str], reached: Sequence[Any]) -> None:
    """Only who is concerned in the stay is called to its plan, and a team that such a unit is a member of.

    Raises:
        Malformed: A unit is not concerned.

    Source:
        Lag (2017:612) 4 kap. 3 §.
    """
    if found.plan.case_id is None:
        return
    parties = await cases.parties(work, found.plan.case_id) | {f"unit:{found.row.unit}"}
    concerned = {name for row in reached if row.recipient in parties for name in (row.asked, row.team)}
    strangers = [index for index, unit in enumerate(units) if unit not in concerned]
    if strangers:
        raise Malformed("plan.unit_not_concerned", errors=tuple(FieldError(f"/units/{index}", "unit_not_concerned") for index in strangers))


async def _check_basis(work: Work, caller: Caller, plan: Plan) -> None:
    """A care plan that was opened before the ready notice is not called to when that says that there is no compulsory care."""
    if plan.kind is PlanKind.CARE_PLAN and plan.case_id is not None:
        case = await cases.visible(work, caller, plan.case_id)
        ready = None if case is None else ready_says(case.view)
        if ready is not None:
            check_kind(plan.kind, ready=ready, stated=None)


def _invited(plan: Plan, invitation: Invitation, mailboxes: Sequence[Mailbox]) -> PlanInvited | None:
    """What billing learns; the call to a care plan is no N8."""
    if plan.kind is PlanKind.CARE_PLAN:
        return None
    return PlanInvited(
        plan_id=plan.id,
        case_id=plan.case_id,
        invitation_id=invitation.id,
        invited_at=invitation.sent_at,
        invited_by=invitation.invited_by,
        called=tuple(sorted({mailbox.recipient for mailbox in mailboxes})),
    )


def _check_stated(caller: Caller, sent_at: datetime, at: datetime) -> None:
    if not caller.may("events:import"):
        raise HttpProblem("event.sentat_denied")
    if sent_at > at:
        raise Malformed("event.sentat_invalid", errors=(FieldError("/sent_at", "in_future"),))


async def answer_invitation(  # noqa: PLR0913  # which unit answers what, and who says so
    work: Work,
    caller: Caller,
    plan_id: UUID,
    invitation_id: UUID,
    *,
    unit: str | None,
    answer: str,
    proposed_at: datetime | None,
    answered_by: str,
) -> tuple[str, PlanStatus]:
    """A unit that was called answers; it may answer anew until the plan is closed. Also for a team, by any of its members' units.

    Returns:
        The unit that answered, and where the plan stands.

    Raises:
        NotFound: Unknown, not the caller's, or its units were not called.
        Malformed: Several of its units were called, and none is named.
        Refused: 409, the patient has not consented, or the plan is closed.

    Source:
        Lag (2017:612) 4 kap. 3 §.
    """
    found = await locked(work, caller, plan_id, Action.READ_PLAN)
    invited = next((one for one in await rows.invitations(work, plan_id) if one.id == invitation_id), None)
    if invited is None:
        raise NotFound
    own = _called_units(found, caller, set(invited.units))
    if unit is not None:
        own = [one for one in own if one == unit]
    if not own:
        raise NotFound
    if len(own) > 1:
        raise Malformed("request.malformed", errors=(FieldError("/unit", "missing"),))
    status = move(found.plan, PlanTrigger.ANSWER)
    await rows.answer(work, invitation_id, own[0], answer=answer, proposed_at=proposed_at, by=answered_by, client=caller.client_id)
    fact = PlanAnswered.model_validate(
        {
            "plan_id": plan_id,
            "case_id": found.plan.case_id,
            "invitation_id": invitation_id,
            "unit": own[0],
            "answer": answer,
            "answered_at": work.at,
        }
    )
    about = {"invitation_id": str(invitation_id), "unit": own[0], "answer": answer}
    await told(work, caller, found, "answered", fact=fact, about=about, only=frozenset({found.row.unit}))
    return own[0], status


def _called_units(found: PlanAtHand, caller: Caller, called: set[str]) -> list[str]:
    """The units of an invitation that the caller may answer for: its own, and the teams that its own take part through."""
    own = {party.unit for party in found.parties if caller.acts_for(party.unit)}
    through = {party.team for party in found.parties if party.unit in own and party.team is not None}
    return sorted((own | through) & called)


async def set_meeting(
    work: Work, caller: Caller, plan_id: UUID, meeting: Meeting, *, held: bool, attended: Sequence[Mapping[str, Any]]
) -> Plan:
    """Set when and where the plan is made, or tell that it was made there and who attended.

    Raises:
        NotFound: Unknown, or not the caller's.
        HttpProblem: 403, it is another unit's plan.
        Malformed: It is nowhere, or was held in the future.
        Refused: 409, the patient has not consented, nobody was called, or the plan is closed.

    Source:
        Lag (2017:612) 4 kap. 2 §.
    """
    found = await led(work, caller, plan_id)
    await check_day(work, caller, found.plan, local_date(meeting.at), field="/at")
    status = hold(found.plan, meeting, work.at) if held else schedule(found.plan, meeting)
    said = {"at": format_instant(meeting.at), "place": meeting.place, "link": meeting.link, "held": held, "attended": [*attended]}
    after = replace(found.plan, status=status)
    await rows.move(work, after)
    await rows.say(work, plan_id, "held" if held else "meeting", said, client=caller.client_id)
    fact: Fact = _meeting_set(after, meeting, work.at)
    if held:
        fact = PlanHeld(plan_id=plan_id, case_id=after.case_id, plan_kind=after.kind.value, held_at=meeting.at, by_video=meeting.by_video)
    else:
        await tell_ward(work, found, at=meeting.at)
    await told(work, caller, found, "held" if held else "meeting_set", fact=fact, about={"at": format_instant(meeting.at)})
    return after


def _meeting_set(plan: Plan, meeting: Meeting, at: datetime) -> PlanMeetingSet:
    return PlanMeetingSet(plan_id=plan.id, case_id=plan.case_id, meeting_at=meeting.at, by_video=meeting.by_video, set_at=at)


async def set_measures(work: Work, caller: Caller, plan_id: UUID, measures: Measures) -> Plan:
    """Write down what the plan names; doing it again replaces it, and what stood before is kept.

    Raises:
        NotFound: Unknown, or not the caller's.
        HttpProblem: 403, it is another unit's plan.
        Malformed: A measure is nobody's who takes part.
        Refused: 409, the plan was not held yet, or is closed.

    Source:
        Lag (2017:612) 4 kap. 2 §.
    """
    found = await led(work, caller, plan_id, or_responsible=True)
    await check_day(work, caller, found.plan, measures.follow_up_on, field="/follow_up_on")
    status = agree(found.plan, measures, found.units)
    said = {
        "needs": measures.needs,
        "measures": [{"what": one.what, "by": one.by, "unit": one.unit} for one in measures.measures],
        "main_responsibility": measures.main_responsibility,
        "follow_up_on": measures.follow_up_on.isoformat(),
    }
    after = replace(found.plan, status=status)
    await rows.move(work, after, main_unit=measures.main_responsibility)
    await rows.say(work, plan_id, "measures", said, client=caller.client_id)
    fact = PlanAgreed(
        plan_id=plan_id,
        case_id=found.plan.case_id,
        main_responsibility=measures.main_responsibility,
        follow_up_on=measures.follow_up_on,
        agreed_at=work.at,
    )
    await told(work, caller, found, "agreed", fact=fact, about={"follow_up_on": measures.follow_up_on.isoformat()})
    return after


async def record_follow_up(  # the parts of one follow-up
    work: Work, caller: Caller, plan_id: UUID, *, held_at: datetime, outcome: Outcome, note: str | None, next_on: date | None
) -> Plan:
    """The plan was followed up, by its own unit or the one with the main responsibility; as often as it takes.

    Raises:
        NotFound: Unknown, or not the caller's.
        HttpProblem: 403, it is another unit's plan.
        Malformed: It was held in the future.
        Refused: 409, it names no measures yet, or is closed.

    Source:
        Lag (2017:612) 4 kap. 2 §.
    """
    found = await led(work, caller, plan_id, or_responsible=True)
    await check_day(work, caller, found.plan, local_date(held_at), field="/held_at")
    status = follow_up(found.plan, agreed=found.row.main_unit is not None, held_at=held_at, at=work.at)
    said = {
        "held_at": format_instant(held_at),
        "outcome": outcome,
        "note": note,
        "next_on": None if next_on is None else next_on.isoformat(),
    }
    after = replace(found.plan, status=status)
    await rows.move(work, after)
    await rows.say(work, plan_id, "follow_up", said, client=caller.client_id)
    fact = PlanFollowedUp(plan_id=plan_id, case_id=found.plan.case_id, held_at=held_at, outcome=outcome, next_on=next_on)
    await told(work, caller, found, "followed_up", fact=fact, about={"outcome": outcome})
    return after


async def close_plan(work: Work, caller: Caller, plan_id: UUID, reason: CloseReason) -> Plan:
    """End the plan: its goals are met, or it is not needed or not possible any more.

    Raises:
        NotFound: Unknown, or not the caller's.
        HttpProblem: 403, it is another unit's plan.
        Refused: 409, it is closed already.
    """
    found = await led(work, caller, plan_id, or_responsible=True)
    status = move(found.plan, PlanTrigger.CLOSE)
    after = replace(found.plan, status=status)
    await rows.move(work, after)
    await rows.say(work, plan_id, "closed", {"reason": reason}, client=caller.client_id)
    fact = PlanClosed(plan_id=plan_id, case_id=found.plan.case_id, reason=reason, closed_at=work.at)
    await told(work, caller, found, "closed", fact=fact, about={"reason": reason})
    return after
