"""Staging: a fact or a feed entry is written in the transaction that makes it, and numbered later by the sequencer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text

from shared.db import Work
from shared.events.facts import Fact
from shared.identifiers import uuid7
from shared.streams.canonical import canonical_plain

FACTS_FEED: Final = "facts"

STAGE: Final = text(
    """
    WITH staged AS (
        INSERT INTO outbox (feed, entry_id, kind, subject, body)
        SELECT * FROM unnest(CAST(:feeds AS text[]), CAST(:ids AS uuid[]), CAST(:kinds AS text[]),
                             CAST(:subjects AS uuid[]), CAST(:bodies AS text[]))
        RETURNING 1)
    SELECT pg_notify('outbox', '') FROM (SELECT 1 FROM staged LIMIT 1) AS any_staged
    """
)


@dataclass(frozen=True, slots=True)
class Staged:
    """One entry for one feed: `body` is canonical JSON and goes into the hash as it stands."""

    feed: str
    entry_id: UUID
    kind: str
    subject: UUID | None
    body: str


async def stage(work: Work, entries: Sequence[Staged]) -> None:
    """Stage entries in their order; the order per case is kept because the case is locked by now."""
    if not entries:
        return
    await work.connection.execute(
        STAGE,
        {
            "feeds": [entry.feed for entry in entries],
            "ids": [entry.entry_id for entry in entries],
            "kinds": [entry.kind for entry in entries],
            "subjects": [entry.subject for entry in entries],
            "bodies": [entry.body for entry in entries],
        },
    )


def staged_members(kind: type[Fact], members: Mapping[str, object], subject: UUID | None) -> Staged:
    """The same for a fact given by all its members as they are (ids, UTC instants), for the hot path: no model is built.

    A unit test of the caller must hold what it writes against the model.
    """
    return Staged(FACTS_FEED, uuid7(), kind.kind, subject, canonical_plain(members))


def staged_fact(fact: Fact, subject: UUID | None = None) -> Staged:
    """Turn a fact into an entry of the service's own stream."""
    return Staged(FACTS_FEED, uuid7(), fact.kind, subject, canonical_plain(fact.model_dump(mode="json")))


async def stage_facts(work: Work, facts: Sequence[tuple[Fact, UUID | None]]) -> None:
    """Stage facts for the service's own stream, each with the case it is about, if any."""
    await stage(work, [staged_fact(fact, subject) for fact, subject in facts])
