"""`docs/law.md`: from each paragraph to the functions that carry it out and the tests that try them; and every number of the law."""

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dirigent.documentation.markdown import NOTE, link, table
from dirigent.documentation.reach import Reached, reached_by_tests
from dirigent.documentation.sources import ROOT, Cited, Paragraph, cited_by_code, read_source
from services.billing.domain.reasons import SOURCES
from services.planning.domain.notices import LEGAL_BASIS

THE_STATUTE: Final = "2017:612"
STATUTE: Final = Path(__file__).with_name("statute.toml")
TITLES: Final = {
    "2017:612": "Lag (2017:612) om samverkan vid utskrivning från sluten hälso- och sjukvård",
    "1930:173": "Lag (1930:173) om beräkning av lagstadgad tid",
    "2009:400": "Offentlighets- och sekretesslagen (2009:400)",
    "2008:355": "Patientdatalagen (2008:355)",
    "2016:40": "Socialstyrelsens föreskrifter HSLF-FS 2016:40 om journalföring och behandling av personuppgifter",
    "1975:635": "Räntelagen (1975:635)",
    "2023:200": "Mervärdesskattelagen (2023:200)",
}
HEAD: Final = ("Rule", "Function", "Tests")

INTRODUCTION: Final = """\
Every rule is a function whose docstring has a `Source:` section; this page is read out of those sections. A test stands here
when it calls the rule; "through" names the nearest caller, or the route, that these tests call instead. Our own rules are written
out in [rules.md](rules.md). The first table maps every paragraph of chapters 2–5 of the statute; a test fails when one of them has
neither function and test nor a reason to need none.

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
    parts.append(f"## Every paragraph of chapters 2–5\n\n{table(('Paragraph', 'What it says', 'Functions', 'Tests'), _statute(cited))}")
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


@dataclass(frozen=True, slots=True)
class Provision:
    """A paragraph of chapters 2–5 of the statute: its subject in our words, and why it needs no function, if it needs none."""

    paragraph: Paragraph
    subject: str
    without: str = ""
    second_hand: bool = False


def provisions() -> list[Provision]:
    """Every paragraph of chapters 2–5 of the statute, as the data beside this module lists them."""
    listed = tomllib.loads(STATUTE.read_text(encoding="utf-8"))["paragraph"]
    return [
        Provision(_paragraph(one["number"]), one["subject"], one.get("without", ""), second_hand=one.get("second_hand", False))
        for one in listed
    ]


def _paragraph(number: str) -> Paragraph:
    ((paragraph,), _) = read_source(f"Lag ({THE_STATUTE}) {number}")
    return paragraph


def carried_out(paragraph: Paragraph, cited: list[Cited]) -> list[tuple[Cited, Reached]]:
    """The functions that cite a paragraph, each with the tests that reach it."""
    return [(one, _reached(one)) for one in cited if paragraph in one.paragraphs]


def _statute(cited: list[Cited]) -> Iterator[tuple[str, ...]]:
    for one in provisions():
        found = carried_out(one.paragraph, cited)
        number = f"{one.paragraph}{' (number second-hand)' if one.second_hand else ''}"
        tests = sorted({file for _, reached in found for file in reached.files})
        functions = ", ".join(dict.fromkeys(f"`{function.name}`" for function, _ in found)) or "–"
        yield number, one.subject, functions, one.without or f"{len(tests)} files, see below"


def _others(cited: list[Cited]) -> Iterator[tuple[str, ...]]:
    yield from sorted((other, *_cells(one)) for one in cited for other in one.others)


def _reached(one: Cited) -> Reached:
    module = one.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return reached_by_tests((module, one.owner))


def _cells(one: Cited) -> tuple[str, str, str]:
    return one.summary, link(one.path, f"`{one.name}`"), _tests(_reached(one))


def _tests(reached: Reached) -> str:
    """The files of the tests nearest to the rule, and what they call when it is not the rule itself."""
    files = " · ".join(link(path, Path(path).name) for path in reached.files)
    return f"through {', '.join(f'`{name}`' for name in reached.through)}: {files}" if reached.through else files


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
