"""The second wall: what PostgreSQL itself lets a caller see, and that it, the SQL of the use cases and the decision table agree."""

import json
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from dirigent.databases import Access
from services.planning.domain.access import Action, CaseFacts, Which, decide
from services.planning.repository.cases import VISIBLE, rights
from services.planning.repository.intake import say_for_whom
from services.planning.usecases.authorising import who_asks
from shared.db import Database, Reader, Role
from shared.http.auth import Caller
from shared.streams.access_log import ACCESS_FEED
from shared.streams.outbox import Staged, stage
from tests.builders import CARE_CENTRE, GOTEBORG, HARRYDA, OTHER_CARE_CENTRE, OTHER_WARD, WARD
from tests.integration.planning.conftest import GOTEBORG_NUMBER, HARRYDA_NUMBER
from tests.integration.planning.walled import ENTRIES, ONE, OTHER, ROWS, TEAM, Side, fill
from tests.services import REGION

CASES: Final = 400
CALLERS: Final = 60
# What belongs to some of the parties only: an own statement of one side, or a mailbox.
NOT_OF_EVERY_PARTY: Final = {"messages": {"ward"}, "deviations": {"ward"}, "deviation_entries": {"ward"}}
OF_NOBODY: Final = {table for table, statement in ROWS.items() if not statement}


OPEN: Final = {
    **dict.fromkeys(("organisations", "units", "team_members", "mailboxes", "addressing", "duty_calendars"), "everybody's to read"),
    **dict.fromkeys(("outages", "outage_entries", "service_beats"), "that something was down concerns whatever cases there are"),
    "shown_blocks": "which closed months others see together",
    "closed_months": "that a month of figures is closed",
    "due_work": "ids and instants",
    "person_sealing": "how far the sealing has come",
    "sequencer": "one row: the epoch",
    "stream_cursors": "how far this service has read",
    "alembic_version": "the schema",
}


@dataclass
class Wall:
    """A database of planning's with two stays in it, as the app role and as a worker."""

    app: Database
    worker: Database
    owner: Database

    async def seen(self, table: str, reader: Reader | None) -> list[str]:
        """The rows of a table as text, as a plain SELECT of the app role sees them."""
        async with self.app.transaction(reader=reader) as work:
            return list((await work.connection.execute(text(f"SELECT t::text FROM {table} t"))).scalars())  # noqa: S608  # our own names


@pytest.fixture
async def wall(new_database: Callable[[str], Access]) -> AsyncIterator[Wall]:
    access = new_database("planning")
    app, worker, owner = Database(access.app, role=Role.APP), Database(access.app), Database(access.owner, role=None)
    async with worker.transaction() as work:
        await fill(work)
    yield Wall(app, worker, owner)
    for one in (app, worker, owner):
        await one.close()


async def walled_tables(wall: Wall) -> set[str]:
    async with wall.worker.transaction() as work:
        found = await work.connection.execute(
            text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relrowsecurity AND relforcerowsecurity")
        )
        return set(found.scalars())


async def test_every_walled_table_is_looked_at_here(wall: Wall) -> None:
    assert await walled_tables(wall) == set(ROWS)


async def test_every_other_table_is_declared_open(wall: Wall) -> None:
    async with wall.worker.transaction() as work:
        found = await work.connection.execute(
            text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT relrowsecurity")
        )
        assert set(found.scalars()) == set(OPEN)


async def test_what_waits_in_the_outbox_is_staged_by_a_caller_and_neither_read_nor_removed(wall: Wall) -> None:
    async with wall.app.transaction(reader=ONE.readers["ward"]) as work:
        await stage(work, [Staged(ACCESS_FEED, OTHER.case, "case.read", None, "{}")])
    async with wall.app.transaction(reader=ONE.readers["ward"]) as work:
        assert (await work.connection.execute(text("SELECT count(*) FROM outbox"))).scalar_one() == 0
        assert (await work.connection.execute(text("DELETE FROM outbox"))).rowcount == 0
    async with wall.worker.transaction() as work:
        assert (await work.connection.execute(text("SELECT count(*) FROM outbox"))).scalar_one() == 1


A_MERGE: Final = """
    INSERT INTO waiting_merges (id, client, organisation, message, merged, merged_into, person, happened_at, received_at)
    VALUES (gen_random_uuid(), :client, '2321000131', 'new', 'x', 'y', '{}', now(), now())
"""


async def test_a_merge_is_kept_in_the_callers_own_name_and_never_changed_by_it(wall: Wall) -> None:
    own, foreign = ONE.readers["ward"], OTHER.readers["ward"]
    for statement in (A_MERGE, "UPDATE waiting_merges SET merged = 'z'", "DELETE FROM waiting_merges"):
        with pytest.raises(DBAPIError):
            async with wall.app.transaction(reader=own) as work:
                await work.connection.execute(text(statement), {"client": foreign.client} if statement == A_MERGE else {})
    async with wall.app.transaction(reader=own) as work:
        assert (await work.connection.execute(text(A_MERGE), {"client": own.client})).rowcount == 1, "positive control"


@pytest.mark.parametrize("side", [ONE, OTHER], ids=["one", "other"])
async def test_a_plain_select_shows_each_party_its_own_rows_and_no_others(wall: Wall, side: Side) -> None:
    foreign = OTHER if side is ONE else ONE
    for party, reader in side.readers.items():
        for table in set(ROWS) - OF_NOBODY:
            rows = await wall.seen(table, reader)
            others = [row for row in rows if foreign.mark in row]
            assert not others, f"{party} sees another's {table}"
            if party not in NOT_OF_EVERY_PARTY.get(table, ()):
                assert rows, f"{party} does not see its own {table}"


async def test_there_is_something_to_see_in_every_table(wall: Wall) -> None:
    async with wall.worker.transaction() as work:
        for table in set(ROWS) - OF_NOBODY:
            rows = (await work.connection.execute(text(f"SELECT t::text FROM {table} t"))).scalars().all()  # noqa: S608
            assert len(rows) >= 2, table


async def test_without_a_reader_nothing_is_there(wall: Wall) -> None:
    nobody = Reader("", "", (), "")
    for table in ROWS:
        assert await wall.seen(table, None) == [], table
        assert await wall.seen(table, nobody) == [], table


async def test_what_belongs_to_the_service_alone_is_no_callers(wall: Wall) -> None:
    for reader in [*ONE.readers.values(), *OTHER.readers.values()]:
        feeds = await wall.seen("feed_entries", reader)
        assert feeds
        assert not [row for row in feeds if row.startswith(("(facts,", "(access,"))]
        for table in OF_NOBODY:
            assert await wall.seen(table, reader) == []


async def test_a_reader_is_forgotten_with_its_transaction(wall: Wall) -> None:
    assert await wall.seen("cases", ONE.readers["ward"])
    assert await wall.seen("cases", None) == []


async def test_the_app_role_writes_no_row_it_does_not_see(wall: Wall) -> None:
    async with wall.app.transaction(reader=ONE.readers["ward"]) as work:
        changed = await work.connection.execute(text("UPDATE cases SET state = 'cancelled' WHERE id = :id"), {"id": OTHER.case})
        assert changed.rowcount == 0
    with pytest.raises(DBAPIError, match="row-level security"):
        async with wall.app.transaction(reader=ONE.readers["ward"]) as work:
            await work.connection.execute(
                text("UPDATE cases SET ward = :ward, parties = '[]' WHERE id = :id"), {"ward": OTHER.ward, "id": ONE.case}
            )


async def test_what_is_written_for_a_caller_names_that_caller(wall: Wall) -> None:
    line = text("INSERT INTO case_history (case_id, version, at, client, what, answer) VALUES (:id, :version, now(), :client, 'x', '{}')")
    async with wall.app.transaction(reader=ONE.readers["ward"]) as work:
        await work.become(Role.INTAKE)
        await work.connection.execute(line, {"id": ONE.case, "version": 2, "client": ONE.readers["ward"].client})
    async with wall.app.transaction(reader=ONE.readers["ward"]) as work:
        await work.become(Role.INTAKE)
        with pytest.raises(DBAPIError, match="row-level security"):
            async with work.connection.begin_nested():
                await work.connection.execute(line, {"id": ONE.case, "version": 3, "client": "somebody-else"})


A_LINE: Final = "INSERT INTO case_history (case_id, version, at, client, what, answer) VALUES (:case, 2, now(), :client, 'x', '{}')"
AN_EVENT: Final = """
    INSERT INTO events (source, event_id, space, subject, sent_at, received_at, history, client, fingerprint, body)
    VALUES ('urn:hsa:' || :ward, 'new', 's', 'new', now(), now(), false, :client, '\\x00', '{}')
"""


async def written(
    wall: Wall,
    statement: str,
    of: Mapping[str, object],
    *,
    gathered: Sequence[tuple[str, Sequence[str]]] = (),
    reader: Reader | None = None,
) -> bool:
    """Whether intake may write a row, having said for whom; it is not kept."""
    async with wall.app.transaction(reader=reader, role=Role.INTAKE) as work:
        if gathered:
            await say_for_whom(work, gathered)
        attempt = await work.connection.begin_nested()
        try:
            await work.connection.execute(text(statement), of)
        except DBAPIError as error:
            assert "row-level security" in str(error)  # noqa: PT017  # another failure is none of the wall's
            return False
        finally:
            await attempt.rollback()
        return True


async def test_the_gathered_intake_writes_for_whom_it_gathered_and_of_their_units_only(wall: Wall) -> None:
    gathered = (("ward-1", (WARD,)), ("ward-2", (OTHER_WARD, "SE9")), ("ward of many", (OTHER_WARD,)), ("nobody", ()))
    of_ward_2 = {"client": "ward-2", "ward": OTHER_WARD}
    assert await written(wall, AN_EVENT, of_ward_2, gathered=gathered)
    for own in ({"ward": "SE9-1"}, {"client": "ward of many"}):
        assert await written(wall, AN_EVENT, of_ward_2 | own, gathered=gathered), own
    for foreign in (
        {"client": "ward-1"},
        {"ward": WARD},
        {"client": "ward"},
        {"client": "ward-3"},
        {"client": "nobody"},
        {"client": "dirigent"},
    ):
        assert not await written(wall, AN_EVENT, of_ward_2 | foreign, gathered=gathered), foreign
    assert not await written(wall, AN_EVENT, of_ward_2), "it did not say for whom"
    for client, may in (("ward-1", True), ("ward of many", True), ("dirigent", True), ("ward", False), ("ward-3", False)):
        assert await written(wall, A_LINE, {"case": ONE.case, "client": client}, gathered=gathered) is may, client
    assert not await written(wall, A_LINE, {"case": ONE.case, "client": "dirigent"}), "it did not say for whom"


async def test_a_command_states_an_event_of_its_callers_units_only(wall: Wall) -> None:
    reader = ONE.readers["ward"]
    assert await written(wall, AN_EVENT, {"client": reader.client, "ward": ONE.ward}, reader=reader)
    assert not await written(wall, AN_EVENT, {"client": reader.client, "ward": OTHER.ward}, reader=reader)
    assert not await written(wall, AN_EVENT, {"client": "somebody-else", "ward": ONE.ward}, reader=reader)
    # Having gathered from others makes nobody another one.
    gathered = (("ward-2", (OTHER.ward,)),)
    assert not await written(wall, AN_EVENT, {"client": "ward-2", "ward": OTHER.ward}, reader=reader, gathered=gathered)


async def test_without_a_caller_intake_writes_no_row_that_names_one(wall: Wall) -> None:
    """Of every table with a client but those that everybody's workers write."""
    async with wall.worker.transaction() as work:
        found = text("SELECT table_name FROM information_schema.columns WHERE column_name = 'client' AND table_schema = 'public'")
        with_a_client = set((await work.connection.execute(found)).scalars())
    for table in with_a_client - WITHOUT_A_CALLER:
        made_anew = ROWS[table].replace("client-'", "anew-'").replace("'x' || :mark", "'anew'").replace("'x')\n", "'anew')\n")
        of = {name: value for name, value in A_ROW_OF_ONE.items() if f":{name}" in made_anew}
        assert not await written(wall, made_anew, of), table


WITHOUT_A_CALLER: Final = {"outage_entries", "idempotency_keys"}
"""An outage is noted by the service itself too; an answer is kept for the client that asked, before it is anybody's decision."""
A_ROW_OF_ONE: Final = {"mark": "cccccccc", "case": ONE.case, "ward": ONE.ward, "care": ONE.care, "municipal_unit": ONE.municipal_unit}


@pytest.mark.parametrize("function", ["case_of_caller", "plan_of_caller"])
async def test_what_looks_behind_the_wall_answers_about_the_caller_only(wall: Wall, function: str) -> None:
    for reader, expected in ((ONE.readers["care"], True), (OTHER.readers["care"], False), (None, False)):
        async with wall.app.transaction(reader=reader) as work:
            asked = text(f"SELECT {function}(:id)")
            assert bool((await work.connection.execute(asked, {"id": ONE.case})).scalar_one()) is expected


@pytest.mark.parametrize("told", ["of the case", "of a part of it", "of a plan alone"])
async def test_whose_patients_a_mailbox_names_is_answered_of_the_callers_own_mailboxes_only(wall: Wall, told: str) -> None:
    part, plan = UUID("aaaaaaaa-0000-7000-8000-00000000000f"), UUID("aaaaaaaa-0000-7000-8000-0000000000ff")
    async with wall.worker.transaction() as work:
        for side in (ONE, OTHER):
            await work.connection.execute(
                text("UPDATE cases SET parties = '[]', ward = NULL, outpatient_unit = NULL, person_id = :who WHERE id = :id"),
                {"who": f"personnummer:{side.mark}", "id": side.case},
            )
        if told == "of a part of it":
            await work.connection.execute(
                text("INSERT INTO cases (id, space, subject, provider, version, joined_to) VALUES (:id, 's', 'aaaaaaaa-2', 'p', 1, :to)"),
                {"id": part, "to": ONE.case},
            )
            await work.connection.execute(text("UPDATE notices SET case_id = :part WHERE case_id = :id"), {"part": part, "id": ONE.case})
        if told == "of a plan alone":
            await work.connection.execute(
                text(
                    "INSERT INTO plans (id, organisation, unit, state, created_at, created_by, person_id)"
                    " VALUES (:id, '2321000131', :unit, 'need', now(), 'x', 'personnummer:aaaaaaaa')"
                ),
                {"id": plan, "unit": OTHER.care},
            )
            await work.connection.execute(
                text("INSERT INTO plan_notices (plan_id, notice_id) SELECT :plan, id FROM notices WHERE case_id = :id"),
                {"plan": plan, "id": ONE.case},
            )
            await work.connection.execute(text("UPDATE notices SET case_id = NULL WHERE case_id = :id"), {"id": ONE.case})
    asked = text("SELECT person_id FROM patients_in_mailboxes(CAST(:ids AS uuid[]))")
    about = {"ids": [plan if told == "of a plan alone" else ONE.case, OTHER.case]}
    for reader, expected in (
        (ONE.readers["care"], ["personnummer:aaaaaaaa"]),
        (OTHER.readers["care"], ["personnummer:bbbbbbbb"]),
        (None, []),
    ):
        async with wall.app.transaction(reader=reader) as work:
            assert (await work.connection.execute(asked, about)).scalars().all() == expected
    with pytest.raises(DBAPIError, match="permission denied"):
        async with wall.app.transaction(reader=ONE.readers["care"], role=Role.AUDITOR) as work:
            await work.connection.execute(asked, about)


async def test_a_part_of_a_case_is_whose_the_whole_is(wall: Wall) -> None:
    part = UUID("aaaaaaaa-0000-7000-8000-00000000000f")
    async with wall.worker.transaction() as work:
        await work.connection.execute(text("UPDATE cases SET joined_to = id WHERE id = :id"), {"id": ONE.case})
        await work.connection.execute(
            text("INSERT INTO cases (id, space, subject, provider, version, joined_to) VALUES (:id, 's', 'aaaaaaaa-2', 'p', 1, :to)"),
            {"id": part, "to": ONE.case},
        )
    assert [row for row in await wall.seen("cases", ONE.readers["municipality"]) if str(part) in row]
    assert not [row for row in await wall.seen("cases", OTHER.readers["municipality"]) if str(part) in row]


def a_random_caller(dice: random.Random) -> Caller:
    units = [
        WARD,
        OTHER_WARD,
        CARE_CENTRE,
        OTHER_CARE_CENTRE,
        f"SE{REGION}-",
        f"SE{REGION}-E0000000001",
        "SE2321000131-E9",
        ""[:0] or WARD[:-1],
    ]
    number, code = dice.choice([(GOTEBORG_NUMBER, GOTEBORG), (HARRYDA_NUMBER, HARRYDA)])
    if dice.random() < 0.4:
        return Caller("m", number, (f"SE{number}-",), frozenset(), "municipality", code)
    return Caller("c", dice.choice([REGION, REGION, GOTEBORG_NUMBER]), tuple(dice.sample(units, dice.randint(0, 2))), frozenset(), "care")


async def test_decision_table_use_case_and_wall_say_the_same_of_any_case_and_caller(wall: Wall) -> None:
    dice = random.Random(5)  # no secret
    facts: dict[UUID, CaseFacts] = {}
    async with wall.worker.transaction() as work:
        await work.connection.execute(text("DELETE FROM team_members"))
        await work.connection.execute(
            text("INSERT INTO team_members (team, unit, valid_from) VALUES (:team, :unit, '2020-01-01')"),
            {"team": TEAM, "unit": CARE_CENTRE},
        )
        for number in range(CASES):
            case = CaseFacts(
                dice.choice([None, WARD, OTHER_WARD, f"SE{GOTEBORG_NUMBER}-E7"]),
                dice.choice([None, CARE_CENTRE, OTHER_CARE_CENTRE, TEAM]),
                frozenset(dice.sample([f"municipality:{GOTEBORG}", f"municipality:{HARRYDA}", f"unit:{CARE_CENTRE}"], dice.randint(0, 3))),
            )
            facts[UUID(int=number + 1)] = case
            await work.connection.execute(
                text(
                    "INSERT INTO cases (id, space, subject, provider, version, state, ward, outpatient_unit, parties)"
                    " VALUES (:id, 's', :subject, 'p', 1, 'admitted', :ward, :care, CAST(:parties AS jsonb))"
                ),
                {
                    "id": UUID(int=number + 1),
                    "subject": str(number),
                    "ward": case.ward,
                    "care": case.outpatient_unit,
                    "parties": json.dumps(sorted(case.parties)),
                },
            )
    seen_in_all = 0
    mine = text("SELECT id FROM cases WHERE space = 's'")
    asked_for = text(f"SELECT c.id FROM cases c WHERE c.space = 's' AND {VISIBLE}")  # noqa: S608  # constant text
    for _ in range(CALLERS):
        caller = a_random_caller(dice)
        teams = [TEAM] if caller.organisation == REGION and caller.acts_for(CARE_CENTRE) else []
        who = who_asks(caller, *teams)
        decided = {case_id for case_id, case in facts.items() if decide(who, Action.READ_CASE, Which(case)).allowed}
        async with wall.worker.transaction() as work:
            found = set((await work.connection.execute(asked_for, rights(caller))).scalars())
        async with wall.app.transaction(reader=caller.reader) as work:
            let_through = set((await work.connection.execute(mine)).scalars())
        assert decided == found == let_through, caller
        seen_in_all += len(decided)
    assert 0 < seen_in_all < CASES * CALLERS


async def test_the_directory_is_everybodys(wall: Wall) -> None:
    assert len(await wall.seen("units", None)) == len(ENTRIES.units)
