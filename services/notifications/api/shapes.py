"""What notifications takes and answers over HTTP about webhooks."""

from typing import Annotated, Literal
from uuid import UUID

import sqlalchemy as sa
from fastapi import Path
from pydantic import Field

from shared.dates import format_instant
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, ShortText

SubscriptionId = Annotated[UUID, Path(description="The id that POST /v1/subscriptions gave.")]
State = Literal["pending", "delivered", "exhausted", "cancelled"]


class Wanted(Body):
    """Where to tell of what."""

    model_config = with_example({"url": "https://hooks.kommun.se/dirigent", "types": ["notice.ready"]})

    url: str = Field(max_length=1_000, description="https, a public host name, port 443")
    types: list[ShortText] = Field(default_factory=list, max_length=50, description="types of notice to hear of; empty means all")
    units: list[ShortText] = Field(default_factory=list, max_length=500, description="HSA-ids of units to hear of; empty: all of yours")


class DeliveryCounts(Answer):
    """How many messages are in which state."""

    pending: int = 0
    delivered: int = 0
    exhausted: int = Field(default=0, description="given up after all attempts: redrive them, or read the feed for what they told of")
    cancelled: int = 0


class SubscriptionShown(Answer):
    """A subscription, without its secret."""

    id: UUID
    url: str
    types: list[str]
    units: list[str]
    state: Literal["active", "disabled"] = Field(description="disabled when the receiver answered 410 Gone, or its client was revoked")
    created_at: str
    secret_since: str = Field(description="when its secret was made")
    failures: int = Field(description="failed attempts in a row, of all messages")
    resting_since: str | None = Field(
        description="since when the endpoint is tried with one message at a time, after it failed again and again"
    )
    last_number: int = Field(description="number of the newest message; messages are numbered from 1 without a gap")
    deliveries: DeliveryCounts


class SubscriptionMade(SubscriptionShown):
    """A new subscription with its secret, which is shown in this answer only."""

    secret: str | None = Field(
        default=None, description="verifies the signatures (Standard Webhooks 1.0); left out of a repeated answer once there is a newer one"
    )


class SecretRotated(Answer):
    """A new secret, which is shown in this answer only."""

    id: UUID
    secret_since: str
    former_until: str = Field(description="until when messages are signed with the former secret, too")
    secret: str | None = Field(default=None, description="left out of a repeated answer once there is a newer one")


class Subscriptions(Answer):
    """The caller's subscriptions."""

    subscriptions: list[SubscriptionShown]


class Enabled(Answer):
    """The subscription hears again."""

    id: UUID
    redriven: int = Field(description="how many messages that were cancelled when it was disabled are sent now")


class AttemptShown(Answer):
    """One attempt: the receiver's status, or a code for why there was none."""

    number: int
    at: str
    milliseconds: int
    accepted: bool
    status: int | None
    error: str | None


class DeliveryShown(Answer):
    """One message; `id` is the `webhook-id` of all its attempts."""

    id: UUID
    number: int = Field(description="1, 2, 3 … for each subscription")
    type: str
    state: State
    created_at: str
    next_attempt_at: str | None
    attempts: list[AttemptShown]


class Deliveries(Answer):
    """Messages, the newest first; the rest behind the `Link` header."""

    deliveries: list[DeliveryShown]


class Sent(Answer):
    """The message is on its way; look for it in the delivery log."""

    delivery_id: UUID


class Replayed(Answer):
    """So many messages are on their way again, each with the id it had."""

    replayed: int
    next: int | None = Field(description="the number to replay from next, when there were more than one request takes")


class Told(Answer):
    """What a webhook says: thin, only ids and types. Read the feed for the rest."""

    type: str = Field(description="the type of the notice, or subscription.test")
    timestamp: str
    data: dict[str, str] = Field(description="notice_id, mailbox and, where there is one, case_id")


def subscription_shown(row: sa.RowMapping, counts: dict[UUID, dict[str, int]]) -> SubscriptionShown:
    """A subscription as its row says."""
    return SubscriptionShown(
        id=row["id"],
        url=row["url"],
        types=row["types"],
        units=row["units"],
        state=row["state"],
        created_at=format_instant(row["created_at"]),
        secret_since=format_instant(row["secret_since"]),
        failures=row["failures"],
        resting_since=format_instant(row["resting_since"]) if row["resting_since"] is not None else None,
        last_number=row["last_number"],
        deliveries=DeliveryCounts(**counts.get(row["id"], {})),
    )


def delivery_shown(row: sa.RowMapping, attempts: list[sa.RowMapping]) -> DeliveryShown:
    """A message as its rows say."""
    return DeliveryShown(
        id=row["id"],
        number=row["number"],
        type=row["type"],
        state=row["state"],
        created_at=format_instant(row["created_at"]),
        next_attempt_at=format_instant(row["due_at"]) if row["due_at"] is not None else None,
        attempts=[
            AttemptShown(
                number=one["number"],
                at=format_instant(one["at"]),
                milliseconds=one["milliseconds"],
                accepted=one["accepted"],
                status=one["status"],
                error=one["error"],
            )
            for one in attempts
        ],
    )
