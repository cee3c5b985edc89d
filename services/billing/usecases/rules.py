"""The rules in force for a transaction: the data files shipped, and what the region has entered on top."""

import json
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from services.billing.agreements import (
    agreement_file_of,
    agreement_files,
    agreement_of,
    load_agreements,
    load_tariffs,
    shipped_statute,
)
from services.billing.domain.month import RuleBook
from services.billing.domain.tariff import DayPrice, Tariffs
from services.billing.domain.terms import Agreement, Period
from services.billing.repository import agreements as entered_agreements
from services.billing.repository import tariffs as entered_prices
from shared.db import Work

REGION = "2321000131"
SHIPPED: Final = 0
_KEPT: Final = 256


async def rules_now(work: Work, known_at: datetime | None = None) -> RuleBook:
    """Read the rules that count now, or that counted at an earlier instant.

    The newest approved version of a name stands in the place of all older ones; what is shipped is version 0.
    """
    entered = {name: one.body for name, one in (await entered_agreements.in_force(work, known_at)).items()}
    prices = tuple(DayPrice(Period(row.first, row.last), row.price, row.source) for row in await entered_prices.approved(work, known_at))
    return RuleBook(with_entered(load_agreements(), entered), Tariffs(load_tariffs().prices + prices), REGION)


async def rule_texts(work: Work, known_at: datetime | None = None) -> dict[str, dict[str, Any]]:
    """The rule sets in force by name, as their files have them: each value with unit, mark and source; with their versions."""
    shipped = {file.name: file.model_dump(mode="json") | {"version": SHIPPED} for file in agreement_files()}
    found = await entered_agreements.in_force(work, known_at)
    return shipped | {name: entered_text(one.body) | {"version": one.version} for name, one in found.items()}


def with_entered(shipped: tuple[Agreement, ...], entered: dict[str, str]) -> tuple[Agreement, ...]:
    """All rule sets, with what was entered in the place of what is shipped under the same name."""
    names = {one.name for one in shipped}
    replaced = tuple(read_entered(entered[one.name]) if one.name in entered else one for one in shipped)
    return replaced + tuple(read_entered(body) for name, body in sorted(entered.items()) if name not in names)


# A version never changes once it is proposed.
@lru_cache(maxsize=_KEPT)
def read_entered(body: str) -> Agreement:
    """The rule set of a version that was entered."""
    return agreement_of(agreement_file_of(json.loads(body)), shipped_statute())


def entered_text(body: str) -> dict[str, Any]:
    """The same as it would stand in a file."""
    return agreement_file_of(json.loads(body)).model_dump(mode="json")
