"""One step for many municipalities at once: each succeeds or is refused by itself, in the order of their codes."""

from collections.abc import Awaitable, Callable, Sequence

from services.billing.domain.closing import CalculationName, MonthAction, PaperSignature
from services.billing.domain.persons import Actor
from services.billing.usecases.closing import ClosingTerms, Done, Item, Outcome, act, act_on_one
from shared.dates import Month
from shared.db import Work
from shared.errors import FieldError, Malformed

__all__ = ["ClosingTerms", "Done", "Item", "Outcome", "act_on_many", "record_signature", "step_for"]

Step = Callable[[Work, str, Month, CalculationName], Awaitable[Done]]


def step_for(action: MonthAction, actor: Actor, terms: ClosingTerms) -> Step:
    """A step that names a calculation, for one municipality."""

    async def step(work: Work, municipality: str, month: Month, named: CalculationName) -> Done:
        return await act_on_one(work, month, action, Item(municipality, named), actor, terms)

    return step


async def record_signature(
    work: Work, month: Month, municipality: str, named: CalculationName, paper: PaperSignature, actor: Actor, terms: ClosingTerms
) -> Done:
    """Write down that a debtor that reads no mailbox here accepted its published month on paper.

    Raises:
        NotFound: There is no such debtor.
        Malformed: The day cannot be.
        Refused: Outdated calculation or wrong state.
    """
    return await act_on_one(work, month, MonthAction.RECORD, Item(municipality, named, paper), actor, terms)


async def act_on_many(
    work: Work, month: Month, action: MonthAction, items: Sequence[Item], actor: Actor, terms: ClosingTerms
) -> list[Outcome]:
    """Take one step for many municipalities; a refused one leaves nothing behind and stops no other.

    Raises:
        Malformed: A step other than preparing without the calculation it is taken on, or a municipality named twice.
    """
    _check(action, items)
    return await act(work, month, action, items, actor, terms)


def _check(action: MonthAction, items: Sequence[Item]) -> None:
    if len({item.municipality for item in items}) != len(items):
        raise Malformed("request.malformed", errors=(FieldError("/items", "municipality_twice"),))
    for index, item in enumerate(items):
        if (item.calculation is None) != (action is MonthAction.PREPARE):
            raise Malformed("request.malformed", errors=(FieldError(f"/items/{index}/calculation", "missing_or_unexpected"),))
