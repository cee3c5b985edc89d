"""How the listener proves to the gateway which client it stands for: with the client's own key, or in the demo with its secret."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from dirigent.failure import CannotStart
from shared.dates import now
from shared.identifiers import uuid7

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_GOOD_FOR: Final = timedelta(minutes=1)


class Credentials(Protocol):
    """What is sent to the token endpoint."""

    @property
    def client(self) -> str:
        """The client that this is."""

    def request(self, endpoint: str) -> dict[str, Any]:
        """The arguments of the request for a token."""


@dataclass(frozen=True, slots=True)
class DemoSecret:
    """The secret of a demo client."""

    client: str
    secret: str

    def request(self, endpoint: str) -> dict[str, Any]:
        """HTTP Basic; what is asked for is the same wherever the endpoint is."""
        return {"url": endpoint, "data": {"grant_type": "client_credentials"}, "auth": (self.client, self.secret)}


@dataclass(frozen=True, slots=True)
class OwnKey:
    """The private key that the client is registered with; `private_key_jwt`."""

    client: str
    key: ECKey

    @classmethod
    def from_file(cls, client: str, path: Path) -> "OwnKey":
        """Read the key: a JWK or PEM.

        Raises:
            CannotStart: There is no such file, or it holds no private EC key.
        """
        try:
            text = path.read_text(encoding="utf-8")
            key = ECKey.import_key(json.loads(text) if text.lstrip().startswith("{") else text)
        except (OSError, ValueError, JoseError):
            raise CannotStart(f"{path}: no private key (JWK or PEM, P-256) can be read from it") from None
        if not key.is_private:
            raise CannotStart(f"{path}: that is the public half of a key")
        return cls(client, key)

    def request(self, endpoint: str) -> dict[str, Any]:
        """An assertion that is good once, at this endpoint, for a minute."""
        at = now()
        claims = {
            "iss": self.client,
            "sub": self.client,
            "aud": endpoint,
            "iat": int(at.timestamp()),
            "exp": int((at + _GOOD_FOR).timestamp()),
            "jti": str(uuid7()),
        }
        header = {"alg": "ES256"} | ({"kid": self.key.kid} if self.key.kid else {})
        assertion = jwt.encode(header, claims, self.key, algorithms=["ES256"])
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        return {"url": endpoint, "data": form}
