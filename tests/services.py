"""Service applications for integration tests: real database, real HTTP semantics through ASGI, tokens of a key made for the test."""

import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from shared.identifiers import uuid7

PUBLIC_URL = "http://dirigent.test"
REGION = "2321000131"
SERVICE_KEY = "0123456789abcdef" * 4


class Tokens:
    """Issues access tokens as the gateway would."""

    def __init__(self, folder: Path) -> None:
        self._key = ECKey.generate_key("P-256", {"kid": "test"})
        self.keys_file = folder / "token-keys.json"
        self.keys_file.write_text(json.dumps(KeySet([self._key]).as_dict(private=False)))

    def token(
        self,
        client: str,
        *,
        scopes: Iterable[str],
        organisation: str = REGION,
        units: Iterable[str] = ("SE2321000131-",),
        role: str = "ward",
        **claims: Any,
    ) -> str:
        at = int(time.time())
        body = {
            "iss": PUBLIC_URL,
            "aud": PUBLIC_URL,
            "sub": client,
            "iat": at,
            "exp": at + 300,
            "jti": str(uuid7()),
            "org": organisation,
            "units": list(units),
            "scope": " ".join(scopes),
            "role": role,
        }
        return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "test"}, body | claims, self._key, algorithms=["ES256"])


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of a running application; errors of the application are answers, not exceptions of the test."""
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, timeout=30) as client:
            yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
