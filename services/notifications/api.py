"""Notifications over HTTP: subscriptions, their delivery log, and a test message."""

import json
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from pydantic import Field

from services.notifications import usecases
from services.notifications.sealing import Seal
from services.notifications.settings import Settings
from shared.dates import format_instant
from shared.errors import NotFound
from shared.http.app import create_service_app
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, ShortText
from shared.http.idempotency import once

router = APIRouter(tags=["Subscriptions"], route_class=StrictRoute)
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
    exhausted: int = Field(default=0, description="given up after ten attempts: read the feed for what they told of")
    cancelled: int = 0


class SubscriptionShown(Answer):
    """A subscription, without its secret."""

    id: UUID
    url: str
    types: list[str]
    units: list[str]
    state: Literal["active", "disabled"] = Field(description="disabled when the receiver answered 410 Gone")
    created_at: str
    deliveries: DeliveryCounts


class SubscriptionMade(SubscriptionShown):
    """A new subscription with its secret, which is shown in this answer only."""

    secret: str | None = Field(
        default=None, description="verifies the signatures (Standard Webhooks 1.0); left out of a repeated answer once it is deleted"
    )


class Subscriptions(Answer):
    """The caller's subscriptions."""

    subscriptions: list[SubscriptionShown]


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
    type: str
    state: State
    created_at: str
    next_attempt_at: str | None
    attempts: list[AttemptShown]


class Deliveries(Answer):
    """Messages, the newest first; the rest behind the `Link` header."""

    deliveries: list[DeliveryShown]


class SentTest(Answer):
    """The test message is on its way; look for it in the delivery log."""

    delivery_id: UUID


class Told(Answer):
    """What a webhook says: thin, only ids and types. Read the feed for the rest."""

    type: str = Field(description="the type of the notice, or subscription.test")
    timestamp: str
    data: dict[str, str] = Field(description="notice_id, mailbox and, where there is one, case_id")


def _shown(row: sa.RowMapping, counts: dict[UUID, dict[str, int]]) -> SubscriptionShown:
    return SubscriptionShown(
        id=row["id"],
        url=row["url"],
        types=row["types"],
        units=row["units"],
        state=row["state"],
        created_at=format_instant(row["created_at"]),
        deliveries=DeliveryCounts(**counts.get(row["id"], {})),
    )


@router.post(
    "/v1/subscriptions",
    status_code=HTTPStatus.CREATED,
    response_model=SubscriptionMade,
    summary="Subscribe to webhooks",
)
async def subscribe(call: Checked, work: Working, body: Wanted, request: Request) -> Response:
    """One subscription per organisation and unit prefixes, by a client that may read notices. Only this answer shows the secret."""
    seal: Seal = request.app.state.seal

    async def act() -> SubscriptionShown:
        wanted = usecases.Wanted(body.url, body.types, body.units)
        made = await usecases.subscribe(work, call.caller, seal, wanted, request.app.state.target_policy)
        return _shown(made, {})

    stored = await once(work, call, request, act)
    return await _with_secret(work, stored, call, seal)


async def _with_secret(work: Working, stored: Response, call: Checked, seal: Seal) -> Response:
    """Add the secret, which is never kept in clear, not even among the first answers; a deleted subscription has none any more."""
    answer: dict[str, Any] = json.loads(bytes(stored.body))
    try:
        row = await usecases.find_subscription(work, call.caller, UUID(answer["id"]))
    except NotFound:
        return stored
    answer["secret"] = seal.open(row["secret"], row["id"])
    headers = {name: value for name, value in stored.headers.items() if name not in {"content-length", "content-type"}}
    return Response(json.dumps(answer), stored.status_code, headers, media_type="application/json")


@router.get("/v1/subscriptions", summary="List your subscriptions")
async def get_subscriptions(call: Checked, work: Working) -> Subscriptions:
    """Those your client made, and those for exactly your client's units."""
    rows = await usecases.list_subscriptions(work, call.caller)
    counts = await usecases.count_deliveries(work, [row["id"] for row in rows])
    return Subscriptions(subscriptions=[_shown(row, counts) for row in rows])


@router.get("/v1/subscriptions/{subscription_id}", summary="Show a subscription")
async def get_subscription(call: Checked, work: Working, subscription_id: SubscriptionId) -> SubscriptionShown:
    """One subscription, with how many messages are in which state."""
    row = await usecases.find_subscription(work, call.caller, subscription_id)
    return _shown(row, await usecases.count_deliveries(work, [row["id"]]))


@router.delete("/v1/subscriptions/{subscription_id}", status_code=HTTPStatus.NO_CONTENT, summary="Unsubscribe")
async def delete_subscription(call: Checked, work: Working, subscription_id: SubscriptionId) -> None:
    """Nothing more is sent; what waits is cancelled."""
    await usecases.unsubscribe(work, call.caller, subscription_id)


@router.get("/v1/subscriptions/{subscription_id}/deliveries", summary="Read the delivery log")
async def get_deliveries(
    call: Checked,
    work: Working,
    subscription_id: SubscriptionId,
    response: Response,
    state: State | None = None,
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Deliveries:
    """Each message with every attempt: when, how long, what the receiver answered."""
    found = await usecases.list_deliveries(work, call.caller, subscription_id, before=before, limit=limit, state=state)
    if len(found) == limit:
        kept = f"&state={state}" if state else ""
        last = found[-1][0]["id"]
        response.headers["Link"] = f'</v1/subscriptions/{subscription_id}/deliveries?before={last}&limit={limit}{kept}>; rel="next"'
    return Deliveries(deliveries=[_delivery(row, attempts) for row, attempts in found])


def _delivery(row: sa.RowMapping, attempts: list[sa.RowMapping]) -> DeliveryShown:
    return DeliveryShown(
        id=row["id"],
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


@router.post(
    "/v1/subscriptions/{subscription_id}/test",
    status_code=HTTPStatus.ACCEPTED,
    response_model=SentTest,
    summary="Send a test message",
)
async def send_test(call: Checked, work: Working, subscription_id: SubscriptionId, request: Request) -> Response:
    """A signed message of the type subscription.test that tells of nothing."""

    async def act() -> SentTest:
        return SentTest(delivery_id=await usecases.send_test(work, call.caller, subscription_id))

    return await once(work, call, request, act, status=HTTPStatus.ACCEPTED)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Notifications' application, told by the environment unless by `settings`."""
    settings = settings or Settings()
    app = create_service_app("notifications", "Dirigent notifications", settings, (router,))
    app.state.seal = Seal(settings.service_key.get_secret_value())
    app.state.target_policy = usecases.TargetPolicy(settings.allowed_targets)

    @app.webhooks.post("notice", summary="Something stands in your mailbox", tags=["webhooks"])
    def notice(body: Told) -> None:
        """Sent to the subscription's url, signed by Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature`.

        Answer 2xx within 15 seconds. Anything else is tried again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, always
        with the same `webhook-id`; 410 ends the subscription; 429 and 503 may say when with `Retry-After`.
        """

    return app
