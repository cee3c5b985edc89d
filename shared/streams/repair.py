"""Repair over HTTP, the asking side: what fetches missing ranges and waits for new ones, and the service token that it shows."""

from datetime import timedelta
from typing import Final

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from shared.dates import now
from shared.identifiers import uuid7
from shared.streams.consumer import Fetched, StreamEntry
from shared.streams.queue import derived_key

TOKEN_SECONDS: Final = 60
TOKEN_TYPE: Final = "service+jwt"  # noqa: S105  # the name of a token type, not a token
_ALGORITHMS: Final = ["HS256"]
_ANSWER_SECONDS: Final = 30.0
_CONNECT_SECONDS: Final = 5.0


class NotAService(Exception):
    """The caller of an internal address showed no valid service token."""


def service_token(service_key: str, *, issuer: str, audience: str) -> str:
    """A token with which one service asks another for 60 seconds."""
    key = OctKey.import_key(derived_key(service_key, "internal"))
    at = now()
    claims = {"iss": issuer, "aud": audience, "iat": int(at.timestamp()), "exp": int((at + timedelta(seconds=TOKEN_SECONDS)).timestamp())}
    return jwt.encode({"alg": "HS256", "typ": TOKEN_TYPE}, claims | {"jti": str(uuid7())}, key, algorithms=_ALGORITHMS)


def check_service_token(service_key: str, token: str, *, audience: str) -> str:
    """The service that calls.

    Raises:
        NotAService: Missing, forged, expired or meant for somebody else.
    """
    key = OctKey.import_key(derived_key(service_key, "internal"))
    registry = jwt.JWTClaimsRegistry(
        now=lambda: int(now().timestamp()),
        leeway=5,
        iss={"essential": True},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
        iat={"essential": True},
        jti={"essential": True},
    )
    try:
        decoded = jwt.decode(token, key, algorithms=_ALGORITHMS)
        registry.validate(decoded.claims)
    except (JoseError, ValueError) as error:
        raise NotAService from error
    if decoded.header.get("typ") != TOKEN_TYPE:
        raise NotAService
    return str(decoded.claims["iss"])


class HttpProducer:
    """Fetches missing ranges of a producer's stream, and waits for it to grow, with httpx."""

    def __init__(self, client: httpx.AsyncClient, *, stream: str, base_url: str, service_key: str, consumer: str) -> None:
        self._client = client
        self._stream = stream
        self._base_url = base_url
        self._service_key = service_key
        self._consumer = consumer

    async def fetch(self, *, epoch: int, after: int, limit: int) -> Fetched:
        """At most `limit` entries after a position, and where the stream ends.

        Raises:
            httpx.HTTPError: The producer did not answer, or refused.
        """
        return await self._read(epoch=epoch, after=after, limit=limit, wait=0)

    async def head(self, *, epoch: int, after: int, wait: float) -> int:
        """Where the stream ends, as soon as that is beyond a position, or when so many seconds have passed.

        Raises:
            httpx.HTTPError: The producer did not answer, or refused.
        """
        return (await self._read(epoch=epoch, after=after, limit=1, wait=wait)).head

    async def _read(self, *, epoch: int, after: int, limit: int, wait: float) -> Fetched:
        token = service_token(self._service_key, issuer=self._consumer, audience=self._stream)
        answer = await self._client.get(
            f"{self._base_url}/internal/streams/{self._stream}",
            params={"epoch": epoch, "after": after, "limit": limit, "wait": wait},
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(_ANSWER_SECONDS + wait, connect=_CONNECT_SECONDS),
        )
        answer.raise_for_status()
        body = msgspec.json.decode(answer.content)
        return Fetched(body["epoch"], body["head"], [StreamEntry.of(row) for row in body["entries"]])
