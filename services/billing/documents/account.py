"""How the amount of a document comes about, sentence by sentence and stay by stay, for a reader who wants to check it by hand.

It is told from the document and from the stored calculation that the document names, never from the rules of today.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from services.billing.documents.reading import Document
from services.billing.documents.swedish import day, decimals, kronor
from services.billing.documents.words import COUNTED_AS
from services.billing.domain.wording import REASONS
from shared.dates import parse_instant
from shared.money import ZERO, Money

OWN: Final = ("long", "individual")
# What a reason rests on that neither the statute nor the agreement gives.
RESTS_ON: Final = {
    "dispute_upheld": "enligt beslut",
    "disputed_days": "enligt beslut",
    "dispute_undecided": "lägre belopp tills vidare",
}


class Ground(msgspec.Struct, frozen=True):
    """Why a stay was counted as it was, and where that is written."""

    reason: str
    source: str


class Charge(msgspec.Struct, frozen=True):
    """Days at one price, of one stay or of the whole month."""

    first: date
    last: date
    days: str
    price: str | None
    amount: str | None


class CountedStay(msgspec.Struct, frozen=True):
    """One stay of the calculation, charged or not."""

    case: str
    counted_as: str
    days: int
    reasons: tuple[Ground, ...] = ()
    admission_notice_sent_at: str | None = None
    ready_notice_sent_at: str | None = None
    invited_at: str | None = None
    ended_on: date | None = None
    charges: tuple[Charge, ...] = ()
    chargeable_days: int = 0
    amount: str | None = None
    rule: str = ""


class Calculated(msgspec.Struct, frozen=True):
    """The stored calculation, as far as a reader needs it."""

    lines: tuple[CountedStay, ...]
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StayTold:
    """One row of the table of stays."""

    case: str
    admission_notice: datetime | None
    ready_notice: datetime | None
    invitation: datetime | None
    ended_on: date | None
    days: int
    chargeable_days: int | None
    amount: Money | None
    remark: str


@dataclass(frozen=True, slots=True)
class Group:
    """The stays that were counted in one way."""

    title: str
    stays: tuple[StayTold, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """What stands on the pages behind the invoice."""

    steps: tuple[str, ...]
    groups: tuple[Group, ...]


def read_calculation(body: str, steps: Sequence[str] = ()) -> Calculated:
    """Read the canonical JSON of a stored calculation.

    Args:
        body: The canonical text.
        steps: How it was calculated, sentence by sentence up to the total, where its inputs are kept and lead to the same calculation
            still; the days of each stay by itself are left to the table of stays.

    Raises:
        ValueError: A member is missing or of another type.
    """
    return msgspec.structs.replace(msgspec.json.decode(body, type=Calculated), steps=tuple(steps))


def account_of(document: Document, calculation: Calculated | None) -> Account:
    """The account of a document; without the calculation only the lines and stays that the document itself names."""
    groups = _named(document) if calculation is None else _counted(calculation.lines)
    if calculation is None or not calculation.steps:
        return Account((*_lines_told(document), *_correcting(document)), groups)
    *steps, total = calculation.steps
    return Account((*steps, *_by_themselves(document), total, *_correcting(document)), groups)


def _by_themselves(document: Document) -> Iterable[str]:
    """What the stays that are charged by themselves come to; each of them is in the table."""
    lines = [line for line in document.month_lines if line.kind in OWN]
    if lines:
        count = len({stay.case for line in lines for stay in line.stays})
        told = "1 vårdtillfälle debiteras för sig:" if count == 1 else f"{count} vårdtillfällen debiteras vart för sig, tillsammans"
        days, amount = sum((line.units for line in lines), Decimal(0)), sum((line.amount.money for line in lines), ZERO)
        paid = f"{decimals(days)} {'betalningsdag' if days == 1 else 'betalningsdagar'}"
        yield f"{told} {paid}, {kronor(amount)} kr. Dagar och pris för varje står i tabellen."


def _lines_told(document: Document) -> Iterable[str]:
    """The lines as sums, and what they come to."""
    lines = document.month_lines
    for line in lines:
        yield f"{line.text}: {_days(line.units)} × {kronor(line.price.money)} kr = {kronor(line.amount.money)} kr ({line.price_printed})."
    if lines:
        yield f"Månadens belopp: {kronor(sum((line.amount.money for line in lines), ZERO))} kr."


def _correcting(document: Document) -> Iterable[str]:
    """From what was billed to what the document says."""
    correction = document.correction
    if correction is None:
        return
    now = ZERO if correction.amount_now is None else correction.amount_now.money
    if not correction.lines:
        yield "Enligt den nya beräkningen är ingenting att betala för månaden."
    before = sum((-one.amount.money if one.kind == "credit_note" else one.amount.money for one in correction.documents), ZERO)
    numbers = ", ".join(one.number for one in correction.documents)
    yield f"Tidigare fakturerat, efter krediteringar: {kronor(before)} kr ({numbers}). Skillnad: {kronor(now - before)} kr."
    if document.credits and now - before != -document.amount.money:
        yield (
            f"Varje kreditfaktura avser ett dokument och överstiger aldrig det som återstår av det; den här krediterar "
            f"{kronor(document.amount.money)} kr av {document.refers_to}."
        )


def _counted(stays: Sequence[CountedStay]) -> tuple[Group, ...]:
    """Every stay of the calculation, grouped by how it was counted, those that cost by themselves first."""
    groups = []
    for way, title in COUNTED_AS.items():
        rows = tuple(_row(stay) for stay in stays if stay.counted_as == way)
        if rows:
            groups.append(Group(title, rows))
    return tuple(groups)


def _row(stay: CountedStay) -> StayTold:
    own = stay.counted_as in OWN
    return StayTold(
        case=stay.case,
        admission_notice=_instant(stay.admission_notice_sent_at),
        ready_notice=_instant(stay.ready_notice_sent_at),
        invitation=_instant(stay.invited_at),
        ended_on=stay.ended_on,
        days=stay.days,
        chargeable_days=stay.chargeable_days if own else None,
        amount=Money.of_kronor(stay.amount) if own and stay.amount is not None else None,
        remark=". ".join([*(_charge(part) for part in stay.charges), *(_ground(ground) for ground in stay.reasons)]),
    )


def _charge(part: Charge) -> str:
    price = "pris saknas" if part.price is None else f"à {kronor(Money.of_kronor(part.price))} kr"
    days = Fraction(part.days)
    return f"{_days(round(Decimal(days.numerator) / Decimal(days.denominator), 6))} {day(part.first)} till {day(part.last)} {price}"


def _days(number: Decimal) -> str:
    return f"{decimals(number)} {'dag' if number == 1 else 'dagar'}"


def _ground(ground: Ground) -> str:
    """The reason with its paragraph; where the statute says nothing it rests on a decision about a dispute, or on the agreement."""
    paragraphs = "; ".join(part for part in ground.source.split("; ") if "kap." in part)
    words = REASONS[ground.reason].sv if ground.reason in REASONS else ground.reason
    return f"{words[:1].upper()}{words[1:]} ({paragraphs or RESTS_ON.get(ground.reason, 'enligt överenskommelsen')})"


def _named(document: Document) -> tuple[Group, ...]:
    """The stays that the lines themselves name, each once in each way."""
    groups = []
    for way, title in COUNTED_AS.items():
        rows: dict[str, StayTold] = {}
        for line in document.month_lines:
            for stay in line.stays if line.kind == way else ():
                told = f"{_days(line.units)} {day(line.first)} till {day(line.last)} à {kronor(line.price.money)} kr"
                before = rows.get(stay.case)
                own = way in OWN
                rows[stay.case] = StayTold(
                    case=stay.case,
                    admission_notice=stay.admission_notice,
                    ready_notice=stay.ready_notice,
                    invitation=stay.invitation,
                    ended_on=stay.ended_on,
                    days=stay.days,
                    chargeable_days=int(line.units) + ((before and before.chargeable_days) or 0) if own else None,
                    amount=line.amount.money + ((before and before.amount) or ZERO) if own else None,
                    remark=". ".join([*([before.remark] if before else []), told]) if own else "",
                )
        if rows:
            groups.append(Group(title, tuple(rows.values())))
    return tuple(groups)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)
