"""Who goes first when stays are counted, by rules that may change."""

from typing import Final

from sqlalchemy import text

from shared.db import Work

_COUNT: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('billing.counting', 0))")


async def count_in_turn(work: Work) -> None:
    """Let one transaction at a time count stays or change the rules they are counted by; taken before any stay is locked.

    A stay that is not committed yet is not seen by an approval of rules, nor are those rules by the stay: one of them must wait. And a
    transaction of the stream locks stays and months fact by fact, in the order of the stream, which no other could follow.
    """
    await work.connection.execute(_COUNT)
