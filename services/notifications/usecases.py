"""What notifications does: subscribe, tell, try, give up. Each function runs in the transaction it is given."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog

from services.notifications import repository
from services.notifications.channels import Resolve, resolve
from services.notifications.domain.matching import NOTICE_TYPES, TEST_TYPE, covers
from services.notifications.domain.targets import Target, TargetRefused, read_target, refuse_private
from services.notifications.repository import DUE_KIND, NewDelivery
from services.notifications.sealing import Seal, new_secret
from shared.dates import format_instant
from shared.db import Work
from shared.errors import FieldError, Malformed, NotFound, Refused
from shared.events.facts import NoticeSent
from shared.http.auth import Caller
from shared.http.problems import HttpProblem
from shared.identifiers import uuid7
from shared.streams import due
from shared.streams.canonical import canonical_plain
from shared.streams.consumer import Delivered

_log = structlog.get_logger(__name__)
_RESOLVE_SECONDS: Final = 0.8
READS_NOTICES: Final = "notices:read"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a subscriber asks for; empty `types` or `units` mean everything it may hear of."""

    url: str
    types: Sequence[str] = ()
    units: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class TargetPolicy:
    """What the operator allows beside the public internet, and how names are resolved."""

    allowed: Sequence[str] = ()
    resolver: Resolve = resolve


async def subscribe(work: Work, caller: Caller, seal: Seal, wanted: Wanted, policy: TargetPolicy) -> sa.RowMapping:
    """Enter the caller's webhook subscription: one per organisation and unit prefixes.

    Raises:
        HttpProblem: 403, the caller may not read the notices it would be told of.
        Malformed: The address may not be called, a type is unknown, or a unit is not the caller's.
        Refused: There is one already.
    """
    _require_reader(caller)
    wrong = [FieldError(f"/types/{index}", "type_unknown") for index, name in enumerate(wanted.types) if name not in NOTICE_TYPES]
    foreign = (index for index, unit in enumerate(wanted.units) if not covers(caller.unit_prefixes, [unit]))
    wrong += [FieldError(f"/units/{index}", "unit_not_yours") for index in foreign]
    try:
        await _refuse_private_target(read_target(wanted.url, policy.allowed), policy.resolver)
    except TargetRefused as refused:
        wrong.append(FieldError("/url", refused.code))
    if wrong:
        raise Malformed("request.malformed", errors=tuple(wrong))
    subscription_id = uuid7()
    made = await repository.add_subscription(
        work,
        {
            "id": subscription_id,
            "organisation": caller.organisation,
            "unit_prefixes": sorted(caller.unit_prefixes),
            "client": caller.client_id,
            "url": wanted.url,
            "types": sorted(set(wanted.types)),
            "units": sorted(set(wanted.units)),
            "secret": seal.close(new_secret(), subscription_id),
            "state": "active",
            "created_at": work.at,
            "changed_at": work.at,
        },
    )
    if not made:
        raise Refused("subscription.exists")
    return await find_subscription(work, caller, subscription_id)


def _require_reader(caller: Caller) -> None:
    """Whoever is told that a notice came, and of what type, must be allowed to read it."""
    if not caller.may(READS_NOTICES):
        raise HttpProblem("access.denied")


async def _refuse_private_target(target: Target, resolver: Resolve) -> None:
    """Find a wrong name early; it is checked again whenever something is sent, so a slow resolver need not hold anybody up here."""
    if target.allowed:
        return
    try:
        async with asyncio.timeout(_RESOLVE_SECONDS):
            addresses = await resolver(target.host, target.port)
    except TimeoutError:
        return
    except OSError as error:
        raise TargetRefused("url_not_resolvable") from error
    refuse_private(addresses)


async def list_subscriptions(work: Work, caller: Caller) -> list[sa.RowMapping]:
    """The subscriptions the caller manages, oldest first."""
    found = await repository.find_subscriptions(work, caller.organisation)
    return [row for row in found if _manages(caller, row)]


def _manages(caller: Caller, row: sa.RowMapping) -> bool:
    """Whether a subscription is the caller's: made by itself or for exactly its units. To speak for more units is not enough."""
    if row["organisation"] != caller.organisation:
        return False
    return bool(row["client"] == caller.client_id or set(row["unit_prefixes"]) == set(caller.unit_prefixes))


async def find_subscription(work: Work, caller: Caller, subscription_id: UUID) -> sa.RowMapping:
    """One of the caller's subscriptions.

    Raises:
        NotFound: Unknown, deleted, or not the caller's.
    """
    row = await repository.find_subscription(work, subscription_id)
    if row is None or not _manages(caller, row):
        raise NotFound
    return row


async def count_deliveries(work: Work, subscription_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """How many messages of each state these subscriptions have."""
    return await repository.count_deliveries(work, subscription_ids)


async def unsubscribe(work: Work, caller: Caller, subscription_id: UUID) -> None:
    """Delete a subscription; whatever waits is cancelled."""
    row = await find_subscription(work, caller, subscription_id)
    await _end_subscription(work, row["id"], "deleted")


async def disable(work: Work, subscription_id: UUID) -> None:
    """Stop telling a receiver that answered 410 Gone; whatever waits is cancelled."""
    await _end_subscription(work, subscription_id, "disabled")


async def _end_subscription(work: Work, subscription_id: UUID, state: str) -> None:
    await repository.lock_subscription(work, subscription_id)
    await repository.set_subscription_state(work, subscription_id, state)
    await due.drop_lane(work, DUE_KIND, subscription_id)
    await repository.cancel_deliveries(work, subscription_id)


async def send_test(work: Work, caller: Caller, subscription_id: UUID) -> UUID:
    """Send the receiver a message that tells of nothing; returns its id.

    Raises:
        Refused: The subscription is disabled.
    """
    row = await find_subscription(work, caller, subscription_id)
    if row["state"] != "active":
        raise Refused("subscription.disabled")
    message_id = uuid7()
    body = _body(TEST_TYPE, format_instant(work.at), {"subscription_id": str(row["id"])})
    await _tell(work, [NewDelivery(message_id, row["id"], message_id, TEST_TYPE, body)])
    return message_id


async def tell_of_notices(work: Work, delivered: Sequence[Delivered]) -> None:
    """Make a message for every subscription that wants to hear of a notice; what was imported as history is never told."""
    facts = [(one.entry_id, one.fact) for one in delivered if isinstance(one.fact, NoticeSent) and not one.fact.history]
    active = await repository.find_active(work, {fact.organisation for _, fact in facts}) if facts else []
    new = [
        NewDelivery(uuid7(), subscription.id, entry_id, fact.notice_type, _notice_body(fact))
        for entry_id, fact in facts
        for subscription in active
        if subscription.wants(fact.organisation, fact.notice_type, fact.unit)
    ]
    await _tell(work, new)


async def _tell(work: Work, new: Sequence[NewDelivery]) -> None:
    if new:
        await due.schedule(work, DUE_KIND, await repository.add_deliveries(work, new))


def _notice_body(fact: NoticeSent) -> str:
    """Thin: ids and types. The receiver reads the feed for everything else."""
    about = {"notice_id": str(fact.notice_id), "mailbox": fact.mailbox}
    if fact.case_id is not None:
        about["case_id"] = str(fact.case_id)
    return _body(fact.notice_type, format_instant(fact.sent_at), about)


def _body(kind: str, at: str, about: dict[str, str]) -> str:
    return canonical_plain({"type": kind, "timestamp": at, "data": about})


async def list_deliveries(
    work: Work, caller: Caller, subscription_id: UUID, *, before: UUID | None, limit: int, state: str | None
) -> list[tuple[sa.RowMapping, list[sa.RowMapping]]]:
    """Messages of one of the caller's subscriptions, the newest first, each with its attempts.

    Raises:
        HttpProblem: 403, the caller may not read the notices they tell of.
    """
    row = await find_subscription(work, caller, subscription_id)
    _require_reader(caller)
    found = await repository.list_deliveries(work, row["id"], before=before, limit=limit, state=state)
    attempts = await repository.find_attempts(work, [delivery["id"] for delivery in found])
    return [(delivery, attempts.get(delivery["id"], [])) for delivery in found]


def chance() -> float:
    """Anything from 0 up to 1, to spread retries."""
    return secrets.randbelow(1_000) / 1_000


def log_exhausted(subscription_id: UUID, delivery_id: UUID, attempts: int) -> None:
    """Tell the operator that a message was given up."""
    _log.error("webhook.exhausted", subscription=str(subscription_id), delivery=str(delivery_id), attempts=attempts)
