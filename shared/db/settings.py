"""What a service must be told to reach its own database; read from the environment with the service's prefix."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings


class DatabaseSettings(BaseSettings):
    """The address of one service's database and how many connections one process may hold.

    `listen_url` is a direct address for LISTEN beside a pooled `database_url`; empty means the same address. `by_key`: see `Database`.
    """

    database_url: SecretStr
    listen_url: SecretStr | None = None
    pool_size: int = 2
    pool_overflow: int = 8
    by_key: bool = False

    @property
    def direct_url(self) -> str:
        """The address for LISTEN, never through a transaction pooler."""
        return (self.listen_url or self.database_url).get_secret_value()
