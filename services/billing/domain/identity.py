"""The identity of a calculation: one canonical text and its SHA-256, which every later step must name."""

import json
from datetime import date, datetime
from fractions import Fraction
from hashlib import sha256
from typing import Final

from services.billing.domain.basis import AverageGroup, DisputedAmounts, Line, MonthBasis, PricedDays
from shared.dates import format_instant
from shared.money import Money

DECIMALS: Final = 6

Json = dict[str, "Json"] | list["Json"] | str | int | bool | None


def fingerprint(basis: MonthBasis) -> str:
    """SHA-256 of the canonical text, in lower-case hexadecimal."""
    return sha256(canonical(basis).encode()).hexdigest()


def canonical(basis: MonthBasis) -> str:
    """The calculation as RFC 8785 JSON: sorted keys, no blanks, no floating-point number anywhere."""
    return canonical_json(content(basis))


def canonical_json(value: Json) -> str:
    """RFC 8785 for values with ASCII keys, strings, whole numbers and truth values, which is all that billing writes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def content(basis: MonthBasis) -> dict[str, Json]:
    """What is charged and from what; findings and open stays are left out, for they may change without changing the charge.

    A member that has nothing to say is left out too, so that what came later to the law changes no calculation that does not need it: the
    rule set of each line where there are several, the averages where there is not just one, and disputes that nobody has decided. Which
    of those are left out is told only where it is some of them: otherwise it is all when that costs less than counting them, or none.
    """
    told: dict[str, Json] = {
        "municipality": basis.municipality,
        "month": str(basis.month),
        "agreement": basis.agreement,
        "complete": basis.complete,
        "stays": basis.stays,
        "in_average": basis.in_average,
        "sum_days": basis.sum_days,
        "average": None if basis.average is None else str(basis.average),
        "excess": None if basis.excess is None else _priced(basis.excess),
        "long_stays": basis.long_stays,
        "individual_days": basis.individual_days,
        "amount": money_text(basis.amount),
        "lines": [_line_in(basis, line) for line in basis.lines],
    }
    if len(basis.groups) > 1 or any(group.before is not None for group in basis.groups):
        told["groups"] = [group_content(group) for group in basis.groups]
    if basis.disputed is not None:
        told["disputed"] = _disputed(basis.disputed)
    return told


def _disputed(disputed: DisputedAmounts) -> Json:
    told: dict[str, Json] = {
        "counted": money_text(disputed.counted),
        "left_out": money_text(disputed.left_out),
        "claims": [str(claim) for claim in disputed.claims],
    }
    if disputed.claims_left_out not in ((), disputed.claims):
        told["claims_left_out"] = [str(claim) for claim in disputed.claims_left_out]
    return told


def group_content(group: AverageGroup) -> dict[str, Json]:
    """One average of the month with everything it rests on."""
    told: dict[str, Json] = {
        "agreement": group.agreement,
        "care_types": [care_type.value for care_type in group.care_types],
        "threshold": str(group.threshold),
        "stays": [str(stay) for stay in group.stays],
        "in_average": group.in_average,
        "sum_days": group.sum_days,
        "average": None if group.average is None else str(group.average),
        "excess": _priced(group.excess),
        "rule": group.source,
    }
    if group.before is not None:
        told["before"] = {
            "month": str(group.before.month),
            "in_average": group.before.in_average,
            "sum_days": group.before.sum_days,
            "exceeded": group.before.exceeded,
        }
    return told


def _line_in(basis: MonthBasis, line: Line) -> dict[str, Json]:
    """A line; of a month under one rule set it need not say which."""
    return line_content(line) if line.agreement == basis.agreement else {**line_content(line), "agreement": line.agreement}


def line_content(line: Line) -> dict[str, Json]:
    """One line of the calculation with everything it rests on."""
    return {
        "case": str(line.stay),
        "ward": line.ward,
        "care_type": line.care_type.value,
        "counted_as": line.counted_as.value,
        "reasons": [{"reason": ground.reason.value, "source": ground.source} for ground in line.reasons],
        "days": line.days,
        "admission_notice_sent_at": instant_text(line.admission_notice_sent_at),
        "ready_notice_sent_at": instant_text(line.ready_notice_sent_at),
        "invited_at": instant_text(line.invited_at),
        "ended_on": _day(line.ended_on),
        "charges": [_priced(part) for part in line.charges],
        "chargeable_days": line.chargeable_days,
        "amount": money_text(line.amount),
        "rule": line.rule,
    }


def decimal_text(value: Fraction) -> str:
    """A fraction with six decimals, half upwards: for reading only, never used in a calculation."""
    scale = 10**DECIMALS
    whole, rest = divmod((value.numerator * scale * 2 + value.denominator) // (value.denominator * 2), scale)
    return f"{whole}.{rest:0{DECIMALS}d}"


def _priced(part: PricedDays) -> Json:
    return {
        "first": part.first.isoformat(),
        "last": part.last.isoformat(),
        "days": str(part.days),
        "price": money_text(part.price),
        "price_source": part.source,
        "amount": money_text(part.amount),
    }


def money_text(amount: Money | None) -> str | None:
    """Kronor with two decimals, None while a price is missing."""
    return None if amount is None else str(amount)


def instant_text(instant: datetime | None) -> str | None:
    """An instant in UTC as every answer of ours writes it."""
    return None if instant is None else format_instant(instant)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
