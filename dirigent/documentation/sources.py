"""What the docstrings of the services cite: every `Source:` section, taken apart into paragraphs of the law and other grounds."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from inspect import cleandoc
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

_SECTION: Final = re.compile(r"^Source:\n((?:[ \t]+\S.*\n?)+)", re.MULTILINE)
_NAMES: Final = "lag|mervärdesskattelagen|räntelagen|sekretesslagen|patientdatalagen|HSLF-FS"
_LAW: Final = re.compile(rf"\b(?:{_NAMES}) \((\d{{4}}:\d+)\)", re.IGNORECASE)
_CHAPTER: Final = re.compile(r"(\d+) kap\.")
_PARAGRAPHS: Final = re.compile(r"(?:[\s\d,§-]|and\b)*")
_RANGE: Final = re.compile(r"(\d+)(?:-(\d+))?")
_ALONE: Final = re.compile(r"(\d+)(?:-(\d+))? §")

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True, order=True)
class Paragraph:
    """One paragraph of a law; chapter 0 in a law without chapters, number 0 for a whole chapter."""

    law: str
    chapter: int
    number: int

    def __str__(self) -> str:
        chapter = f"{self.chapter} kap." if self.chapter else ""
        return f"{chapter} {self.number} §".strip() if self.number else chapter


@dataclass(frozen=True, slots=True)
class Cited:
    """A rule in the code and what it cites: paragraphs, and other grounds (agreement, switch, rule of our own) in their own words."""

    path: str
    name: str
    summary: str
    paragraphs: tuple[Paragraph, ...]
    others: tuple[str, ...]

    @property
    def owner(self) -> str:
        """The function or class that a test would name: of a method, its class."""
        return self.name.partition(".")[0]


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def python_files(folder: str) -> list[Path]:
    """Every Python file below a folder of the repository."""
    return sorted((ROOT / folder).rglob("*.py"))


def source_of(docstring: str) -> str | None:
    """The text of the `Source:` section, in one line; None without one."""
    found = _SECTION.search(cleandoc(docstring) + "\n")
    return " ".join(found[1].split()).removesuffix(".") if found else None


def cited_by_code() -> list[Cited]:
    """Every function, method and class of the services that cites a source, in the order of their files."""
    return [cited for path in python_files("services") for cited in _cited_in(path)]


def _cited_in(path: Path) -> Iterator[Cited]:
    for name, node in _documented(tree_of(path)):
        docstring = ast.get_docstring(node) or ""
        source = source_of(docstring)
        if source is not None:
            paragraphs, others = read_source(source)
            summary = " ".join(docstring.partition("\n\n")[0].split())
            yield Cited(path.relative_to(ROOT).as_posix(), name, summary, paragraphs, others)


def _documented(tree: ast.Module) -> Iterator[tuple[str, Documented]]:
    for node in tree.body:
        if isinstance(node, Documented):
            yield node.name, node
        if isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{inner.name}", inner) for inner in node.body if isinstance(inner, Documented))


def read_source(text: str) -> tuple[tuple[Paragraph, ...], tuple[str, ...]]:
    """Take the text of a `Source:` section apart; its parts are separated by semicolons."""
    law = ""
    paragraphs: list[Paragraph] = []
    others: list[str] = []
    for part in text.split(";"):
        named = _LAW.search(part)
        law = named[1] if named else law
        found = list(_paragraphs(law, part.replace("\N{EN DASH}", "-"))) if law and (named or "kap." in part) else []
        paragraphs += found
        if not found:
            others.append(part.strip())
    return tuple(dict.fromkeys(paragraphs)), tuple(others)


def _paragraphs(law: str, part: str) -> Iterator[Paragraph]:
    chapters = list(_CHAPTER.finditer(part))
    if not chapters:
        alone = _ALONE.search(part)
        yield from (Paragraph(law, 0, number) for number in _numbers(alone)) if alone else ()
    for index, chapter in enumerate(chapters):
        rest = part[chapter.end() : chapters[index + 1].start() if index + 1 < len(chapters) else None]
        listed = _PARAGRAPHS.match(rest)
        numbers = [number for found in _RANGE.finditer(listed[0]) for number in _numbers(found)] if listed else []
        yield from (Paragraph(law, int(chapter[1]), number) for number in numbers or [0])


def _numbers(found: re.Match[str]) -> range:
    return range(int(found[1]), int(found[2] or found[1]) + 1)
