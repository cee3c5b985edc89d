"""`docs/problems.md`: every problem code and every code of a field, read from their catalogues."""

from collections.abc import Iterator
from typing import Final

from dirigent.documentation.markdown import NOTE, table
from shared.http.field_codes import field_codes
from shared.http.problems import catalogue

INTRODUCTION: Final = """\
Every error is `application/problem+json` (RFC 9457) and never repeats what was sent. `code` is one of the codes below, `type` opens the
page of the running gateway that explains it, in Swedish or English; `title` and `detail` come in the language of `Accept-Language`. More
codes may come: what is not known is handled by its status. With 408, 429 and 503 the same request may be sent again.
"""
FIELDS: Final = """\
Where single fields are wrong `errors` lists them: `pointer` (RFC 6901) says where in the body, or `/name` of which
parameter, and `code` says what, in one of these words. What the reader of a body finds and what a rule of ours finds is told alike.
"""


def problems_page() -> str:
    """The whole page."""
    return "\n".join(
        (
            f"# What can be wrong\n\n{NOTE}\n\n{INTRODUCTION}",
            "## Problem codes\n\n" + table(("Code", "HTTP", "What it says", "What it means"), _problems()),
            f"## Codes of a field\n\n{FIELDS}\n" + table(("Code", "Meaning", "På svenska"), _fields()),
        )
    )


def _problems() -> Iterator[tuple[str, ...]]:
    for code, problem in sorted(catalogue().items()):
        yield f"`{code}`", str(problem.status), f"{problem.title['en']} · {problem.title['sv']}", problem.meaning["en"]


def _fields() -> Iterator[tuple[str, ...]]:
    return ((f"`{code}`", field.meaning["en"], field.meaning["sv"]) for code, field in field_codes().items())
