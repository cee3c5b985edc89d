"""The stay ledger: versions, current rows, invitations, and how each stay counts in each month."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy import text

from services.billing.domain.charge import last_day
from services.billing.domain.reasons import Reason, ReviewDecision, ReviewOutcome
from services.billing.domain.stay import ConsentAnswer, Declined, Invitation, Stay
from services.billing.repository.kept import kept_stay
from services.billing.translation import Rules, consent_of, declined_of, invitation_of, stay_of
from shared.dates import Month
from shared.db import Work
from shared.events.facts import MeasuresDeclined, PlanConsentChanged, PlanInvited, StayChanged

Pair = tuple[str, Month]
Told = TypeVar("Told")

_KEEP_VERSIONS: Final = text(
    """
    INSERT INTO stay_versions (case_id, case_version, body, recorded_at, municipality, touches_from, touches_to)
    SELECT case_id, case_version, body, :at, municipality, touches_from, touches_to
    FROM unnest(CAST(:cases AS uuid[]), CAST(:versions AS integer[]), CAST(:bodies AS text[]), CAST(:municipalities AS text[]),
                CAST(:froms AS date[]), CAST(:tos AS date[]))
         AS told (case_id, case_version, body, municipality, touches_from, touches_to)
    ORDER BY case_id, case_version
    ON CONFLICT DO NOTHING
    """
)
_MOVE_STAYS: Final = text(
    """
    INSERT INTO stays (case_id, case_version, municipality, touches_from, touches_to, body, joined_cases)
    SELECT case_id, case_version, municipality, touches_from, touches_to, body, CAST(string_to_array(joined, ' ') AS uuid[])
    FROM unnest(CAST(:cases AS uuid[]), CAST(:versions AS integer[]), CAST(:municipalities AS text[]), CAST(:froms AS date[]),
                CAST(:tos AS date[]), CAST(:bodies AS text[]), CAST(:joined AS text[]))
         AS told (case_id, case_version, municipality, touches_from, touches_to, body, joined)
    ORDER BY case_id
    ON CONFLICT (case_id) DO UPDATE SET case_version = excluded.case_version, municipality = excluded.municipality,
        touches_from = excluded.touches_from, touches_to = excluded.touches_to, body = excluded.body, joined_cases = excluded.joined_cases
    WHERE stays.case_version < excluded.case_version
    """
)
_LOCK_STAYS: Final = text("SELECT case_id FROM stays WHERE case_id = ANY(CAST(:cases AS uuid[])) ORDER BY case_id FOR UPDATE")
_STAYS: Final = text("SELECT body FROM stays WHERE case_id = ANY(CAST(:cases AS uuid[])) ORDER BY case_id")
_STAYS_OF_MONTH: Final = text(
    """
    SELECT body FROM stays
    WHERE municipality = ANY(CAST(:municipalities AS text[])) AND touches_from <= :last AND (touches_to IS NULL OR touches_to >= :first)
    ORDER BY case_id
    """
)
_KEEP_INVITATIONS: Final = text(
    """
    INSERT INTO invitations (invitation_id, plan_id, case_id, invited_at, invited_by, called, recorded_at)
    SELECT id, plan_id, case_id, invited_at, invited_by, string_to_array(called, ' '), :at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:plans AS uuid[]), CAST(:cases AS uuid[]), CAST(:times AS timestamptz[]), CAST(:units AS text[]),
                CAST(:called AS text[])) AS told (id, plan_id, case_id, invited_at, invited_by, called)
    ON CONFLICT DO NOTHING
    """
)
_THEN: Final = "case_id = ANY(CAST(:cases AS uuid[])) AND (CAST(:then AS timestamptz) IS NULL OR recorded_at <= :then)"
_INVITATIONS: Final = text(f"SELECT case_id, invited_at, called FROM invitations WHERE {_THEN}")  # noqa: S608  # text of ours
_KEEP_CONSENTS: Final = text(
    """
    INSERT INTO plan_consents (plan_id, changed_at, consent, case_id, recorded_at)
    SELECT plan_id, changed_at, consent, case_id, :at
    FROM unnest(CAST(:plans AS uuid[]), CAST(:times AS timestamptz[]), CAST(:consents AS text[]), CAST(:cases AS uuid[]))
         AS told (plan_id, changed_at, consent, case_id)
    ON CONFLICT DO NOTHING
    """
)
_CONSENTS: Final = text(f"SELECT case_id, plan_id, consent, changed_at FROM plan_consents WHERE {_THEN}")  # noqa: S608
_KEEP_DECLINED: Final = text(
    """
    INSERT INTO declined_measures (decline_id, case_id, measures, declined_at, recorded_at)
    SELECT id, case_id, string_to_array(measures, ' '), declined_at, :at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:cases AS uuid[]), CAST(:measures AS text[]), CAST(:times AS timestamptz[]))
         AS told (id, case_id, measures, declined_at)
    ON CONFLICT DO NOTHING
    """
)
_DECLINED: Final = text(f"SELECT decline_id, case_id, measures, declined_at FROM declined_measures WHERE {_THEN}")  # noqa: S608
_KNOWN_AS: Final = text("SELECT case_id FROM stays WHERE joined_cases && CAST(:cases AS uuid[]) AND joined_cases <> '{}'")
_DECISIONS: Final = text(
    """
    SELECT DISTINCT ON (case_id, reason, facts) case_id, reason, outcome, facts FROM review_decisions
    WHERE case_id = ANY(CAST(:cases AS uuid[])) ORDER BY case_id, reason, facts, decided_at DESC, id DESC
    """
)
_DROP_LINES: Final = text("DELETE FROM stay_months WHERE case_id = ANY(CAST(:cases AS uuid[])) RETURNING municipality, month")
_KEEP_LINES: Final = text(
    """
    INSERT INTO stay_months (case_id, month, municipality, counted_as, ended, days, individual_days, amount_ore)
    SELECT * FROM unnest(CAST(:cases AS uuid[]), CAST(:months AS date[]), CAST(:municipalities AS text[]), CAST(:counted AS text[]),
                         CAST(:ended AS boolean[]), CAST(:days AS integer[]), CAST(:individual AS integer[]), CAST(:amounts AS bigint[]))
    """
)
_UNTURNED: Final = text(
    "SELECT municipality, month FROM averages WHERE NOT complete AND month < :this_month ORDER BY municipality, month LIMIT 1"
)
_WAITING_IN: Final = text("SELECT case_id FROM stay_months WHERE municipality = :municipality AND month = :month AND NOT ended")
_WAITING: Final = text(
    "SELECT case_id FROM stay_months WHERE month = :month AND municipality = ANY(CAST(:municipalities AS text[])) AND NOT ended"
)
_CHARGED_SINCE: Final = text("SELECT DISTINCT case_id FROM stay_months WHERE individual_days > 0 AND month >= :month")


@dataclass(frozen=True, slots=True)
class StayMonth:
    """How one stay counts in one month; `counted_as` is `open` for a patient still waiting who is not charged there."""

    case_id: UUID
    month: Month
    municipality: str
    counted_as: str
    ended: bool
    days: int
    individual_days: int
    amount_ore: int | None


async def keep(work: Work, facts: Sequence[StayChanged], rules: Rules = None) -> None:
    """Add every version to the ledger and move each stay to its newest one."""
    told = [(fact, stay_of(fact, rules=rules)) for fact in sorted(facts, key=lambda fact: fact.case_version)]
    await work.connection.execute(
        _KEEP_VERSIONS,
        {
            "at": work.at,
            "cases": [fact.case_id for fact, _ in told],
            "versions": [fact.case_version for fact, _ in told],
            "bodies": [fact.model_dump_json() for fact, _ in told],
            "municipalities": [stay.municipality for _, stay in told],
            "froms": [_touches_from(stay) for _, stay in told],
            "tos": [stay.ended_on for _, stay in told],
        },
    )
    moved = {fact.case_id: (fact, stay) for fact, stay in told}.values()
    await work.connection.execute(
        _MOVE_STAYS,
        {
            "cases": [fact.case_id for fact, _ in moved],
            "versions": [fact.case_version for fact, _ in moved],
            "municipalities": [stay.municipality for _, stay in moved],
            "froms": [_touches_from(stay) for _, stay in moved],
            "tos": [stay.ended_on for _, stay in moved],
            "bodies": [fact.model_dump_json() for fact, _ in moved],
            "joined": [" ".join(str(case) for case in fact.joined_cases) for fact, _ in moved],
        },
    )


def _touches_from(stay: Stay) -> date | None:
    """The first day a stay can count on: its first ready notice, or its end when the notice came even later."""
    if stay.cancelled or not stay.ready:
        return None
    first = min(notice.sent_on for notice in stay.ready)
    return first if stay.ended_on is None else min(first, stay.ended_on)


async def keep_invitations(work: Work, facts: Sequence[PlanInvited]) -> None:
    """Add calls to a SIP to the ledger."""
    await work.connection.execute(
        _KEEP_INVITATIONS,
        {
            "at": work.at,
            "ids": [fact.invitation_id for fact in facts],
            "plans": [fact.plan_id for fact in facts],
            "cases": [fact.case_id for fact in facts],
            "times": [fact.invited_at for fact in facts],
            "units": [fact.invited_by for fact in facts],
            # Recipients hold no blank; PostgreSQL has no arrays of different lengths to unnest.
            "called": [" ".join(fact.called) for fact in facts],
        },
    )


async def keep_consents(work: Work, facts: Sequence[PlanConsentChanged]) -> None:
    """Add answers about consent to the ledger."""
    await work.connection.execute(
        _KEEP_CONSENTS,
        {
            "at": work.at,
            "plans": [fact.plan_id for fact in facts],
            "times": [fact.changed_at for fact in facts],
            "consents": [fact.consent for fact in facts],
            "cases": [fact.case_id for fact in facts],
        },
    )


async def keep_declined(work: Work, facts: Sequence[MeasuresDeclined]) -> None:
    """Add statements that the patient declined measures to the ledger."""
    await work.connection.execute(
        _KEEP_DECLINED,
        {
            "at": work.at,
            "ids": [fact.decline_id for fact in facts],
            "cases": [fact.case_id for fact in facts],
            "measures": [" ".join(fact.measures) for fact in facts],
            "times": [fact.declined_at for fact in facts],
        },
    )


async def known_as(work: Work, cases: Collection[UUID]) -> set[UUID]:
    """These cases, and the stays that a transfer proved some of them to be."""
    return {*cases, *(await work.connection.execute(_KNOWN_AS, {"cases": sorted(cases)})).scalars()}


async def lock(work: Work, cases: Collection[UUID]) -> None:
    """Lock the stays of these cases, always in the order of their ids."""
    await work.connection.execute(_LOCK_STAYS, {"cases": sorted(cases)})


async def stays(work: Work, cases: Collection[UUID], rules: Rules = None) -> list[Stay]:
    """The stays of these cases as they are known now."""
    rows = (await work.connection.execute(_STAYS, {"cases": sorted(cases)})).scalars().all()
    return await with_what_was_told(work, rows, rules)


async def stays_of_month(work: Work, municipalities: Collection[str], month: Month, rules: Rules = None) -> list[Stay]:
    """Every stay of these municipalities that can count in a month."""
    values = {"municipalities": list(municipalities), "first": month.first, "last": last_day(month)}
    rows = await work.connection.execute(_STAYS_OF_MONTH, values)
    return await with_what_was_told(work, rows.scalars().all(), rules)


async def with_what_was_told(work: Work, bodies: Iterable[str], rules: Rules = None, then: datetime | None = None) -> list[Stay]:
    """The stays of these kept facts, with what was told beside them: all of it, or what was recorded at an earlier instant."""
    facts = [kept_stay(body) for body in bodies]
    # Things may have been told under an id that a transfer later proved to mean this stay.
    cases = {"cases": [case for fact in facts for case in (fact.case_id, *fact.joined_cases)], "then": then}
    invited: dict[UUID, list[Invitation]] = {}
    for row in await work.connection.execute(_INVITATIONS, cases):
        invited.setdefault(row.case_id, []).append(invitation_of(row.invited_at, row.called))
    answered: dict[UUID, list[ConsentAnswer]] = {}
    for row in await work.connection.execute(_CONSENTS, cases):
        answered.setdefault(row.case_id, []).append(consent_of(row.plan_id, row.consent, row.changed_at))
    declined: dict[UUID, list[Declined]] = {}
    for row in await work.connection.execute(_DECLINED, cases):
        declined.setdefault(row.case_id, []).append(declined_of(row.measures, row.declined_at, row.decline_id))
    return [stay_of(fact, _under(invited, fact), _under(answered, fact), _under(declined, fact), rules=rules) for fact in facts]


def _under(told: Mapping[UUID, Sequence[Told]], fact: StayChanged) -> Sequence[Told]:
    """What was told of a stay under its own id and those it was known by; for most stays of a county nothing was."""
    if not told:
        return ()
    if not fact.joined_cases:
        return told.get(fact.case_id, ())
    return [one for case in (fact.case_id, *fact.joined_cases) for one in told.get(case, ())]


async def decisions(work: Work, cases: Collection[UUID]) -> list[ReviewDecision]:
    """The latest decision on each reason of these stays, for each state of facts that was decided on."""
    rows = await work.connection.execute(_DECISIONS, {"cases": sorted(cases)})
    return [ReviewDecision(row.case_id, Reason(row.reason), ReviewOutcome(row.outcome), row.facts) for row in rows]


async def replace_lines(work: Work, cases: Collection[UUID], lines: Sequence[StayMonth]) -> set[Pair]:
    """Put new lines in the place of all old ones of these stays; returns every month that a stay left or entered."""
    dropped = await work.connection.execute(_DROP_LINES, {"cases": sorted(cases)})
    moved = {(row.municipality, Month.of(row.month)) for row in dropped}
    if lines:
        await work.connection.execute(
            _KEEP_LINES,
            {
                "cases": [line.case_id for line in lines],
                "months": [line.month.first for line in lines],
                "municipalities": [line.municipality for line in lines],
                "counted": [line.counted_as for line in lines],
                "ended": [line.ended for line in lines],
                "days": [line.days for line in lines],
                "individual": [line.individual_days for line in lines],
                "amounts": [line.amount_ore for line in lines],
            },
        )
    return moved | {(line.municipality, line.month) for line in lines}


async def unturned(work: Work, this_month: Month) -> Pair | None:
    """A month that is over but was last counted while it ran."""
    row = (await work.connection.execute(_UNTURNED, {"this_month": this_month.first})).one_or_none()
    return None if row is None else (row.municipality, Month.of(row.month))


async def waiting_in(work: Work, pair: Pair) -> list[UUID]:
    """The cases of patients who were still waiting when a month was last counted."""
    rows = await work.connection.execute(_WAITING_IN, {"municipality": pair[0], "month": pair[1].first})
    return list(rows.scalars())


async def waiting(work: Work, month: Month, municipalities: Collection[str]) -> list[UUID]:
    """The cases of the patients of these municipalities who are still waiting in a month."""
    values = {"month": month.first, "municipalities": list(municipalities)}
    return list((await work.connection.execute(_WAITING, values)).scalars())


async def charged_since(work: Work, month: Month) -> list[UUID]:
    """The cases with days charged by themselves in a month or later."""
    return list((await work.connection.execute(_CHARGED_SINCE, {"month": month.first})).scalars())
