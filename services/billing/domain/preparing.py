"""The machine that prepares (domain rule 3.8): which months it takes up by itself, and when it looks at one of its own again."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from services.billing.domain.charge import last_day
from services.billing.domain.closing import MonthState
from services.billing.domain.persons import Actor
from shared.dates import Month

MACHINE: Final = Actor("dirigent", "dirigent (maskin)")
"""Who the machine is in a month's history: nobody's colleague, so that publishing and approving still take two persons."""


@dataclass(frozen=True, slots=True)
class MachineTerms:
    """When the machine prepares: whole days after the end of a month, and never while what it counts still comes in.

    `first` is the first month it takes up; None = it takes up none but the month that ended last. `again_after` is how long it leaves a
    month alone that it has prepared.
    """

    after_days: int
    quiet: timedelta
    first: Month | None = None
    again_after: timedelta = timedelta(days=1)


def months_due(today: date, terms: MachineTerms) -> list[Month]:
    """The months that have been over for long enough, the oldest first.

    Source:
        Domain rule 3.8, a machine may prepare.
    """
    month = last = Month.of(today).previous
    if terms.first is not None:
        month = min(terms.first, last.next)
    found = []
    while month <= last:
        if today > last_day(month) + timedelta(days=terms.after_days):
            found.append(month)
        month = month.next
    return found


def machine_may_prepare(
    state: MonthState, prepared_by: Actor | None, prepared_at: datetime | None, at: datetime, terms: MachineTerms
) -> bool:
    """Whether a month is the machine's to prepare: nobody has touched it, or it was the machine itself and nobody has published it since.

    Args:
        state: Where the month stands.
        prepared_by: Who prepared the calculation it stands on.
        prepared_at: When.
        at: Now.
        terms: How long it leaves its own work alone.

    Source:
        Domain rule 3.8, a machine may prepare; then publishing and approving take two different persons.
    """
    if state is MonthState.OPEN:
        return True
    its_own = state is MonthState.PREPARED and prepared_by == MACHINE
    return its_own and prepared_at is not None and prepared_at + terms.again_after <= at
