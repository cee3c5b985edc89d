"""What notifications must be told; read from DIRIGENT_NOTIFICATIONS_* and the product's shared names."""

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from shared.http.settings import ServiceSettings


class Settings(ServiceSettings):
    """Notifications' settings.

    `allowed_targets` are origins, separated by commas, that webhooks may go to although they are not public https:
    `http://127.0.0.1:9000`, or `http://127.0.0.1:*` for every port.
    """

    model_config = SettingsConfigDict(env_prefix="DIRIGENT_NOTIFICATIONS_", extra="ignore", populate_by_name=True)

    allowed_targets: Annotated[tuple[str, ...], NoDecode] = ()
    deliveries_at_once: int = Field(default=64, gt=0)
    deliveries_per_receiver: int = Field(default=4, gt=0)

    @field_validator("allowed_targets", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
