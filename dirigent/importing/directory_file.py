"""The CSV form of the directory: one row for each organisation, unit, mailbox, member, addressing rule or duty calendar.

The columns that a kind of row uses are named in `COLUMNS`; what it does not use stays empty. A row is read by the same models that the
HTTP interface reads, so both refuse the same.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from dirigent.failure import CannotStart
from dirigent.importing.history.file import Encoding, separator_of
from services.planning.domain.duty_calendar import WEEKDAYS
from services.planning.usecases.register import (
    CalendarBody,
    Entry,
    HsaId,
    MailboxBody,
    MemberBody,
    OrganisationBody,
    OrganisationNumber,
    RecipientName,
    RuleBody,
    UnitBody,
)
from shared.http.fields import Body

_PERIOD: Final = ("valid_from", "valid_to")
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "organisation": ("id", "name", "municipality", "sub_region", *_PERIOD),
    "unit": ("id", "organisation", "name", "kind", "owner", "municipality", "sub_region", "stay_space", *_PERIOD),
    "mailbox": ("id", "function", "district"),
    "member": ("id", "unit", *_PERIOD),
    "addressing": ("id", "function", "district", "need", "care_type", "postal_code", *_PERIOD),
    "duty_calendar": ("id", "function", "district", "hours", "closed", "holidays", "outside"),
}
"""What each kind of row (column `record`) uses. `id`: organisation number, HSA-id of the unit or team, or the recipient as notices are
addressed (`municipality:CODE`, `unit:HSA-id`)."""
HEADER: Final = ("record", *dict.fromkeys(column for columns in COLUMNS.values() for column in columns))

_BODIES: Final[Mapping[str, type[Body]]] = {
    "organisation": OrganisationBody,
    "unit": UnitBody,
    "mailbox": MailboxBody,
    "member": MemberBody,
    "addressing": RuleBody,
    "duty_calendar": CalendarBody,
}
_IDS: Final[Mapping[str, TypeAdapter[str]]] = {
    "organisation": TypeAdapter(OrganisationNumber),
    "unit": TypeAdapter(HsaId),
    "mailbox": TypeAdapter(HsaId),
    "member": TypeAdapter(HsaId),
    "addressing": TypeAdapter(RecipientName),
    "duty_calendar": TypeAdapter(RecipientName),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file: its line, what it is about, and the entry it makes or the reason why it makes none."""

    line: int
    record: str
    id: str
    entry: Entry | None = None
    reason: str = ""


def read_rows(path: Path, encoding: Encoding = "utf-8") -> list[Row]:
    """Read a whole file; a row that cannot be an entry says why.

    Raises:
        CannotStart: It is no CSV file in this encoding, or a column is missing or unknown.
    """
    try:
        with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as file:
            separator = separator_of(file.readline())
            file.seek(0)
            reader = csv.DictReader(file, delimiter=separator, strict=True)
            _check_header(path, reader.fieldnames or ())
            return list(_rows(reader))
    except UnicodeDecodeError:
        raise CannotStart(f"{path}: not {encoding.upper()}; --encoding names another") from None
    except csv.Error as error:
        raise CannotStart(f"{path}: {error}") from None


def _check_header(path: Path, names: object) -> None:
    given = list(names) if isinstance(names, list | tuple) else []
    unknown = [name for name in given if name not in HEADER]
    if "record" not in given or "id" not in given or unknown:
        raise CannotStart(f"{path}: the columns must be record, id and any of {', '.join(HEADER[2:])}")


def _rows(reader: "csv.DictReader[str]") -> Iterator[Row]:
    for told in reader:
        values = {name: value.strip() for name, value in told.items() if isinstance(name, str) and value and value.strip()}
        if not values and None not in told:
            continue
        record, name = values.pop("record", ""), values.pop("id", "")
        yield _row(reader.line_num, record, name, values, too_long=None in told)


def _row(line: int, record: str, name: str, values: dict[str, str], *, too_long: bool) -> Row:
    if too_long:
        return Row(line, record, name, reason="too_many_columns")
    if record not in COLUMNS:
        return Row(line, record, name, reason="record_unknown")
    if unused := set(values) - set(COLUMNS[record]):
        return Row(line, record, name, reason=f"{min(unused)}: unexpected")
    try:
        _IDS[record].validate_python(name)
        body = _BODIES[record].model_validate(_calendar(values) if record == "duty_calendar" else values)
    except ValidationError as error:
        return Row(line, record, name, reason=_reason(error))
    except ValueError as error:
        return Row(line, record, name, reason=str(error))
    key = (name, values["function"], values.get("district", "")) if record == "duty_calendar" else _key(name, body)
    return Row(line, record, name, Entry(key, body))


def _key(name: str, body: Body) -> tuple[str, ...]:
    match body:
        case MailboxBody():
            return (name, body.function, body.district)
        case MemberBody():
            return (name, body.unit)
        case _:
            return (name,)


def _reason(error: ValidationError) -> str:
    """Where and what, never the value."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = "/".join(str(part) for part in first["loc"])
    cause = first.get("ctx", {}).get("error")
    what = str(cause) if isinstance(cause, ValueError) else first["type"]
    return f"{place}: {what}" if place else what


def _calendar(values: Mapping[str, str]) -> dict[str, Any]:
    """A duty calendar as a row has it: hours `mon 08:00-16:30, tue 08:00-12:00 13:00-16:30`, closed days apart by blanks.

    Raises:
        ValueError: The hours cannot be read, or no function is named.
    """
    if "function" not in values:
        raise ValueError("function: missing")
    weekly: dict[str, list[dict[str, str]]] = {}
    for part in filter(None, (part.strip() for part in values.get("hours", "").split(","))):
        day, *stretches = part.split()
        if day not in WEEKDAYS or not stretches:
            raise ValueError("hours: format")
        for stretch in stretches:
            start, dash, end = stretch.partition("-")
            if not dash:
                raise ValueError("hours: format")
            weekly.setdefault(day, []).append({"start": start, "end": end})
    if (holidays := values.get("holidays", "closed")) not in {"closed", "open"}:
        raise ValueError("holidays: closed_or_open")
    return {
        "weekly": weekly,
        "closed": values.get("closed", "").split(),
        "holidays_closed": holidays == "closed",
        "outside": values.get("outside"),
    }
