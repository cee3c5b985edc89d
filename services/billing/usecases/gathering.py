"""Gathering everything that months are calculated from, as it is known now or was known then."""

from collections.abc import Collection
from uuid import UUID

from services.billing.domain.basis import MonthBasis
from services.billing.domain.month import MonthInputs
from services.billing.domain.reasons import ReviewDecision
from services.billing.domain.stay import Stay
from services.billing.repository import ledger
from services.billing.usecases.rules import rules_now
from shared.dates import Month, local_date
from shared.db import Work
from shared.errors import NotFound


async def gather(work: Work, municipalities: Collection[str], month: Month) -> dict[str, MonthInputs]:
    """Everything that the month of each of these municipalities is calculated from; one without a rule set in force is left out."""
    book = await rules_now(work)
    stays: dict[str | None, list[Stay]] = {}
    for stay in await ledger.stays_of_month(work, municipalities, month):
        stays.setdefault(stay.municipality, []).append(stay)
    decisions: dict[UUID, list[ReviewDecision]] = {}
    for decision in await ledger.decisions(work, [stay.case_id for found in stays.values() for stay in found]):
        decisions.setdefault(decision.stay, []).append(decision)
    gathered = {}
    for code in municipalities:
        own = tuple(stays.get(code, ()))
        if book.agreement(code, month) is not None:
            taken = tuple(decision for stay in own for decision in decisions.get(stay.case_id, ()))
            gathered[code] = MonthInputs(code, month, own, taken, (), book, local_date(work.at))
    return gathered


async def gather_one(work: Work, municipality: str, month: Month) -> MonthInputs:
    """The same for one municipality.

    Raises:
        NotFound: No rule set was in force then.
    """
    found = (await gather(work, [municipality], month)).get(municipality)
    if found is None:
        raise NotFound
    return found


async def bases_now(work: Work, municipalities: Collection[str], month: Month) -> dict[str, MonthBasis]:
    """The months of these municipalities as the facts stand in this transaction."""
    return {code: inputs.basis() for code, inputs in (await gather(work, municipalities, month)).items()}
