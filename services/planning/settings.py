"""What planning must be told; read from DIRIGENT_PLANNING_* and the product's shared names."""

from pydantic_settings import SettingsConfigDict

from shared.http.settings import ServiceSettings


class Settings(ServiceSettings):
    """Planning's settings. `gathered_intake` off writes each event in a transaction of its own, through the same code."""

    model_config = SettingsConfigDict(env_prefix="DIRIGENT_PLANNING_", extra="ignore", populate_by_name=True)

    by_key: bool = True
    gathered_intake: bool = True
    intake_queue: int = 2_000
