"""The wall around webhooks in the database: whoever asks, the application role sees what the caller's client made or what is for exactly
its units (P12)."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.notifications.repository import claim_webhooks
from shared.db import Database, Reader, Role, Work
from shared.streams.due import Room
from tests.integration.notifications.parts import ORGANISATION, a_notice, a_subscription, tell

OTHER = "2120001363"
REGION = "2321000131"
TABLES = ("subscriptions", "deliveries", "delivery_attempts")


AN_ATTEMPT_EACH = text(
    "INSERT INTO delivery_attempts (delivery_id, number, at, milliseconds, accepted) SELECT id, 1, now(), 1, true FROM deliveries"
)


@pytest.fixture
async def app(notifications_database: str, database: Database) -> AsyncIterator[Database]:
    """The pool of the api process, with a subscription, a message and an attempt of two organisations to look at."""
    for organisation in (ORGANISATION, OTHER):
        await a_subscription(database, "http://127.0.0.1:9/", organisation)
        await tell(database, a_notice(organisation=organisation))
    async with database.transaction() as work:
        await work.connection.execute(AN_ATTEMPT_EACH)
    opened = Database(notifications_database, role=Role.APP)
    yield opened
    await opened.close()


def reader(organisation: str) -> Reader:
    return Reader("client", organisation, (f"SE{organisation}-",), "municipality")


async def seen(work: Work, table: str) -> int:
    return int((await work.connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())  # noqa: S608  # ours


@pytest.mark.parametrize("table", TABLES)
async def test_each_organisation_sees_its_own_rows_and_nobody_without_a_caller_any(app: Database, database: Database, table: str) -> None:
    async with database.transaction() as work:
        assert await seen(work, table) == 2, "the worker works for everybody"
    for organisation, expected in ((ORGANISATION, 1), (OTHER, 1), ("2321000131", 0), ("", 0)):
        async with app.transaction(reader=reader(organisation)) as work:
            assert await seen(work, table) == expected
    async with app.transaction() as work:
        assert await seen(work, table) == 0


async def test_what_one_organisation_sees_is_its_own(app: Database) -> None:
    for organisation in (ORGANISATION, OTHER):
        async with app.transaction(reader=reader(organisation)) as work:
            found = await work.connection.execute(
                text(
                    "SELECT DISTINCT organisation FROM subscriptions JOIN deliveries ON subscription_id = subscriptions.id "
                    "JOIN delivery_attempts ON delivery_id = deliveries.id"
                )
            )
            assert list(found.scalars()) == [organisation]


async def test_nobody_changes_or_writes_rows_of_another_organisation(app: Database, database: Database) -> None:
    async with app.transaction(reader=reader(OTHER)) as work:
        for statement in ("UPDATE subscriptions SET state = 'deleted'", "UPDATE deliveries SET state = 'cancelled'"):
            assert (await work.connection.execute(text(statement))).rowcount == 1
    async with database.transaction() as work:
        changed = await work.connection.execute(text("SELECT organisation FROM subscriptions WHERE state = 'deleted'"))
        assert list(changed.scalars()) == [OTHER]
    with pytest.raises(DBAPIError):
        async with app.transaction(reader=reader(OTHER)) as work:
            await work.connection.execute(text(f"UPDATE subscriptions SET organisation = '{ORGANISATION}'"))  # noqa: S608


CARE, OTHER_CARE = "SE2321000131-E000000000901", "SE2321000131-E000000000902"


@pytest.fixture
async def care(notifications_database: str, database: Database) -> AsyncIterator[Database]:
    """The same, with a subscription and what follows from it of one of two care centres of the region."""
    await a_subscription(database, "http://127.0.0.1:9/", REGION)
    await tell(database, a_notice(organisation=REGION))
    async with database.transaction() as work:
        await work.connection.execute(text(f"UPDATE subscriptions SET unit_prefixes = '{{{CARE}}}', client = 'care-1'"))  # noqa: S608
        await work.connection.execute(AN_ATTEMPT_EACH)
    opened = Database(notifications_database, role=Role.APP)
    yield opened
    await opened.close()


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    ("client", "units", "expected"),
    [
        ("care-1", (CARE,), 1),
        ("care-1", (OTHER_CARE,), 1),
        ("colleague", (CARE,), 1),
        ("care-2", (OTHER_CARE,), 0),
        ("care-2", (CARE, OTHER_CARE), 0),
        ("office", (f"SE{REGION}-",), 0),
        ("nobody", (), 0),
    ],
)
async def test_inside_an_organisation_each_sees_what_its_client_made_or_what_is_for_exactly_its_units(
    care: Database, table: str, client: str, units: tuple[str, ...], expected: int
) -> None:
    async with care.transaction(reader=Reader(client, REGION, units, "care")) as work:
        assert await seen(work, table) == expected
    async with care.transaction(reader=Reader(client, ORGANISATION, units, "care")) as work:
        assert await seen(work, table) == 0


async def test_a_care_centre_turns_no_webhook_of_another_one_to_itself(care: Database, database: Database) -> None:
    async with care.transaction(reader=Reader("care-2", REGION, (OTHER_CARE,), "care")) as work:
        for statement in ("UPDATE subscriptions SET url = 'https://evil.se/'", "UPDATE deliveries SET state = 'cancelled'"):
            assert (await work.connection.execute(text(statement))).rowcount == 0
    async with database.transaction() as work:
        assert (await work.connection.execute(text("SELECT url FROM subscriptions"))).scalar_one() == "http://127.0.0.1:9/"
    with pytest.raises(DBAPIError):
        async with care.transaction(reader=Reader("colleague", REGION, (CARE,), "care")) as work:
            await work.connection.execute(text(f"UPDATE subscriptions SET unit_prefixes = '{{{OTHER_CARE}}}'"))  # noqa: S608


async def test_the_application_role_claims_nothing_for_others(app: Database) -> None:
    async with app.transaction(reader=reader(OTHER)) as work:
        claimed = await claim_webhooks(work, Room(10, 4))
        owners = await work.connection.execute(text("SELECT id FROM subscriptions"))
        assert [one.lane for one in claimed] == list(owners.scalars())


async def test_every_table_is_walled_or_declared_open(database: Database) -> None:
    async with database.transaction() as work:
        found = await work.connection.execute(
            text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT relrowsecurity")
        )
        # Ids and instants, one row with the epoch, how far this service has read, the schema.
        assert set(found.scalars()) == {"due_work", "sequencer", "stream_cursors", "alembic_version"}
