"""Checkpoints: what every feed ended with, kept outside the databases, so that even a whole feed that is rewritten is found.

The running hash of a feed binds all its entries. Whoever has a feed's position and hash from earlier can tell whether it still leads there.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import text

from dirigent.databases import Access
from dirigent.failure import CannotStart
from shared.dates import format_instant, now
from shared.db import Database, Work
from shared.streams import feeds

# One view for all statements: a sequencer may be moving heads meanwhile.
ONE_VIEW: Final = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
_EPOCH: Final = text("SELECT epoch FROM sequencer WHERE id = 1")
_HEADS: Final = text("SELECT feed, position, hash FROM feed_heads ORDER BY feed")
_SHA256: Final = r"^[0-9a-f]{64}$"


class Head(BaseModel):
    """Where a feed ended: its last position, and the running hash through it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    feed: str
    position: int = Field(ge=0)
    hash: Annotated[str, Field(pattern=_SHA256)]


class ServiceHeads(BaseModel):
    """The feeds of one service's database, and its epoch, which moves when a backup is restored."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    epoch: int
    feeds: list[Head]


class Checkpoint(BaseModel):
    """The heads of all feeds of all services at an instant."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    format: Literal["dirigent-checkpoint/1"]
    at: str
    services: dict[str, ServiceHeads]


async def take_checkpoint(databases: Mapping[str, Access]) -> Checkpoint:
    """Read what every feed ends with now."""
    services = {}
    for service, access in databases.items():
        database = Database(access.app, pool_size=1, overflow=0, application="checkpoint")
        try:
            async with database.transaction() as work:
                await work.connection.execute(ONE_VIEW)
                if await has_feeds(work):
                    services[service] = await _heads(work)
        finally:
            await database.close()
    return Checkpoint(format="dirigent-checkpoint/1", at=format_instant(now()), services=services)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a file that `dirigent checkpoint` wrote.

    Raises:
        CannotStart: It cannot be read, or is none.
    """
    try:
        told: Any = json.loads(path.read_text(encoding="utf-8"))
        return Checkpoint.model_validate(told)
    except OSError as error:
        raise CannotStart(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        place = ".".join(str(step) for step in error.errors()[0]["loc"])
        raise CannotStart(f"{path} is no checkpoint of Dirigent: {place or 'the whole'} is not as it must be") from None
    except ValueError:
        raise CannotStart(f"{path} is no checkpoint of Dirigent: it is not JSON") from None


async def rewritten_since(work: Work, service: str, checkpoint: Checkpoint) -> list[str]:
    """The feeds of a database that no longer lead to where they were at the checkpoint."""
    known = checkpoint.services.get(service)
    if known is None:
        return []
    if not await has_feeds(work):
        return [f"it has no feeds, but had {len(known.feeds)} at the checkpoint of {checkpoint.at}"]
    found = []
    for head in known.feeds:
        try:
            digest = await feeds.digest(work, head.feed, through=head.position)
        except feeds.FeedRewound as rewound:
            left = rewound.members["last_common_position"]
            found.append(f"feed {head.feed}, position {left}: ends here, but reached {head.position} at the checkpoint of {checkpoint.at}")
            continue
        if digest.hex() != head.hash:
            found.append(f"feed {head.feed}, position {head.position}: rewritten since the checkpoint of {checkpoint.at}")
    return found


async def has_feeds(work: Work) -> bool:
    """Whether a database has feeds at all; the gateway's may not."""
    return bool((await work.connection.execute(text("SELECT to_regclass('feed_heads') IS NOT NULL"))).scalar_one())


async def _heads(work: Work) -> ServiceHeads:
    epoch = (await work.connection.execute(_EPOCH)).scalar_one()
    rows = await work.connection.execute(_HEADS)
    return ServiceHeads(epoch=epoch, feeds=[Head(feed=row.feed, position=row.position, hash=bytes(row.hash).hex()) for row in rows])
