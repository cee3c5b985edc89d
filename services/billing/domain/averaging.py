"""The averages of a month: which stays each is taken over, and what lies above it (domain rules 3.4 and 3.5)."""

from collections.abc import Collection, Iterable, Mapping

from services.billing.domain.basis import COUNTED, AverageGroup, CountedAs, Line, MonthBefore
from services.billing.domain.charge import average_day, last_day
from services.billing.domain.pricing import excess_of
from services.billing.domain.stay import CareType
from services.billing.domain.tariff import Tariffs
from services.billing.domain.terms import Agreement, AverageTerms, Charging
from shared.dates import Month

GroupKey = tuple[str, frozenset[CareType] | None] | None
"""What tells one average of a month from another: the rule set and the care types; None = no average."""


def key_of(agreement: Agreement, terms: AverageTerms | None) -> GroupKey:
    """The name of an average inside its month."""
    return None if terms is None else (agreement.name, terms.care_types)


def groups_of(
    base: Agreement,
    lines: Collection[tuple[Agreement, AverageTerms | None, Line]],
    tariffs: Tariffs,
    month: Month,
    before: Mapping[GroupKey, MonthBefore],
) -> tuple[tuple[AverageGroup, ...], dict[GroupKey, AverageTerms]]:
    """Every average of the month with its terms: those of the rule set at its end, also over no stays, and those stays bring with them.

    Args:
        base: The rule set at the end of the month.
        lines: All lines, each with the rule set and the average it falls under.
        tariffs: Day prices.
        month: Which month.
        before: What the month before came to, for averages that look back.

    Source:
        VGR agreement 2018-09-25 (one average per municipality and calendar month); each agreement's own care types.
    """
    known: dict[GroupKey, tuple[Agreement, AverageTerms, list[Line]]] = {
        key_of(base, terms): (base, terms, []) for terms in base.averages_on(average_day(base, last_day(month)))
    }
    for agreement, terms, line in lines:
        if terms is not None:
            _, _, taken = known.setdefault(key_of(agreement, terms), (agreement, terms, []))
            if is_averaged(line):
                taken.append(line)
    ordered = sorted(known.items(), key=lambda item: (item[1][0].period.first, item[1][0].name))
    groups = tuple(_group(agreement, terms, taken, tariffs, month, before.get(key)) for key, (agreement, terms, taken) in ordered)
    return groups, {key: terms for key, (_, terms, _) in known.items()}


def is_averaged(line: Line) -> bool:
    """Whether an average is taken over this stay: not when it is charged by itself for its length, left out, or held.

    Source:
        Domain rule 3.4 (R = E without L).
    """
    return line.counted_as in COUNTED and line.counted_as is not CountedAs.LONG


def month_before(month: Month, lines: Iterable[Line], terms: AverageTerms) -> MonthBefore:
    """Whether the average of a month makes every stay of the next one chargeable; exactly at the threshold it does not.

    Source:
        The option VGR weighed in February 2018: an average over the threshold makes the stays of the next month chargeable.
    """
    taken = [line.days for line in lines if is_averaged(line)]
    exceeded = len(taken) >= terms.smallest_number and sum(taken) > terms.threshold * len(taken)
    return MonthBefore(month, len(taken), sum(taken), exceeded)


def _group(
    agreement: Agreement, terms: AverageTerms, lines: Collection[Line], tariffs: Tariffs, month: Month, before: MonthBefore | None
) -> AverageGroup:
    days = sum(line.days for line in lines)
    # An average that decides about the next month costs nothing in its own.
    charged = (days, len(lines)) if terms.charges is Charging.EXCESS else (0, 0)
    excess = excess_of(*charged, terms, tariffs, month, agreement.period)
    care_types = tuple(care_type for care_type in CareType if agreement.covers(care_type) and terms.covers(care_type))
    return AverageGroup(agreement.name, care_types, terms.threshold, tuple(line.stay for line in lines), days, excess, terms.source, before)
