"""Gathering everything that months are calculated from, as it is known now or was known then."""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from services.billing.domain.basis import MonthBasis
from services.billing.domain.month import MonthInputs, RuleBook
from services.billing.domain.reasons import ReviewDecision
from services.billing.domain.stay import Stay
from services.billing.domain.terms import in_force_for
from services.billing.repository import disputes, history, ledger
from services.billing.usecases.rules import rules_now
from shared.dates import Month, local_date
from shared.db import Work
from shared.errors import NotFound

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


async def gather(work: Work, municipalities: Collection[str], month: Month, known_at: datetime | None = None) -> dict[str, MonthInputs]:
    """Everything that the month of each of these municipalities is calculated from; one without a rule set in force is left out.

    Args:
        work: The transaction.
        municipalities: SCB codes.
        month: Which month.
        known_at: As it was known at that instant, looked at from that day; None = now.
    """
    book = await rules_now(work, known_at)
    stays = _grouped(await _stays(work, municipalities, month, book, known_at), lambda stay: stay.municipality)
    cases = [stay.case_id for code in municipalities for stay in stays.get(code, ())]
    decisions = _grouped(await _decisions(work, cases, known_at), lambda decision: decision.stay)
    # A stay may have been another municipality's: what that one contested, and was given right in, says nothing of what this one owes.
    payers = {stay.case_id: code for code in municipalities for stay in stays.get(code, ())}
    claims = _grouped(await disputes.claims(work, cases, known_at, payers), lambda claim: claim.stay)
    books = _Books(book)
    gathered = {}
    for code in municipalities:
        if book.agreement(code, month) is not None:
            own = stays.get(code, ())
            gathered[code] = MonthInputs(
                code,
                month,
                tuple(own),
                tuple(one for stay in own for one in decisions.get(stay.case_id, ())),
                tuple(one for stay in own for one in claims.get(stay.case_id, ())),
                books.of(code),
                local_date(known_at or work.at),
            )
    return gathered


async def gather_one(work: Work, municipality: str, month: Month, known_at: datetime | None = None) -> MonthInputs:
    """The same for one municipality.

    Raises:
        NotFound: No rule set was in force then.
    """
    found = (await gather(work, [municipality], month, known_at)).get(municipality)
    if found is None:
        raise NotFound
    return found


async def bases_now(work: Work, municipalities: Collection[str], month: Month, known_at: datetime | None = None) -> dict[str, MonthBasis]:
    """The months of these municipalities as the facts stand in this transaction, or stood at an earlier instant."""
    return {code: inputs.basis() for code, inputs in (await gather(work, municipalities, month, known_at)).items()}


async def _stays(work: Work, municipalities: Collection[str], month: Month, book: RuleBook, known_at: datetime | None) -> list[Stay]:
    """The stays of the month, and those of the month before where the rules look back at it."""
    found = {stay.case_id: stay for stay in await _stays_of(work, municipalities, month, book, known_at)}
    looking_back = [code for code in municipalities if book.looks_back(code, month)]
    if looking_back:
        found |= {stay.case_id: stay for stay in await _stays_of(work, looking_back, month.previous, book, known_at)}
    return list(found.values())


async def _stays_of(work: Work, municipalities: Collection[str], month: Month, book: RuleBook, known_at: datetime | None) -> list[Stay]:
    if known_at is None:
        return await ledger.stays_of_month(work, municipalities, month, book)
    return await history.stays_of_month(work, municipalities, month, book, known_at)


async def _decisions(work: Work, cases: Collection[UUID], known_at: datetime | None) -> Sequence[ReviewDecision]:
    if known_at is None:
        return await ledger.decisions(work, cases)
    return await history.decisions(work, cases, known_at)


def _grouped(values: Iterable[Value], key: Callable[[Value], Key]) -> dict[Key, list[Value]]:
    found: dict[Key, list[Value]] = {}
    for value in values:
        found.setdefault(key(value), []).append(value)
    return found


class _Books:
    """The rule book as far as it can bind a municipality, which is all that its calculation has to keep.

    Municipalities that the same rule sets can bind share one book.
    """

    def __init__(self, book: RuleBook) -> None:
        self._book = book
        self._known: dict[tuple[str, ...], RuleBook] = {}

    def of(self, municipality: str) -> RuleBook:
        """The book of one municipality."""
        binding = in_force_for(self._book.agreements, self._book.region, municipality)
        names = tuple(one.name for one in binding)
        if names not in self._known:
            self._known[names] = replace(self._book, agreements=binding)
        return self._known[names]
