"""Who goes first when rules change while stays are counted by them."""

from typing import Final

from sqlalchemy import text

from shared.db import Work

_COUNT: Final = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('billing.rules', 0))")
_CHANGE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('billing.rules', 0))")


async def count_by_rules(work: Work) -> None:
    """Keep the rules as they are until this transaction has ended; taken before any stay is locked, by everyone who counts stays."""
    await work.connection.execute(_COUNT)


async def change_rules(work: Work) -> None:
    """Wait until everyone who counts by the rules of before has ended, so that what they counted is seen and counted anew."""
    await work.connection.execute(_CHANGE)
