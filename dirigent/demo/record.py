"""demo.json in the data folder: what was played into it, so that a second start is warm and nothing is played twice."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from dirigent.failure import CannotStart

FILE_NAME: Final = "demo.json"


@dataclass(frozen=True, slots=True)
class Played:
    """A demo that a data folder holds; `complete` once every check in it held."""

    month: str
    seed: int
    stays: int
    complete: bool = False


def read_played(data: Path) -> Played | None:
    """What was played into a folder, or begun to be; None for a new one."""
    try:
        return Played(**json.loads((data / FILE_NAME).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise CannotStart(f"{data / FILE_NAME} cannot be read; choose another --data") from error


def write_played(data: Path, played: Played) -> None:
    """Note it; renamed into place, so that a crash leaves the old note or the new one."""
    part = data / f"{FILE_NAME}.part"
    part.write_text(json.dumps(asdict(played), indent=2) + "\n", encoding="utf-8")
    part.replace(data / FILE_NAME)


def refuse_another(data: Path, known: Played, month: str | None, seed: int | None, stays: int | None) -> None:
    """Refuse to mix two demos in one folder: its sums would be those of neither.

    Raises:
        CannotStart: The folder holds a demo with other arguments than those given.
    """
    given = {"month": month, "seed": seed, "stays": stays}
    if any(value is not None and value != getattr(known, name) for name, value in given.items()):
        told = f"--month {known.month} --seed {known.seed} --stays {known.stays}"
        raise CannotStart(f"{data} already holds the demo {told}; choose another --data, or make clean")
