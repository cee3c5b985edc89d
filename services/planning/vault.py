"""Persons as they stand in planning's columns: sealed with AES-256-GCM, and found again by a keyed hash of their number.

A key ring: the first key seals, every key opens, so that a key can be replaced while the system runs. What is sealed is bound to what it
belongs to (a case, a notice, a plan, an event): copied to another row it does not open.
"""

import os
import re
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from functools import cache
from hmac import digest
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_NAMED_KEY: Final = re.compile(r"([A-Za-z0-9_-]{1,16}):([A-Za-z0-9+/]{43}=)", re.ASCII)
_LOOKUP_KEY: Final = re.compile(r"[A-Za-z0-9+/]{43}=", re.ASCII)
_NONCE_BYTES: Final = 12
_DIGEST: Final = "sha256"


class VaultClosed(Exception):
    """Something sealed cannot be opened: its key is not on the ring, it was changed, or it belongs to another row."""


class PersonKeys(BaseSettings):
    """The keys that persons are sealed and found with; without them planning does not start.

    `keys`: `id:base64,id:base64`, 32 bytes each, the first one seals. `lookup_key`: base64 of 32 bytes; another one finds nobody.
    """

    model_config = SettingsConfigDict(env_prefix="DIRIGENT_PLANNING_PERSON_", extra="ignore", hide_input_in_errors=True)

    keys: SecretStr
    lookup_key: SecretStr


class Vault:
    """Seals and opens persons, and says what stands for a number where one is looked for."""

    def __init__(self, keys: Sequence[tuple[str, bytes]], lookup: bytes) -> None:
        """Take the ring; the first key seals."""
        self._ring = {name: AESGCM(key) for name, key in keys}
        self._lookup = lookup
        self.first = keys[0][0]

    @classmethod
    def of(cls, keys: PersonKeys) -> Self:
        """The vault that these settings describe.

        Raises:
            ValueError: They are not keys of 32 bytes, or two have one id; the text says nothing of them.
        """
        parts = [_NAMED_KEY.fullmatch(part.strip()) for part in keys.keys.get_secret_value().split(",")]
        ring = [(part[1], b64decode(part[2])) for part in parts if part is not None]
        lookup = keys.lookup_key.get_secret_value().strip()
        if len({name for name, _ in ring}) != len(parts) or not _LOOKUP_KEY.fullmatch(lookup):
            raise ValueError("the person keys must be id:base64 of 32 bytes, each id once, and the lookup key base64 of 32 bytes")
        return cls(ring, b64decode(lookup))

    @property
    def names(self) -> tuple[str, ...]:
        """The ids of the keys on the ring, the one that seals first."""
        return tuple(self._ring)

    def seal(self, plain: bytes, *, of: str) -> str:
        """Seal something.

        Args:
            plain: What to seal.
            of: What it belongs to, e.g. `case:` and its id.
        """
        nonce = os.urandom(_NONCE_BYTES)
        closed = self._ring[self.first].encrypt(nonce, plain, _bound(self.first, of))
        return f"{self.first}.{urlsafe_b64encode(nonce + closed).decode()}"

    def open(self, sealed: str, *, of: str) -> bytes:
        """Open what was sealed for this.

        Raises:
            VaultClosed: It cannot be opened; says neither what nor why.
        """
        name, _, rest = sealed.partition(".")
        try:
            whole = urlsafe_b64decode(rest)
            return self._ring[name].decrypt(whole[:_NONCE_BYTES], whole[_NONCE_BYTES:], _bound(name, of))
        except (KeyError, ValueError, InvalidTag):
            raise VaultClosed("what is sealed here cannot be opened with the keys at hand") from None

    def stands_for(self, kind: str, number: str) -> str:
        """What is kept in place of a number, to find it again: its kind, and a keyed hash that says nothing without the key."""
        return f"{kind}:{digest(self._lookup, f'{kind}:{number}'.encode(), _DIGEST).hex()}"

    def fingerprint(self, body: bytes) -> bytes:
        """What a body that names a person is known again by. Keyed, for whoever has a register of all people could try them one by one."""
        return digest(self._lookup, b"event|" + body, _DIGEST)


def _bound(name: str, of: str) -> bytes:
    return f"{name}|{of}".encode()


@cache
def person_vault() -> Vault:
    """The vault of this process, told by the environment."""
    return Vault.of(PersonKeys())
