"""What notifications must be told; read from DIRIGENT_NOTIFICATIONS_* and the product's shared names."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from services.notifications.domain.addresses import is_address
from services.notifications.domain.attempts import BREAKER_AFTER, SCHEDULE
from services.notifications.domain.targets import is_permission
from shared.http.settings import ServiceSettings


class Settings(ServiceSettings):
    """Notifications' settings.

    `allowed_targets` are origins, separated by commas, that webhooks may go to although they are not public https:
    `http://127.0.0.1:9000`, or `http://127.0.0.1:*` for every port. Only the operator can name them.
    `permitted_hosts`, separated by commas, narrow the public internet to the receivers the operator names: `hooks.kommun.se`, or
    `.kommun.se` for every host below it; none named: every public host. Others are refused when they are subscribed, and when sent to.
    `deliveries_at_once` and `deliveries_per_receiver` bound what one worker has under way; after `breaker_after` failures in a row a
    receiver rests. `retry_seconds`, separated by commas: another schedule of attempts than that of Standard Webhooks.
    `streams_per_client` bounds the open streams of one client in one process; an idle one sends a heartbeat every `heartbeat_seconds`.
    E-mails go to `smtp_url` (`smtp://user:password@host:587` with STARTTLS, or `smtps://`), as `mail_sender`; without a server each is
    laid as a file into `mail_folder`. `troubles_every_seconds`: how often webhooks that were given up are looked for.
    """

    model_config = SettingsConfigDict(env_prefix="DIRIGENT_NOTIFICATIONS_", extra="ignore", populate_by_name=True)

    allowed_targets: Annotated[tuple[str, ...], NoDecode] = ()
    permitted_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    deliveries_at_once: int = Field(default=256, gt=0)
    deliveries_per_receiver: int = Field(default=4, gt=0)
    breaker_after: int = Field(default=BREAKER_AFTER, gt=0)
    retry_seconds: Annotated[tuple[float, ...], NoDecode] = tuple(delay.total_seconds() for delay in SCHEDULE)

    streams_per_client: int = Field(default=8, gt=0)
    heartbeat_seconds: float = Field(default=15.0, gt=0)
    smtp_url: SecretStr | None = None
    mail_sender: str = "dirigent@localhost.localdomain"
    mail_folder: Path = Path("mail")
    troubles_every_seconds: float = Field(default=30.0, gt=0)

    @property
    def retry_schedule(self) -> tuple[timedelta, ...]:
        """How long after each failed attempt the next one is due."""
        return tuple(timedelta(seconds=seconds) for seconds in self.retry_seconds)

    @field_validator("mail_sender")
    @classmethod
    def _refuse_no_address(cls, value: str) -> str:
        if not is_address(value):
            raise ValueError("mail_sender must be one e-mail address")
        return value

    @field_validator("permitted_hosts")
    @classmethod
    def _refuse_no_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        hosts = tuple(host.lower() for host in value)
        if not all(map(is_permission, hosts)):
            raise ValueError("permitted_hosts must be host names, or .suffix for all below one, without scheme, port or *")
        return hosts

    @field_validator("allowed_targets", "permitted_hosts", "retry_seconds", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
