"""What the units of a plan are told: that they are called, and that something changed. What the plan says stays in the plan."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from services.planning.domain.plans import Invitation, PlanKind
from services.planning.repository import directory
from services.planning.repository import plans as rows
from services.planning.repository.directory import Mailbox
from services.planning.usecases.folding import tell_case
from services.planning.usecases.mailing import Letter, Post
from services.planning.usecases.plan_access import PlanAtHand, person_told
from services.planning.usecases.reminding import look_at_plan
from shared.dates import format_instant, local_date
from shared.db import Work
from shared.events.facts import Fact
from shared.http.auth import Caller
from shared.streams.outbox import staged_fact

INVITATION: Final = "notice.sip_invitation"
CHANGED: Final = "notice.sip_changed"
LEGAL_BASIS: Final = {PlanKind.SIP: "lag (2017:612) 4 kap. 3 §", PlanKind.CARE_PLAN: "lag (2017:612) 4 kap. 1 §"}
WITHDRAWAL_BASIS: Final = "lag (2017:612) 4 kap. 2 §"


def call_units(
    post: Post, found: PlanAtHand, invitation: Invitation, mailboxes: Sequence[Mailbox], meeting: Mapping[str, Any] | None, *, history: bool
) -> None:
    """Put the invitation into the mailboxes of those called: whom the plan is about and where it is made stand beside the envelope."""
    for mailbox in mailboxes:
        post.put(
            Letter(
                mailbox=mailbox,
                type=INVITATION,
                sender=found.plan.care_centre,
                sent_at=invitation.sent_at,
                origin=f"{INVITATION}/{invitation.id}/{mailbox.recipient}/{mailbox.function}",
                case_id=found.plan.case_id,
                legal_basis=LEGAL_BASIS[found.plan.kind],
                about={"plan_id": str(found.plan.id), "invitation_id": str(invitation.id)},
                personal={
                    "person": person_told(found, named=found.plan.case_id is None),
                    "content": None if meeting is None else {"meeting": dict(meeting)},
                    "protected": found.protected,
                },
                history=history,
            )
        )


async def told(
    work: Work,
    caller: Caller,
    found: PlanAtHand,
    change: str,
    *,
    fact: Fact | None,
    about: Mapping[str, str],
    only: frozenset[str] | None = None,
) -> None:
    """Tell the other units of a plan that something changed, the other services what, and the case's history who did it.

    Args:
        work: The transaction that holds the locks.
        caller: Who did it; its own units are not told.
        found: The plan as it was before.
        change: What was done, in one word.
        fact: What the other services learn, if they do.
        about: What the history of the case says of it; no free text.
        only: The units to tell; every unit that takes part, when not given.
    """
    post = Post()
    others = [unit for unit in sorted(found.units if only is None else only) if not caller.acts_for(unit)]
    for row in await rows.reached(work, others, local_date(work.at)) if others else ():
        if row.id is not None and row.asked in found.units:
            post.put(_changed(work, found, change, rows.mailbox_of(row)))
    if fact is not None:
        post.staged.append(staged_fact(fact, found.plan.case_id))
    await post.write(work)
    if found.plan.case_id is not None:
        members = {"plan_id": str(found.plan.id), **about}
        await tell_case(work, found.plan.case_id, client=caller.client_id, what=f"plan.{change}", about=members)
    else:
        await look_at_plan(work, found.plan.id)


async def tell_ward(work: Work, found: PlanAtHand, *, at: datetime) -> None:
    """The ward hears in its own mailbox, if it has one, when the plan of a stay of its own is made; where, and what it says, it does not.

    Source:
        Domain rule 2: the ward gets the time of the SIP.
    """
    if found.plan.case_id is None:
        return
    ward = await rows.ward_of(work, found.plan.case_id)
    boxes = {} if ward is None else await directory.mailboxes_for(work, [f"unit:{ward}"], function=directory.WARD)
    post = Post()
    for mailbox in boxes.values():
        letter = _changed(work, found, "meeting_set", mailbox)
        post.put(replace(letter, personal={"person": None, "content": {"meeting_at": format_instant(at)}, "protected": found.protected}))
    await post.write(work)
    await rows.keep_notices(work, found.plan.id, [notice.id for notice in post.notices])


def _changed(work: Work, found: PlanAtHand, change: str, mailbox: Mailbox) -> Letter:
    return Letter(
        mailbox=mailbox,
        type=CHANGED,
        sender=found.plan.care_centre,
        sent_at=work.at,
        origin=f"{CHANGED}/{found.plan.id}/{change}/{work.at.isoformat()}/{mailbox.recipient}/{mailbox.function}",
        case_id=found.plan.case_id,
        legal_basis=LEGAL_BASIS[found.plan.kind],
        about={"plan_id": str(found.plan.id), "change": change},
    )
