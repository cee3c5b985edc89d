"""One step for many municipalities at once: each succeeds or is refused by itself, in the order of their codes."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from services.billing.domain.charge import last_day
from services.billing.domain.closing import CalculationName, MonthAction
from services.billing.domain.invoice import Issuer
from services.billing.domain.persons import Actor
from services.billing.repository import debtors, months
from services.billing.repository.months import MonthRow
from services.billing.usecases.closing import SilenceTerms, approve, prepare, publish, sign
from services.billing.usecases.invoicing import issue
from shared.dates import Month
from shared.db import Work
from shared.errors import BusinessError, FieldError, Malformed

Step = Callable[[Work, str, Month, CalculationName], Awaitable[MonthRow]]


@dataclass(frozen=True, slots=True)
class Item:
    """One municipality, and the calculation the step is taken on; preparing names none."""

    municipality: str
    calculation: CalculationName | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item: the month as it stands now, or why the step was refused."""

    municipality: str
    row: MonthRow | None
    error: BusinessError | None = None


@dataclass(frozen=True, slots=True)
class ClosingTerms:
    """What closing needs to be told besides the facts."""

    silence: SilenceTerms
    issuer: Issuer


def step_for(action: MonthAction, actor: Actor, terms: ClosingTerms) -> Step:
    """The use case behind a step that names a calculation."""
    steps: dict[MonthAction, Step] = {
        MonthAction.PUBLISH: partial(_with_actor, publish, actor),
        MonthAction.SIGN: partial(_with_actor, sign, actor),
        MonthAction.APPROVE: partial(_approve, actor, terms.silence),
        MonthAction.ISSUE: partial(_issue, actor, terms.issuer),
    }
    return steps[action]


async def act_on_many(
    work: Work, month: Month, action: MonthAction, items: Sequence[Item], actor: Actor, terms: ClosingTerms
) -> list[Outcome]:
    """Take one step for many municipalities; a refused one leaves nothing behind and stops no other.

    Raises:
        Malformed: A step other than preparing without the calculation it is taken on, or a municipality named twice.
    """
    _check(action, items)
    # All rows before the first number: whoever holds the series of numbers must never wait for a month.
    known = await debtors.on(work, last_day(month))
    await months.lock_all(work, [item.municipality for item in items if item.municipality in known], month)
    outcomes = []
    for item in sorted(items, key=lambda item: item.municipality):
        try:
            async with work.connection.begin_nested():
                outcomes.append(Outcome(item.municipality, await _one(work, month, action, item, actor, terms)))
        except BusinessError as error:
            outcomes.append(Outcome(item.municipality, None, error))
    return outcomes


async def _one(work: Work, month: Month, action: MonthAction, item: Item, actor: Actor, terms: ClosingTerms) -> MonthRow:
    if item.calculation is None:
        return await prepare(work, item.municipality, month, actor)
    return await step_for(action, actor, terms)(work, item.municipality, month, item.calculation)


def _check(action: MonthAction, items: Sequence[Item]) -> None:
    if len({item.municipality for item in items}) != len(items):
        raise Malformed("request.malformed", errors=(FieldError("/items", "municipality_twice"),))
    for index, item in enumerate(items):
        if (item.calculation is None) != (action is MonthAction.PREPARE):
            raise Malformed("request.malformed", errors=(FieldError(f"/items/{index}/calculation", "missing_or_unexpected"),))


async def _with_actor(
    use_case: Callable[[Work, str, Month, CalculationName, Actor], Awaitable[MonthRow]],
    actor: Actor,
    work: Work,
    municipality: str,
    month: Month,
    named: CalculationName,
) -> MonthRow:
    return await use_case(work, municipality, month, named, actor)


async def _approve(actor: Actor, terms: SilenceTerms, work: Work, municipality: str, month: Month, named: CalculationName) -> MonthRow:
    return await approve(work, municipality, month, named, actor, terms)


async def _issue(actor: Actor, issuer: Issuer, work: Work, municipality: str, month: Month, named: CalculationName) -> MonthRow:
    return await issue(work, municipality, month, named, actor, issuer)
