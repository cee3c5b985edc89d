"""The lines of a document: days at a price, or the difference that a correction makes; each says from what it comes."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from services.billing.domain.basis import COUNTED, AverageGroup, Line, MonthBasis, PricedDays
from services.billing.domain.charge import last_day
from services.billing.domain.correcting import Credit, Document
from services.billing.domain.identity import Json, decimal_text, instant_text, money_text
from services.billing.domain.wording import days as told_days
from services.billing.domain.wording import stays as told_stays
from shared.money import Money

DocumentLine = dict[str, Json]


def month_lines(basis: MonthBasis, swedish: Mapping[str, str]) -> list[DocumentLine]:
    """Every line of a month: the excess of each average, then the stays that are charged by themselves.

    Args:
        basis: The calculation.
        swedish: What is printed in the place of a source (`RuleBook.in_swedish`).

    Source:
        Domain rule 3.8, explanation (every krona traces to stays, every stay to its notices).
    """
    averages = [_average_line(basis, group) for group in basis.groups if group.excess.days]
    lines = [*averages, *(line for stay in basis.lines if stay.counted_as in COUNTED for line in _stay_lines(stay))]
    return numbered([{**line, **_printed(line, swedish)} for line in lines])


def supplementary_lines(basis: MonthBasis, now: Money, billed: Money, documents: Sequence[Document], version: int) -> list[DocumentLine]:
    """What the month costs by the new calculation, less what was billed for it before.

    Source:
        Domain rule 3.8, corrections after invoicing (the difference, never an edit).
    """
    numbers = ", ".join(document.number for document in documents)
    lines = [_difference(basis, f"Månaden {basis.month} enligt ny beräkning, version {version}", now, 1, documents=(), version=version)]
    if billed:
        text = f"Avgår tidigare fakturerat för {basis.month}: {numbers}"
        lines.append(_difference(basis, text, billed, -1, documents=documents, version=None))
    return numbered(lines)


def credit_lines(basis: MonthBasis, credit: Credit, version: int) -> list[DocumentLine]:
    """What was left of the credited document, less what is left of it by the new calculation.

    Source:
        Domain rule 3.8, corrections after invoicing (a credit note never exceeds the rest).
    """
    document = credit.document
    text = f"Kvar av {document.number} före denna kreditfaktura"
    lines = [_difference(basis, text, credit.rest, 1, documents=(document,), version=None)]
    if credit.kept:
        text = f"Avgår det som kvarstår av {document.number} enligt ny beräkning, version {version}"
        lines.append(_difference(basis, text, credit.kept, -1, documents=(document,), version=version))
    return numbered(lines)


def numbered(lines: Iterable[DocumentLine]) -> list[DocumentLine]:
    """The lines with their numbers 1..n."""
    return [{"number": number, **line} for number, line in enumerate(lines, start=1)]


def ore_of(line: DocumentLine) -> int:
    """The amount of a line in whole öre.

    Raises:
        ValueError: The line has no amount.
    """
    amount = line["amount"]
    if not isinstance(amount, dict):
        raise ValueError("an invoice line needs an amount")  # noqa: TRY004  # a month without a price never comes here
    return Money.of_kronor(str(amount["amount"])).ore


def money(amount: Money | None) -> Json:
    """Money as every document writes it, None while a price is missing."""
    return None if amount is None else {"amount": money_text(amount), "currency": "SEK"}


def _printed(line: DocumentLine, swedish: Mapping[str, str]) -> DocumentLine:
    """Rule and price as a Swedish reader is told them, where they are named otherwise in the calculation."""
    return {f"{name}_sv": swedish[told] for name in ("rule", "price_source") if (told := str(line[name])) in swedish}


def _average_line(basis: MonthBasis, group: AverageGroup) -> DocumentLine:
    """One line for the excess of an average, with every stay the average was taken over."""
    stays = _stays_of(basis, group)
    average = "0" if group.average is None else decimal_text(group.average)
    text = (
        f"Dagar över ett genomsnitt på {_decimal(decimal_text(group.threshold))} dagar, {basis.month}: {told_stays(len(stays)).sv}, "
        f"{told_days(Fraction(group.sum_days)).sv}, i genomsnitt {_decimal(average)}"
    )
    return {
        "kind": "average",
        "text": text,
        **_charge(group.excess),
        "rule": group.source,
        "agreement": group.agreement,
        "in_average": group.in_average,
        "sum_days": group.sum_days,
        "average": average,
        "stays": [_trace(stay) for stay in stays],
    }


def _stays_of(basis: MonthBasis, group: AverageGroup) -> list[Line]:
    counted = frozenset(group.stays)
    return [line for line in basis.lines if line.stay in counted]


def _decimal(text: str) -> str:
    """A decimal number as Swedish readers write it, without zeros at its end."""
    return text.rstrip("0").rstrip(".").replace(".", ",")


def _stay_lines(stay: Line) -> list[DocumentLine]:
    """One line for each price of a stay that is charged by itself."""
    return [
        {
            "kind": stay.counted_as.value,
            "text": f"Vårdtillfälle {stay.stay}, {part.first.isoformat()} till {part.last.isoformat()}",
            **_charge(part),
            "rule": stay.rule,
            "agreement": stay.agreement,
            "stays": [_trace(stay)],
        }
        for part in stay.charges
    ]


def _charge(part: PricedDays) -> DocumentLine:
    days: Json = int(part.days) if part.days.denominator == 1 else decimal_text(part.days)
    return {
        "first": part.first.isoformat(),
        "last": part.last.isoformat(),
        "days": days,
        "quantity": days,
        "unit": "DAY",
        "price": money(part.price),
        "price_source": part.source,
        "amount": money(part.amount),
    }


def _difference(
    basis: MonthBasis, text: str, amount: Money, sign: int, *, documents: Iterable[Document], version: int | None
) -> DocumentLine:
    """One line of a correction: a price is never below 0 in an electronic invoice, so that the quantity carries the sign."""
    return {
        "kind": "difference",
        "text": text,
        "first": basis.month.first.isoformat(),
        "last": last_day(basis.month).isoformat(),
        "quantity": sign,
        "unit": "C62",
        "price": money(amount),
        "price_source": "",
        "amount": money(amount * sign),
        "rule": "",
        "agreement": basis.agreement,
        "documents": [document.number for document in documents],
        "calculation_version": version,
        "stays": [],
    }


def _trace(stay: Line) -> Json:
    """The stay with the notices that every clock of the law ran from."""
    return {
        "case": str(stay.stay),
        "days": stay.days,
        "admission_notice_sent_at": instant_text(stay.admission_notice_sent_at),
        "ready_notice_sent_at": instant_text(stay.ready_notice_sent_at),
        "invited_at": instant_text(stay.invited_at),
        "ended_on": None if stay.ended_on is None else stay.ended_on.isoformat(),
    }
