"""One municipality's month from everything it is calculated from: which rule set each stay falls under, and the sum of them all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from services.billing.domain.basis import MonthBasis
from services.billing.domain.charge import last_day
from services.billing.domain.contested import Claim
from services.billing.domain.reasons import ReviewDecision
from services.billing.domain.rulesets import RuleSets, as_if_in_force
from services.billing.domain.settlement import Scene, settle_under
from services.billing.domain.stay import Stay
from services.billing.domain.tariff import Tariffs
from services.billing.domain.terms import Agreement, Charging, NoRuleInForce, RuleSetBy, in_force_for
from shared.dates import Month


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All agreements and prices that count at one time of knowledge; `region` is the organisation number of the creditor."""

    agreements: tuple[Agreement, ...]
    tariffs: Tariffs
    region: str

    def in_swedish(self) -> dict[str, str]:
        """What is printed on a Swedish document in the place of a source, where an agreement or a price has such a text."""
        told = {one.source: one.source_sv for one in self.tariffs.prices}
        for agreement in self.agreements:
            told |= {one.source: one.source_sv for one in agreement.average} | {one.source: one.source_sv for one in agreement.care}
        return {source: swedish for source, swedish in told.items() if swedish}

    def rule_sets(self, municipality: str) -> RuleSets:
        """Every rule set that stays of a municipality may fall under."""
        return RuleSets(in_force_for(self.agreements, self.region, municipality))

    def agreement(self, municipality: str, month: Month) -> Agreement | None:
        """The rule set that binds a municipality at the end of a month, None before there was any. A single stay may fall under another."""
        try:
            return self.rule_sets(municipality).on(last_day(month))
        except NoRuleInForce:
            return None

    def agreements_in(self, municipality: str, month: Month) -> tuple[Agreement, ...]:
        """Every rule set that stays of a municipality may fall under in a month; a ready notice may be older than its month."""
        first, last = month.first, last_day(month)
        return tuple(
            one
            for one in self.rule_sets(municipality).ordered
            if one.period.overlaps(first, last) or (one.rule_set_by is RuleSetBy.READY_NOTICE and one.period.first <= last)
        )

    def looks_back(self, municipality: str, month: Month) -> bool:
        """Whether the month cannot be calculated without the stays of the month before: its average decides about this one."""
        found = self.agreements_in(municipality, month)
        return any(terms.charges is Charging.NEXT_MONTH for one in found for terms in one.average)

    def adds_up(self, municipality: str, month: Month) -> bool:
        """Whether the month is the sum of its stays taken one by one plus one excess, apart from disputes that nobody has decided."""
        found = self.agreements_in(municipality, month)
        return all(one.adds_up for one in found) and sum(1 for one in found if one.average) <= 1

    def as_if(self, agreement: Agreement) -> "RuleBook":
        """The book with which to try a rule set: it alone counts, and for care that it does not cover the statute."""
        tried = as_if_in_force(agreement)
        behind = [one for one in self.agreements if one.parties is None and one.care_types is None and not one.only_for_simulation]
        return RuleBook((tried, *(map(as_if_in_force, behind) if tried.care_types is not None else ())), self.tariffs, self.region)


@dataclass(frozen=True, slots=True)
class MonthInputs:
    """Everything one municipality's month is calculated from, as known at one instant; nothing else enters the calculation.

    `as_of` is the local date that the month is looked at from. Where the book looks back, stays, decisions and claims hold those of the
    month before too.
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
    claims: Sequence[Claim] = (),
    as_of: date | None = None,
) -> MonthBasis:
    """Calculate what one municipality owes for one month, each stay under the rule set that it falls under.

    Args:
        stays: All stays that may touch the month, and those of the month before where the book looks back.
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
    scene = Scene(book.rule_sets(municipality), book.tariffs, municipality, month, as_of)
    return settle_under(scene, stays, decisions=decisions, claims=claims)
