"""Reading a history file line by line, never whole: which bytes, which separator, which columns, and what each line says."""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal

from dirigent.failure import CannotStart
from dirigent.importing.history.columns import REJECTED, REQUIRED, known

Encoding = Literal["utf-8", "windows-1252"]
LONGEST_LINE: Final = 1 << 16
_MARK: Final = b"\xef\xbb\xbf"
_PIECE: Final = 1 << 20
_SEPARATORS: Final = ";,\t"


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is written, and what proves that it is the same file: its SHA-256 and how many lines it has."""

    encoding: Encoding
    separator: str
    columns: tuple[str, ...]
    sha256: str
    lines: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number, what stands in it as text, and its cells by column, or the code of why there are none."""

    number: int
    cells: dict[str, str]
    texts: tuple[str, ...] = ()
    fault: str = ""


def form_of(path: Path, encoding: Encoding) -> Form:
    """Look through a file once: its columns and what it is known by.

    Raises:
        CannotStart: It cannot be read, or its columns are not those of a history file.
    """
    digest, lines, last = hashlib.sha256(), 0, b""
    try:
        with path.open("rb") as file:
            heading = file.readline(LONGEST_LINE)
            file.seek(0)
            while piece := file.read(_PIECE):
                digest.update(piece)
                lines += piece.count(b"\n")
                last = piece
    except OSError as error:
        raise CannotStart(f"{path}: {error.strerror}") from None
    separator, columns = _heading(path, heading, encoding)
    return Form(encoding, separator, columns, digest.hexdigest(), lines + (last[-1:] != b"\n"))


def _heading(path: Path, heading: bytes, encoding: Encoding) -> tuple[str, tuple[str, ...]]:
    try:
        text = heading.removeprefix(_MARK).decode(encoding).strip("\r\n")
    except UnicodeDecodeError:
        raise CannotStart(f"{path}: the first line is not {encoding}; --encoding names another") from None
    separator = separator_of(text)
    columns = tuple(name.strip() for name in next(csv.reader([text], delimiter=separator), []))
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise CannotStart(f"{path}: columns missing: {', '.join(missing)}; docs/history.md names them all")
    unknown = [str(place) for place, name in enumerate(columns, start=1) if not known(name)]
    if unknown:
        # Not by name: a file without a heading has a person there.
        raise CannotStart(f"{path}: no such columns: number {', '.join(unknown)}; docs/history.md names them all")
    if len(set(columns)) < len(columns):
        raise CannotStart(f"{path}: a column stands twice")
    return separator, columns


def separator_of(heading: str) -> str:
    """What stands between the columns of a heading: semicolon, comma or tab."""
    return max(_SEPARATORS, key=heading.count)


def read_lines(path: Path, form: Form, *, after: int = 0) -> Iterator[Line]:
    """The lines of a file behind its heading and behind the line `after`; blank ones are passed over.

    Each line of the file is a row of its own, so that a quotation mark left open spoils one row and not the rest of the file.
    """
    with path.open("rb") as file:
        for number, raw in _raw_lines(file):
            if number > max(after, 1) and (line := _line(number, raw, form)) is not None:
                yield line


def _raw_lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Every line by its number; None in the place of one that is too long to be a row."""
    number = 0
    while raw := file.readline(LONGEST_LINE):
        number += 1
        if raw.endswith(b"\n") or len(raw) < LONGEST_LINE:
            yield number, raw
            continue
        while raw and not raw.endswith(b"\n"):
            raw = file.readline(LONGEST_LINE)
        yield number, None


def _line(number: int, raw: bytes | None, form: Form) -> Line | None:
    if raw is None:
        return Line(number, {}, fault="line_too_long")
    try:
        text = raw.decode(form.encoding).rstrip("\r\n")
    except UnicodeDecodeError:
        return Line(number, {}, fault="encoding")
    try:
        told = next(csv.reader([text], delimiter=form.separator, strict=True), [])
    except csv.Error:
        return Line(number, {}, (text,), "quotation")
    texts = tuple(cell.strip() for cell in told)
    cells = {name: cell for name, cell in zip(form.columns, texts, strict=False) if cell and name not in REJECTED}
    if any(texts[len(form.columns) :]):
        return Line(number, {}, texts, "too_many_columns")
    return Line(number, cells, texts) if cells else None
