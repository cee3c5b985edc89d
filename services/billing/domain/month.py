"""One municipality's month from everything it is calculated from: which rule set each stay falls under, and the sum of them all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from services.billing.domain.basis import MonthBasis
from services.billing.domain.charge import last_day
from services.billing.domain.contested import Claim
from services.billing.domain.reasons import ReviewDecision
from services.billing.domain.settlement import settle
from services.billing.domain.stay import Stay
from services.billing.domain.tariff import Tariffs
from services.billing.domain.terms import Agreement, NoRuleInForce, agreement_for
from shared.dates import Month


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All agreements and prices that count at one time of knowledge; `region` is the organisation number of the creditor."""

    agreements: tuple[Agreement, ...]
    tariffs: Tariffs
    region: str

    def agreement(self, municipality: str, month: Month) -> Agreement | None:
        """The rule set that binds a municipality at the end of a month, None before there was any."""
        try:
            return agreement_for(self.agreements, municipality, last_day(month))
        except NoRuleInForce:
            return None


@dataclass(frozen=True, slots=True)
class MonthInputs:
    """Everything one municipality's month is calculated from, as known at one instant; nothing else enters the calculation.

    `as_of` is the local date that the month is looked at from.
    """

    municipality: str
    month: Month
    stays: tuple[Stay, ...]
    decisions: tuple[ReviewDecision, ...]
    claims: tuple[Claim, ...]
    book: RuleBook
    as_of: date

    def basis(self) -> MonthBasis:
        """The month, calculated."""
        return settle_month(
            self.stays, self.book, self.municipality, self.month, decisions=self.decisions, claims=self.claims, as_of=self.as_of
        )


def settle_month(
    stays: Iterable[Stay],
    book: RuleBook,
    municipality: str,
    month: Month,
    *,
    decisions: Sequence[ReviewDecision] = (),
    claims: Sequence[Claim] = (),  # noqa: ARG001
    as_of: date | None = None,
) -> MonthBasis:
    """Calculate what one municipality owes for one month, each stay under the rule set that it falls under.

    Args:
        stays: All stays that may touch the month.
        book: Agreements and prices.
        municipality: SCB code of the debtor.
        month: Which month.
        decisions: Decided reviews.
        claims: What the debtor contests.
        as_of: Local date the month is looked at from; None = the month is over.

    Raises:
        NoRuleInForce: No rule set was in force in the month.

    Source:
        Lag (2017:612) 5 kap.; the agreements' own lists of parties and periods.
    """
    agreement = agreement_for(book.agreements, municipality, last_day(month))
    return settle(stays, agreement, book.tariffs, municipality, month, decisions=decisions, as_of=as_of)
