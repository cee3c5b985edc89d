"""What billing must be told; read from DIRIGENT_BILLING_* and the product's shared names."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.http.settings import ServiceSettings


class Settings(ServiceSettings):
    """Billing's settings. The numbers of law and agreement are data files, not settings; these are how the region closes its months.

    `dispute_window_days` and `polled_within_days` are our defaults where the agreement is silent (domain rule 3.8).
    """

    model_config = SettingsConfigDict(env_prefix="DIRIGENT_BILLING_", extra="ignore", populate_by_name=True)

    dispute_window_days: int = Field(default=30, ge=0)
    polled_within_days: int = Field(default=7, ge=1)
    payment_days: int = Field(default=30, ge=0, description="days from issue to due date")
    issuer: str = Field(default="2321000131", pattern=r"^\d{10}$", description="organisation number of the region that issues")
    issuer_name: str = "Västra Götalandsregionen"

    @property
    def dispute_window(self) -> timedelta:
        """How long a debtor may object before silence counts as a yes."""
        return timedelta(days=self.dispute_window_days)

    @property
    def polled_within(self) -> timedelta:
        """How recently the debtor's mailbox must have been read for its silence to count."""
        return timedelta(days=self.polled_within_days)
