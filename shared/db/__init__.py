"""How every service reaches its own database: pool, transaction, durability check."""

from shared.db.database import Database, DatabaseUnsafe, Reader, Role, Work, is_unavailable, sqlstate
from shared.db.settings import DatabaseSettings

__all__ = ["Database", "DatabaseSettings", "DatabaseUnsafe", "Reader", "Role", "Work", "is_unavailable", "sqlstate"]
