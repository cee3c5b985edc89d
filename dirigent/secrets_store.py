"""The passwords and keys Dirigent makes for itself, in one file that only its owner can read."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from dirigent.databases import SERVICES
from dirigent.failure import CannotStart

_BYTES: Final = 24
_SERVICE_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """Everything secret that is not a signing key; all hexadecimal, so that no address or statement has to quote it."""

    postgres: str
    owner: str
    apps: dict[str, str]
    redis: str
    service_key: str

    @classmethod
    def fresh(cls) -> Self:
        """New secrets from the operating system's random source."""
        return cls(
            postgres=secrets.token_hex(_BYTES),
            owner=secrets.token_hex(_BYTES),
            apps={service: secrets.token_hex(_BYTES) for service in SERVICES},
            redis=secrets.token_hex(_BYTES),
            service_key=secrets.token_hex(_SERVICE_KEY_BYTES),
        )


def load_or_make(file: Path) -> Secrets:
    """Read the secrets of a data folder, or make them the first time.

    Raises:
        CannotStart: The file is there but cannot be understood; new secrets would not fit the data beside it.
    """
    try:
        return Secrets(**json.loads(file.read_bytes()))
    except FileNotFoundError:
        made = Secrets.fresh()
        write_private(file, json.dumps(asdict(made), indent=1))
        return made
    except (OSError, ValueError, TypeError):
        raise CannotStart(f"{file} cannot be read as the secrets of this data folder; restore it from a backup") from None


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, wholly or not at all, and on disk when this returns."""
    part = file.with_name(f"{file.name}.part-{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    part.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
