"""The machine that prepares months by itself, so that nobody has to remember to; a person publishes, and another one approves."""

from collections.abc import Iterable, Iterator

from services.billing.domain.preparing import MACHINE, MachineTerms, machine_may_prepare, months_due
from services.billing.repository import months
from services.billing.repository import preparing as rows
from services.billing.repository.ledger import Pair
from services.billing.repository.months import MonthRow
from services.billing.repository.preparing import Prepared
from services.billing.usecases.closing import prepare
from shared.dates import Month, local_date
from shared.db import Work


async def due_months(work: Work, terms: MachineTerms) -> list[Pair]:
    """The months the machine should prepare, the oldest first; none of a month whose stays still come in."""
    found: list[Pair] = []
    for month in months_due(local_date(work.at), terms):
        if await rows.came_to_rest(work, month, work.at - terms.quiet):
            found += [(one.municipality, month) for one in _its_own(await rows.standing(work, month), work, terms)]
    return found


async def prepare_by_machine(work: Work, municipality: str, month: Month, terms: MachineTerms) -> MonthRow | None:
    """Prepare one municipality's month, unless a person has taken a step of it by now; the same facts change nothing.

    Raises:
        NotFound: No rule set was in force.
    """
    await months.lock_all(work, [municipality], month)
    if not any(_its_own(await rows.standing(work, month, municipality), work, terms)):
        return None
    return (await prepare(work, municipality, month, MACHINE)).row


def _its_own(found: Iterable[Prepared], work: Work, terms: MachineTerms) -> Iterator[Prepared]:
    return (one for one in found if machine_may_prepare(one.state, one.by, one.at, work.at, terms))
