"""What the tests of digests, contacts and escalations share: the service, facts as planning tells them, and a real post office."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import httpx
from aiosmtpd.smtp import SMTP

from services.notifications import consumers, usecases
from services.notifications.mail_channels import MailChannel
from services.notifications.mailing import Mailing
from services.notifications.repository.digests import DIGEST_KIND
from services.notifications.repository.mails import MAIL_KIND
from shared.dates import now
from shared.db import Database
from shared.events.alarm_facts import NoticeEscalated
from shared.events.fact import Fact
from shared.identifiers import uuid7
from shared.streams import due
from shared.streams.consumer import Delivered
from shared.streams.due import DueWorker
from shared.streams.sequencer import number_staged
from tests.integration.notifications.parts import ORGANISATION, a_notice, change, rows
from tests.services import PUBLIC_URL, Tokens, bearer

UNIT, OTHER_UNIT = f"SE{ORGANISATION}-E1", f"SE{ORGANISATION}-E2"
BOX = str(uuid7())
ADDRESS = "samordning@kommun.se"


@dataclass
class Telling:
    """Notifications under test."""

    http: httpx.AsyncClient
    tokens: Tokens
    database: Database

    def who(self, *units: str, organisation: str = ORGANISATION, client: str = "kommun-1480") -> dict[str, str]:
        token = self.tokens.token(
            client,
            scopes=["notices:read", "subscriptions:write"],
            organisation=organisation,
            units=units or [f"SE{organisation}-"],
            role="municipality",
        )
        return bearer(token) | {"Idempotency-Key": str(uuid7())}

    async def hear(self, *facts: Fact) -> None:
        """What the consumer does with facts of planning's stream, one after the other."""
        for position, fact in enumerate(facts, 1):
            async with self.database.transaction() as work:
                await consumers.CONSUMES["planning"][fact.kind](work, [Delivered(position, uuid7(), None, fact)])
        while (moved := await number_staged(self.database)) is not None and moved.entries:
            pass

    async def digests(self, at: datetime | None = None) -> int:
        """Write every digest now, whenever it is due."""
        await change(self.database, "UPDATE due_work SET due_at = clock_timestamp() WHERE kind = 'digest'")
        async with self.database.transaction(at) as work:
            claimed = await due.claim(work, DIGEST_KIND, limit=100)
            return sum([await usecases.write_digest(work, one) for one in claimed])

    async def open(self, who: dict[str, str]) -> list[dict[str, Any]]:
        answer = await self.http.get("/v1/escalations", headers=who)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["escalations"])

    async def contacts(self, who: dict[str, str], *contacts: dict[str, Any]) -> httpx.Response:
        return await self.http.put("/v1/contacts", headers=who, json={"contacts": list(contacts)})


def waiting(hours: float = 24, **changed: Any) -> Any:
    return a_notice(unit=UNIT, mailbox=BOX, acknowledge_by=now() + timedelta(hours=hours), **changed)


def escalated(notice: Any, step: str, **changed: Any) -> NoticeEscalated:
    values = {
        "notice_id": notice.notice_id,
        "notice_type": notice.notice_type,
        "mailbox": notice.mailbox,
        "organisation": notice.organisation,
        "unit": notice.unit,
        "step": step,
        "sent_at": notice.sent_at,
        "due_at": notice.acknowledge_by,
        "escalated_at": now(),
    }
    return NoticeEscalated.model_validate(values | changed)


@asynccontextmanager
async def mailing(database: Database, url: str, channel: MailChannel) -> AsyncIterator[None]:
    """The worker's loop."""
    worker = DueWorker(MAIL_KIND, Mailing(database, channel, PUBLIC_URL).attempt, listen_url=url)
    running = asyncio.create_task(worker.run(database))
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


class Post:
    """A real SMTP server's way of taking mail, as told."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.taken: list[tuple[str, list[str], EmailMessage]] = []

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            read = message_from_bytes(envelope.content, policy=default)
            assert isinstance(read, EmailMessage)
            self.taken.append((envelope.mail_from, envelope.rcpt_tos, read))
        return answer


@asynccontextmanager
async def post_office(post: Post) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(post, loop=loop, hostname="mail.test"), "127.0.0.1", 0)
    try:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


async def mails(database: Database) -> list[Any]:
    return await rows(database, "SELECT recipient, subject, body, state, attempts, last_error FROM mails ORDER BY id")
