"""Replacing the key that seals persons while everything runs, and erasing who is kept longer than she may be."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.planning.repository import persons
from services.planning.repository import resealing as rows
from services.planning.vault import person_vault
from shared.db import Work

AT_ONCE: Final = 200
PLACES: Final = rows.PLACES


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One key, or what stands in its place: how many rows it sealed, by place, and whether it may leave the ring."""

    key: str
    rows: dict[str, int]
    on_ring: bool
    seals: bool

    @property
    def may_go(self) -> bool:
        """Whether nothing needs it."""
        return self.on_ring and not self.seals and not self.rows


async def seal_some(work: Work, place: rows.Place, limit: int = AT_ONCE) -> bool:
    """Seal some rows of one place with the key that seals now, whatever sealed them before; whether that was the end of them."""
    _, finished = await rows.seal_some(work, place, limit)
    return finished


async def look_again(work: Work) -> None:
    """Begin once more with every place."""
    await rows.begin_anew(work)


async def key_use(work: Work) -> list[KeyUse]:
    """How much each key sealed; the keys of the ring first, in its order."""
    vault, used = person_vault(), await rows.keys_in_use(work)
    names = [*vault.names, *sorted({key for place in used.values() for key in place} - set(vault.names))]
    return [
        KeyUse(
            name,
            {place: counted[name] for place, counted in used.items() if name in counted},
            on_ring=name in vault.names,
            seals=name == vault.first,
        )
        for name in names
    ]


async def persons_that_do_not_open(work: Work) -> list[str]:
    """Every row whose person cannot be opened with the ring at hand."""
    return await rows.unopened(work, AT_ONCE)


def kept_since(at: datetime, years: int) -> datetime:
    """The instant before which a case that is over must have changed last to be kept no longer."""
    try:
        return at.replace(year=at.year - years)
    except ValueError:  # 29 February
        return at.replace(year=at.year - years, day=at.day - 1)


@dataclass(frozen=True, slots=True)
class Outlived:
    """How many cases and plans without a stay `erase_outlived` would erase."""

    cases: int
    plans: int


async def count_outlived(work: Work, before: datetime) -> Outlived:
    """Of how many cases, and plans without a stay, who the patients were would be erased."""
    return Outlived(*await persons.count_outlived(work, before))
