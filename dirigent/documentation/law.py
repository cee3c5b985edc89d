"""`docs/law.md`: from each paragraph to the functions that carry it out and the tests that try them; and every number of the law."""

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from dirigent.documentation.markdown import NOTE, link, table
from dirigent.documentation.reach import Reached, reached_by_tests
from dirigent.documentation.sources import ROOT, Cited, Paragraph, cited_by_code
from services.billing.domain.reasons import SOURCES
from services.planning.domain.notices import LEGAL_BASIS

TITLES: Final = {
    "2017:612": "Lag (2017:612) om samverkan vid utskrivning från sluten hälso- och sjukvård",
    "1930:173": "Lag (1930:173) om beräkning av lagstadgad tid",
    "2009:400": "Offentlighets- och sekretesslagen (2009:400)",
    "2023:200": "Mervärdesskattelagen (2023:200)",
}
HEAD: Final = ("Rule", "Function", "Tests")

INTRODUCTION: Final = """\
Every rule is a function whose docstring has a `Source:` section; this page is read out of those sections. A test stands here
when it calls the rule; "through" names the nearest caller that tests call instead. Our own rules are written out in
[rules.md](rules.md).

Marks of the numbers: **L** statute, never configurable · **A** agreement or published practice · **D** our default where no public
source was found.
"""


def law_page() -> str:
    """The whole page.

    Raises:
        KeyError: A law is cited whose title stands nowhere; add it to `TITLES`.
    """
    cited = cited_by_code()
    parts = [f"# The law in the code\n\n{NOTE}\n\n{INTRODUCTION}"]
    laws = sorted({paragraph.law for one in cited for paragraph in one.paragraphs}, key=list(TITLES).index)
    parts += [f"## {TITLES[law]}\n\n{_paragraphs(cited, law)}" for law in laws]
    parts.append(f"## Agreements, switches and rules of our own\n\n{table(('Source', *HEAD), _others(cited))}")
    parts.append(f"## What each notice rests on\n\n{table(('Notice', 'Legal basis'), _notices())}")
    parts.append(f"## Why a stay is not charged, or is held\n\n{table(('Reason', 'Source'), ((f'`{r}`', s) for r, s in SOURCES.items()))}")
    parts += [f"## Numbers: `{path.name}`\n\n{_numbers(path)}" for path in _data_files()]
    return "\n".join(parts)


def _paragraphs(cited: list[Cited], law: str) -> str:
    by_paragraph: defaultdict[Paragraph, list[Cited]] = defaultdict(list)
    for one in cited:
        for paragraph in one.paragraphs:
            if paragraph.law == law:
                by_paragraph[paragraph].append(one)
    rows = [(str(paragraph), *_cells(one)) for paragraph in sorted(by_paragraph) for one in by_paragraph[paragraph]]
    return table(("Paragraph", *HEAD), rows)


def _others(cited: list[Cited]) -> Iterator[tuple[str, ...]]:
    yield from sorted((other, *_cells(one)) for one in cited for other in one.others)


def _cells(one: Cited) -> tuple[str, str, str]:
    module = one.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return one.summary, link(one.path, f"`{one.name}`"), _tests(reached_by_tests((module, one.owner)))


def _tests(reached: Reached) -> str:
    """The files of tests that call the rule itself; else what they call to reach it, whose own row names the files."""
    if reached.through:
        return "through " + ", ".join(f"`{name}`" for name in reached.through)
    return " · ".join(link(path, Path(path).name) for path in reached.files) or "through the public interface"


def _notices() -> Iterator[tuple[str, str]]:
    for kind, basis in LEGAL_BASIS.items():
        yield f"`{kind}`", basis or "– (the statute is silent)"


def _data_files() -> list[Path]:
    billing = ROOT / "services" / "billing"
    return [billing / "statute.toml", *sorted((billing / "agreements").glob("*.toml")), billing / "tariffs.toml"]


def _numbers(path: Path) -> str:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    heading = f"{content['title']}\n\n" if "title" in content else ""
    return heading + table(("In force", "Name", "Value", "Unit", "Mark", "Source"), _values(content, ""))


def _values(content: dict[str, Any], period: str) -> Iterator[tuple[str, ...]]:
    """Every value that stands with unit, mark and source, and every price that is known to be missing."""
    first, last = content.get("first"), content.get("last")
    period = f"{first} – {last or ''}" if first else period
    if "missing" in content:
        yield period, "price", "**missing**: blocks invoicing", "SEK per care day", "", str(content["missing"])
    for name, value in content.items():
        shown = f"`{content['care_type']}` {name}" if "care_type" in content else name
        if isinstance(value, dict) and "value" in value:
            yield period, shown, _shown(value["value"]), value["unit"], value["mark"], value["source"]
        elif isinstance(value, list):
            for inner in value:
                if isinstance(inner, dict):
                    yield from _values(inner, period)


def _shown(value: Any) -> str:  # whatever TOML can hold
    if isinstance(value, list):
        return ", ".join(f"`{inner}`" for inner in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
