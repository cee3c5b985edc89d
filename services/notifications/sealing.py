"""Webhook secrets: made here, shown once, kept encrypted under a key derived from the installation's service key."""

import base64
import os
import secrets
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.streams.queue import derived_key

PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class Seal:
    """Closes and opens secrets with AES-256-GCM; a sealed secret opens for its own subscription only."""

    def __init__(self, service_key: str) -> None:
        self._cipher = AESGCM(derived_key(service_key, "webhook-secrets"))

    def close(self, secret: str, owner: UUID) -> bytes:
        """Encrypt a secret for storing."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.encode("ascii"), owner.bytes)

    def open(self, sealed: bytes, owner: UUID) -> str:
        """Decrypt a stored secret.

        Raises:
            cryptography.exceptions.InvalidTag: It was sealed with another key or for another subscription, or was altered.
        """
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner.bytes).decode("ascii")


def new_secret() -> str:
    """A secret in the form of Standard Webhooks 1.0."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")
