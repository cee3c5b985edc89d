"""Subscriptions over HTTP: made, listed, given a new secret, enabled, deleted."""

import json
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.notifications import usecases
from services.notifications.api.shapes import (
    Enabled,
    SecretRotated,
    SubscriptionId,
    SubscriptionMade,
    Subscriptions,
    SubscriptionShown,
    Wanted,
    subscription_shown,
)
from services.notifications.sealing import Seal
from shared.dates import format_instant
from shared.errors import NotFound
from shared.http.call import Checked, StrictRoute, Working
from shared.http.idempotency import once
from shared.http.problems import HttpProblem

router = APIRouter(tags=["Subscriptions"], route_class=StrictRoute)


@router.post(
    "/v1/subscriptions",
    status_code=HTTPStatus.CREATED,
    response_model=SubscriptionMade,
    summary="Subscribe to webhooks",
)
async def subscribe(call: Checked, work: Working, body: Wanted, request: Request) -> Response:
    """One endpoint of up to twenty, by a client that may read notices. Only this answer shows the secret."""
    seal: Seal = request.app.state.seal

    async def act() -> SubscriptionShown:
        wanted = usecases.Wanted(body.url, body.types, body.units)
        made = await usecases.subscribe(work, call.caller, seal, wanted, request.app.state.target_policy)
        return subscription_shown(made, {})

    stored = await once(work, call, request, act)
    return await _with_secret(work, stored, call, seal)


async def _with_secret(work: Working, stored: Response, call: Checked, seal: Seal) -> Response:
    """Add the secret this answer was about, which is never kept in clear, not even among the first answers; a newer one is not told."""
    answer: dict[str, Any] = json.loads(bytes(stored.body))
    try:
        row = await usecases.find_managed(work, call.caller, UUID(answer["id"]))
    except (NotFound, HttpProblem):
        return stored
    if format_instant(row["secret_since"]) != answer["secret_since"]:
        return stored
    answer["secret"] = seal.open(row["secret"], row["id"])
    headers = {name: value for name, value in stored.headers.items() if name not in {"content-length", "content-type"}}
    return Response(json.dumps(answer), stored.status_code, headers, media_type="application/json")


@router.get("/v1/subscriptions", summary="List your subscriptions")
async def get_subscriptions(call: Checked, work: Working) -> Subscriptions:
    """Those your client made, and those for exactly your client's units."""
    rows = await usecases.list_subscriptions(work, call.caller)
    counts = await usecases.count_deliveries(work, [row["id"] for row in rows])
    return Subscriptions(subscriptions=[subscription_shown(row, counts) for row in rows])


@router.get("/v1/subscriptions/{subscription_id}", summary="Show a subscription")
async def get_subscription(call: Checked, work: Working, subscription_id: SubscriptionId) -> SubscriptionShown:
    """One subscription, how its endpoint is, and how many messages are in which state."""
    row = await usecases.find_subscription(work, call.caller, subscription_id)
    return subscription_shown(row, await usecases.count_deliveries(work, [row["id"]]))


@router.delete("/v1/subscriptions/{subscription_id}", status_code=HTTPStatus.NO_CONTENT, summary="Unsubscribe")
async def delete_subscription(call: Checked, work: Working, subscription_id: SubscriptionId) -> None:
    """Nothing more is sent; what waits is cancelled."""
    await usecases.unsubscribe(work, call.caller, subscription_id)


@router.post(
    "/v1/subscriptions/{subscription_id}/rotate-secret",
    status_code=HTTPStatus.CREATED,
    response_model=SecretRotated,
    summary="Get a new secret",
)
async def rotate_secret(call: Checked, work: Working, subscription_id: SubscriptionId, request: Request) -> Response:
    """The former secret signs, too, for 24 hours, so that the receiver can change over; of more than two the oldest ends at once."""
    seal: Seal = request.app.state.seal

    async def act() -> SecretRotated:
        row = await usecases.rotate_secret(work, call.caller, seal, subscription_id)
        since, until = format_instant(row["secret_since"]), format_instant(row["former_until"])
        return SecretRotated(id=row["id"], secret_since=since, former_until=until)

    stored = await once(work, call, request, act)
    return await _with_secret(work, stored, call, seal)


@router.post("/v1/subscriptions/{subscription_id}/enable", response_model=Enabled, summary="Enable a subscription again")
async def enable(call: Checked, work: Working, subscription_id: SubscriptionId, request: Request) -> Response:
    """After 410 Gone: what was cancelled then is sent, and the endpoint hears again. An endpoint that rests is tried at once."""

    async def act() -> Enabled:
        return Enabled(id=subscription_id, redriven=await usecases.enable(work, call.caller, subscription_id))

    return await once(work, call, request, act, status=HTTPStatus.OK)
