"""Taking steps on months: decided on what was read, then written, for one municipality or for a whole county alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.billing.domain.closing import CalculationName, MonthAction, PaperSignature
from services.billing.domain.correcting import Document
from services.billing.domain.invoice import Issuer
from services.billing.domain.persons import Actor
from services.billing.repository import months
from services.billing.repository.months import MonthRow
from services.billing.usecases.comparisons import require_signed
from services.billing.usecases.invoicing import issue, write_documents
from services.billing.usecases.steps import SilenceTerms, Standpoint, Taken, amount_of, correction_of, standpoints
from services.billing.usecases.steps import approve as approving
from services.billing.usecases.steps import prepare as preparing
from services.billing.usecases.steps import publish as publishing
from services.billing.usecases.steps import record as recording
from services.billing.usecases.steps import sign as signing
from shared.dates import Month
from shared.db import Work
from shared.errors import BusinessError, NotFound
from shared.streams.outbox import stage_facts

__all__ = ["ClosingTerms", "Done", "Item", "Outcome", "SilenceTerms", "act", "amount_of", "correction_of", "prepare"]


@dataclass(frozen=True, slots=True)
class Item:
    """One municipality, and the calculation the step is taken on; preparing names none. `paper`: the signature that is to be recorded."""

    municipality: str
    calculation: CalculationName | None
    paper: PaperSignature | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """A month after a step: where it stands, who pays, and everything that was issued for it, in the order of issue."""

    row: MonthRow
    name: str
    documents: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item: the month as it stands now, or why the step was refused."""

    municipality: str
    done: Done | None
    error: BusinessError | None = None

    @property
    def row(self) -> MonthRow | None:
        """Where the month stands, None when the step was refused."""
        return None if self.done is None else self.done.row


@dataclass(frozen=True, slots=True)
class ClosingTerms:
    """What closing needs to be told besides the facts."""

    silence: SilenceTerms
    issuer: Issuer
    comparison_required: bool = False


async def prepare(work: Work, municipality: str, month: Month, actor: Actor) -> Done:
    """Calculate a month that is over and keep the calculation.

    Raises:
        NotFound: There is no such debtor, or no rule set was in force.
        Refused: The month is not over, or stands further on this very calculation.
    """
    return await act_on_one(work, month, MonthAction.PREPARE, Item(municipality, None), actor, None)


async def act_on_one(work: Work, month: Month, action: MonthAction, item: Item, actor: Actor, terms: ClosingTerms | None) -> Done:
    """Take one step for one municipality.

    Raises:
        NotFound: There is no such debtor, or no rule set was in force.
        Malformed: What is recorded with the step cannot be.
        Refused: The state of things does not allow it.
    """
    (outcome,) = await act(work, month, action, [item], actor, terms)
    if outcome.done is None:
        raise outcome.error or NotFound()
    return outcome.done


async def act(
    work: Work, month: Month, action: MonthAction, items: Sequence[Item], actor: Actor, terms: ClosingTerms | None
) -> list[Outcome]:
    """Take one step for these municipalities; a refused one leaves nothing behind and stops no other.

    Args:
        work: The transaction.
        month: Which month.
        action: The step.
        items: The municipalities, each with the calculation it is taken on.
        actor: Who takes it.
        terms: What closing needs to be told; preparing needs nothing.

    Raises:
        Refused: Nothing is issued before a comparison with the service of today is signed, where the installation asks for it.
    """
    # All rows are locked before the first number: whoever holds the series of numbers must never wait for a month.
    if terms is not None and action is MonthAction.ISSUE:
        await require_signed(work, required=terms.comparison_required)
    known = await standpoints(work, [item.municipality for item in items], month)
    decided: list[tuple[Standpoint, Taken]] = []
    refused: list[Outcome] = []
    for item in items:
        try:
            at = _known(known, item)
            decided.append((at, _decide(at, action, item, actor, terms)))
        except BusinessError as error:
            refused.append(Outcome(item.municipality, None, error))
    taken = [one for _, one in decided] if terms is None else await write_documents(work, decided, terms.issuer)
    await _write(work, month, taken, actor)
    done = [_done(at, one) for (at, _), one in zip(decided, taken, strict=True)]
    return sorted([*refused, *(Outcome(one.row.municipality, one) for one in done)], key=lambda outcome: outcome.municipality)


def _done(at: Standpoint, taken: Taken) -> Done:
    return Done(taken.row, at.debtor.name, (*at.documents, *taken.written))


def _known(known: dict[str, Standpoint], item: Item) -> Standpoint:
    at = known.get(item.municipality)
    if at is None:
        raise NotFound
    return at


def _decide(at: Standpoint, action: MonthAction, item: Item, actor: Actor, terms: ClosingTerms | None) -> Taken:
    named = item.calculation
    if named is None or terms is None:
        return preparing(at)
    if item.paper is not None:
        return recording(at, named, item.paper)
    if action is MonthAction.PUBLISH:
        return publishing(at, named)
    if action is MonthAction.SIGN:
        return signing(at, named)
    if action is MonthAction.APPROVE:
        return approving(at, named, actor, terms.silence)
    return issue(at, named)


async def _write(work: Work, month: Month, taken: Sequence[Taken], actor: Actor) -> None:
    """Write decided steps, all of them with the same few statements."""
    moved = [one for one in taken if one.moves]
    if not moved:
        return
    kept = [(one.row, one.calculation) for one in moved if one.calculation is not None]
    if kept:
        await months.keep_calculations(work, month, kept)
    await months.move(work, month, [one.row for one in moved])
    await months.note(work, month, [(row, action.value) for one in moved for row, action in one.moves], actor)
    for one in moved:
        if one.paper is not None:
            await months.file_paper(work, one.row, one.paper)
    await stage_facts(work, [(fact, None) for one in moved for fact in one.facts])
