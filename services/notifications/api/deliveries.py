"""The delivery log over HTTP, a test message, and sending again."""

from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.notifications import usecases
from services.notifications.api.shapes import Deliveries, Replayed, Sent, State, SubscriptionId, delivery_shown
from services.notifications.usecases import WhichDeliveries
from shared.http.call import Checked, StrictRoute, Working
from shared.http.idempotency import once

router = APIRouter(tags=["Subscriptions"], route_class=StrictRoute)
HIGHEST_NUMBER: Final = (1 << 63) - 1
DeliveryId = Annotated[UUID, Path(description="The id of a message, as the delivery log shows it.")]


def _which(
    state: State | None = None,
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    first: Annotated[int | None, Query(alias="from", ge=1, le=HIGHEST_NUMBER, description="messages numbered so or higher")] = None,
    last: Annotated[int | None, Query(alias="to", ge=1, le=HIGHEST_NUMBER, description="messages numbered so or lower")] = None,
) -> WhichDeliveries:
    return WhichDeliveries(limit, before, state, first, last)


@router.get("/v1/subscriptions/{subscription_id}/deliveries", summary="Read the delivery log")
async def get_deliveries(
    call: Checked,
    work: Working,
    subscription_id: SubscriptionId,
    response: Response,
    which: Annotated[WhichDeliveries, Depends(_which, scope="function")],
) -> Deliveries:
    """Each message with every attempt: when, how long, what the receiver answered."""
    found = await usecases.list_deliveries(work, call.caller, subscription_id, which)
    if len(found) == which.limit:
        response.headers["Link"] = f'</v1/subscriptions/{subscription_id}/deliveries?{_following(which, found[-1][0]["id"])}>; rel="next"'
    return Deliveries(deliveries=[delivery_shown(row, attempts) for row, attempts in found])


def _following(which: WhichDeliveries, last: UUID) -> str:
    asked = {"before": last, "limit": which.limit, "state": which.state, "from": which.first, "to": which.last}
    return urlencode({name: value for name, value in asked.items() if value is not None})


@router.post(
    "/v1/subscriptions/{subscription_id}/test",
    status_code=HTTPStatus.ACCEPTED,
    response_model=Sent,
    summary="Send a test message",
)
async def send_test(call: Checked, work: Working, subscription_id: SubscriptionId, request: Request) -> Response:
    """A signed message of the type subscription.test that tells of nothing."""

    async def act() -> Sent:
        return Sent(delivery_id=await usecases.send_test(work, call.caller, subscription_id))

    return await once(work, call, request, act, status=HTTPStatus.ACCEPTED)


@router.post(
    "/v1/subscriptions/{subscription_id}/replay",
    status_code=HTTPStatus.ACCEPTED,
    response_model=Replayed,
    summary="Send messages again from a number on",
)
async def replay(
    call: Checked,
    work: Working,
    subscription_id: SubscriptionId,
    request: Request,
    first: Annotated[int, Query(alias="from", ge=1, le=HIGHEST_NUMBER, description="number of the first message to send again")],
) -> Response:
    """Every message numbered so or higher, delivered or not, with its own `webhook-id` and body: a receiver knows those it has.

    At most 10 000 for one request; `next` says where to go on.
    """

    async def act() -> Replayed:
        done = await usecases.replay(work, call.caller, subscription_id, first)
        return Replayed(replayed=done.count, next=done.next)

    return await once(work, call, request, act, status=HTTPStatus.ACCEPTED)


@router.post(
    "/v1/subscriptions/{subscription_id}/deliveries/{delivery_id}/redrive",
    status_code=HTTPStatus.ACCEPTED,
    response_model=Sent,
    summary="Send one message again that was given up",
)
async def redrive(call: Checked, work: Working, subscription_id: SubscriptionId, delivery_id: DeliveryId, request: Request) -> Response:
    """A message that was exhausted or cancelled starts its schedule anew, with its own `webhook-id` and body."""

    async def act() -> Sent:
        await usecases.redrive(work, call.caller, subscription_id, delivery_id)
        return Sent(delivery_id=delivery_id)

    return await once(work, call, request, act, status=HTTPStatus.ACCEPTED)
