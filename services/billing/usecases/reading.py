"""Reading months: where each stands, what it rests on, and whether facts have left its calculation behind."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.billing.domain.basis import Finding, MonthBasis
from services.billing.domain.charge import last_day
from services.billing.domain.closing import MonthState
from services.billing.domain.identity import content, fingerprint
from services.billing.repository import debtors, months
from services.billing.repository.debtors import Debtor
from services.billing.repository.months import MonthRow
from services.billing.usecases.gathering import bases_now, gather_one
from shared.dates import Month
from shared.db import Work
from shared.errors import NotFound


@dataclass(frozen=True, slots=True)
class MonthStanding:
    """Where a municipality's month stands, and whether facts came in after its calculation was prepared."""

    debtor: Debtor
    row: MonthRow
    outdated: bool


@dataclass(frozen=True, slots=True)
class MonthView:
    """A municipality's month: where it stands, the calculation it stands on (or would), and what the gate found."""

    debtor: Debtor
    row: MonthRow
    calculation: Mapping[str, Any]
    findings: Sequence[Finding]
    outdated: bool


async def months_of(work: Work, month: Month, reader: str | None) -> list[MonthStanding]:
    """Where every municipality's month stands; a municipality sees its own only."""
    rows = await months.of_month(work, month)
    known = await debtors.on(work, last_day(month))
    seen = {code: rows.get(code, MonthRow(code, month)) for code in known if reader in {None, code}}
    bases = await bases_now(work, [code for code, row in seen.items() if row.state is not MonthState.OPEN], month)
    return [MonthStanding(known[code], row, _is_outdated(row, bases.get(code))) for code, row in seen.items()]


async def month_of(work: Work, municipality: str, month: Month, reader: str | None) -> MonthView:
    """One municipality's month with all its lines.

    Raises:
        NotFound: There is no such municipality, or it is not the reader's.
    """
    debtor = (await debtors.on(work, last_day(month))).get(municipality)
    if debtor is None or reader not in {None, municipality}:
        raise NotFound
    row = await months.find(work, municipality, month)
    basis = (await gather_one(work, municipality, month)).basis()
    body = await months.calculation_body(work, row)
    calculation = content(basis) if body is None else json.loads(body)
    return MonthView(debtor, row, calculation, basis.findings, _is_outdated(row, basis))


def _is_outdated(row: MonthRow, basis: MonthBasis | None) -> bool:
    return row.state is not MonthState.OPEN and (basis is None or fingerprint(basis) != row.sha256)
