"""Co-ordinated individual plans: their parties, their invitations and answers, and everything that was said in them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text

from services.planning.domain.addressing import CATCH_ALL
from services.planning.domain.plans import Consent, Invitation, Plan, PlanKind, PlanStatus
from services.planning.repository import sealing
from services.planning.repository.directory import Mailbox
from services.planning.repository.sealing import Opened, sealed_json
from services.planning.vault import person_vault
from shared.db import Work

_ADD: Final = text(
    """
    INSERT INTO plans (id, case_id, organisation, unit, state, consent, created_at, created_by, kind, child, person,
                       person_id)
    VALUES (:id, :case_id, :organisation, :unit, :state, :consent, :at, :by, :kind, :child, CAST(:person AS jsonb), :person_id)
    """
)
_LOCK: Final = text("SELECT id FROM plans WHERE id = :id FOR UPDATE")
_IS_THERE: Final = text("SELECT EXISTS (SELECT FROM plans WHERE id = :id)")
_TODAY: Final = "CAST(now() AT TIME ZONE 'Europe/Stockholm' AS date)"
_MEMBERS: Final = f"SELECT tm.unit FROM team_members tm WHERE daterange(tm.valid_from, tm.valid_to, '[]') @> {_TODAY} AND tm.team ="  # noqa: S608
_STANDS: Final = f"(c.outpatient_unit = p.unit OR jsonb_exists(c.parties, 'unit:' || p.unit) OR p.unit IN ({_MEMBERS} c.outpatient_unit))"
# Who leads a plan: its own unit; in a stay the one that is concerned now, when the one that opened it is so no longer.
LEAD: Final = f"CASE WHEN c.outpatient_unit IS NULL OR {_STANDS} THEN p.unit ELSE c.outpatient_unit END"
_WAS_TOLD: Final = """
    EXISTS (SELECT FROM mailboxes m JOIN notices n ON n.recipient = m.recipient
            WHERE m.unit = {unit} AND n.case_id = c.id AND n.type = 'notice.admission')
"""
# There was no such stay: whoever opened the plan closes it, if nobody else was to lead it meanwhile.
_VOID: Final = """
    (c.state = 'cancelled' AND NOT EXISTS (
        SELECT FROM notices n WHERE n.case_id = c.id AND n.type = 'notice.admission' AND starts_with(n.recipient, 'unit:')
        AND n.recipient <> 'unit:' || p.unit))
"""
# A plan of a stay has no person of its own: the case's is the newest. `left`: whoever leads is not concerned in the stay any more.
_READ: Final = text(
    f"""
    SELECT p.id, p.case_id, p.organisation, p.unit AS opened_by, lead.unit, p.state, p.consent, p.created_at, p.kind, p.child, p.main_unit,
           CASE WHEN p.person IS NULL THEN jsonb_build_array('case:' || c.id, c.person)
                ELSE jsonb_build_array('plan:' || p.id, p.person) END AS person,
           ARRAY(SELECT lead.unit UNION {_MEMBERS} lead.unit AND c.id IS NOT NULL) AS leaders,
           coalesce({_VOID}, false) AS void,
           c.id IS NOT NULL AND c.outpatient_unit IS NULL AND NOT {_VOID} AND {_WAS_TOLD.format(unit="p.unit")} AS left
    FROM plans p LEFT JOIN cases c ON c.id = p.case_id CROSS JOIN LATERAL (SELECT {LEAD} AS unit) AS lead WHERE p.id = :id
    """  # noqa: S608  # constant text
).columns(person=Opened)
_MAY_LEAD: Final = text(
    f"SELECT c.outpatient_unit IS NULL OR {_STANDS} FROM cases c, (SELECT CAST(:unit AS text) AS unit) AS p WHERE c.id = :case"  # noqa: S608
)
_OPEN: Final = text(
    """
    SELECT EXISTS (SELECT FROM plans WHERE case_id = :case AND kind = :kind AND id <> :but
                   AND state NOT IN ('closed', 'refused', 'withdrawn'))
    """
)
_WARD: Final = text("SELECT ward FROM cases WHERE id = :case")
# The time of what the parties were called to: first called, and met when; nothing while it is not shared.
_CALLED_TO: Final = text(
    """
    SELECT min(i.sent_at) AS invited_at,
           (SELECT e.body ->> 'at' FROM plan_entries e WHERE e.plan_id = p.id AND e.what IN ('meeting', 'held')
            ORDER BY e.number DESC LIMIT 1) AS meeting_at
    FROM plans p JOIN plan_invitations i ON i.plan_id = p.id
    WHERE p.case_id = :case AND p.state IN ('invited', 'held', 'follow_up') AND (p.kind = 'care_plan' OR p.consent = 'given')
    GROUP BY p.id ORDER BY p.created_at DESC, p.id DESC LIMIT 1
    """
)
_PERSON: Final = text("SELECT jsonb_build_array('case:' || id, person) AS person FROM cases WHERE id = :case").columns(person=Opened)
_INVITATIONS: Final = text("SELECT id, sent_at, units, meeting FROM plan_invitations WHERE plan_id = :id ORDER BY recorded_at, id")
_MOVE: Final = text(
    "UPDATE plans SET state = :state, consent = :consent, main_unit = coalesce(CAST(:main_unit AS text), main_unit) WHERE id = :id"
)
_INVITE: Final = text(
    """
    INSERT INTO plan_invitations (id, plan_id, sent_at, recorded_at, units, meeting, client)
    VALUES (:id, :plan_id, :sent_at, :at, CAST(:units AS jsonb), CAST(:meeting AS jsonb), :client)
    """
)
# The units asked for, and behind a team the units of its members; each in the one mailbox that takes all, where it has several. A unit
# that does not stand on the day has none.
_REACHED: Final = text(
    """
    WITH asked AS (
        SELECT unit, NULL AS team FROM unnest(CAST(:units AS text[])) AS u (unit)
        UNION ALL
        SELECT m.unit, m.team FROM team_members m
        WHERE m.team = ANY(CAST(:units AS text[])) AND m.valid_from <= :day AND (m.valid_to IS NULL OR m.valid_to >= :day)
          AND m.unit <> ALL(CAST(:units AS text[])))
    SELECT DISTINCT ON (a.unit) a.unit AS asked, a.team, m.id, m.recipient, m.organisation, m.unit, m.function, m.district
    FROM asked a
    LEFT JOIN (SELECT m.* FROM mailboxes m JOIN units u ON u.hsa_id = m.unit JOIN organisations o ON o.number = u.organisation
               WHERE u.kind <> 'office'
                 AND daterange(greatest(u.valid_from, o.valid_from), least(u.valid_to, o.valid_to), '[]') @> CAST(:day AS date)) AS m
      ON m.unit = a.unit
    ORDER BY a.unit, m.function = ANY(CAST(:first AS text[])) DESC NULLS LAST, m.function, m.district, a.team
    """
)
# In a stay only those that are concerned in it now, and whoever was called behind a team with one of them: not who has left.
# Every row by key: one table that can only be read whole, and to the planner (`by_key`) reading all cases costs no more beside it.
_CONCERNED: Final = f"""
    (c.id IS NULL
     OR EXISTS (SELECT FROM mailboxes m WHERE m.unit = t.unit AND jsonb_exists(c.parties, m.recipient))
     OR (NOT {_WAS_TOLD.format(unit="t.unit")} AND EXISTS (
         SELECT FROM mailboxes m WHERE jsonb_exists(c.parties, m.recipient)
         AND m.unit IN (SELECT coalesce(t.team, t.unit) UNION ALL {_MEMBERS} coalesce(t.team, t.unit)))))
"""  # noqa: S608  # constant text
_PARTIES: Final = text(
    f"""
    SELECT t.unit, t.team FROM plan_parties t JOIN plans p ON p.id = t.plan_id LEFT JOIN cases c ON c.id = p.case_id
    WHERE t.plan_id = :id AND {_CONCERNED} ORDER BY t.unit
    """  # noqa: S608  # constant text
)
TAKES_PART: Final = f"""
    EXISTS (SELECT FROM plan_parties t JOIN plans p ON p.id = t.plan_id LEFT JOIN cases c ON c.id = p.case_id
            WHERE t.plan_id = {{plan}} AND t.unit = {{unit}} AND {_CONCERNED})
"""
_ADD_PARTIES: Final = text(
    """
    INSERT INTO plan_parties (plan_id, unit, team)
    SELECT :id, unit, team FROM unnest(CAST(:units AS text[]), CAST(:teams AS text[])) AS u (unit, team)
    ON CONFLICT (plan_id, unit) DO NOTHING
    """
)
_ANSWER: Final = text(
    """
    INSERT INTO plan_answers (invitation_id, unit, answer, proposed_at, answered_by, answered_at, client)
    VALUES (:invitation, :unit, :answer, :proposed, :by, :at, :client)
    ON CONFLICT (invitation_id, unit) DO UPDATE SET answer = excluded.answer, proposed_at = excluded.proposed_at,
        answered_by = excluded.answered_by, answered_at = excluded.answered_at, client = excluded.client
    """
)
_ANSWERS: Final = text(
    """
    SELECT a.invitation_id, a.unit, a.answer, a.proposed_at, a.answered_by, a.answered_at
    FROM plan_answers a JOIN plan_invitations i ON i.id = a.invitation_id WHERE i.plan_id = :id ORDER BY a.answered_at, a.unit
    """
)
_SAY: Final = text(
    """
    INSERT INTO plan_entries (plan_id, number, at, client, what, body)
    SELECT :id, coalesce(max(number), 0) + 1, :at, :client, :what, CAST(:body AS jsonb) FROM plan_entries WHERE plan_id = :id
    """
)
_ENTRIES: Final = text("SELECT number, at, client, what, body FROM plan_entries WHERE plan_id = :id ORDER BY number")
_SENT: Final = text("INSERT INTO plan_notices (plan_id, notice_id) SELECT :id, notice FROM unnest(CAST(:notices AS uuid[])) AS n (notice)")
_NOTICES: Final = text("SELECT notice_id FROM plan_notices WHERE plan_id = :id")


async def add(work: Work, plan: Plan, *, organisation: str, person: Mapping[str, Any] | None, client: str) -> None:
    """Write a new plan."""
    await work.connection.execute(
        _ADD,
        {
            "id": plan.id,
            "case_id": plan.case_id,
            "organisation": organisation,
            "unit": plan.care_centre,
            "state": plan.status.value,
            "consent": plan.consent,
            "at": plan.opened_at,
            "by": client,
            "kind": plan.kind.value,
            "child": plan.child,
            "person": None if person is None else sealed_json(person, of=sealing.plan_of(plan.id)),
            "person_id": None if person is None else person_vault().stands_for(str(person["type"]), str(person["id"])),
        },
    )
    await add_parties(work, plan.id, [(plan.care_centre, None)])


async def lock(work: Work, plan_id: UUID) -> None:
    """Lock one plan; the case of its stay, if any, is locked before."""
    await work.connection.execute(_LOCK, {"id": plan_id})


async def is_there(work: Work, plan_id: UUID) -> bool:
    """Whether there is such a plan, for whom this transaction reads."""
    return bool((await work.connection.execute(_IS_THERE, {"id": plan_id})).scalar_one())


async def row(work: Work, plan_id: UUID) -> Any | None:  # a row
    """One plan as it is stored; `unit` leads it now, which is not always the one it was `opened_by`."""
    return (await work.connection.execute(_READ, {"id": plan_id})).one_or_none()


async def ward_of(work: Work, case_id: UUID) -> str | None:
    """The ward that holds the patient."""
    ward: str | None = (await work.connection.execute(_WARD, {"case": case_id})).scalar_one_or_none()
    return ward


async def called_to(work: Work, case_id: UUID) -> Any | None:  # a row
    """When the parties of a case were first called to its plan, and when it is made: for whoever sees the case, without its content."""
    return (await work.connection.execute(_CALLED_TO, {"case": case_id})).one_or_none()


async def may_lead(work: Work, case_id: UUID, unit: str) -> bool:
    """Whether a unit may lead the plan of a stay: the outpatient unit, a member of it where that is a team, or any while none is named."""
    return bool((await work.connection.execute(_MAY_LEAD, {"case": case_id, "unit": unit})).scalar_one())


async def another_open(work: Work, plan: Plan) -> bool:
    """Whether the stay of a plan has an open one of the same kind beside it."""
    asked = {"case": plan.case_id, "kind": plan.kind.value, "but": plan.id}
    return bool((await work.connection.execute(_OPEN, asked)).scalar_one())


async def person_of(work: Work, case_id: UUID) -> Mapping[str, Any] | None:
    """The person of a case as stated, whether or not it may be told: for deciding, never for showing."""
    person: Mapping[str, Any] | None = (await work.connection.execute(_PERSON, {"case": case_id})).scalar_one_or_none()
    return person


async def invitations(work: Work, plan_id: UUID) -> Sequence[Any]:
    """The invitations of a plan, oldest first."""
    return (await work.connection.execute(_INVITATIONS, {"id": plan_id})).all()


def plan_of(found: Any, invited: Sequence[Any]) -> Plan:  # rows
    """The plan as the domain knows it."""
    consent: Consent | None = found.consent
    return Plan(
        id=found.id,
        care_centre=found.unit,
        opened_at=found.created_at,
        status=PlanStatus(found.state),
        case_id=found.case_id,
        invitations=tuple(Invitation(one.id, one.sent_at, found.unit) for one in invited),
        kind=PlanKind(found.kind),
        consent=consent,
        child=found.child,
    )


async def move(work: Work, plan: Plan, *, main_unit: str | None = None) -> None:
    """Keep where a plan stands now."""
    await work.connection.execute(_MOVE, {"id": plan.id, "state": plan.status.value, "consent": plan.consent, "main_unit": main_unit})


async def invite(
    work: Work, plan: Plan, invitation: Invitation, *, units: Sequence[str], meeting: Mapping[str, Any] | None, client: str
) -> None:
    """Add an invitation and move the plan along."""
    await move(work, plan)
    await work.connection.execute(
        _INVITE,
        {
            "id": invitation.id,
            "plan_id": plan.id,
            "sent_at": invitation.sent_at,
            "at": work.at,
            "units": _json(list(units)),
            "meeting": None if meeting is None else _json(meeting),
            "client": client,
        },
    )


async def reached(work: Work, units: Sequence[str], day: Any) -> Sequence[Any]:  # rows
    """The units asked for and the members of teams among them, each with its mailbox, or with nulls where it has none."""
    return (await work.connection.execute(_REACHED, {"units": list(units), "day": day, "first": [*CATCH_ALL, "team"]})).all()


def mailbox_of(found: Any) -> Mailbox:  # a row
    """The mailbox of a row of `reached`."""
    return Mailbox(found.id, found.recipient, found.organisation, found.unit, found.function, found.district)


async def parties(work: Work, plan_id: UUID) -> Sequence[Any]:
    """The units that take part now: rows of unit and team."""
    return (await work.connection.execute(_PARTIES, {"id": plan_id})).all()


async def add_parties(work: Work, plan_id: UUID, units: Sequence[tuple[str, str | None]]) -> None:
    """Let units take part, each with the team through which."""
    await work.connection.execute(_ADD_PARTIES, {"id": plan_id, "units": [one[0] for one in units], "teams": [one[1] for one in units]})


async def answer(  # the columns of one row
    work: Work, invitation_id: UUID, unit: str, *, answer: str, proposed_at: datetime | None, by: str, client: str
) -> None:
    """Keep what a unit last answered."""
    values = {"invitation": invitation_id, "unit": unit, "answer": answer, "proposed": proposed_at, "by": by, "at": work.at}
    await work.connection.execute(_ANSWER, values | {"client": client})


async def answers(work: Work, plan_id: UUID) -> Sequence[Any]:
    """What the units answered."""
    return (await work.connection.execute(_ANSWERS, {"id": plan_id})).all()


async def say(work: Work, plan_id: UUID, what: str, body: Mapping[str, Any], *, client: str) -> None:
    """Add what was said to a locked plan."""
    await work.connection.execute(_SAY, {"id": plan_id, "at": work.at, "client": client, "what": what, "body": _json(body)})


async def entries(work: Work, plan_id: UUID) -> Sequence[Any]:
    """Everything that was said in a plan, oldest first."""
    return (await work.connection.execute(_ENTRIES, {"id": plan_id})).all()


async def keep_notices(work: Work, plan_id: UUID, notices: Sequence[UUID]) -> None:
    """Remember the notices of a plan."""
    await work.connection.execute(_SENT, {"id": plan_id, "notices": list(notices)})


async def notices(work: Work, plan_id: UUID) -> list[UUID]:
    """The notices that were sent of a plan."""
    return list((await work.connection.execute(_NOTICES, {"id": plan_id})).scalars().all())


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
