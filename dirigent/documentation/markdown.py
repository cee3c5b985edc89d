"""The little Markdown that the generated pages need."""

from collections.abc import Iterable, Sequence

NOTE = "<!-- Written by `python -m dirigent.documentation` from the code; a test compares. Do not edit. -->"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; bars and line breaks in cells are made harmless."""
    lines = [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def link(path: str, text: str) -> str:
    """A link from a page in `docs/` to a file of the repository."""
    return f"[{text}](../{path})"
