"""Keys of clients as an operator holds them: files of JWK, JWK set or PEM, certificates, and assertions signed with them."""

import json
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from dirigent.failure import CannotStart
from dirigent.secrets_store import write_private
from services.gateway.auth import ALGORITHM
from services.gateway.key_sources import public_keys
from services.gateway.proxies import thumbprint_of
from shared.identifiers import uuid7

_ASSERTION_LIFETIME: Final = timedelta(seconds=60)


def make_key(file: Path) -> dict[str, Any]:
    """Make a key pair: the private half goes into a file that only its owner can read, the public half comes back as a JWK set.

    Raises:
        CannotStart: The file is there already, or cannot be written.
    """
    if file.exists():
        raise CannotStart(f"{file} is there already; a key is never overwritten")
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM, "kid": secrets.token_urlsafe(8)}, private=True)
    try:
        write_private(file, json.dumps({"keys": [key.as_dict(private=True)]}, indent=1))
    except OSError as error:
        raise CannotStart(f"{file}: {error.strerror}") from None
    return {"keys": [key.as_dict(private=False)]}


def read_public(file: Path) -> dict[str, Any]:
    """The public keys of a file, whatever of JWK, JWK set and PEM it is; a private half in it is left behind.

    Raises:
        CannotStart: There is no usable key (P-256) in it.
    """
    found = [key for key in public_keys_in(file) if isinstance(key, ECKey)]
    if not found:
        raise CannotStart(f"{file} holds no P-256 key")
    return {"keys": [key.as_dict(private=False) for key in found]}


def public_keys_in(file: Path) -> list[Any]:
    """Every usable public key of a file.

    Raises:
        CannotStart: It cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
        if text.lstrip().startswith("-----"):
            pem = ECKey.import_key(text)
            pem.ensure_kid()
            return [*public_keys({"keys": [pem.as_dict(private=False)]})]
        document = json.loads(text)
        return [*public_keys(document if "keys" in document else {"keys": [document]})]
    except OSError as error:
        raise CannotStart(f"{file}: {error.strerror}") from None
    except (JoseError, ValueError, TypeError):
        raise CannotStart(f"{file} is no key file: give a JWK, a JWK set or PEM, P-256") from None


def read_private(file: Path) -> ECKey:
    """The private key of a file, its first.

    Raises:
        CannotStart: There is none in it.
    """
    try:
        text = file.read_text(encoding="utf-8")
        if text.lstrip().startswith("-----"):
            key = ECKey.import_key(text)
            key.ensure_kid()
        else:
            document = json.loads(text)
            key = ECKey.import_key(document["keys"][0] if "keys" in document else document)
    except OSError as error:
        raise CannotStart(f"{file}: {error.strerror}") from None
    except (JoseError, ValueError, TypeError, KeyError, IndexError):
        raise CannotStart(f"{file} is no key file: give a JWK, a JWK set or PEM, P-256") from None
    if not key.is_private or key.curve_name != "P-256":
        raise CannotStart(f"{file} holds no private P-256 key")
    return key


def sign_assertion(key: ECKey, client_id: str, token_url: str, at: datetime) -> str:
    """A client's statement of who it is (`private_key_jwt`, RFC 7523), good once and for a minute."""
    issued = int(at.timestamp())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": token_url,
        "iat": issued,
        "exp": issued + int(_ASSERTION_LIFETIME.total_seconds()),
        "jti": str(uuid7()),
    }
    header = {"alg": ALGORITHM, "typ": "client-authentication+jwt"} | ({"kid": key.kid} if key.kid else {})
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])


def thumbprint_in(file: Path) -> str:
    """The SHA-256 thumbprint of a certificate file (PEM).

    Raises:
        CannotStart: It holds no certificate.
    """
    try:
        return thumbprint_of(x509.load_pem_x509_certificate(file.read_bytes()).public_bytes(Encoding.DER))
    except OSError as error:
        raise CannotStart(f"{file}: {error.strerror}") from None
    except ValueError:
        raise CannotStart(f"{file} is no certificate in PEM") from None
