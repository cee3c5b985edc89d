"""What billing must be told; read from DIRIGENT_BILLING_* and the product's shared names."""

import re
from datetime import timedelta
from typing import Final

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import SettingsConfigDict
from stdnum import luhn

from services.billing.domain.invoice import OUTSIDE_VAT, Issuer, Vat
from services.billing.domain.preparing import MachineTerms
from shared.dates import Month
from shared.http.settings import ServiceSettings

MONTH: Final = r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$"
SWEDISH_ORGANISATION: Final = "0007"
"""The Peppol scheme (ICD) of Swedish organisation numbers."""
MADE_UP: Final = {
    "street": "Exempelgatan 1",
    "postal_code": "462 80",
    "city": "Vänersborg",
    "contact_name": "Ekonomi (demo)",
    "contact_email": "ekonomi@example.org",
    "contact_phone": "010-000 00 00",
    "bankgiro": "9912346",  # Bankgirot's own example
}


class Settings(ServiceSettings):
    """Billing's settings. The numbers of law and agreement are data files, not settings; these are how the region closes its months.

    `dispute_window_days` and `polled_within_days` are our defaults where the agreement is silent (domain rule 3.8).
    """

    model_config = SettingsConfigDict(env_prefix="DIRIGENT_BILLING_", extra="ignore", populate_by_name=True)

    dispute_window_days: int = Field(default=30, ge=0)
    polled_within_days: int = Field(default=7, ge=1)
    comparison_required: bool = Field(default=False, description="issue nothing before a comparison with today's service is signed")
    prepare_after_days: int = Field(default=3, ge=0, description="whole days after the end of a month before the machine prepares it")
    prepare_quiet_minutes: int = Field(default=60, ge=0, description="for how long no stay of the month may have changed")
    prepare_from: str | None = Field(
        default=None, pattern=MONTH, description="first month that the machine prepares; none = only the month that ended last"
    )
    payment_days: int = Field(default=30, ge=0, description="days from issue to due date")
    issuer: str = Field(
        default="2321000131",
        pattern=r"^\d{10}$",
        validation_alias=AliasChoices("DIRIGENT_BILLING_ISSUER", "DIRIGENT_REGION", "issuer"),
        description="organisation number of the region that issues",
    )
    issuer_name: str = "Västra Götalandsregionen"
    issuer_vat_number: str | None = Field(
        default=None, pattern=r"^SE[0-9]{12}$", description="VAT number, where the region has to show one"
    )
    issuer_street: str | None = None
    issuer_postal_code: str | None = None
    issuer_city: str | None = None
    contact_name: str | None = Field(default=None, description="whom a debtor asks about an invoice")
    contact_email: str | None = None
    contact_phone: str | None = None
    bankgiro: str | None = Field(default=None, description="where the region is paid, digits only; without it no document names an account")
    f_tax: bool = Field(default=False, description="whether documents say Godkänd för F-skatt")
    vat_category: str = Field(default=OUTSIDE_VAT.category, pattern=r"^[OEZ]$", description="EN 16931, without tax; O = outside the scope")
    vat_exemption_reason: str | None = OUTSIDE_VAT.exemption_reason
    vat_exemption_code: str | None = OUTSIDE_VAT.exemption_code

    @property
    def dispute_window(self) -> timedelta:
        """How long a debtor may object before silence counts as a yes."""
        return timedelta(days=self.dispute_window_days)

    @property
    def preparing(self) -> MachineTerms:
        """When the machine prepares months by itself."""
        first = None if self.prepare_from is None else Month.parse(self.prepare_from)
        return MachineTerms(self.prepare_after_days, timedelta(minutes=self.prepare_quiet_minutes), first)

    @property
    def polled_within(self) -> timedelta:
        """How recently the debtor's mailbox must have been read for its silence to count."""
        return timedelta(days=self.polled_within_days)

    @field_validator("bankgiro")
    @classmethod
    def _is_bankgiro(cls, number: str | None) -> str | None:
        """Money sent to a mistyped account is hard to get back: the check digit is verified at start."""
        if number is not None and not (re.fullmatch(r"[0-9]{7,8}", number) and luhn.is_valid(number)):
            raise ValueError("bankgiro.check_digit")
        return number

    @property
    def issuing(self) -> Issuer:
        """The issuer as every document names it; the demo's account and contact are made up."""
        made_up = MADE_UP if self.environment == "demo" else {}
        rate = None if self.vat_category == OUTSIDE_VAT.category else "0"
        told = {
            "street": self.issuer_street,
            "postal_code": self.issuer_postal_code,
            "city": self.issuer_city,
            "contact_name": self.contact_name,
            "contact_email": self.contact_email,
            "contact_phone": self.contact_phone,
            "bankgiro": self.bankgiro,
        }
        return Issuer(
            self.issuer,
            self.issuer_name,
            self.payment_days,
            vat_number=self.issuer_vat_number,
            peppol_id=f"{SWEDISH_ORGANISATION}:{self.issuer}",
            f_tax=self.f_tax,
            vat=Vat(self.vat_category, rate, self.vat_exemption_reason, self.vat_exemption_code),
            **{name: value or made_up.get(name) for name, value in told.items()},
        )
