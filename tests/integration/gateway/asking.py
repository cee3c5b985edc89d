"""Asking for tokens as a client with a key of its own does."""

from datetime import timedelta
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from services.gateway.tokens import ASSERTION_TYPE
from shared.dates import now
from shared.identifiers import uuid7
from tests.integration.gateway.parts import PUBLIC_URL


def a_key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid})


def jwks(*keys: ECKey) -> dict[str, Any]:
    return {"keys": [dict(key.as_dict(private=False)) for key in keys]}


def asked_with(key: ECKey, client_id: str = "keyed", **changed: Any) -> dict[str, str]:
    """The form of a token request that is signed with a key."""
    at = now()
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": f"{PUBLIC_URL}/oauth2/token",
        "iat": int(at.timestamp()),
        "exp": int((at + timedelta(minutes=2)).timestamp()),
        "jti": str(uuid7()),
    } | changed
    header = {"alg": "ES256"} | ({"kid": key.kid} if key.kid else {})
    assertion = jwt.encode(header, claims, key, algorithms=["ES256"])
    return {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}


async def status_of(gateway: httpx.AsyncClient, key: ECKey, **headers: str) -> int:
    return (await gateway.post("/oauth2/token", data=asked_with(key), headers=headers)).status_code


async def token_of(gateway: httpx.AsyncClient, key: ECKey, **headers: str) -> dict[str, str]:
    """The Authorization header that the token of a key gives."""
    answer = await gateway.post("/oauth2/token", data=asked_with(key), headers=headers)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}
