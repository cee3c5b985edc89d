"""The secrets of the demo's clients: random, made once, kept in one file that only its owner can read."""

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

FILE_NAME: Final = "demo-clients.json"
SECRET_BYTES: Final = 32


class NoDemoClientsError(Exception):
    """The data folder holds no demo clients: the demo was never started with it."""


def read_secrets(data: Path) -> dict[str, str]:
    """The secret of every demo client.

    Raises:
        NoDemoClientsError: There is no such file in the data folder, or it cannot be read.
    """
    try:
        text = (data / FILE_NAME).read_text(encoding="utf-8")
    except OSError as error:
        raise NoDemoClientsError(f"{data / FILE_NAME}: {error.strerror}; start the demo first (make run)") from error
    found: dict[str, str] = json.loads(text)
    return found


def ensure_secrets(data: Path, clients: Iterable[str]) -> dict[str, str]:
    """Make a secret for every client that has none yet; those that exist stay, so that a restart changes nothing."""
    try:
        known = read_secrets(data)
    except NoDemoClientsError:
        known = {}
    complete = known | {client: secrets.token_urlsafe(SECRET_BYTES) for client in clients if client not in known}
    if complete != known:
        _write_private(data / FILE_NAME, json.dumps(complete, indent=2))
    return complete


def _write_private(path: Path, text: str) -> None:
    """Write new, flush to disk, rename: a crash leaves the old file or the new one, and nobody else can ever read it."""
    part = path.with_name(f"{path.name}.part-{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
