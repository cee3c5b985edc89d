"""The passwords and keys Dirigent makes for itself, in one file that only its owner can read."""

import json
import os
import secrets
from base64 import b64encode
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from dirigent.databases import SERVICES
from dirigent.failure import CannotStart

_BYTES: Final = 24
_SERVICE_KEY_BYTES: Final = 32
_PERSON_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """Everything secret that is not a signing key; passwords hexadecimal, so that no address or statement has to quote them.

    `person_keys` and `person_lookup_key`: what planning seals persons and finds them with (see `services.planning.vault`). Without
    them nobody can read who the patients were: they belong in the backup, and apart from that of the database.
    """

    postgres: str
    owner: str
    apps: dict[str, str]
    redis: str
    service_key: str
    person_keys: str
    person_lookup_key: str

    @classmethod
    def fresh(cls) -> Self:
        """New secrets from the operating system's random source."""
        return cls(
            postgres=secrets.token_hex(_BYTES),
            owner=secrets.token_hex(_BYTES),
            apps={service: secrets.token_hex(_BYTES) for service in SERVICES},
            redis=secrets.token_hex(_BYTES),
            service_key=secrets.token_hex(_SERVICE_KEY_BYTES),
            **fresh_person_keys(),
        )


def load_or_make(file: Path) -> Secrets:
    """Read the secrets of a data folder, or make them the first time.

    Raises:
        CannotStart: The file is there but cannot be understood; new secrets would not fit the data beside it.
    """
    try:
        kept = json.loads(file.read_bytes())
        if kept.keys() >= {"service_key"} and kept.keys().isdisjoint(fresh_person_keys()):  # made before persons were sealed
            write_private(file, json.dumps(kept | fresh_person_keys(), indent=1))
            return load_or_make(file)
        return Secrets(**kept)
    except FileNotFoundError:
        made = Secrets.fresh()
        write_private(file, json.dumps(asdict(made), indent=1))
        return made
    except (OSError, ValueError, TypeError, AttributeError):
        raise CannotStart(f"{file} cannot be read as the secrets of this data folder; restore it from a backup") from None


def fresh_person_keys() -> dict[str, str]:
    """A first key to seal persons with, and one to find them by."""
    return {
        "person_keys": f"k1:{b64encode(secrets.token_bytes(_PERSON_KEY_BYTES)).decode()}",
        "person_lookup_key": b64encode(secrets.token_bytes(_PERSON_KEY_BYTES)).decode(),
    }


def person_environment(kept: Secrets) -> dict[str, str]:
    """What a process of planning is told to seal and find persons with: the operator's own keys, else those of the data folder."""
    own = {"DIRIGENT_PLANNING_PERSON_KEYS": kept.person_keys, "DIRIGENT_PLANNING_PERSON_LOOKUP_KEY": kept.person_lookup_key}
    return {name: os.environ.get(name) or value for name, value in own.items()}


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
