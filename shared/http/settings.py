"""What every service must be told to answer over HTTP and to trust a token."""

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings

from shared.streams.settings import WorkerSettings


class HttpSettings(BaseSettings):
    """The public address (issuer and audience of tokens), the public keys, and whether this is a demo."""

    public_url: str = Field(validation_alias="DIRIGENT_PUBLIC_URL")
    token_keys_file: Path = Field(validation_alias="DIRIGENT_TOKEN_KEYS_FILE")
    environment: Literal["demo", "production"] = Field(default="production", validation_alias="DIRIGENT_ENVIRONMENT")
    region: str = Field(
        default="2321000131",
        pattern=r"^\d{10}$",
        validation_alias=AliasChoices("DIRIGENT_REGION", "DIRIGENT_BILLING_ISSUER"),
        description="organisation number of the region whose offices these are",
    )
    log_level: str = Field(default="INFO", validation_alias="DIRIGENT_LOG_LEVEL")


class ServiceSettings(WorkerSettings, HttpSettings):
    """What every service behind the gateway must be told; each one adds its prefix and its own."""
