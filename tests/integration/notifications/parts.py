"""What the tests of notifications start: the service, its worker's loop, and facts as planning would publish them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import text

from services.notifications import usecases
from services.notifications.channels import Webhooks
from services.notifications.delivering import Deliveries
from services.notifications.repository import DUE_KIND, WebhookClaim, claim_webhooks
from services.notifications.sealing import Seal
from services.notifications.settings import Settings
from services.notifications.usecases import Rules
from shared.dates import now
from shared.db import Database, Work
from shared.events.facts import NoticeSent
from shared.http.auth import Caller
from shared.identifiers import uuid7
from shared.streams.consumer import Delivered
from shared.streams.due import LOOK_EVERY_SECONDS, DueWorker, Limits
from tests.services import PUBLIC_URL, SERVICE_KEY

ORGANISATION = "2120001355"
LOCAL = ("http://127.0.0.1:*",)
SEAL = Seal(SERVICE_KEY)


def settings_for(database_url: str, keys_file: Path, **changed: Any) -> Settings:
    values = {
        "database_url": database_url,
        "DIRIGENT_REDIS_URL": "redis://127.0.0.1:1/0",
        "DIRIGENT_SERVICE_KEY": SERVICE_KEY,
        "DIRIGENT_PUBLIC_URL": PUBLIC_URL,
        "DIRIGENT_TOKEN_KEYS_FILE": keys_file,
        "allowed_targets": LOCAL,
    }
    return Settings.model_validate(values | changed)


def a_caller(organisation: str = ORGANISATION, *units: str) -> Caller:
    scopes = frozenset({"subscriptions:write", "notices:read"})
    return Caller(f"client-{organisation}", organisation, units or (f"SE{organisation}-",), scopes, "municipality")


def a_notice(**changed: Any) -> NoticeSent:
    values = {
        "notice_id": uuid7(),
        "notice_type": "notice.admission",
        "mailbox": "1480",
        "organisation": ORGANISATION,
        "case_id": uuid7(),
        "sent_at": now(),
    }
    return NoticeSent(**(values | changed))


async def a_subscription(database: Database, url: str, organisation: str = ORGANISATION, **wanted: Any) -> tuple[Any, str]:
    """Subscribe, and return the row and the secret."""
    policy = usecases.TargetPolicy(wanted.pop("allowed", LOCAL), wanted.pop("resolver", usecases.TargetPolicy().resolver))
    async with database.transaction() as work:
        row = await usecases.subscribe(work, a_caller(organisation), SEAL, usecases.Wanted(url, **wanted), policy)
    return row, SEAL.open(row["secret"], row["id"])


async def tell(database: Database, *facts: NoticeSent) -> None:
    """What the consumer does with facts of planning's stream."""
    async with database.transaction() as work:
        await usecases.tell_of_notices(work, [Delivered(n, uuid7(), None, fact) for n, fact in enumerate(facts, 1)])


@asynccontextmanager
async def delivering(database: Database, url: str, **changed: Any) -> AsyncIterator[DueWorker[WebhookClaim]]:
    """The worker's loop, woken by NOTIFY as in production."""
    limits = Limits(listen_url=url, look_every=changed.pop("look_every", LOOK_EVERY_SECONDS))
    limits["at_once"], limits["per_lane"] = changed.pop("at_once", 64), changed.pop("per_lane", 4)
    rules = changed.pop("rules", Rules())
    async with Webhooks(changed.pop("allowed", LOCAL), **changed) as channel:
        worker = DueWorker(DUE_KIND, Deliveries(database, channel, SEAL, rules).attempt, take=claim_webhooks, **limits)
        running = asyncio.create_task(worker.run(database))
        try:
            yield worker
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def rows(database: Database, statement: str) -> list[Any]:
    async with database.transaction() as work:
        return list(await _execute(work, statement))


async def change(database: Database, statement: str) -> None:
    async with database.transaction() as work:
        await _execute(work, statement)


async def _execute(work: Work, statement: str) -> Any:
    return await work.connection.execute(text(statement))


async def make_due(database: Database) -> None:
    """Let the time until the next attempt be over."""
    await change(database, "UPDATE deliveries SET planned_at = clock_timestamp() WHERE planned_at > clock_timestamp()")
    await change(database, "UPDATE due_work SET due_at = clock_timestamp() WHERE leased_until IS NULL")
    await change(database, "UPDATE subscriptions SET rests_until = clock_timestamp() WHERE rests_until IS NOT NULL")
    await change(database, "SELECT pg_notify('due', 'webhook')")


async def states(database: Database) -> list[tuple[str, int]]:
    return [(row.state, row.attempts) for row in await rows(database, "SELECT state, attempts FROM deliveries ORDER BY id")]
