"""The roles that staff can hold, read from `roles.toml`, and what a commission in one of them allows."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

_TABLE: Final = Path(__file__).with_name("roles.toml")


@dataclass(frozen=True, slots=True)
class StaffRole:
    """One role: its names by language, the role a token says by kind of organisation, its scopes."""

    key: str
    names: Mapping[str, str]
    acts_as: Mapping[str, str]
    scopes: tuple[str, ...]
    needs_unit: bool


@dataclass(frozen=True, slots=True)
class Commission:
    """What one person does for one organisation: in which units, in which role (a key of the table)."""

    organisation: str
    units: tuple[str, ...]
    role: str
    acts_as: str
    municipality: str | None = None

    def as_row(self) -> dict[str, Any]:
        """As it is kept with a session."""
        return {
            "organisation": self.organisation,
            "units": list(self.units),
            "role": self.role,
            "acts_as": self.acts_as,
            "municipality": self.municipality,
        }

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "Commission":
        """What was kept."""
        return cls(row["organisation"], tuple(row["units"]), row["role"], row["acts_as"], row["municipality"])


@cache
def staff_roles() -> Mapping[str, StaffRole]:
    """The whole table by key."""
    rows = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return {
        key: StaffRole(key, {"sv": row["sv"], "en": row["en"]}, row["acts_as"], tuple(row["scopes"]), row["units"] == "named")
        for key, row in rows.items()
    }
