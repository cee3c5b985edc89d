"""Reading months: where each stands, what it rests on, and whether facts have left its calculation behind."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.billing.domain.basis import AverageGroup, Finding, MonthBasis
from services.billing.domain.charge import last_day
from services.billing.domain.closing import MonthState, PaperSignature
from services.billing.domain.correcting import Correction, Document
from services.billing.domain.identity import content, fingerprint
from services.billing.domain.retelling import inputs_of
from services.billing.repository import averages, debtors, history, months
from services.billing.repository.debtors import Debtor
from services.billing.repository.history import Kept
from services.billing.repository.months import MonthRow
from services.billing.usecases.gathering import bases_now, gather_one
from services.billing.usecases.replaying import rows_then
from services.billing.usecases.steps import correction_of
from shared.dates import Month
from shared.db import Work
from shared.errors import NotFound


@dataclass(frozen=True, slots=True)
class MonthStanding:
    """Where a municipality's month stands, whether facts came in after its calculation was prepared, and what was issued for it."""

    debtor: Debtor
    row: MonthRow
    outdated: bool
    documents: Sequence[Document] = ()


@dataclass(frozen=True, slots=True)
class MonthView:
    """A municipality's month: where it stands, the calculation it stands on (or would), and what the gate found.

    `groups` are the averages of that calculation. `correction` is what correcting a closed month would come to, shown when facts have moved
    or a correction is under way. `documents` is everything issued for the month, `paper` what the debtor signed where it did not
    sign here.
    """

    debtor: Debtor
    row: MonthRow
    calculation: Mapping[str, Any]
    findings: Sequence[Finding]
    outdated: bool
    groups: Sequence[AverageGroup] = ()
    correction: Correction | None = None
    documents: Sequence[Document] = ()
    paper: PaperSignature | None = None


async def months_of(work: Work, month: Month, reader: str | None, known_at: datetime | None = None) -> list[MonthStanding]:
    """Where every municipality's month stands, or stood at an earlier instant; a municipality sees its own only."""
    known = await debtors.on(work, last_day(month))
    codes = [code for code in known if reader in {None, code}]
    rows = await _rows(work, codes, month, known_at)
    bases = await bases_now(work, [code for code, row in rows.items() if row.state is not MonthState.OPEN], month, known_at)
    issued = await history.documents(work, codes, month, known_at or work.at)
    return [
        MonthStanding(known[code], row, _is_outdated(row, bases.get(code)), [one.document for one in issued.get(code, ())])
        for code, row in rows.items()
    ]


async def without_debtor(work: Work, month: Month, reader: str | None) -> list[str]:
    """Municipalities that owe something for a month, by what is known now, and that nobody has entered as a debtor; for the region alone.

    Their months can be neither seen nor closed: a patient from outside the region may come from any municipality of the country.
    """
    if reader is not None:
        return []
    return await averages.costing_others(work, await debtors.on(work, last_day(month)), month, month)


async def month_of(work: Work, municipality: str, month: Month, reader: str | None, known_at: datetime | None = None) -> MonthView:
    """One municipality's month with all its lines, as it is known now or was known then.

    Raises:
        NotFound: There is no such municipality, or it is not the reader's.
    """
    debtor = (await debtors.on(work, last_day(month))).get(municipality)
    if debtor is None or reader not in {None, municipality}:
        raise NotFound
    row = (await _rows(work, [municipality], month, known_at))[municipality]
    basis = (await gather_one(work, municipality, month, known_at)).basis()
    kept = await history.calculation(work, municipality, month, row.version)
    outdated = _is_outdated(row, basis)
    documents = await history.documents(work, [municipality], month, known_at or work.at)
    return MonthView(
        debtor,
        row,
        content(basis) if kept is None else json.loads(kept.body),
        basis.findings,
        outdated,
        _averages(basis, kept, outdated=outdated),
        correction_of(row, basis) if row.corrects or outdated else None,
        [one.document for one in documents.get(municipality, ())],
        await months.paper_of(work, row, known_at or work.at),
    )


def _averages(basis: MonthBasis, kept: Kept | None, *, outdated: bool) -> Sequence[AverageGroup]:
    """The averages of the calculation that is shown, from its own inputs when facts have left it behind."""
    if kept is None or not outdated:
        return basis.groups
    return () if kept.inputs is None else inputs_of(kept.inputs).basis().groups


async def _rows(work: Work, municipalities: Collection[str], month: Month, known_at: datetime | None) -> dict[str, MonthRow]:
    """The row of each month; one that nobody had touched was open."""
    found = await months.of_month(work, month) if known_at is None else await rows_then(work, municipalities, month, known_at)
    return {code: found.get(code, MonthRow(code, month)) for code in municipalities}


def _is_outdated(row: MonthRow, basis: MonthBasis | None) -> bool:
    return row.state is not MonthState.OPEN and (basis is None or fingerprint(basis) != row.sha256)
