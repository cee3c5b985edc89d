"""The rules in force for a transaction: the data files shipped, and what the region has entered on top."""

from services.billing.agreements import load_agreements, load_tariffs
from services.billing.domain.month import RuleBook
from services.billing.domain.tariff import DayPrice, Tariffs
from services.billing.domain.terms import Period
from services.billing.repository import tariffs as rows
from shared.db import Work

REGION = "2321000131"


async def rules_now(work: Work) -> RuleBook:
    """Read the rules."""
    entered = tuple(DayPrice(Period(row.first, row.last), row.price, row.source) for row in await rows.approved(work))
    return RuleBook(load_agreements(), Tariffs(load_tariffs().prices + entered), REGION)
