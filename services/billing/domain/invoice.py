"""The invoice document: its lines add up to its amount, and every line traces to stays, notices, price and rule."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.billing.domain.basis import CountedAs, Line, MonthBasis, PricedDays
from services.billing.domain.identity import Json, decimal_text, instant_text, money_text
from shared.dates import format_instant, local_date
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Issuer:
    """The region that issues, and when it wants to be paid."""

    organisation: str
    name: str
    payment_days: int


@dataclass(frozen=True, slots=True)
class Party:
    """The municipality that pays."""

    municipality: str
    name: str
    organisation: str


@dataclass(frozen=True, slots=True)
class Issue:
    """The act of issuing: number, instant, the calculation it rests on and who approved it."""

    number: str
    issued_at: datetime
    version: int
    sha256: str
    approved_by: str

    @property
    def issued_on(self) -> date:
        """Local date of issue."""
        return local_date(self.issued_at)


def invoice_content(basis: MonthBasis, issue: Issue, issuer: Issuer, debtor: Party) -> dict[str, Json]:
    """The whole invoice as plain JSON without floating-point numbers.

    Raises:
        ValueError: The amount is unknown or not positive, or the lines do not add up to it; such a month is never issued.

    Source:
        Mervärdesskattelagen (2023:200) 17 kap. 24 § (a unique number from a series); domain rule 3.8 (every krona traces to stays).
    """
    lines = [*_average_lines(basis), *(line for stay in basis.lines for line in _stay_lines(stay))]
    if not basis.amount or sum(_ore(line) for line in lines) != basis.amount.ore:
        raise ValueError("the lines of an invoice must add up to its amount")
    return {
        "number": issue.number,
        "kind": "invoice",
        "refers_to": None,
        "issuer": {"organisation": issuer.organisation, "name": issuer.name},
        "debtor": {"municipality": debtor.municipality, "name": debtor.name, "organisation": debtor.organisation},
        "month": str(basis.month),
        "calculation": {"version": issue.version, "sha256": issue.sha256},
        "agreement": basis.agreement,
        "approved_by": issue.approved_by,
        "issued_at": format_instant(issue.issued_at),
        "issued_on": issue.issued_on.isoformat(),
        "due_on": (issue.issued_on + timedelta(days=issuer.payment_days)).isoformat(),
        "amount": _money(basis.amount),
        "lines": list(lines),
    }


def _average_lines(basis: MonthBasis) -> list[dict[str, Json]]:
    """One line for the excess of the average, with every stay the average was taken over."""
    if basis.excess is None or not basis.excess.days or basis.average is None:
        return []
    stays = [line for line in basis.lines if line.counted_as is CountedAs.AVERAGE]
    return [
        {
            "kind": "average",
            **_charge(basis.excess),
            "rule": stays[0].rule,
            "in_average": basis.in_average,
            "sum_days": basis.sum_days,
            "average": decimal_text(basis.average),
            "stays": [_trace(stay) for stay in stays],
        }
    ]


def _stay_lines(stay: Line) -> list[dict[str, Json]]:
    """One line for each price of a stay that is charged by itself."""
    return [{"kind": stay.counted_as.value, **_charge(part), "rule": stay.rule, "stays": [_trace(stay)]} for part in stay.charges]


def _charge(part: PricedDays) -> dict[str, Json]:
    days: Json = int(part.days) if part.days.denominator == 1 else decimal_text(part.days)
    return {
        "first": part.first.isoformat(),
        "last": part.last.isoformat(),
        "days": days,
        "price": _money(part.price),
        "price_source": part.source,
        "amount": _money(part.amount),
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


def _money(amount: Money | None) -> Json:
    return None if amount is None else {"amount": money_text(amount), "currency": "SEK"}


def _ore(line: dict[str, Json]) -> int:
    amount = line["amount"]
    if not isinstance(amount, dict):
        raise ValueError("an invoice line needs an amount")  # noqa: TRY004  # a month without a price never comes here
    return Money.of_kronor(str(amount["amount"])).ore
