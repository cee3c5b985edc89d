"""One notice, and everyone who gets told of it: webhooks, a stream, a digest, and at last the contacts when nobody takes it on.

The whole system in this process, on real databases, with real sockets; time is moved by saying what counts as now.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.notifications import usecases as notifying
from services.notifications.consumers import CONSUMES
from services.notifications.mail_channels import FileMail
from services.notifications.mailing import Mailing
from services.notifications.repository.digests import DIGEST_KIND
from services.notifications.repository.mails import MAIL_KIND
from services.planning import usecases as planning
from shared.dates import format_instant, now
from shared.db import Database
from shared.identifiers import uuid7
from shared.streams import due, feeds
from shared.streams.consumer import Consumer, Fetched, StreamEntry
from shared.streams.due import DueWorker
from shared.streams.sequencer import number_staged
from tests.builders import GOTEBORG, HARRYDA, WARD, a_ward_event
from tests.contract.system import PUBLIC_URL, System
from tests.integration.gateway.parts import served
from tests.integration.notifications.parts import delivering
from tests.integration.notifications.receivers import receiver, reset
from tests.integration.notifications.streams import reading
from tests.integration.planning.conftest import ENTRIES, GOTEBORG_NUMBER, GOTEBORG_UNIT, HARRYDA_NUMBER
from tests.patience import until
from tests.services import SERVICE_KEY

NAMES = ("Testsson", "189001019802")


@dataclass
class Stream:
    """Planning's stream as a consumer fetches it, without the queue."""

    database: Database

    async def fetch(self, *, epoch: int, after: int, limit: int) -> Fetched:
        async with self.database.transaction() as work:
            page = await feeds.read(work, "facts", after=after, limit=limit, epoch=epoch or None)
        entries = [StreamEntry(one.position, one.entry_id, one.kind, one.subject, one.body) for one in page.entries]
        return Fetched(page.epoch, page.head, entries)


@dataclass
class Told:
    """The system with its workers' steps done by hand."""

    http: httpx.AsyncClient
    address: str
    system: System
    planning: Database
    notifications: Database

    def __post_init__(self) -> None:
        stream = Stream(self.planning)
        self.consumer = Consumer(self.notifications, stream="planning", handlers=CONSUMES["planning"], producer=stream)

    def municipality(self, code: str = GOTEBORG, number: str = GOTEBORG_NUMBER) -> dict[str, str]:
        claims: dict[str, Any] = {"org": number, "units": [f"SE{number}-"], "municipality": code}
        token = self.system.token(sub=f"kommun-{code}", role="municipality", **claims)
        return {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid7())}

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.http.request(method, path, headers=self.municipality(), json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def pass_on(self) -> None:
        """What the workers do all the time: number planning's stream, hear it, number what was pushed."""
        for database in (self.planning, self.notifications):
            while (moved := await number_staged(database)) is not None and moved.entries:
                pass
            await self.consumer.catch_up()

    async def look(self, at: datetime) -> None:
        """Let planning look at every deadline as if it were so late."""
        await self.pass_on()
        async with self.planning.transaction(at) as work:
            while await planning.watch_deadlines(work):
                pass
            await work.connection.execute(text("UPDATE due_work SET due_at = clock_timestamp()"))
            for claimed in await due.claim(work, planning.DEADLINES, limit=100):
                await planning.remind(work, claimed)
        await self.pass_on()

    async def write_digests(self) -> None:
        async with self.notifications.transaction() as work:
            await work.connection.execute(text("UPDATE due_work SET due_at = clock_timestamp() WHERE kind = 'digest'"))
            for claimed in await due.claim(work, DIGEST_KIND, limit=10):
                await notifying.write_digest(work, claimed)


@asynccontextmanager
async def mailing(database: Database, url: str, folder: Path) -> AsyncIterator[None]:
    worker = DueWorker(MAIL_KIND, Mailing(database, FileMail(folder, "dirigent@vgr.example"), PUBLIC_URL).attempt, listen_url=url)
    running = asyncio.create_task(worker.run(database))
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@pytest.fixture
async def told(settings_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Told]:
    monkeypatch.setenv("DIRIGENT_NOTIFICATIONS_ALLOWED_TARGETS", "http://127.0.0.1:*")
    monkeypatch.setenv("DIRIGENT_SERVICE_KEY", SERVICE_KEY)
    system = System(tmp_path, monkeypatch)
    url = settings_environment["DIRIGENT_NOTIFICATIONS_DATABASE_URL"]
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(served(system.gateway))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=address, trust_env=False, timeout=20))
        databases = [Database(settings_environment["DIRIGENT_PLANNING_DATABASE_URL"]), Database(url)]
        for database in databases:
            stack.push_async_callback(database.close)
        await stack.enter_async_context(delivering(databases[1], url))
        await stack.enter_async_context(mailing(databases[1], url, tmp_path / "mail"))
        async with databases[0].transaction() as work:
            await planning.load_directory(work, ENTRIES)
        yield Told(http, address, system, *databases)


def letters(folder: Path) -> list[tuple[str, str, str]]:
    """Every mail that left: to whom, about what, and its text."""
    read = [message_from_bytes(path.read_bytes(), policy=default) for path in sorted(folder.glob("*.eml"))]
    return [(str(one["To"]), str(one["Subject"]), one.get_content()) for one in read]


async def on_stream(told: Told, who: dict[str, str]) -> list[str]:
    """Every event that the stream ever told this reader."""
    async with reading(told.address, who, after=0, seconds=0) as stream:
        return [event.name async for event in stream.blocks() if event.name]


async def test_a_municipality_with_webhooks_a_stream_and_a_digest_hears_of_one_notice_everywhere(told: Told, tmp_path: Path) -> None:
    admitted = now() - timedelta(hours=1)
    async with receiver() as good, receiver(reset) as dead, reading(told.address, told.municipality()) as stream:
        secrets = {url: (await told.call("POST", "/v1/subscriptions", {"url": url}))["secret"] for url in (good.url, dead.url)}
        await told.call("POST", "/v1/digests", {"email": "samordning@kommun.se", "at": "07:30"})
        await told.call(
            "PUT", "/v1/contacts", {"contacts": [{"email": "enhet@kommun.se"}, {"email": "chef@kommun.se", "from_step": "operator"}]}
        )
        ward = {"Authorization": f"Bearer {told.system.token(sub='ward-su', units=[WARD], role='ward')}"}
        event = a_ward_event("stay.admitted", time=format_instant(admitted))
        assert (await told.http.post("/v1/events", headers=ward, json=event)).status_code == 201
        await told.pass_on()

        event_of_stream = await asyncio.wait_for(stream.event(), 10)
        await until(lambda: good.received)
        await until(lambda: dead.received)
        hook = good.verified(secrets[good.url])
    notice_id = hook["data"]["notice_id"]
    assert (event_of_stream.name, event_of_stream.data["data"]["notice_id"]) == ("notice.admission", notice_id)
    assert event_of_stream.data["data"]["unit"] == GOTEBORG_UNIT
    assert dead.ids()[0] not in good.ids()
    assert await on_stream(told, told.municipality()) == ["notice.admission"]
    assert await on_stream(told, told.municipality(HARRYDA, HARRYDA_NUMBER)) == []

    await told.write_digests()
    await until(lambda: letters(tmp_path / "mail"))
    ((to, subject, body),) = letters(tmp_path / "mail")
    assert (to, subject) == ("samordning@kommun.se", "Dirigent: 1 nya meddelanden, 0 försenade kvittenser")
    assert "1 inskrivningsmeddelanden" in body

    for hours, step, written in ((24, "contact", 2), (28, "on_call", 3), (48, "operator", 5)):
        await told.look(now() + timedelta(hours=hours))
        (shown,) = (await told.call("GET", "/v1/escalations"))["escalations"]
        assert (shown["about"], shown["step"], shown["delivered"]) == (notice_id, step, True)
        await until(lambda count=written: len(letters(tmp_path / "mail")) == count)  # type: ignore[misc]
    assert sorted({to for to, _, _ in letters(tmp_path / "mail")}) == ["chef@kommun.se", "enhet@kommun.se", "samordning@kommun.se"]

    await told.call("POST", f"/v1/notices/{notice_id}/acknowledgement", {"acknowledged_by": "Anna Test"})
    await told.pass_on()
    assert (await told.call("GET", "/v1/escalations"))["escalations"] == []
    everything = " ".join(body for _, _, body in letters(tmp_path / "mail")) + str(hook) + str(event_of_stream)
    assert [name for name in NAMES if name in everything] == []
    assert NAMES[0] in str(event), "positive control"
