"""How money, days and times are written for a Swedish reader."""

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from shared.dates import Month, stockholm
from shared.money import Money

MONTHS: Final = (
    "januari",
    "februari",
    "mars",
    "april",
    "maj",
    "juni",
    "juli",
    "augusti",
    "september",
    "oktober",
    "november",
    "december",
)
NO_BREAK: Final = "\u00a0"
MINUS: Final = "\u2212"


def kronor(money: Money) -> str:
    """`65 600,00`, groups of three held together by no-break spaces."""
    whole, ore = str(money).removeprefix("-").split(".")
    sign = MINUS if money.ore < 0 else ""
    return f"{sign}{int(whole):,}".replace(",", NO_BREAK) + f",{ore}"


def decimals(number: Decimal) -> str:
    """A number with comma and no needless noughts: `8`, `1,333333`."""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", ",").replace("-", MINUS)


def day(value: date | None) -> str:
    """`2026-03-20`, empty for none."""
    return "" if value is None else value.isoformat()


def clock(instant: datetime | None) -> str:
    """`2026-03-08 09:00` on a Swedish wall clock, empty for none."""
    return "" if instant is None else f"{stockholm(instant):%Y-%m-%d %H:%M}"


def month_name(month: str) -> str:
    """`mars 2026` of `2026-03`."""
    parsed = Month.parse(month)
    return f"{MONTHS[parsed.number - 1]} {parsed.year}"


def bankgiro(number: str) -> str:
    """`5050-1055` of its digits, the last four apart."""
    return f"{number[:-4]}-{number[-4:]}"


def organisation(number: str) -> str:
    """`232100-0131` of the ten digits."""
    return f"{number[:6]}-{number[6:]}"
