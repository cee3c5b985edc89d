"""The document as CSV for Swedish Excel: a row for each line, which add up to the amount, and a row for each stay behind them."""

import csv
from collections.abc import Iterable
from decimal import Decimal
from io import StringIO
from typing import Final

from services.billing.documents.account import Account, Calculated, StayTold, account_of
from services.billing.documents.reading import Document, Line
from services.billing.documents.swedish import clock, day
from services.billing.documents.words import KINDS
from shared.money import Money

COLUMNS: Final = (
    "Nummer",
    "Slag",
    "Rättar",
    "Månad",
    "Radtyp",
    "Rad",
    "Ärende",
    "Beskrivning",
    "Från",
    "Till",
    "Antal",
    "À-pris",
    "Belopp",
    "Varav vårdtillfället",
    "Väntedagar",
    "Betalningsdagar",
    "Inskrivningsmeddelande",
    "Utskrivningsklar",
    "Kallelse till SIP",
    "Utskriven",
    "Regel",
    "Pris enligt",
)
BYTE_ORDER_MARK: Final = "\ufeff"
# Excel takes a cell that begins with one of these for a formula, whatever stands in quotes; the wide forms too.
FORMULA: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
GUARD: Final = "'"


def spreadsheet(document: Document, calculation: Calculated | None = None) -> bytes:
    """The document as CSV: UTF-8 with byte order mark, semicolons, decimal commas; the column Belopp adds up to its amount."""
    text = StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    account = account_of(document, calculation)
    for cells in (*_lines(document), *_stays(account)):
        told = {
            "Nummer": document.number,
            "Slag": KINDS[document.kind],
            "Rättar": document.refers_to or "",
            "Månad": document.month,
            **cells,
        }
        writer.writerow([told.get(column, "") for column in COLUMNS])
    return (BYTE_ORDER_MARK + text.getvalue()).encode()


def _lines(document: Document) -> Iterable[dict[str, str]]:
    for number, line in enumerate(document.lines, start=1):
        yield {
            "Radtyp": "Fakturarad",
            "Rad": str(number),
            "Ärende": _only_case(line),
            "Beskrivning": safe(line.text),
            "Från": day(line.first),
            "Till": day(line.last),
            "Antal": _number(line.units),
            "À-pris": _kronor(line.price.money),
            "Belopp": _kronor(line.amount.money),
            "Regel": safe(line.rule_printed),
            "Pris enligt": safe(line.price_printed),
        }


def _stays(account: Account) -> Iterable[dict[str, str]]:
    for group in account.groups:
        yield from (_stay(group.title, stay) for stay in group.stays)


def _stay(title: str, stay: StayTold) -> dict[str, str]:
    return {
        "Radtyp": "Vårdtillfälle",
        "Ärende": stay.case,
        "Beskrivning": safe(". ".join(part for part in (title, stay.remark) if part)),
        "Varav vårdtillfället": "" if stay.amount is None else _kronor(stay.amount),
        "Väntedagar": str(stay.days),
        "Betalningsdagar": "" if stay.chargeable_days is None else str(stay.chargeable_days),
        "Inskrivningsmeddelande": clock(stay.admission_notice),
        "Utskrivningsklar": clock(stay.ready_notice),
        "Kallelse till SIP": clock(stay.invitation),
        "Utskriven": day(stay.ended_on),
    }


def safe(text: str) -> str:
    """The text, behind an apostrophe where a spreadsheet would take it for a formula."""
    return f"{GUARD}{text}" if text.lstrip(" \u00a0")[:1] in FORMULA else text


def _only_case(line: Line) -> str:
    """The case of a line that comes from one stay."""
    return line.stays[0].case if len(line.stays) == 1 else ""


def _kronor(money: Money) -> str:
    return str(money).replace(".", ",")


def _number(number: Decimal) -> str:
    return f"{number:f}".replace(".", ",")
