"""The statements of the intake, set-based: one event or a thousand take the same handful, in one fixed order of locks.

Order: events (sorted by key), missing cases (sorted), case locks (ordered), and only then what the fold reads and what it writes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import text

from shared.db import Work

Stay = tuple[str, str]
"""Within what the sender's stay ids are unique (its record system, else the care provider), and its own stay id."""

SAY_FOR_WHOM: Final = text("SELECT set_config('dirigent.gathered', CAST(CAST(:gathered AS text[]) AS text), true)")
_BETWEEN: Final = "\x1f"
"""Between a client and a prefix: not in either, which are printable."""
INSERT_EVENTS: Final = text(
    """
    INSERT INTO events (source, event_id, space, subject, sent_at, received_at, history, client, fingerprint, body, by_command)
    SELECT n.source, n.event_id, coalesce(n.space, u.stay_space, n.provider), n.subject, n.sent_at, n.received_at, n.history, n.client,
           n.fingerprint, n.body, CAST(:by_command AS boolean)
    FROM unnest(CAST(:sources AS text[]), CAST(:ids AS text[]), CAST(:wards AS text[]), CAST(:providers AS text[]),
                CAST(:subjects AS text[]), CAST(:sent AS timestamptz[]), CAST(:received AS timestamptz[]), CAST(:history AS boolean[]),
                CAST(:clients AS text[]), CAST(:fingerprints AS bytea[]), CAST(:bodies AS text[]), CAST(:spaces AS text[]))
         WITH ORDINALITY
         AS n (source, event_id, ward, provider, subject, sent_at, received_at, history, client, fingerprint, body, space, place)
    LEFT JOIN units u ON u.hsa_id = n.ward
    ORDER BY n.place
    ON CONFLICT (source, event_id) DO NOTHING
    RETURNING id, source, event_id, space
    """
)
_KNOWN: Final = text(
    """
    SELECT e.source, e.event_id, e.fingerprint, h.answer
    FROM unnest(CAST(:sources AS text[]), CAST(:ids AS text[])) AS asked (source, event_id)
    JOIN events e USING (source, event_id) JOIN case_history h ON h.event_row = e.id
    """
)
INSERT_CASES: Final = text(
    """
    INSERT INTO cases (id, space, subject, provider)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:spaces AS text[]), CAST(:subjects AS text[]), CAST(:providers AS text[]))
    ON CONFLICT (space, subject) DO NOTHING
    RETURNING id, space, subject
    """
)
_LOCK_CASES: Final = text(
    """
    SELECT c.id, c.space, c.subject
    FROM unnest(CAST(:spaces AS text[]), CAST(:subjects AS text[])) AS asked (space, subject)
    JOIN cases c USING (space, subject) ORDER BY c.id FOR UPDATE OF c
    """
)
_READ_EVENTS: Final = text(
    """
    SELECT c.id AS case_id, c.version, c.space, c.subject, c.joined_to, c.parties, e.sent_at, e.history, e.body, e.by_command
    FROM unnest(CAST(:cases AS uuid[])) AS asked (id) JOIN cases c USING (id)
    LEFT JOIN events e ON e.space = c.space AND e.subject = c.subject
    """
)
_SPACES: Final = text("SELECT hsa_id, stay_space FROM units WHERE hsa_id = ANY(CAST(:wards AS text[])) AND stay_space IS NOT NULL")
_LOCK_MEMBERS: Final = text("SELECT id FROM cases WHERE joined_to = ANY(CAST(:leaders AS uuid[])) ORDER BY id FOR UPDATE NOWAIT")
# What parties entered of a case follows it when it proves to be another one; where both have the same, the leading case's own stands.
_FOLLOW: Final = (
    text("UPDATE notices SET case_id = :leader WHERE case_id = :member"),
    text("UPDATE plans SET case_id = :leader WHERE case_id = :member"),
    text("UPDATE consents SET case_id = :leader WHERE case_id = :member"),
    text("UPDATE messages SET case_id = :leader WHERE case_id = :member"),
    text("UPDATE deviations SET case_id = :leader WHERE case_id = :member"),
    text(
        """
        UPDATE planning_statuses s SET case_id = :leader WHERE case_id = :member
        AND NOT EXISTS (SELECT FROM planning_statuses o WHERE o.case_id = :leader AND o.unit = s.unit)
        """
    ),
    text(
        """
        UPDATE care_contacts SET case_id = :leader WHERE case_id = :member
        AND NOT EXISTS (SELECT FROM care_contacts o WHERE o.case_id = :leader)
        """
    ),
    text(
        """
        UPDATE admission_reasons SET case_id = :leader WHERE case_id = :member
        AND NOT EXISTS (SELECT FROM admission_reasons o WHERE o.case_id = :leader)
        """
    ),
)
UPDATE_CASES: Final = text(
    """
    UPDATE cases AS c
    SET version = n.version, state = n.state, ward = n.ward, care_type = n.care_type, municipality = n.municipality,
        outpatient_unit = n.outpatient_unit, parties = CAST(n.parties AS jsonb), view = CAST(n.view AS jsonb),
        person = CAST(n.person AS jsonb), person_id = n.person_id, person_ids = CAST(n.person_ids AS jsonb), joined_to = n.joined_to,
        changed_at = :at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS integer[]), CAST(:states AS text[]), CAST(:wards AS text[]),
                CAST(:care_types AS text[]), CAST(:municipalities AS text[]), CAST(:units AS text[]), CAST(:parties AS text[]),
                CAST(:views AS text[]), CAST(:persons AS text[]), CAST(:person_id AS text[]), CAST(:person_ids AS text[]),
                CAST(:joined_to AS uuid[]))
         AS n (id, version, state, ward, care_type, municipality, outpatient_unit, parties, view, person, person_id, person_ids, joined_to)
    WHERE c.id = n.id
    """
)
INSERT_HISTORY: Final = text(
    """
    INSERT INTO case_history (case_id, version, at, client, what, event_row, answer)
    SELECT * FROM unnest(CAST(:cases AS uuid[]), CAST(:versions AS integer[]), CAST(:ats AS timestamptz[]), CAST(:clients AS text[]),
                         CAST(:whats AS text[]), CAST(:event_rows AS bigint[]), CAST(:answers AS text[]))
    """
)


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as it is stored: as sent, canonical, with both clocks."""

    source: str
    event_id: str
    ward: str
    provider: str
    subject: str
    sent_at: datetime
    received_at: datetime
    history: bool
    client: str
    fingerprint: bytes
    body: str
    space: str | None = None
    """Within what `subject` is unique, when that is not what the ward's own ids are unique in: what others state of its stays."""


@dataclass(frozen=True, slots=True)
class LockedCases:
    """The cases of some stays, by stay. A case this transaction `made` is locked by that, and nobody else has written about it."""

    made: dict[Stay, UUID]
    found: dict[Stay, UUID]


class Inserted(NamedTuple):
    """An event that was new: its row, and the space that its stay id is unique in."""

    row: int
    space: str


@dataclass(frozen=True, slots=True)
class CaseRow:
    """What is written back of one case after its fold; JSON columns as text. One that is part of another says nothing itself."""

    id: UUID
    version: int
    state: str | None = None
    ward: str | None = None
    care_type: str | None = None
    municipality: str | None = None
    outpatient_unit: str | None = None
    parties: str = "[]"
    view: str | None = None
    person: str | None = None
    person_id: str | None = None
    person_ids: str = "[]"
    joined_to: UUID | None = None


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One line of a case's history: who did what when, and the answer that was given."""

    case_id: UUID
    version: int
    at: datetime
    client: str
    what: str
    event_row: int | None
    answer: str


def each_with_its_units(callers: Iterable[tuple[str, Sequence[str]]]) -> dict[str, list[str]]:
    """The parameters of `SAY_FOR_WHOM`: clients, each with the prefixes of its units."""
    return {"gathered": sorted({f"{client}{_BETWEEN}{prefix}" for client, prefixes in callers for prefix in prefixes})}


async def say_for_whom(work: Work, callers: Iterable[tuple[str, Sequence[str]]]) -> None:
    """Say whom what follows was gathered from: row-level security takes nothing of anybody else, and of no other unit."""
    await work.connection.execute(SAY_FOR_WHOM, each_with_its_units(callers))


async def insert_events(work: Work, rows: Sequence[EventRow], *, by_command: bool = False) -> dict[tuple[str, str], Inserted]:
    """Insert those events that are new; what became of these by event key. Rows must be sorted by key.

    `by_command`: what a command keeps, which only it can say; the intake's are what somebody sent.
    """
    found = await work.connection.execute(
        INSERT_EVENTS,
        {
            "sources": [row.source for row in rows],
            "ids": [row.event_id for row in rows],
            "wards": [row.ward for row in rows],
            "providers": [row.provider for row in rows],
            "subjects": [row.subject for row in rows],
            "sent": [row.sent_at for row in rows],
            "received": [row.received_at for row in rows],
            "history": [row.history for row in rows],
            "clients": [row.client for row in rows],
            "fingerprints": [row.fingerprint for row in rows],
            "bodies": [row.body for row in rows],
            "spaces": [row.space for row in rows],
            "by_command": by_command,
        },
    )
    return {(row.source, row.event_id): Inserted(row.id, row.space) for row in found}


async def known_answers(work: Work, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[bytes, str]]:
    """Fingerprint and first answer of events that were accepted before."""
    found = await work.connection.execute(_KNOWN, {"sources": [key[0] for key in keys], "ids": [key[1] for key in keys]})
    return {(row.source, row.event_id): (bytes(row.fingerprint), row.answer) for row in found}


async def lock_cases(work: Work, stays: Sequence[Stay], providers: Sequence[str], new_ids: Sequence[UUID]) -> LockedCases:
    """Make the missing cases and lock the others, in one order for everybody. `stays` must be sorted; one provider for each."""
    asked = {
        "spaces": [stay[0] for stay in stays],
        "subjects": [stay[1] for stay in stays],
        "providers": list(providers),
        "ids": list(new_ids),
    }
    made = {(row.space, row.subject): row.id for row in await work.connection.execute(INSERT_CASES, asked)}
    others = [stay for stay in stays if stay not in made]
    if not others:
        return LockedCases(made, {})
    found = await work.connection.execute(_LOCK_CASES, {"spaces": [stay[0] for stay in others], "subjects": [stay[1] for stay in others]})
    return LockedCases(made, {(row.space, row.subject): row.id for row in found})


async def spaces_of(work: Work, wards: Sequence[str]) -> dict[str, str]:
    """Within what the stay ids of these wards are unique; those that say nothing of it are left out."""
    return {row.hsa_id: row.stay_space for row in await work.connection.execute(_SPACES, {"wards": list(wards)})}


async def lock_members(work: Work, leaders: Sequence[UUID]) -> Sequence[UUID]:
    """Lock every row of the cases that these lead, at once or not at all: they are out of order with rows locked before.

    Where another transaction holds one, this one is repeated, because waiting could be for each other. Commands hold them all before.
    """
    return (await work.connection.execute(_LOCK_MEMBERS, {"leaders": list(leaders)})).scalars().all()


async def follow(work: Work, *, leader: UUID, member: UUID) -> None:
    """Let what was entered of a case follow it into the one it proved to be; it stays there should the two be parted again."""
    for statement in _FOLLOW:
        await work.connection.execute(statement, {"leader": leader, "member": member})


async def read_events(work: Work, cases: Sequence[UUID]) -> Sequence[Any]:
    """Every event of these locked cases with the case it is of; a case without events has one row without a body."""
    return (await work.connection.execute(_READ_EVENTS, {"cases": list(cases)})).all()


async def write_cases(work: Work, rows: Sequence[CaseRow]) -> None:
    """Write back the folded cases."""
    await work.connection.execute(
        UPDATE_CASES,
        {
            "at": work.at,
            "ids": [row.id for row in rows],
            "versions": [row.version for row in rows],
            "states": [row.state for row in rows],
            "wards": [row.ward for row in rows],
            "care_types": [row.care_type for row in rows],
            "municipalities": [row.municipality for row in rows],
            "units": [row.outpatient_unit for row in rows],
            "parties": [row.parties for row in rows],
            "views": [row.view for row in rows],
            "persons": [row.person for row in rows],
            "person_id": [row.person_id for row in rows],
            "person_ids": [row.person_ids for row in rows],
            "joined_to": [row.joined_to for row in rows],
        },
    )


async def write_history(work: Work, rows: Sequence[HistoryRow]) -> None:
    """Add lines to the cases' histories."""
    await work.connection.execute(
        INSERT_HISTORY,
        {
            "cases": [row.case_id for row in rows],
            "versions": [row.version for row in rows],
            "ats": [row.at for row in rows],
            "clients": [row.client for row in rows],
            "whats": [row.what for row in rows],
            "event_rows": [row.event_row for row in rows],
            "answers": [row.answer for row in rows],
        },
    )
