"""Which messages are sent next: fair between receivers, few of each, none of those that rest, and all that sending needs in one statement.

Each receiver is a lane of `due_work`. Lanes are found by leaping along the index from one to the next, so that what one dead receiver has
waiting costs the others nothing, however much it is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from shared.db import Work
from shared.streams.due import LEASE, Claim, Room

DUE_KIND: Final = "webhook"

# The plain LIMIT 100 tells the planner how few rows of a lane are wanted (an expression it takes for a tenth of them all, and sorts them);
# no more rows are locked than the outer LIMIT lets through.
# `turn` counts what a receiver has under way already: slow ones that fill every place must not get each one that comes free.
# `probed`: who rests is tried with one message by whoever gets its row, and is then left alone for as long as that attempt may take.
# Its rows are locked before those of its due work, as everywhere; nobody is waited for. When it is well again it gets a few at once
# (`at_once`, null for all others), and more with each that it takes.
_CLAIM: Final = text(
    """
    WITH RECURSIVE lanes (id) AS (
        (SELECT lane FROM due_work WHERE kind = :kind ORDER BY lane LIMIT 1)
        UNION ALL
        SELECT (SELECT lane FROM due_work WHERE kind = :kind AND lane > lanes.id ORDER BY lane LIMIT 1)
        FROM lanes WHERE lanes.id IS NOT NULL),
    receivers AS MATERIALIZED (
        SELECT id, url, secret, former_secret, former_until, failures, resting_since, rests_until, at_once,
               coalesce(under_way, 0) AS busy,
               least(CASE WHEN failures > 0 THEN 1 ELSE coalesce(most, :per_lane) END, at_once) - coalesce(under_way, 0) AS room
        FROM lanes JOIN subscriptions USING (id)
        LEFT JOIN unnest(CAST(:lanes AS uuid[]), CAST(:under_way AS int[]), CAST(:most AS int[])) AS mine (id, under_way, most) USING (id)
        WHERE state = 'active' AND (rests_until IS NULL OR rests_until <= clock_timestamp())),
    probed AS MATERIALIZED (
        SELECT subscriptions.id FROM subscriptions JOIN receivers USING (id)
        WHERE receivers.resting_since IS NOT NULL AND room > 0 AND subscriptions.rests_until <= clock_timestamp()
        FOR NO KEY UPDATE OF subscriptions SKIP LOCKED),
    found AS (
        SELECT row.id, receivers.id AS lane, url, secret, former_secret, former_until, failures, at_once, resting_since, row.due_at,
               busy + row_number() OVER (PARTITION BY receivers.id ORDER BY row.due_at, row.id) AS turn
        FROM receivers LEFT JOIN probed USING (id) CROSS JOIN LATERAL (
            SELECT id, due_at FROM (
                SELECT id, due_at FROM due_work
                WHERE kind = :kind AND lane = receivers.id AND due_at <= clock_timestamp()
                  AND (leased_until IS NULL OR leased_until < clock_timestamp())
                ORDER BY due_at, id LIMIT 100 FOR UPDATE SKIP LOCKED) AS oldest
            LIMIT greatest(receivers.room, 0)) AS row
        WHERE receivers.room > 0 AND (receivers.resting_since IS NULL OR probed.id IS NOT NULL)),
    taken AS (SELECT * FROM found ORDER BY turn, due_at LIMIT :limit),
    claimed AS (
        UPDATE due_work SET fence = fence + 1, attempts = due_work.attempts + 1, leased_until = clock_timestamp() + :lease
        FROM taken WHERE due_work.id = taken.id
        RETURNING due_work.id, due_work.subject, due_work.attempts, due_work.fence),
    probing AS (
        UPDATE subscriptions SET rests_until = clock_timestamp() + :lease
        FROM taken JOIN probed ON probed.id = taken.lane WHERE subscriptions.id = taken.lane)
    SELECT claimed.id, taken.lane, claimed.subject, claimed.attempts AS claims, fence, clock_timestamp() AS claimed_at, url, secret,
           CASE WHEN former_until > clock_timestamp() THEN former_secret END AS former_secret, failures, at_once,
           coalesce(clock_timestamp() - resting_since, interval '0') AS rested,
           body, deliveries.attempts, attempts_before, tried_since, planned_at
    FROM claimed JOIN taken USING (id) JOIN deliveries ON deliveries.id = claimed.subject
    ORDER BY turn, due_at
    """
)


@dataclass(frozen=True, slots=True)
class WebhookClaim(Claim):
    """A claimed message with all that sending it needs.

    `tried` counts the attempts of its schedule that were made, `failures` those of its receiver in a row. The secrets are sealed.
    `at_once`: how many its receiver gets at once after a rest; None: as many as anybody. `rested`: for how long that rests by now.
    `tried_since`: its first attempt. `planned_at`: when its schedule wanted the next one, whenever it was claimed.
    """

    url: str
    secret: bytes
    former_secret: bytes | None
    body: str
    tried: int
    failures: int
    at_once: int | None
    rested: timedelta
    tried_since: datetime | None
    planned_at: datetime | None

    @property
    def well(self) -> bool:
        """Whether its receiver took what it got last, and gets as many at once as anybody."""
        return self.failures == 0 and self.at_once is None

    @property
    def probes(self) -> bool:
        """Whether its receiver rested when it was claimed: what comes of it says whether that goes on."""
        return bool(self.rested)

    @property
    def most(self) -> int | None:
        """How many its receiver gets at once, where that is fewer than usual."""
        return 1 if self.failures else self.at_once


async def claim_webhooks(work: Work, room: Room, lease: timedelta = LEASE) -> list[WebhookClaim]:
    """Take the messages that are to be sent next, as far as there is room."""
    lanes = list(room.under_way)
    rows = await work.connection.execute(
        _CLAIM,
        {
            "kind": DUE_KIND,
            "limit": room.limit,
            "per_lane": room.per_lane,
            "lanes": lanes,
            "under_way": [room.under_way[lane] for lane in lanes],
            "most": [room.most(lane) for lane in lanes],
            "lease": lease,
        },
    )
    return [
        WebhookClaim(
            row.id,
            row.lane,
            row.subject,
            row.claims,
            row.fence,
            row.claimed_at,
            row.url,
            row.secret,
            row.former_secret,
            row.body,
            row.attempts - row.attempts_before,
            row.failures,
            row.at_once,
            row.rested,
            row.tried_since,
            row.planned_at,
        )
        for row in rows
    ]
