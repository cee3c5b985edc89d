"""Whatever receivers do, each message is delivered under one id or visibly given up, and the good ones notice nothing (P6, P7)."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from services.notifications.usecases import Rules
from shared.db import Database
from tests.faults.upping import REPOSITORY
from tests.faults.zoo import BEHAVIOURS, GOOD, Animal, zoo
from tests.integration.notifications.parts import a_notice, a_subscription, change, delivering, rows, states, tell
from tests.integration.notifications.receivers import Behaviour, answer, receiver
from tests.patience import PATIENCE, until

MESSAGES = int(os.environ.get("DIRIGENT_ZOO_MESSAGES", "300"))
RULES = Rules(schedule=(timedelta(milliseconds=20), timedelta(milliseconds=40)), breaker_after=4, lasts=timedelta(minutes=10))
PATIENT_SECONDS = 0.4
GOOD_WITHIN = 10 + MESSAGES / 100


@pytest.fixture
async def database(notifications_database: str) -> AsyncIterator[Database]:
    opened = Database(notifications_database)
    yield opened
    await opened.close()


async def counts(database: Database, animals: list[Animal]) -> dict[str, Counter[str]]:
    names = {animal.subscription: animal.name for animal in animals}
    found: dict[str, Counter[str]] = {name: Counter() for name in names.values()}
    for row in await rows(database, "SELECT subscription_id, state, count(*) AS many FROM deliveries GROUP BY 1, 2"):
        found[names[row.subscription_id]][row.state] = row.many
    return found


async def test_every_message_arrives_under_one_id_or_is_visibly_given_up_whatever_the_receivers_do(
    database: Database, notifications_database: str
) -> None:
    each = MESSAGES // (GOOD + len(BEHAVIOURS) + 1) + 1
    async with zoo(slow=min(each, 8)) as animals:
        for animal in animals:
            row, animal.secret = await a_subscription(database, animal.url, animal.organisation)
            animal.subscription = row["id"]
        limits = {"rules": RULES, "look_every": 0.02, "seconds": PATIENT_SECONDS, "at_once": 256}
        async with delivering(database, notifications_database, **limits):
            begun = time.monotonic()
            for animal in animals:
                await tell(database, *[a_notice(organisation=animal.organisation) for _ in range(min(each, animal.most or each))])
            good = animals[:GOOD]
            await until(lambda: all(len(animal.told.received) == each for animal in good), within=GOOD_WITHIN)
            took = time.monotonic() - begun
            still = await rows(database, "SELECT count(*) AS waiting FROM deliveries WHERE state = 'pending'")

            async def nothing_waits() -> bool:
                return await rows(database, "SELECT 1 FROM deliveries WHERE state = 'pending' LIMIT 1") == []

            await until(nothing_waits, within=60 + MESSAGES / 5)
        assert took < GOOD_WITHIN
        assert still[0].waiting > 0, "the good ones had everything while others were still being tried"
        await check_ends(database, animals, each)
        await check_ids(database, animals)
    assert await rows(database, "SELECT * FROM due_work") == []


async def check_ends(database: Database, animals: list[Animal], each: int) -> None:
    found = await counts(database, animals)
    for animal in animals:
        expected = min(each, animal.most or each)
        assert found[animal.name].total() == expected, animal.name
        if animal.ends == "cancelled":
            assert found[animal.name]["cancelled"] > 0, animal.name
            assert found[animal.name]["delivered"] + found[animal.name]["cancelled"] == expected, animal.name
        else:
            assert found[animal.name] == Counter({animal.ends: expected}), animal.name


async def check_ids(database: Database, animals: list[Animal]) -> None:
    """Nothing missing, nothing under a second id, each request signed and as it is stored."""
    for animal in animals:
        told = await rows(
            database,
            "SELECT subscription_id, id, body, state, attempts, "
            "(SELECT count(*) FROM delivery_attempts WHERE delivery_id = deliveries.id) AS logged FROM deliveries",
        )
        told = [row for row in told if row.subscription_id == animal.subscription]
        messages = {str(row.id): row for row in told}
        arrived = Counter(animal.told.ids())
        assert arrived.keys() <= messages.keys(), animal.name
        assert all(row.attempts == row.logged for row in told), animal.name
        logged = Counter({one: row.attempts for one, row in messages.items() if row.attempts})
        if animal.name == "gone":  # what was under way when it said so was cancelled with the rest, and is not told
            assert logged <= arrived
        elif animal.name != "nobody":
            assert logged == arrived, animal.name
        assert all(arrived[str(row.id)] > 0 for row in told if row.state == "delivered"), animal.name
        for _, headers, body in animal.told.received:
            assert body.decode() == messages[headers["webhook-id"]].body
            Webhook(animal.secret).verify(body, headers)


@contextmanager
def a_worker(settings: dict[str, str], folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Notifications' worker as a process of its own, as `dirigent up` starts it."""
    told = settings | {
        "DIRIGENT_PUBLIC_URL": "http://dirigent.test",
        "DIRIGENT_TOKEN_KEYS_FILE": str(folder / "keys.json"),
        "DIRIGENT_NOTIFICATIONS_ALLOWED_TARGETS": "http://127.0.0.1:*",
        "DIRIGENT_PLANNING_URL": "http://127.0.0.1:9/planning",
        "DIRIGENT_BILLING_URL": "http://127.0.0.1:9/billing",
        "PYTHONPATH": str(REPOSITORY),
    }
    with (folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "dirigent.process", "worker", "notifications"],
            env=dict(os.environ) | told,
            stdout=log,
            stderr=log,
            cwd=folder,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=PATIENCE)


def held() -> tuple[Behaviour, "list[bool]"]:
    """A receiver that thinks until it is let go, and then accepts."""
    let_go: list[bool] = []

    async def act(writer: object) -> None:
        await until(lambda: let_go)
        await answer(200)(writer)  # type: ignore[arg-type]

    return act, let_go


async def _expire(database: Database) -> None:
    await change(database, "UPDATE due_work SET leased_until = clock_timestamp() - interval '1 ms' WHERE leased_until IS NOT NULL")


async def _all_delivered(database: Database, count: int) -> bool:
    return [state for state, _ in await states(database)] == ["delivered"] * count


async def test_what_a_killed_worker_was_sending_is_sent_by_another_under_the_same_id(
    settings_environment: dict[str, str], tmp_path: Path
) -> None:
    url = settings_environment["DIRIGENT_NOTIFICATIONS_DATABASE_URL"]
    database = Database(url)
    thinking, _ = held()
    async with receiver(*[thinking] * 3, answer(200)) as told:
        await a_subscription(database, told.url)
        with a_worker(settings_environment, tmp_path) as worker:
            await tell(database, *[a_notice() for _ in range(3)])
            await until(lambda: len(told.received) == 3)
            worker.send_signal(signal.SIGKILL)
            worker.wait(timeout=PATIENCE)
        (lease,) = await rows(database, "SELECT max(extract(epoch FROM leased_until - clock_timestamp())) AS seconds FROM due_work")
        assert 0 < lease.seconds < 30, "taken over within thirty seconds"
        await _expire(database)
        async with delivering(database, url):
            await until(lambda: _all_delivered(database, 3))
    assert len(told.received) == 6
    assert sorted(told.ids()[:3]) == sorted(told.ids()[3:])
    await database.close()


async def test_a_worker_that_slept_past_its_lease_writes_nothing_when_it_wakes(
    settings_environment: dict[str, str], tmp_path: Path
) -> None:
    database = Database(settings_environment["DIRIGENT_NOTIFICATIONS_DATABASE_URL"])
    thinking, let_go = held()
    async with receiver(thinking, thinking, answer(200)) as told:
        row, _ = await a_subscription(database, told.url)
        with a_worker(settings_environment, tmp_path) as zombie:
            await tell(database, a_notice(), a_notice())
            await until(lambda: len(told.received) == 2)
            zombie.send_signal(signal.SIGSTOP)
            await _expire(database)
            async with delivering(database, settings_environment["DIRIGENT_NOTIFICATIONS_DATABASE_URL"]):
                # Where it stood still in the middle of claiming, the database gives its transaction up after a minute only.
                await until(lambda: _all_delivered(database, 2), within=2 * PATIENCE)
            before = await _written(database)
            let_go.append(True)
            zombie.send_signal(signal.SIGCONT)
            log = tmp_path / "worker.log"
            await until(lambda: log.read_text().count("due.lease_lost") == 2)
            await tell(database, a_notice())
            await until(lambda: _all_delivered(database, 3))
        after = await _written(database)
    assert [one for one in after if one in before] == before, "what the heir wrote stands as it was"
    assert len(after) == len(before) + 1
    assert (Counter(told.ids()).most_common()[0][1], row["id"] is not None) == (2, True)
    await database.close()


async def _written(database: Database) -> list[object]:
    return [tuple(row) for row in await rows(database, "SELECT * FROM delivery_attempts ORDER BY delivery_id, number")]
