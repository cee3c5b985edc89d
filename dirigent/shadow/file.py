"""A month of today's service as a CSV file: one row a stay, one total row a municipality. Read whole, or not at all.

A value of the file never stands in what is said about it: anything may stand in the wrong column, a person's number too.
"""

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Final

from dirigent.failure import CannotStart
from shared.dates import Month
from shared.money import Money

COLUMNS: Final = ("kommun", "manad", "vardgivare", "vardtillfalle", "dagar", "raknas", "belopp")
LARGEST_FILE: Final = 64 << 20
LONGEST_LINE: Final = 1 << 12
_PLAIN: Final = str.maketrans("åäö", "aao")
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_SEPARATORS: Final = ";\t"
_YES: Final = frozenset({"ja", "j", "yes", "1", "sant", "true"})
_NO: Final = frozenset({"nej", "n", "no", "0", "falskt", "false"})
_MUNICIPALITY: Final = re.compile(r"\d{3,4}", re.ASCII)
_PROVIDER: Final = re.compile(r"[\w:.\-]{1,200}")
_STAY: Final = re.compile(r"\S{1,200}")
_BLANKS: Final = dict.fromkeys(map(ord, " \u00a0\u202f"))
_DAYS: Final = re.compile(r"\d{1,6}([.,]\d{1,6})?", re.ASCII)
_AMOUNT: Final = re.compile(r"\d{1,11}([.,]\d{1,2})?", re.ASCII)
# A blank between thousands, where a spreadsheet puts it; a point or comma there could as well be the decimals.
_GROUPED: Final = re.compile(r"\d{1,3}([ \u00a0\u202f]\d{3})*([.,]\d{1,2})?|\d+([.,]\d{1,2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row: its line, the column, and a code."""

    line: int
    column: str
    code: str


class UnreadableRows(Exception):
    """Some rows cannot be compared; nothing was."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(f"{len(faults)} rows")
        self.faults = sorted(faults, key=lambda fault: fault.line)


@dataclass(frozen=True, slots=True)
class StayRow:
    """One stay, by the ward's own id."""

    line: int
    municipality: str
    provider: str
    stay: str
    days: int
    counted: bool
    amount: Money | None


@dataclass(frozen=True, slots=True)
class TotalRow:
    """What a municipality is charged."""

    line: int
    municipality: str
    days: Fraction
    amount: Money


@dataclass(slots=True)
class MonthFile:
    """Everything the file says of one month."""

    month: Month
    sha256: str
    stays: list[StayRow] = field(default_factory=list)
    totals: list[TotalRow] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows are compared."""
        return len(self.stays) + len(self.totals)


class _Wrong(Exception):
    """One cell that cannot be read."""

    def __init__(self, column: str, code: str) -> None:
        super().__init__(code)
        self.column = column
        self.code = code


def read_month(path: Path, wanted: Month | None = None) -> MonthFile:
    """Read a file; with `wanted` only the rows of that month, otherwise all rows must be of one.

    Raises:
        CannotStart: It is no such file.
        UnreadableRows: Some rows cannot be read; each is named by its line.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise CannotStart(f"{path}: larger than {LARGEST_FILE >> 20} MB")
        raw = path.read_bytes()
    except OSError as error:
        raise CannotStart(f"{path}: {error.strerror}") from None
    lines = _text(path, raw).split("\n")
    separator, names = _heading(path, lines[0])
    faults: list[Fault] = []
    read: list[tuple[Month, StayRow | TotalRow]] = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            cells = _cells(line.rstrip("\r"), separator, names)
            if cells:
                read.append(_row(number, cells))
        except _Wrong as wrong:
            faults.append(Fault(number, wrong.column, wrong.code))
    if faults:
        raise UnreadableRows(faults)
    return _month(path, hashlib.sha256(raw).hexdigest(), read, wanted)


def _text(path: Path, raw: bytes) -> str:
    """UTF-8 where it is, otherwise Windows-1252, which is what a Swedish spreadsheet writes."""
    if raw.startswith(_UTF16_MARKS) or b"\0" in raw:
        raise CannotStart(f"{path}: neither UTF-8 nor Windows-1252; save it as CSV UTF-8")
    try:
        return raw.removeprefix(_UTF8_MARK).decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        raise CannotStart(f"{path}: neither UTF-8 nor Windows-1252; save it as CSV UTF-8") from None


def _heading(path: Path, line: str) -> tuple[str, list[str]]:
    separator = max(_SEPARATORS, key=line.count)
    names = [name.strip().strip('"').lower().translate(_PLAIN) for name in line.rstrip("\r").split(separator)]
    if sorted(names) != sorted(COLUMNS):
        # Not by name: a file without a heading may have a person there.
        raise CannotStart(f"{path}: the first line must name these columns, apart by semicolons: {';'.join(COLUMNS)}")
    return separator, names


def _cells(line: str, separator: str, names: list[str]) -> dict[str, str]:
    if len(line) > LONGEST_LINE:
        raise _Wrong("", "too_long")
    try:
        told = [cell.strip() for cell in next(csv.reader([line], delimiter=separator, strict=True), [])]
    except csv.Error:
        raise _Wrong("", "quotation") from None
    if any(told[len(names) :]):
        raise _Wrong("", "too_many_cells")
    return dict(zip(names, told, strict=False)) if any(told) else {}


def _row(line: int, cells: Mapping[str, str]) -> tuple[Month, StayRow | TotalRow]:
    municipality, month = _municipality(cells), _month_of(cells)
    if not cells.get("vardgivare") and not cells.get("vardtillfalle"):
        if cells.get("raknas"):
            raise _Wrong("raknas", "counts_unexpected")
        amount = _amount(cells)
        if amount is None:
            raise _Wrong("belopp", "missing")
        return month, TotalRow(line, municipality, _days(cells), amount)
    days = _days(cells)
    if days.denominator != 1:
        raise _Wrong("dagar", "days_fraction")
    provider = _matching(cells, "vardgivare", _PROVIDER, "provider_format")
    stay = _matching(cells, "vardtillfalle", _STAY, "missing")
    return month, StayRow(line, municipality, provider, stay, int(days), _counted(cells), _amount(cells))


def _municipality(cells: Mapping[str, str]) -> str:
    # A spreadsheet takes the zero from 0180.
    return _matching(cells, "kommun", _MUNICIPALITY, "municipality_format").zfill(4)


def _month_of(cells: Mapping[str, str]) -> Month:
    try:
        return Month.parse(_given(cells, "manad"))
    except ValueError:
        raise _Wrong("manad", "month_format") from None


def _days(cells: Mapping[str, str]) -> Fraction:
    return Fraction(_matching(cells, "dagar", _DAYS, "days_format").replace(",", "."))


def _counted(cells: Mapping[str, str]) -> bool:
    word = _given(cells, "raknas").lower()
    if word not in _YES | _NO:
        raise _Wrong("raknas", "yes_or_no")
    return word in _YES


def _amount(cells: Mapping[str, str]) -> Money | None:
    """Kronor with decimal comma or point; blanks may stand between thousands. None where nothing stands."""
    told = cells.get("belopp", "")
    if not told:
        return None
    plain = told.translate(_BLANKS)
    if not _GROUPED.fullmatch(told) or not _AMOUNT.fullmatch(plain):
        raise _Wrong("belopp", "amount_format")
    return Money.of_kronor(Decimal(plain.replace(",", ".")))


def _given(cells: Mapping[str, str], column: str) -> str:
    if not cells.get(column):
        raise _Wrong(column, "missing")
    return cells[column]


def _matching(cells: Mapping[str, str], column: str, form: "re.Pattern[str]", code: str) -> str:
    told = _given(cells, column)
    if not form.fullmatch(told):
        raise _Wrong(column, code)
    return told


def _month(path: Path, sha256: str, read: list[tuple[Month, StayRow | TotalRow]], wanted: Month | None) -> MonthFile:
    """The rows of one month, none twice, each municipality with its total."""
    if not read:
        raise CannotStart(f"{path}: no rows")
    found = MonthFile(wanted or read[0][0], sha256)
    faults: list[Fault] = []
    seen: set[object] = set()
    for month, row in read:
        if month != found.month:
            faults += [] if wanted else [Fault(row.line, "manad", "month_other")]
        elif isinstance(row, TotalRow):
            faults += [Fault(row.line, "kommun", "repeated")] if row.municipality in seen else []
            seen.add(row.municipality)
            found.totals.append(row)
        else:
            faults += [Fault(row.line, "vardtillfalle", "repeated")] if (row.provider, row.stay) in seen else []
            seen.add((row.provider, row.stay))
            found.stays.append(row)
    faults += _without_total(found)
    if faults:
        raise UnreadableRows(faults)
    if not found.rows:
        raise CannotStart(f"{path}: no rows of {found.month}")
    return found


def _without_total(found: MonthFile) -> Iterator[Fault]:
    known = {total.municipality for total in found.totals}
    for stay in found.stays:
        if stay.municipality not in known:
            known.add(stay.municipality)
            yield Fault(stay.line, "kommun", "total_missing")
