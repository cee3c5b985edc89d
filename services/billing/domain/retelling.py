"""Everything a month was calculated from, told as canonical JSON and read back exactly.

One way to tell each kind of value, derived from the types of the frozen dataclasses: a field that is added to a stay or to an
agreement is told without a change here. What was told before the field existed is read with the field's default.
"""

import json
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from fractions import Fraction
from functools import cache, lru_cache
from hashlib import sha256
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from services.billing.domain.identity import Json
from services.billing.domain.month import MonthInputs, RuleBook
from shared.dates import Month, format_instant, parse_day, parse_instant
from shared.money import Money

Teller = Callable[[Any], str]
Reader = Callable[[Json], Any]
_MICROSECOND: Final = timedelta(microseconds=1)
_BOOKS_KEPT: Final = 16


class Unreadable(ValueError):
    """What was told cannot be read back; `where` is the place in it (RFC 6901)."""

    def __init__(self, why: str, where: str = "") -> None:
        super().__init__(f"{where or '/'}: {why}")
        self.why = why
        self.where = where

    def inside(self, step: str | int) -> "Unreadable":
        """The same fault, seen from one level further out."""
        return Unreadable(self.why, f"/{step}{self.where}")


def inputs_text(inputs: MonthInputs) -> str:
    """The whole of what a month is calculated from, as canonical JSON (RFC 8785); `inputs_of` reads it back to an equal value."""
    told = {
        name: _book_text(getattr(inputs, name)) if kind is RuleBook else _teller(kind)(getattr(inputs, name))
        for name, kind in sorted(_kinds(MonthInputs).items())
    }
    return "{" + ",".join(f'"{name}":{text}' for name, text in told.items()) + "}"


def inputs_of(text: str) -> MonthInputs:
    """Read what `inputs_text` wrote.

    Raises:
        Unreadable: It is no such text, or something in it is none of ours.
    """
    try:
        told = json.loads(text)
    except ValueError as error:
        raise Unreadable("not JSON") from error
    found = read_back(MonthInputs, told)
    if not isinstance(found, MonthInputs):
        raise Unreadable("not the inputs of a month")
    return found


def inputs_fingerprint(text: str) -> str:
    """SHA-256 of told inputs, in lower-case hexadecimal."""
    return sha256(text.encode()).hexdigest()


def tell(value: object) -> Json:
    """One frozen dataclass as plain JSON: every field by its name, nothing left out."""
    kind: Any = type(value)
    told: Json = json.loads(_teller(kind)(value))
    return told


def read_back(kind: Any, told: Json) -> object:
    """The frozen dataclass that `tell` told.

    Raises:
        Unreadable: It is none: a field is unknown, missing, or of another form.
    """
    return _reader(kind)(told)


# The same book serves every municipality of a month: told once.
@lru_cache(maxsize=_BOOKS_KEPT)
def _book_text(book: RuleBook) -> str:
    return _teller(RuleBook)(book)


@cache
def _kinds(kind: Any) -> dict[str, Any]:
    """The fields of a dataclass with their types."""
    hints = get_type_hints(kind)
    return {one.name: hints[one.name] for one in fields(kind)}


@cache
def _teller(kind: Any) -> Teller:
    """How values of a type are told.

    Raises:
        TypeError: There is no one way to tell it.
    """
    if kind in _SCALARS:
        return _SCALARS[kind][0]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum_text
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass_teller(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return _optional_teller(_only(kind, inner))
    if origin is tuple and inner[1:] == (...,):
        return _tuple_teller(inner[0])
    if origin is tuple:
        return _row_teller(inner)
    if origin is frozenset:
        return _set_teller(inner[0])
    raise TypeError(f"no one way to tell {kind}")


@cache
def _reader(kind: Any) -> Reader:
    """How values of a type are read back; the twin of `_teller`."""
    if kind in _SCALARS:
        return _scalar_reader(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum_reader(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass_reader(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return _optional_reader(_only(kind, inner))
    if origin is tuple and inner[1:] == (...,):
        return _list_reader(inner[0], tuple)
    if origin is tuple:
        return _row_reader(inner)
    if origin is frozenset:
        return _list_reader(inner[0], frozenset)
    raise TypeError(f"no one way to read {kind}")


def _only(kind: Any, inner: tuple[Any, ...]) -> Any:
    """The one type beside None."""
    known = [one for one in inner if one is not NoneType]
    if len(known) != 1 or len(known) == len(inner):
        raise TypeError(f"no one way to tell {kind}")
    return known[0]


def _dataclass_teller(kind: Any) -> Teller:
    tellers = {name: _teller(inner) for name, inner in sorted(_kinds(kind).items())}
    values, each = attrgetter(*tellers), tuple(tellers.values())
    form = "{" + ",".join(f'"{name}":%s' for name in tellers) + "}"
    if len(each) == 1:
        return lambda value: form % each[0](values(value))
    return lambda value: form % tuple(teller(one) for teller, one in zip(each, values(value), strict=True))


def _dataclass_reader(kind: Any) -> Reader:
    known = {one.name: one for one in fields(kind)}

    def found(told: Json) -> Any:
        if not isinstance(told, dict):
            raise Unreadable("not an object")
        values = {}
        for name, inner in told.items():
            if name not in known:
                raise Unreadable("not known here").inside(name)
            try:
                values[name] = _reader(_kinds(kind)[name])(inner)
            except Unreadable as error:
                raise error.inside(name) from error
        missing = next((name for name, one in known.items() if name not in values and not _has_default(one)), None)
        if missing is not None:
            raise Unreadable("missing").inside(missing)
        try:
            return kind(**values)
        except ValueError as error:
            raise Unreadable(str(error)) from error

    return found


def _has_default(one: Field[Any]) -> bool:
    return one.default is not MISSING or one.default_factory is not MISSING


def _optional_teller(inner: Any) -> Teller:
    teller = _teller(inner)
    return lambda value: "null" if value is None else teller(value)


def _optional_reader(inner: Any) -> Reader:
    reader = _reader(inner)
    return lambda told: None if told is None else reader(told)


def _tuple_teller(inner: Any) -> Teller:
    teller = _teller(inner)
    return lambda value: "[" + ",".join([teller(one) for one in value]) + "]" if value else "[]"


def _set_teller(inner: Any) -> Teller:
    teller = _teller(inner)
    return lambda value: "[" + ",".join(sorted([teller(one) for one in value])) + "]" if value else "[]"


def _list_reader(inner: Any, kind: type[tuple[Any, ...]] | type[frozenset[Any]]) -> Reader:
    reader = _reader(inner)

    def found(told: Json) -> Any:
        if not isinstance(told, list):
            raise Unreadable("not a list")
        return kind([_item(reader, one, index) for index, one in enumerate(told)])

    return found


def _row_teller(inner: tuple[Any, ...]) -> Teller:
    tellers = [_teller(one) for one in inner]
    return lambda value: "[" + ",".join([teller(one) for teller, one in zip(tellers, value, strict=True)]) + "]"


def _row_reader(inner: tuple[Any, ...]) -> Reader:
    readers = [_reader(one) for one in inner]

    def found(told: Json) -> Any:
        if not isinstance(told, list) or len(told) != len(readers):
            raise Unreadable(f"not a list of {len(readers)}")
        return tuple(_item(reader, one, index) for index, (reader, one) in enumerate(zip(readers, told, strict=True)))

    return found


def _item(reader: Reader, told: Json, index: int) -> Any:
    try:
        return reader(told)
    except Unreadable as error:
        raise error.inside(index) from error


def _enum_text(value: Enum) -> str:
    return _text(value.value)


def _enum_reader(kind: type[Enum]) -> Reader:
    by_value = {one.value: one for one in kind}

    def found(told: Json) -> Any:
        if not isinstance(told, str) or told not in by_value:
            raise Unreadable("not one of the choices")
        return by_value[told]

    return found


def _scalar_reader(kind: Any) -> Reader:
    shape, parse = _SCALARS[kind][1], _SCALARS[kind][2]

    def found(told: Json) -> Any:
        # Truth is a whole number to Python, and to nobody else.
        if type(told) is not shape:
            raise Unreadable(f"not a {kind.__name__}")
        try:
            value = parse(told)
        except (ValueError, ZeroDivisionError, OverflowError) as error:
            raise Unreadable(f"not a {kind.__name__}") from error
        return value

    return found


def _quoted(plain: Callable[[Any], str]) -> Teller:
    """Told as a text in which nothing needs an escape."""
    return lambda value: f'"{plain(value)}"'


_text: Final = json.JSONEncoder(ensure_ascii=False).encode
_SCALARS: Final[dict[Any, tuple[Teller, type[Any], Callable[[Any], Any]]]] = {
    str: (_text, str, str),
    bool: (lambda value: "true" if value else "false", bool, bool),
    int: (str, int, int),
    date: (_quoted(date.isoformat), str, parse_day),
    datetime: (_quoted(format_instant), str, parse_instant),
    time: (_quoted(time.isoformat), str, time.fromisoformat),
    timedelta: (lambda value: str(value // _MICROSECOND), int, lambda number: number * _MICROSECOND),
    Fraction: (_quoted(str), str, Fraction),
    UUID: (_quoted(str), str, UUID),
    Month: (_quoted(str), str, Month.parse),
    Money: (_quoted(str), str, Money.of_kronor),
}
