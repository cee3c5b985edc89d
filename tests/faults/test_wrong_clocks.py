"""A machine whose clock is wrong by a day, or is set while we run, moves no due time and no amount (P8)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from dirigent import clients
from dirigent.databases import Access, dsn
from services.billing.settings import Settings as BillingSettings
from services.billing.usecases.debtors import enter_debtors
from services.billing.worker import create_worker as billing_worker
from services.planning.api import create_app
from services.planning.settings import Settings
from services.planning.usecases import load_directory
from services.planning.worker import create_worker as planning_worker
from shared.dates import CLOCK, Clock, Month, format_instant, local_date, parse_instant
from shared.db import Database
from shared.streams.queue import make_broker
from shared.streams.runtime import StreamWorker
from tests.builders import CARE_CENTRE, GOTEBORG, HARRYDA, WARD, a_ward_event
from tests.integration.billing.parts import DEBTORS, a_stay_fact, apply
from tests.integration.gateway.parts import a_client, register
from tests.integration.planning.conftest import ENTRIES
from tests.patience import until
from tests.services import PUBLIC_URL, SERVICE_KEY, Tokens, bearer, serving

NEARLY = timedelta(seconds=60)


@pytest.fixture
def wrong_by(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[timedelta], None]]:
    """Sets the machine's clock, as this process sees it; the clock of the database stays right."""
    CLOCK.forget()
    yield lambda off: monkeypatch.setattr(CLOCK, "_wall", lambda: datetime.now(UTC) + off)
    CLOCK.forget()


@asynccontextmanager
async def a_new_process(worker: StreamWorker, redis_url: str) -> AsyncIterator[None]:
    """A worker that starts, and has asked nobody for the time yet."""
    broker = make_broker(redis_url, SERVICE_KEY, [])
    worker.declare(broker)
    CLOCK.forget()
    await worker.start()
    try:
        yield
    finally:
        await worker.stop()
        broker.close()
        broker.client.close()


async def rows_of(url: str, statement: str) -> list[Any]:
    """What stands in a database, asked for without asking it what time it is."""
    connection = await asyncpg.connect(dsn(url))
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


@pytest.mark.parametrize("off", [timedelta(days=1), timedelta(days=-1), timedelta(days=400)], ids=["ahead", "behind", "a year ahead"])
@pytest.mark.parametrize("when", ["from the start", "while we run"])
async def test_a_notice_counts_as_sent_when_it_was(
    new_database: Callable[[str], Access], redis_url: str, tmp_path: Path, wrong_by: Callable[[timedelta], None], off: timedelta, when: str
) -> None:
    tokens = Tokens(tmp_path)
    settings = Settings(
        database_url=new_database("planning").app,
        DIRIGENT_REDIS_URL=redis_url,
        DIRIGENT_SERVICE_KEY=SERVICE_KEY,
        DIRIGENT_PUBLIC_URL=PUBLIC_URL,
        DIRIGENT_TOKEN_KEYS_FILE=tokens.keys_file,
    )
    app = create_app(settings)
    if when == "from the start":
        wrong_by(off)
        assert abs(CLOCK.now() - datetime.now(UTC) - off) < Clock.TOLERATED, "the fault struck"
    async with serving(app) as http:
        wrong_by(off)
        async with app.state.database.transaction(role=None) as work:
            assert abs(work.at - datetime.now(UTC)) < NEARLY
        async with app.state.database.transaction() as work:
            await load_directory(work, ENTRIES)
        happened = datetime.now(UTC) - timedelta(minutes=5)
        ward = bearer(tokens.token("ward-su", scopes=["events:write"], units=[WARD]))
        answer = await http.post("/v1/events", json=a_ward_event(time=format_instant(happened)), headers=ward)
        assert answer.status_code == 201, answer.text
        assert abs(parse_instant(answer.json()["received_at"]) - datetime.now(UTC)) < NEARLY


@pytest.mark.parametrize("off", [timedelta(days=1, minutes=5), timedelta(days=-1)], ids=["ahead", "behind"])
async def test_whatever_begins_a_transaction_goes_by_the_time_of_the_database(
    new_database: Callable[[str], Access], wrong_by: Callable[[timedelta], None], off: timedelta
) -> None:
    database = Database(new_database("billing").app, pool_size=1, overflow=0)
    wrong_by(off)
    assert abs(CLOCK.now() - datetime.now(UTC) - off) < Clock.TOLERATED, "the fault struck"
    async with database.transaction() as work:
        assert abs(work.at - datetime.now(UTC)) < NEARLY
    await database.close()


async def test_a_worker_a_day_ahead_says_of_no_mailbox_that_was_read_that_it_is_silent(
    new_database: Callable[[str], Access], redis_url: str, wrong_by: Callable[[timedelta], None]
) -> None:
    access = new_database("planning")
    settings = Settings.model_validate(
        {
            "database_url": access.app,
            "DIRIGENT_REDIS_URL": redis_url,
            "DIRIGENT_SERVICE_KEY": SERVICE_KEY,
            "DIRIGENT_PUBLIC_URL": PUBLIC_URL,
            "DIRIGENT_TOKEN_KEYS_FILE": "/nowhere",
            "DIRIGENT_BILLING_URL": "http://127.0.0.1:1",
        }
    )
    database = Database(access.app)
    async with database.transaction() as work:
        await load_directory(work, ENTRIES)
    await database.close()
    polled = "UPDATE mailboxes SET last_polled_at = clock_timestamp() - CAST('{}' AS interval) WHERE recipient = '{}'"
    for ago, recipient in (("1 s", f"municipality:{GOTEBORG}"), ("30 h", f"municipality:{HARRYDA}"), ("1 s", f"unit:{CARE_CENTRE}")):
        await rows_of(access.owner, polled.format(ago, recipient))
    told = "SELECT m.recipient, a.told_at FROM mailbox_alarms a JOIN mailboxes m ON m.id = a.mailbox"

    wrong_by(timedelta(days=1, minutes=5))
    async with a_new_process(planning_worker(settings), redis_url):
        await until(lambda: _any(rows_of(access.owner, told)))
    ((recipient, told_at),) = await rows_of(access.owner, told)
    assert recipient == f"municipality:{HARRYDA}"
    assert abs(told_at - datetime.now(UTC)) < NEARLY


async def test_a_worker_a_year_ahead_charges_no_month_that_still_runs(
    new_database: Callable[[str], Access], redis_url: str, wrong_by: Callable[[timedelta], None]
) -> None:
    access, today = new_database("billing"), datetime.now(UTC)
    settings = BillingSettings.model_validate(
        {
            "database_url": access.app,
            "DIRIGENT_REDIS_URL": redis_url,
            "DIRIGENT_SERVICE_KEY": SERVICE_KEY,
            "DIRIGENT_PUBLIC_URL": PUBLIC_URL,
            "DIRIGENT_TOKEN_KEYS_FILE": "/nowhere",
            "DIRIGENT_PLANNING_URL": "http://127.0.0.1:1",
        }
    )
    then = today - timedelta(days=70)
    database = Database(access.app)
    for municipality, ready, at in (("1480", today - timedelta(days=40), today), ("1481", then - timedelta(days=12), then)):
        async with database.transaction(at) as work:
            await enter_debtors(work, DEBTORS)
            await apply(work, [a_stay_fact(None, ready=f"{ready:%Y-%m-%dT09:00}", discharged=None, municipality=municipality)])
    await database.close()
    counted = "SELECT municipality, month, complete, individual_days FROM averages ORDER BY 1, 2"
    before, this = await rows_of(access.owner, counted), Month.of(local_date(today)).first
    over = {(municipality, month) for municipality, month, complete, _ in before if not complete and month < this}
    running = {row for row in before if row[1] == this}
    assert over, "positive control: months that are over wait to be counted"
    assert running, "and there is one that runs"

    async def turned() -> bool:
        complete = {(municipality, month) for municipality, month, complete, _ in await rows_of(access.owner, counted) if complete}
        return over <= complete

    wrong_by(timedelta(days=400))
    async with a_new_process(billing_worker(settings), redis_url):
        await until(turned)
        await asyncio.sleep(0.5)
    after = await rows_of(access.owner, counted)
    assert running <= set(after)
    assert all(complete == (month < this) for _, month, complete, _ in after)


async def _any(rows: Any) -> bool:
    return bool(await rows)


@pytest.mark.parametrize("off", [timedelta(hours=25), timedelta(hours=-25)], ids=["ahead", "behind"])
async def test_a_command_gives_an_overlap_from_now_and_revokes_now(
    gateway_database: str,
    notifications_database: str,
    wrong_by: Callable[[timedelta], None],
    monkeypatch: pytest.MonkeyPatch,
    off: timedelta,
) -> None:
    monkeypatch.setenv(clients.GATEWAY_VARIABLE, gateway_database)
    monkeypatch.setenv(clients.NOTIFICATIONS_VARIABLE, notifications_database)
    await register(gateway_database, a_client())
    wrong_by(off)
    for command, written, expected in (
        (["rotate", "kommun-1480", "--secret", "--overlap", "24"], "valid_until FROM former_credentials", timedelta(hours=24)),
        (["revoke", "kommun-1480"], "disabled_at FROM clients", timedelta(0)),
    ):
        CLOCK.forget()
        ended = await asyncio.to_thread(CliRunner().invoke, clients.app, command)
        assert ended.exit_code == 0, ended.output
        ((instant,),) = await rows_of(gateway_database, f"SELECT {written}")  # constant text
        assert abs(instant - datetime.now(UTC) - expected) < NEARLY
