"""Tokens as somebody who wants in would make them; signed by hand where the library would not let us say it."""

import base64
import hashlib
import hmac
import json
from typing import Any

from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry


def part(content: object) -> str:
    """One part of a compact JWT."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def signed(header: dict[str, Any], claims: dict[str, Any], key: ECKey | RSAKey, algorithm: str = "ES256") -> str:
    """A JWT with exactly this header and these claims, whatever stands in them."""
    what = f"{part(header)}.{part(claims)}"
    signature = JWSRegistry.algorithms[algorithm].sign(what.encode(), key)
    return f"{what}.{part(signature)}"


def keyed(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """An HS256 JWT: the attack that takes a public key for a shared secret."""
    what = f"{part(header)}.{part(claims)}"
    return f"{what}.{part(hmac.new(secret, what.encode(), hashlib.sha256).digest())}"


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A JWT without a signature."""
    return f"{part(header)}.{part(claims)}."


def forgeries(header: dict[str, Any], claims: dict[str, Any], key: ECKey, other: ECKey) -> dict[str, str]:
    """Every wrong token made from a good one: what is wrong with it, and the token.

    Args:
        header: Of a token that `key` signs and that is good.
        claims: Of the same.
        key: The key that is believed; its `kid` stands in the header.
        other: A key nobody believes.
    """
    kid = header["kid"]
    published = json.dumps(key.as_dict(private=False)).encode()
    pem = key.as_pem(private=False)
    good = signed(header, claims, key)

    def headed(**changed: Any) -> str:
        return signed(header | changed, claims, key)

    def claiming(**changed: Any) -> str:
        return signed(header, {name: value for name, value in (claims | changed).items() if value is not None}, key)

    at = claims["iat"]
    return {
        "alg none": unsigned(header | {"alg": "none"}, claims),
        "alg None": unsigned(header | {"alg": "None"}, claims),
        "alg none, signature left": headed(alg="none"),
        "no alg": signed({name: value for name, value in header.items() if name != "alg"}, claims, key),
        "HS256 with the public key": keyed(header | {"alg": "HS256"}, claims, published),
        "HS256 with the public key as PEM": keyed(header | {"alg": "HS256"}, claims, pem),
        "ES384 claimed": headed(alg="ES384"),
        "another key": signed(header, claims, other),
        "another key, its kid": signed(header | {"kid": "other"}, claims, other),
        "kid that is a path": headed(kid="../../../dev/null"),
        "kid that is a list": headed(kid=[kid]),
        "crit": headed(crit=["exp"]),
        "crit unknown": headed(crit=["x"], x=1),
        "b64 false": headed(crit=["b64"], b64=False),
        "jku": headed(jku="https://evil.test/keys"),
        "x5u": headed(x5u="https://evil.test/cert"),
        "x5c": headed(x5c=["MIIB"]),
        "jwk": signed(header | {"jwk": other.as_dict(private=False)}, claims, other),
        "typ of another token": headed(typ="logout+jwt"),
        "no typ": signed({name: value for name, value in header.items() if name != "typ"}, claims, key),
        "zip": headed(zip="DEF"),
        "expired": claiming(iat=at - 600, exp=at - 300),
        "no exp": claiming(exp=None),
        "exp of text": claiming(exp="tomorrow"),
        "no iat": claiming(iat=None),
        "iat ahead": claiming(iat=at + 600, exp=at + 900),
        "nbf ahead": claiming(nbf=at + 600),
        "no aud": claiming(aud=None),
        "another aud": claiming(aud="https://other.test"),
        "another iss": claiming(iss="https://other.test"),
        "no iss": claiming(iss=None),
        "no sub": claiming(sub=None),
        "claims changed": f"{good.split('.')[0]}.{part(claims | {'sub': 'finance'})}.{good.split('.')[2]}",
        "signature cut": good[:-8],
        "signature empty": good.rpartition(".")[0] + ".",
        "signature of zeros": good.rpartition(".")[0] + "." + part(bytes(64)),
        "four parts": f"{good}.x",
        "five parts": f"{good}.x.y",
        "claims a list": f"{part(header)}.{part([])}.{good.rpartition('.')[2]}",
        "not base64": "a b.c d.e f",
        "nothing": "",
    }
