"""The ledger as an SIE 4 voucher file (type 4I), which every Swedish accounting system imports."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.billing.documents.swedish import organisation
from shared.money import Money

CODE_PAGE: Final = "cp437"
# The receiving system gives each voucher its own next number in this series.
SERIES: Final = "D"
UNWRITABLE: Final = "?"
VERSION: Final = "1"


@dataclass(frozen=True, slots=True)
class Voucher:
    """One entry of the ledger: the day it is booked, what it is of, and its postings (debit above 0, credit below)."""

    booked_on: date
    text: str
    postings: tuple[tuple[str, Money], ...]


@dataclass(frozen=True, slots=True)
class Company:
    """Whose books these are."""

    organisation: str
    name: str


def sie(company: Company, vouchers: Sequence[Voucher], accounts: Mapping[str, str], made_on: date) -> bytes:
    """The vouchers as SIE 4I: code page 437, CRLF; a sign that the code page lacks becomes a question mark.

    Args:
        company: Whose books these are.
        vouchers: In the order of booking.
        accounts: The name of each account, where one is known.
        made_on: The day the file is made.

    Raises:
        ValueError: A voucher does not balance; such a file is refused by every receiver.
    """
    lines = [
        "#FLAGGA 0",
        f'#PROGRAM "Dirigent" {VERSION}',
        "#FORMAT PC8",
        f"#GEN {_day(made_on)}",
        "#SIETYP 4",
        f"#ORGNR {organisation(company.organisation)}",
        f"#FNAMN {_quoted(company.name)}",
    ]
    used = sorted({account for voucher in vouchers for account, _ in voucher.postings})
    lines.extend(f"#KONTO {account} {_quoted(accounts.get(account, f'Konto {account}'))}" for account in used)
    for voucher in vouchers:
        lines.extend(_voucher(voucher))
    return "".join(f"{line}\r\n" for line in lines).encode(CODE_PAGE, errors="replace")


def _voucher(voucher: Voucher) -> Iterable[str]:
    if sum(amount.ore for _, amount in voucher.postings):
        raise ValueError("a voucher balances")
    booked = _day(voucher.booked_on)
    yield f'#VER {SERIES} "" {booked} {_quoted(voucher.text)}'
    yield "{"
    for account, amount in voucher.postings:
        yield f"#TRANS {account} {{}} {amount} {booked} {_quoted(voucher.text)}"
    yield "}"


def _quoted(text: str) -> str:
    """A text field: quotes escaped, no control characters, nothing that would end the line."""
    told = "".join(sign if sign.isprintable() else UNWRITABLE for sign in text)
    return '"' + told.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _day(value: date) -> str:
    return f"{value:%Y%m%d}"
