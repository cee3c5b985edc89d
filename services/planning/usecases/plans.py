"""The co-ordinated individual plan (SIP), so far what money needs of it: consent, invitation, and the fact of it on the stream."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.planning.domain.plans import Consent, Invitation, Plan, invite, open_plan
from services.planning.repository import cases
from services.planning.repository import plans as rows
from services.planning.repository.directory import Mailbox
from services.planning.usecases.folding import tell_case
from services.planning.usecases.mailing import Letter, Post
from shared.dates import format_instant
from shared.db import Work
from shared.errors import FieldError, Malformed, NotFound
from shared.events.facts import PlanInvited
from shared.http.auth import Caller
from shared.http.problems import HttpProblem
from shared.identifiers import uuid7
from shared.streams import access_log
from shared.streams.outbox import staged_fact

ANSWER_WITHIN: Final = timedelta(hours=24)
INVITATION: Final = "notice.sip_invitation"
LEGAL_BASIS: Final = "lag (2017:612) 4 kap. 3 §"


@dataclass(frozen=True, slots=True)
class PlanRead:
    """A plan as its readers see it."""

    row: Any
    invitations: Sequence[Any]


async def start_plan(work: Work, caller: Caller, *, case_id: UUID | None, consent: Consent, care_centre: str | None) -> Plan:
    """A care centre judged that a plan is needed and recorded what the patient answered.

    Raises:
        NotFound: The case is unknown or not the caller's.
        Malformed: No care centre is named and none follows from the case or the caller.
        HttpProblem: 403, the care centre is not one of the caller's units.
    """
    case = None if case_id is None else await cases.visible(work, caller, case_id)
    if case_id is not None and case is None:
        raise NotFound
    unit = care_centre or (case.outpatient_unit if case is not None else None) or _only_unit(caller)
    if unit is None:
        raise Malformed("request.malformed", errors=(FieldError("/care_centre", "missing"),))
    if not caller.acts_for(unit):
        raise HttpProblem("access.denied")
    plan = open_plan(uuid7(), unit, work.at, consent=consent, case_id=case_id)
    await rows.add(work, plan, organisation=caller.organisation, consent=consent, client=caller.client_id)
    if case_id is not None:
        await cases.lock(work, case_id)
        await tell_case(work, case_id, client=caller.client_id, what="plan.opened", about={"plan_id": str(plan.id), "consent": consent})
    return plan


def _only_unit(caller: Caller) -> str | None:
    return caller.unit_prefixes[0] if len(caller.unit_prefixes) == 1 and caller.role == "care" else None


async def read_plan(work: Work, caller: Caller, plan_id: UUID, *, request_id: str) -> PlanRead:
    """One plan: its care centre's, and everyone's who may see its case.

    Raises:
        NotFound: Unknown, or not the caller's.
    """
    found = await _readable(work, caller, plan_id)
    await access_log.record(work, caller, "plan.read", [found.case_id] if found.case_id else [], request_id=request_id)
    return PlanRead(found, await rows.invitations(work, plan_id))


async def _readable(work: Work, caller: Caller, plan_id: UUID) -> Any:  # a row
    found = await rows.row(work, plan_id)
    if found is None:
        raise NotFound
    if not (found.organisation == caller.organisation and caller.acts_for(found.unit)) and (
        found.case_id is None or await cases.visible(work, caller, found.case_id) is None
    ):
        raise NotFound
    return found


async def send_invitation(
    work: Work, caller: Caller, plan_id: UUID, *, units: Sequence[str], meeting: dict[str, Any] | None, sent_at: datetime | None
) -> Invitation:
    """The permanent care contact calls the units to the plan (N8, kallelse); billing learns it from the stream.

    Raises:
        NotFound: Unknown, or not the caller's.
        Malformed: A unit has no mailbox.
        HttpProblem: 403, only the plan's care centre invites, and only a history client may state when it was sent.
        Refused: 409, the patient has not consented.

    Source:
        Lag (2017:612) 4 kap. 3 §.
    """
    if sent_at is not None:
        _check_stated(caller, sent_at, work.at)
    found = await _readable(work, caller, plan_id)
    if not caller.acts_for(found.unit):
        raise HttpProblem("access.denied")
    if found.case_id is not None:
        await cases.lock(work, found.case_id)
    await rows.lock(work, plan_id)
    found = await _readable(work, caller, plan_id)
    mailboxes = await rows.mailboxes_at(work, units)
    missing = set(units) - {box.unit for box in mailboxes}
    if missing:
        places = tuple(FieldError(f"/units/{index}", "unit_unknown") for index, unit in enumerate(units) if unit in missing)
        raise Malformed("plan.unit_unknown", errors=places)
    if sent_at is None:  # what history did is stated, not asked for: a party of then may have been corrected away since
        await _check_concerned(work, found.case_id, units, mailboxes)
    invitation = Invitation(uuid7(), sent_at or work.at, found.unit)
    plan = invite(rows.plan_of(found, await rows.invitations(work, plan_id)), invitation)
    await rows.invite(work, plan, invitation, units=units, meeting=meeting, client=caller.client_id, at=work.at)
    await _post_invitation(work, plan, invitation, mailboxes, meeting, history=sent_at is not None)
    if plan.case_id is not None:
        about = {"plan_id": str(plan.id), "invitation_id": str(invitation.id), "sent_at": format_instant(invitation.sent_at)}
        await tell_case(work, plan.case_id, client=caller.client_id, what="plan.invited", about=about)
    return invitation


async def _check_concerned(work: Work, case_id: UUID | None, units: Sequence[str], mailboxes: Sequence[Any]) -> None:
    """Only who is concerned in the stay is called to its plan: N8 goes to the units concerned (lag 2017:612 4 kap. 3 §)."""
    parties = None if case_id is None else await cases.parties(work, case_id)
    if parties is None:
        return
    strangers = {box.unit for box in mailboxes} - {box.unit for box in mailboxes if box.recipient in parties}
    if strangers:
        places = tuple(FieldError(f"/units/{index}", "unit_not_concerned") for index, unit in enumerate(units) if unit in strangers)
        raise Malformed("plan.unit_not_concerned", errors=places)


def _check_stated(caller: Caller, sent_at: datetime, at: datetime) -> None:
    if not caller.may("events:import"):
        raise HttpProblem("event.sentat_denied")
    if sent_at > at:
        raise Malformed("event.sentat_invalid", errors=(FieldError("/sent_at", "in_future"),))


async def _post_invitation(  # one letter's parts
    work: Work, plan: Plan, invitation: Invitation, mailboxes: Sequence[Any], meeting: dict[str, Any] | None, *, history: bool
) -> None:
    post = Post()
    for box in mailboxes:
        post.put(
            Letter(
                mailbox=Mailbox(box.id, box.recipient, box.organisation, box.unit, box.function),
                type=INVITATION,
                sender=plan.care_centre,
                sent_at=invitation.sent_at,
                acknowledge_by=invitation.sent_at + ANSWER_WITHIN,
                origin=f"{INVITATION}/{invitation.id}/{box.recipient}/{box.function}",
                case_id=plan.case_id,
                legal_basis=LEGAL_BASIS,
                personal=None if meeting is None else {"person": None, "content": {"meeting": meeting}, "protected": False},
                about={"plan_id": str(plan.id), "invitation_id": str(invitation.id)},
                history=history,
            )
        )
    fact = PlanInvited(
        plan_id=plan.id,
        case_id=plan.case_id,
        invitation_id=invitation.id,
        invited_at=invitation.sent_at,
        invited_by=invitation.invited_by,
        called=tuple(sorted({box.recipient for box in mailboxes})),
    )
    post.staged.append(staged_fact(fact, plan.case_id))
    await post.write(work)
