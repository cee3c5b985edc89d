"""The rules in force for a transaction: the data files shipped, and the prices that the region has entered on top."""

from dataclasses import dataclass

from services.billing.agreements import load_agreements, load_tariffs
from services.billing.domain.charge import last_day
from services.billing.domain.tariff import DayPrice, Tariffs
from services.billing.domain.terms import Agreement, NoRuleInForce, Period, agreement_for
from services.billing.repository import tariffs as rows
from shared.dates import Month
from shared.db import Work


@dataclass(frozen=True, slots=True)
class Rules:
    """Agreements and prices as they stand in one transaction."""

    agreements: tuple[Agreement, ...]
    tariffs: Tariffs

    def agreement(self, municipality: str, month: Month) -> Agreement | None:
        """The rule set that binds a municipality at the end of a month, None before there was any."""
        try:
            return agreement_for(self.agreements, municipality, last_day(month))
        except NoRuleInForce:
            return None


async def rules_now(work: Work) -> Rules:
    """Read the rules."""
    entered = tuple(DayPrice(Period(row.first, row.last), row.price, row.source) for row in await rows.approved(work))
    return Rules(load_agreements(), Tariffs(load_tariffs().prices + entered))
