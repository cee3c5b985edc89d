"""Which notices a subscription hears of."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from shared.identifiers import HSA_ID_PATTERN

TEST_TYPE: Final = "subscription.test"
_UNIT: Final = re.compile(HSA_ID_PATTERN)


class Member(Protocol):
    """A unit whose staff belong to a team, as the other services name it."""

    @property
    def organisation(self) -> str:
        """The organisation number it belongs to."""

    @property
    def unit(self) -> str:
        """Its HSA-id."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a subscriber wants to hear of; empty `types` or `units` mean everything it may.

    `unit_prefixes` are those of the client that subscribed: it never hears of another unit of its own organisation.
    """

    id: UUID
    organisation: str
    unit_prefixes: tuple[str, ...]
    types: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    def wants(self, organisation: str, notice_type: str, units: Collection[str]) -> bool:
        """Whether a notice that these units of an organisation may read is told to the subscriber: one of them is enough.

        Without units it stands in a mailbox of the organisation as a whole: told to whoever speaks for all of it and filters no unit.
        """
        if organisation != self.organisation or (self.types and notice_type not in self.types):
            return False
        if not units:
            return not self.units and speaks_for_all(organisation, self.unit_prefixes)
        return any(_inside(unit, self.unit_prefixes) and (not self.units or unit in self.units) for unit in units)


def readers(organisation: str, unit: str | None, members: Iterable[Member]) -> dict[str, tuple[str, ...]]:
    """Who may read what stands in a mailbox: its organisation and that of every member of the team whose it is, each with its units.

    Args:
        organisation: Whose mailbox it is.
        unit: At which unit; none: of the organisation as a whole.
        members: The units whose staff belong to the team, when it is a team's.
    """
    found: dict[str, list[str]] = {organisation: [] if unit is None else [unit]}
    for member in members:
        units = found.setdefault(member.organisation, [])
        if member.unit not in units:
            units.append(member.unit)
    return {name: tuple(units) for name, units in found.items()}


def wrong_unit(unit_prefixes: Sequence[str], unit: str) -> str | None:
    """The code of what is wrong with a unit to hear of: only a whole HSA-id names one, and it lies inside these prefixes."""
    if not _UNIT.fullmatch(unit):
        return "unit_malformed"
    return None if covers(unit_prefixes, [unit]) else "unit_not_yours"


def covers(unit_prefixes: Sequence[str], units: Sequence[str]) -> bool:
    """Whether every unit (or prefix of units) lies inside these prefixes."""
    return all(_inside(unit, unit_prefixes) for unit in units)


def speaks_for_all(organisation: str, unit_prefixes: Sequence[str]) -> bool:
    """Whether these prefixes take in every unit of an organisation."""
    return _inside(f"SE{organisation}-", unit_prefixes)


def _inside(unit: str, prefixes: Sequence[str]) -> bool:
    return any(unit.startswith(prefix) for prefix in prefixes)
