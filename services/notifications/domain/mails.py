"""E-mails to contacts: when one that was not taken is tried again, and until when."""

from datetime import timedelta
from typing import Final

SCHEDULE: Final = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
)
"""How long after each failed attempt the next one is due; a bounce is tried again as well: mailboxes are full, servers are moved."""


def next_delay(attempts: int) -> timedelta | None:
    """How long to wait after so many failed attempts, at least one; None when they are used up."""
    return SCHEDULE[attempts - 1] if attempts <= len(SCHEDULE) else None
