"""What can be wrong with one field: the list of every `errors[].code`, and our words for what the reader of bodies calls it.

The list `field_codes.toml` beside this file holds every code with its meaning in both languages.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

INVALID: Final = "invalid"
"""The word for what has none."""
_LIST: Final = Path(__file__).with_name("field_codes.toml")
_OWN_CODE: Final = "value_error"


@dataclass(frozen=True, slots=True)
class FieldCode:
    """One row of the list: what the code means, in both languages, and what pydantic calls the same."""

    code: str
    meaning: Mapping[str, str]
    pydantic: tuple[str, ...] = ()


@cache
def field_codes() -> Mapping[str, FieldCode]:
    """Every code that can be said of a field."""
    rows = tomllib.loads(_LIST.read_text(encoding="utf-8"))
    return {code: FieldCode(code, {"en": row["en"], "sv": row["sv"]}, tuple(row.get("pydantic", ()))) for code, row in rows.items()}


def listed(code: str) -> str:
    """A code as it may leave: itself, or `invalid` when it is not in the list; whatever it is, it may hold what was sent."""
    return code if code in field_codes() else INVALID


def our_word(kind: str, said: str = "") -> str:
    """What pydantic found, in a word of the list.

    Args:
        kind: The type of its error.
        said: What a check of our own raised, if one did.
    """
    return listed(said if kind == _OWN_CODE else _by_pydantic().get(kind, kind))


@cache
def _by_pydantic() -> Mapping[str, str]:
    return {name: code for code, row in field_codes().items() for name in row.pydantic}
