"""The roles that staff can hold, read from `roles.toml`, and what a commission in one of them allows."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    names: Mapping[str, str] = field(default_factory=dict, compare=False)
    """What people call the organisation and its units, by number or HSA-id, where anybody said; shown and nothing else."""

    @property
    def organisation_name(self) -> str | None:
        """What people call the organisation."""
        return self.names.get(self.organisation)

    @property
    def is_whole(self) -> bool:
        """Whether it is for the whole organisation."""
        return self.units == (f"SE{self.organisation}-",)

    @property
    def place(self) -> str | None:
        """Where, in words: the units, or the organisation when it is for the whole of it; none unless everything has a name."""
        if self.is_whole:
            return self.organisation_name
        named = [self.names[unit] for unit in self.units if unit in self.names]
        return ", ".join(named) if len(named) == len(self.units) else None

    def as_row(self) -> dict[str, Any]:
        """As it is kept with a session."""
        return {
            "organisation": self.organisation,
            "units": list(self.units),
            "role": self.role,
            "acts_as": self.acts_as,
            "municipality": self.municipality,
            "names": dict(self.names),
        }

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "Commission":
        """What was kept; sessions from before there were names hold none."""
        units = tuple(row["units"])
        return cls(row["organisation"], units, row["role"], row["acts_as"], row["municipality"], row.get("names", {}))


@cache
def staff_roles() -> Mapping[str, StaffRole]:
    """The whole table by key."""
    rows = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return {
        key: StaffRole(key, {"sv": row["sv"], "en": row["en"]}, row["acts_as"], tuple(row["scopes"]), row["units"] == "named")
        for key, row in rows.items()
    }
