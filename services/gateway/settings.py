"""What the gateway must be told by its environment."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from services.gateway.limits import FAILURES_BURST, FAILURES_PER_SECOND
from shared.db import DatabaseSettings

SERVICES: Final = ("planning", "billing", "notifications")


class Settings(DatabaseSettings):
    """Settings of the gateway: `DIRIGENT_GATEWAY_*`, and a few that every process of one installation shares."""

    model_config = SettingsConfigDict(env_prefix="DIRIGENT_GATEWAY_", populate_by_name=True, extra="ignore")

    environment: Literal["demo", "production"] = Field(default="production", validation_alias="DIRIGENT_ENVIRONMENT")
    public_url: str = Field(validation_alias="DIRIGENT_PUBLIC_URL", description="origin that users see: issuer and audience of our tokens")
    signing_key_file: Path = Field(validation_alias="DIRIGENT_SIGNING_KEY_FILE", description="private JWK set (ES256); the first key signs")
    upstreams: Literal["inprocess", "http"] = "http"
    planning_url: str | None = Field(default=None, validation_alias="DIRIGENT_PLANNING_URL")
    billing_url: str | None = Field(default=None, validation_alias="DIRIGENT_BILLING_URL")
    notifications_url: str | None = Field(default=None, validation_alias="DIRIGENT_NOTIFICATIONS_URL")
    service_key: SecretStr | None = Field(default=None, validation_alias="DIRIGENT_SERVICE_KEY")
    rate_per_second: float = Field(default=10_000, gt=0, description="requests per second and client that one process lets through")
    rate_burst: int = Field(default=20_000, gt=0, description="requests one client may send at once before the rate counts")
    failures_per_second: float = Field(
        default=FAILURES_PER_SECOND, gt=0, description="refused tokens per second and address before more are looked at"
    )
    failures_burst: int = Field(
        default=FAILURES_BURST, gt=0, description="refused tokens one address may send at once before that rate counts"
    )
    staff_issuers_file: Path | None = Field(default=None, description="the OpenID providers that staff sign in through (TOML)")
    session_idle_minutes: float = Field(default=30, gt=0, description="minutes after which an unused session of a member of staff ends")
    session_hours: float = Field(default=12, gt=0, description="hours after which a session of a member of staff ends in any case")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="addresses and networks of proxies whose Client-Cert and X-Forwarded-For are believed, separated by commas",
    )
    issuers_file: Path | None = Field(default=None, description="issuers whose tokens systems may come with (TOML or JSON)")
    allowed_key_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="origins that keys are fetched from although they are not public https, separated by commas"
    )
    upstream_timeout: float = Field(default=35, gt=0, description="seconds; longer than the longest poll (30 s)")

    @field_validator("trusted_proxies", "allowed_key_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            ip_network(one)
        return value

    @model_validator(mode="after")
    def _name_every_upstream(self) -> Self:
        if self.upstreams == "http" and not all(self.upstream_urls().values()):
            raise ValueError("with DIRIGENT_GATEWAY_UPSTREAMS=http every DIRIGENT_<SERVICE>_URL must be given")
        self.public_url = self.public_url.rstrip("/")
        return self

    def upstream_urls(self) -> dict[str, str]:
        """Where each service listens inside, empty when forwarded to in-process."""
        urls = (self.planning_url, self.billing_url, self.notifications_url)
        return {name: (url or "").rstrip("/") for name, url in zip(SERVICES, urls, strict=True)}

    @property
    def token_url(self) -> str:
        """The address of the token endpoint, which a client's assertion must name as its audience."""
        return f"{self.public_url}/oauth2/token"
