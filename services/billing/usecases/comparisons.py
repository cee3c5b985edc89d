"""Shadow runs: a month of today's service held against ours, kept with every difference, and signed by a named person."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from services.billing.domain.charge import last_day
from services.billing.domain.comparing import Absence, TheirStay, TheirTotal, compare, comparison_content
from services.billing.domain.identity import canonical_json
from services.billing.domain.persons import Actor
from services.billing.repository import comparisons as rows
from services.billing.repository import debtors, ledger
from services.billing.repository.comparisons import ComparisonRow
from services.billing.usecases.accesses import record
from services.billing.usecases.gathering import bases_now
from shared.dates import Month, local_date
from shared.db import Work
from shared.errors import NotFound, Refused
from shared.http.auth import Caller
from shared.identifiers import uuid7

_PROGRAM: Final = "dirigent shadow"


@dataclass(frozen=True, slots=True)
class TheirMonth:
    """A month as today's service has it: the file's SHA-256 and how many rows of it were compared."""

    month: Month
    file_sha256: str
    rows: int
    stays: Sequence[TheirStay]
    totals: Sequence[TheirTotal]


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """A comparison as one reader may see it: the region all of it, a municipality what concerns itself."""

    row: ComparisonRow
    told: Mapping[str, Any]

    @property
    def differing(self) -> int:
        """How many stays and municipalities differ, of those the reader sees."""
        return len(self.told["differing_stays"]) + len(self.told["differing_months"])

    @property
    def cases(self) -> list[UUID]:
        """The cases that are shown."""
        return [UUID(one["case"]) for one in self.told["differing_stays"] if one["case"] is not None]


async def debtors_of_month(work: Work, month: Month) -> frozenset[str]:
    """The municipalities that can owe anything for a month."""
    return frozenset(await debtors.on(work, last_day(month)))


async def compare_month(work: Work, theirs: TheirMonth, by: str) -> ComparisonView:
    """Hold a month of today's service against ours as it stands now, and keep what was found.

    Raises:
        Refused: The month is not over.
    """
    month = theirs.month
    if local_date(work.at) <= last_day(month):
        raise Refused("month.not_over")
    codes = await debtors_of_month(work, month)
    bases = await bases_now(work, sorted(codes), month)
    here = {line.stay for basis in bases.values() for line in basis.lines}
    elsewhere = {stay.case for stay in theirs.stays if stay.case is not None} - here
    known = {stay.case_id: stay for stay in await ledger.stays(work, elsewhere)}
    found = compare(month, bases, theirs.stays, theirs.totals, known)
    told = comparison_content(found)
    row = ComparisonRow(uuid7(), month, theirs.file_sha256, theirs.rows, found.differing, canonical_json(told), by, work.at)
    await rows.keep(work, row)
    await record(work, _operator(), "comparison.made", here | elsewhere, request_id=str(row.id))
    return ComparisonView(row, told)


async def comparisons(work: Work, reader: str | None, before: UUID | None, limit: int) -> list[ComparisonView]:
    """Comparisons, the newest first."""
    return [_seen(row, reader) for row in await rows.latest(work, before, limit)]


async def comparison(work: Work, comparison_id: UUID, reader: str | None) -> ComparisonView:
    """One comparison with its differences.

    Raises:
        NotFound: There is none.
    """
    row = await rows.find(work, comparison_id)
    if row is None:
        raise NotFound
    return _seen(row, reader)


async def sign_comparison(work: Work, comparison_id: UUID, explanation: str, actor: Actor) -> ComparisonView:
    """A named person answers for a comparison: what differs is explained.

    Raises:
        NotFound: There is none.
        Refused: It is signed already.
    """
    await comparison(work, comparison_id, None)
    if not await rows.sign(work, comparison_id, explanation, actor.client, actor.person):
        raise Refused("comparison.signed")
    return await comparison(work, comparison_id, None)


async def signed(work: Work) -> bool:
    """Whether some comparison has been signed."""
    return await rows.any_signed(work)


async def require_signed(work: Work, *, required: bool) -> None:
    """Let nothing be issued before a comparison is signed, where this installation asks for it.

    Raises:
        Refused: It does, and none is.
    """
    if required and not await signed(work):
        raise Refused("month.comparison_unsigned")


def _seen(row: ComparisonRow, reader: str | None) -> ComparisonView:
    told: dict[str, Any] = json.loads(row.body)
    if reader is not None:
        own = {name: [one for one in told[name] if one["municipality"] == reader] for name in ("differing_stays", "differing_months")}
        own["differing_stays"] = [_without_others(one) for one in own["differing_stays"]]
        # How much there was to compare, how much of it differs, and how that is explained, would tell of others.
        told |= own | {"stays": None, "municipalities": None}
        row = replace(row, explanation=None)
    return ComparisonView(row, told)


def _without_others(stay: dict[str, Any]) -> dict[str, Any]:
    """A stay that today's service lists under the reader, and that is another municipality's by ours: that it is so, and no more."""
    others = any(ground["code"] == Absence.OTHER_MUNICIPALITY.value for ground in stay["because"])
    return stay | {"case": None, "ours": None, "because": stay["because"][:1]} if others else stay


def _operator() -> Caller:
    """Who reads stays when no token does: the operator at the command line, by the name of the program."""
    return Caller(_PROGRAM, "", (), frozenset(), "operator")
