"""What every service must be told to take part in the streams; one set of names for all of them."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from shared.db import DatabaseSettings


class StreamSettings(BaseSettings):
    """Where the queue is, the key that signs what travels on it, and where each producer answers repairs."""

    redis_url: SecretStr = Field(validation_alias="DIRIGENT_REDIS_URL")
    service_key: SecretStr = Field(validation_alias="DIRIGENT_SERVICE_KEY", min_length=64)
    planning_url: str = Field(default="", validation_alias="DIRIGENT_PLANNING_URL")
    billing_url: str = Field(default="", validation_alias="DIRIGENT_BILLING_URL")
    notifications_url: str = Field(default="", validation_alias="DIRIGENT_NOTIFICATIONS_URL")

    def producer_url(self, service: str) -> str:
        """The internal base address of a service, for repairs of its stream."""
        return {"planning": self.planning_url, "billing": self.billing_url, "notifications": self.notifications_url}[service]


class WorkerSettings(DatabaseSettings, StreamSettings):
    """What a worker must be told; each service's own settings extend this."""
