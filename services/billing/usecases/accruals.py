"""Accruals for the year-end of both sides: what was not billed yet for closed months, the running month, and what is disputed."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date

from services.billing.domain.accruing import as_it_stood, basis_on
from services.billing.domain.basis import MonthBasis
from services.billing.domain.correcting import Correction, billed
from services.billing.repository import accruals as rows
from services.billing.repository import averages, debtors, invoices
from services.billing.repository.debtors import Debtor
from services.billing.usecases.gathering import gather
from shared.dates import Month
from shared.db import Work
from shared.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class AccruedMonth:
    """One month of a municipality: what it costs and what was billed; `open_stays` = patients taken as having left on the day."""

    month: Month
    correction: Correction
    disputed: Money | None = ZERO
    open_stays: int = 0


@dataclass(frozen=True, slots=True)
class Accrual:
    """What is to be accrued for one municipality: its closed months with a difference, and the month of the day."""

    debtor: Debtor
    closed: tuple[AccruedMonth, ...]
    running: AccruedMonth | None

    @property
    def total(self) -> Money | None:
        """Everything not billed yet, None while a price is missing."""
        months = (*self.closed, *(() if self.running is None else (self.running,)))
        known = [one.correction.difference for one in months]
        return None if None in known else Money(sum(one.ore for one in known if one is not None))


async def accruals(work: Work, as_of: date, reader: str | None) -> list[Accrual]:
    """What every municipality's accrual comes to as of a day, or the reader's own.

    Args:
        work: The transaction.
        as_of: The day, as a rule the last of a year or a month.
        reader: The municipality that reads, None for the region.
    """
    known = {code: debtor for code, debtor in (await debtors.on(work, as_of)).items() if reader in {None, code}}
    this = Month.of(as_of)
    closed: dict[str, list[AccruedMonth]] = {}
    for month, codes in (await rows.months_to_look_at(work, list(known), as_of, this)).items():
        for code, one in (await _accrued(work, codes, month, as_of)).items():
            if one.correction.difference != ZERO or one.disputed != ZERO:
                closed.setdefault(code, []).append(one)
    running = await _running(work, list(known), this, as_of)
    return [Accrual(debtor, tuple(closed.get(code, ())), running.get(code)) for code, debtor in known.items()]


async def accrued_by_nobody(work: Work, as_of: date, reader: str | None) -> list[str]:
    """Municipalities that owe something for the year of a day until then, and that nobody has entered as a debtor; for the region alone."""
    if reader is not None:
        return []
    return await averages.costing_others(work, await debtors.on(work, as_of), Month(as_of.year, 1), Month.of(as_of))


async def _accrued(work: Work, codes: Collection[str], month: Month, as_of: date) -> dict[str, AccruedMonth]:
    documents = await invoices.of_month(work, codes, month)
    found = {}
    for code, inputs in (await gather(work, codes, month)).items():
        basis = replace(inputs, as_of=max(inputs.as_of, month.next.first)).basis()
        sent = billed([one for one in documents.get(code, ()) if one.issued_on <= as_of])
        found[code] = AccruedMonth(month, Correction(basis.amount, sent), _disputed(basis))
    return found


async def _running(work: Work, codes: Collection[str], month: Month, as_of: date) -> dict[str, AccruedMonth]:
    documents = await invoices.of_month(work, codes, month)
    found = {}
    for code, inputs in (await gather(work, codes, month)).items():
        basis = basis_on(inputs, as_of)
        left = {stay.case_id: stay.ended_on for stay in inputs.stays}
        still_there = sum(1 for stay in as_it_stood(inputs.stays, as_of) if (left[stay.case_id] or date.max) > as_of)
        sent = billed([one for one in documents.get(code, ()) if one.issued_on <= as_of])
        found[code] = AccruedMonth(month, Correction(basis.amount, sent), _disputed(basis), still_there)
    return found


def _disputed(basis: MonthBasis) -> Money | None:
    """How much of the month waits for a decision on a dispute, None while a price is missing."""
    if basis.disputed is None:
        return ZERO
    counted = basis.disputed.counted
    return None if counted is None or basis.amount is None else counted - basis.amount
