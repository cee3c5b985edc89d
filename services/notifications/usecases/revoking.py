"""Revoking: whoever may not call any more is not told any more either."""

from dataclasses import dataclass

from services.notifications import repository
from services.notifications.repository import digests as rows
from services.notifications.repository.digests import DIGEST_KIND
from services.notifications.usecases.subscriptions import disable
from shared.db import Work
from shared.streams import due


@dataclass(frozen=True, slots=True)
class Silenced:
    """How many subscriptions were disabled, and how many digests ended."""

    subscriptions: int
    digests: int


async def silence_client(work: Work, client: str) -> Silenced:
    """Disable every subscription that a client made, cancel what waits there, and end its digests; once more changes nothing.

    The id alone matters: what a member of staff asked for, who stands in no registry, ends in the same way.
    Another client of exactly the same units may enable the subscriptions. Digests are gone: their address was this client's choice.
    """
    subscriptions = await repository.lock_active_of_client(work, client)
    for subscription_id in subscriptions:
        await disable(work, subscription_id)
    digests = await rows.of_client(work, client)
    for digest_id in digests:
        # Due work before the digest, as its writer locks them.
        await due.drop_lane(work, DIGEST_KIND, digest_id)
        await rows.delete(work, digest_id)
    return Silenced(len(subscriptions), len(digests))
