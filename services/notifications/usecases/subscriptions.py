"""Subscriptions: made, found by who manages them, given a new secret, ended."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from services.notifications import repository
from services.notifications.channels import Resolve, resolve_stated
from services.notifications.domain.matching import covers, wrong_unit
from services.notifications.domain.targets import Target, TargetRefused, read_target, refuse_private
from services.notifications.repository import DUE_KIND
from services.notifications.sealing import Seal, new_secret
from shared.db import Work
from shared.errors import FieldError, Malformed, NotFound, Refused
from shared.events.notice_types import NOTICE_TYPES
from shared.http.auth import Caller
from shared.http.problems import HttpProblem
from shared.identifiers import uuid7
from shared.streams import due

MOST_SUBSCRIPTIONS: Final = 20
"""Of one organisation and unit prefixes."""
OVERLAP: Final = timedelta(hours=24)
"""How long messages are signed with the former secret, too."""
READS_NOTICES: Final = "notices:read"
_RESOLVE_SECONDS: Final = 0.8


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a subscriber asks for; empty `types` or `units` mean everything it may hear of."""

    url: str
    types: Sequence[str] = ()
    units: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class TargetPolicy:
    """What the operator allows beside the public internet, how names are resolved, and which hosts alone are permitted, if he named any."""

    allowed: Sequence[str] = ()
    resolver: Resolve = resolve_stated
    permitted: Sequence[str] = ()


async def subscribe(work: Work, caller: Caller, seal: Seal, wanted: Wanted, policy: TargetPolicy) -> sa.RowMapping:
    """Enter a webhook subscription of the caller's, one of several.

    Raises:
        HttpProblem: 403, the caller may not read the notices it would be told of.
        Malformed: The address may not be called, a type is unknown, or a unit is none or not the caller's.
        Refused: There is one for this address already, or there are as many as there may be.
    """
    require_reader(caller)
    wrong = [FieldError(f"/types/{index}", "type_unknown") for index, name in enumerate(wanted.types) if name not in NOTICE_TYPES]
    units = ((f"/units/{index}", wrong_unit(caller.unit_prefixes, unit)) for index, unit in enumerate(wanted.units))
    wrong += [FieldError(pointer, code) for pointer, code in units if code is not None]
    try:
        await _refuse_private_target(read_target(wanted.url, policy.allowed, policy.permitted), policy.resolver)
    except TargetRefused as refused:
        wrong.append(FieldError("/url", refused.code))
    if wrong:
        raise Malformed("request.malformed", errors=tuple(wrong))
    prefixes = sorted(set(caller.unit_prefixes))
    await _refuse_too_many(work, caller, prefixes)
    subscription_id = uuid7()
    made = await repository.add_subscription(
        work,
        {
            "id": subscription_id,
            "organisation": caller.organisation,
            "unit_prefixes": prefixes,
            "client": caller.client_id,
            "url": wanted.url,
            "types": sorted(set(wanted.types)),
            "units": sorted(set(wanted.units)),
            "secret": seal.close(new_secret(), subscription_id),
            "secret_since": work.at,
            "state": "active",
            "created_at": work.at,
            "changed_at": work.at,
        },
    )
    if not made:
        raise Refused("subscription.exists")
    return await find_subscription(work, caller, subscription_id)


async def _refuse_too_many(work: Work, caller: Caller, prefixes: list[str]) -> None:
    await repository.lock_organisation(work, caller.organisation)
    there = await repository.find_subscriptions(work, caller.organisation)
    if sum(row["unit_prefixes"] == prefixes for row in there) >= MOST_SUBSCRIPTIONS:
        raise Refused("subscription.too_many")


def require_reader(caller: Caller) -> None:
    """Whoever is told that a notice came, and of what type, must be allowed to read it.

    Raises:
        HttpProblem: 403, it is not.
    """
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
    except (OSError, UnicodeError) as error:
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


async def find_managed(work: Work, caller: Caller, subscription_id: UUID) -> sa.RowMapping:
    """One of the caller's subscriptions that it may do more with than look at it and end it: it still speaks for all its units.

    Whoever made a subscription keeps it; but a token of the same client for fewer units must not make it tell of the others again.

    Raises:
        HttpProblem: 403, the caller does not speak for all of its units any more.
        NotFound: Unknown, deleted, or not the caller's.
    """
    row = await find_subscription(work, caller, subscription_id)
    if not covers(caller.unit_prefixes, row["unit_prefixes"]):
        raise HttpProblem("access.denied")
    return row


async def lock_subscription(work: Work, caller: Caller, subscription_id: UUID) -> sa.RowMapping:
    """The same, which nobody else changes until this transaction ends.

    Raises:
        HttpProblem: 403, the caller does not speak for all of its units any more.
        NotFound: Unknown, deleted, or not the caller's.
    """
    await find_managed(work, caller, subscription_id)
    await repository.lock_subscription(work, subscription_id)
    return await find_managed(work, caller, subscription_id)


async def rotate_secret(work: Work, caller: Caller, seal: Seal, subscription_id: UUID) -> sa.RowMapping:
    """Give a subscription a new secret; messages are signed with the former one, too, for a day. The one before that is forgotten.

    Raises:
        HttpProblem: 403, the caller does not speak for all of its units any more.
        NotFound: Unknown, deleted, or not the caller's.
    """
    row = await lock_subscription(work, caller, subscription_id)
    await repository.rotate_secret(work, row["id"], seal.close(new_secret(), row["id"]), work.at + OVERLAP)
    return await find_subscription(work, caller, subscription_id)


async def unsubscribe(work: Work, caller: Caller, subscription_id: UUID) -> None:
    """Delete a subscription; whatever waits is cancelled.

    Raises:
        NotFound: Unknown, deleted, or not the caller's.
    """
    row = await find_subscription(work, caller, subscription_id)
    await _end_subscription(work, row["id"], "deleted")


async def disable(work: Work, subscription_id: UUID) -> None:
    """Stop telling a receiver that answered 410 Gone, or whose client was revoked; whatever waits is cancelled."""
    await _end_subscription(work, subscription_id, "disabled")


async def _end_subscription(work: Work, subscription_id: UUID, state: str) -> None:
    await repository.lock_subscription(work, subscription_id)
    await repository.set_subscription_state(work, subscription_id, state)
    await due.drop_lane(work, DUE_KIND, subscription_id)
    await repository.cancel_deliveries(work, subscription_id)
