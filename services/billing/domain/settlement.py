"""Settle one municipality's month: from stays, agreement and prices to the month basis (domain rules 3.1–3.4, 3.7)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import groupby
from math import floor

from services.billing.domain.basis import CountedAs, Line, MonthBasis, PricedDays
from services.billing.domain.charge import Standing, charged_in, last_day, standing
from services.billing.domain.gate import Held, inspect
from services.billing.domain.grounds import facts_of
from services.billing.domain.preconditions import Assessment, assess
from services.billing.domain.reasons import Exclusion, Reason, ReviewDecision, ReviewOutcome
from services.billing.domain.stay import Stay
from services.billing.domain.tariff import Tariffs
from services.billing.domain.terms import Agreement, AverageTerms, Model
from shared.dates import Month, local_date


def settle(
    stays: Iterable[Stay],
    agreement: Agreement,
    tariffs: Tariffs,
    municipality: str,
    month: Month,
    *,
    decisions: Sequence[ReviewDecision] = (),
    as_of: date | None = None,
) -> MonthBasis:
    """Calculate what one municipality owes for one month.

    Args:
        stays: All stays that may touch the month; those of others, cancelled or of other months are passed over.
        agreement: The rule set that binds the municipality.
        tariffs: Day prices; a missing one leaves the amount unknown.
        municipality: SCB code of the debtor.
        month: Month of discharge, and of the days of patients still in hospital at its end.
        decisions: Decided reviews.
        as_of: Local date the month is looked at from; None, or any day after the month, means that the month is over.

    Raises:
        ValueError: The same stay was given twice.

    Source:
        Lag (2017:612) 5 kap.; VGR agreement 2018-09-25.
    """
    complete = as_of is None or as_of > last_day(month)
    own = sorted((stay for stay in stays if stay.municipality == municipality and not stay.cancelled), key=lambda stay: stay.case_id)
    if len({stay.case_id for stay in own}) != len(own):
        raise ValueError("one stay was given twice")
    seen = [(stay, at) for stay in own if stay.ready and (at := standing(stay, agreement, month)) is not None]
    placed = [_place(stay, at, agreement, tariffs, month, decisions) for stay, at in seen if at.closed or complete]
    placed = [entry for entry in placed if entry.line.ended_on is not None or entry.as_counted.charges]
    lines = tuple(entry.line for entry in placed)
    terms = agreement.average_on(last_day(month))
    days = [line.days for line in lines if line.counted_as is CountedAs.AVERAGE]
    excess = None if terms is None else excess_of(sum(days), len(days), terms, tariffs, month)
    horizon = last_day(month) if complete or as_of is None else as_of
    still_open = [(stay, at) for stay, at in seen if not at.closed and at.waiting is not None and at.waiting.notice.sent_on <= horizon]
    findings = inspect(
        [Held(entry.line, entry.as_counted, entry.confirmed) for entry in placed],
        excess,
        terms,
        silent=[stay for stay, at in still_open if complete and _is_silent(stay, at, month)],
    )
    return MonthBasis(municipality, month, agreement.name, complete, lines, excess, len(still_open), findings)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A stay in its month: its line, the line it would have been without any reason against it, and the reasons a person confirmed."""

    line: Line
    as_counted: Line
    confirmed: frozenset[Reason]


def _place(stay: Stay, at: Standing, agreement: Agreement, tariffs: Tariffs, month: Month, decisions: Sequence[ReviewDecision]) -> _Placed:
    assessment = _assess(stay, at, agreement, month)
    as_counted = Line(
        stay.case_id,
        stay.ward,
        stay.care_type,
        _model(at),
        assessment.notes,
        0 if at.waiting is None else at.waiting.n,
        stay.admission_notice_sent_at,
        None if at.waiting is None else at.waiting.notice.sent_at,
        min(stay.invited_at, default=None),
        stay.ended_on if at.closed else None,
        price_days(charged_in(stay, agreement, month), tariffs),
        _rule(at),
    )
    decided = assessment.decided(decisions)
    excluding = [decision for decision in decisions if decision.outcome is ReviewOutcome.EXCLUDE]
    confirmed = frozenset(ground.reason for ground in assessment.exclusions if any(decision.is_on(ground) for decision in excluding))
    if decided.exclusions:
        line = replace(as_counted, counted_as=CountedAs.EXCLUDED, reasons=decided.exclusions, charges=())
    elif decided.reviews:
        line = replace(as_counted, counted_as=CountedAs.REVIEW, reasons=decided.reviews, charges=())
    else:
        line = replace(as_counted, reasons=decided.notes)
    return _Placed(line, as_counted, confirmed)


def _assess(stay: Stay, at: Standing, agreement: Agreement, month: Month) -> Assessment:
    """The preconditions, and two reasons only the month can see: no rule in force, and a patient nobody has heard of."""
    assessment = assess(stay, at.waiting, at.switches, agreement.statute)
    if at.care is None:
        not_in_force = Exclusion.of(stay.case_id, Reason.AGREEMENT_NOT_IN_FORCE)
        assessment = replace(assessment, exclusions=(*assessment.exclusions, not_in_force))
    if not at.closed and _is_silent(stay, at, month):
        facts = facts_of(stay, Reason.NO_SIGN_OF_LIFE, at.waiting, month)
        assessment = replace(assessment, reviews=(*assessment.reviews, Exclusion.of(stay.case_id, Reason.NO_SIGN_OF_LIFE, facts)))
    return assessment


def _is_silent(stay: Stay, at: Standing, month: Month) -> bool:
    """Whether nothing was heard of a patient for so long before the month ended that a forgotten discharge is likely."""
    if stay.last_sign_of_life_at is None:
        return False
    return local_date(stay.last_sign_of_life_at) < month.next.first - timedelta(days=at.switches.silent_after_days)


def _model(at: Standing) -> CountedAs:
    if at.care is not None and at.care.model is Model.INDIVIDUAL:
        return CountedAs.INDIVIDUAL
    return CountedAs.LONG if at.long else CountedAs.AVERAGE


def _rule(at: Standing) -> str:
    if at.care is None:
        return ""
    return at.care.source if at.average is None else at.average.source


def price_days(days: Iterable[date], tariffs: Tariffs) -> tuple[PricedDays, ...]:
    """Price each care day by its own date, so that New Year splits a stay into two prices.

    Source:
        Domain rule 3.4 (individually charged days are priced by their own date).
    """
    parts = []
    for entry, run in groupby(days, key=tariffs.on):
        group = list(run)
        price, source = (None, "") if entry is None else (entry.price, entry.source)
        parts.append(PricedDays(group[0], group[-1], Fraction(len(group)), price, source))
    return tuple(parts)


def excess_of(days: int, count: int, terms: AverageTerms, tariffs: Tariffs, month: Month) -> PricedDays:
    """The days above the free average of `count` stays that waited `days` days together, exactly; exactly at the threshold is free.

    Source:
        VGR agreement 2018-09-25: monthly average per municipality, settled for what was actually exceeded; price of the month of discharge.
    """
    over = max(Fraction(0), days - terms.threshold * count)
    if count < terms.smallest_number:
        over = Fraction(0)
    if terms.excess_decimals is not None:
        scale = 10**terms.excess_decimals
        over = Fraction(floor(over * scale + Fraction(1, 2)), scale)
    entry = tariffs.on(last_day(month))
    price, source = (None, "") if entry is None else (entry.price, entry.source)
    return PricedDays(month.first, last_day(month), over, price, source)
