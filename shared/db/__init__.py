"""How every service reaches its own database: pool, transaction, durability check."""

from shared.db.database import Database, DatabaseUnsafe, Reader, Role, Work, is_unavailable, sqlstate, tell_time
from shared.db.settings import DatabaseSettings
from shared.db.time_keeping import keep_time, keeping_time

__all__ = [
    "Database",
    "DatabaseSettings",
    "DatabaseUnsafe",
    "Reader",
    "Role",
    "Work",
    "is_unavailable",
    "keep_time",
    "keeping_time",
    "sqlstate",
    "tell_time",
]
