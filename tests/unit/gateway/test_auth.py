import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey
from joserfc.jws import JWSRegistry

from services.gateway.auth import (
    Grant,
    NotAuthenticated,
    SigningKeys,
    claimed_client,
    hash_secret,
    read_assertion,
    secret_matches,
)
from shared.dates import now
from shared.http.auth import TokenVerifier
from shared.http.problems import HttpProblem
from tests.signing import a_key_set, public_half

ISSUER = "https://dirigent.test"
AUDIENCE = f"{ISSUER}/oauth2/token"
AT = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
GRANT = Grant("kommun-1480", "2120001355", ("SE2120001355-",), "municipality", ("cases:read", "notices:read"), "1480", demo=True)
CLIENT_KEY = ECKey.generate_key("P-256", {"kid": "own"})


def an_assertion(key: ECKey | OctKey = CLIENT_KEY, header: dict[str, Any] | None = None, without: str | None = None, **claims: Any) -> str:
    at = int(AT.timestamp())
    stated = {"iss": "c1", "sub": "c1", "aud": AUDIENCE, "iat": at, "exp": at + 60, "jti": "once"} | claims
    if without:
        del stated[without]
    header = {"alg": "ES256", "kid": "own"} | (header or {})
    return jwt.encode(header, stated, key, algorithms=[header["alg"]])


def refused(assertion: str) -> bool:
    try:
        read_assertion(assertion, "c1", KeySet([CLIENT_KEY]), AUDIENCE, AT)
    except NotAuthenticated:
        return True
    return False


def test_a_token_carries_what_the_verifier_of_every_service_reads() -> None:
    keys = SigningKeys(a_key_set(), ISSUER)
    caller = TokenVerifier(keys.key_set(), issuer=ISSUER).verify(f"Bearer {keys.issue(GRANT, now())}")
    assert (caller.client_id, caller.organisation, caller.unit_prefixes) == ("kommun-1480", "2120001355", ("SE2120001355-",))
    assert (caller.role, caller.municipality, caller.demo) == ("municipality", "1480", True)
    assert caller.scopes == {"cases:read", "notices:read"}


def test_a_token_lasts_five_minutes_and_is_typed_as_an_access_token() -> None:
    private = a_key_set()
    public = public_half(private)
    header, payload = (
        json.loads(base64.urlsafe_b64decode(part + "==")) for part in SigningKeys(private, ISSUER).issue(GRANT, AT).split(".")[:2]
    )
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": public["keys"][0]["kid"]}
    assert payload["exp"] - payload["iat"] == 300
    assert payload["iss"] == payload["aud"] == ISSUER


def test_a_token_of_yesterday_is_refused() -> None:
    keys = SigningKeys(a_key_set(), ISSUER)
    with pytest.raises(HttpProblem):
        TokenVerifier(keys.key_set(), issuer=ISSUER).verify(f"Bearer {keys.issue(GRANT, now() - timedelta(days=1))}")


def test_the_published_keys_hold_no_private_part() -> None:
    private = a_key_set()
    public = public_half(private)
    assert "d" in private["keys"][0]
    assert all("d" not in key for key in [*public["keys"], *SigningKeys(private, ISSUER).published()["keys"]])


def test_after_a_rotation_the_first_key_signs_and_both_are_published() -> None:
    old, new = a_key_set(), a_key_set()
    keys = SigningKeys({"keys": [*new["keys"], *old["keys"]]}, ISSUER)
    assert len(keys.published()["keys"]) == 2
    verifier = TokenVerifier(keys.key_set(), issuer=ISSUER)
    for signer in (keys, SigningKeys(old, ISSUER)):
        assert verifier.verify(f"Bearer {signer.issue(GRANT, now())}").client_id == "kommun-1480"


def test_a_public_key_cannot_be_the_signing_key() -> None:
    with pytest.raises(ValueError, match="private"):
        SigningKeys(public_half(a_key_set()), ISSUER)


def test_a_good_assertion_is_taken_and_remembered_until_it_can_no_longer_be_used() -> None:
    proof = read_assertion(an_assertion(), "c1", KeySet([CLIENT_KEY]), AUDIENCE, AT)
    assert proof.jti == "once"
    assert proof.keep_until == AT + timedelta(seconds=90)


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "iat", "exp", "jti"])
def test_every_claim_of_an_assertion_is_essential(claim: str) -> None:
    assert refused(an_assertion(without=claim))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "c2"},
        {"sub": "c2"},
        {"aud": ISSUER},
        {"aud": [ISSUER, "https://other.test"]},
        {"exp": int(AT.timestamp()) - 60},
        {"exp": int(AT.timestamp()) + 3600},
        {"exp": 10**400},
        {"iat": int(AT.timestamp()) + 600},
        {"nbf": int(AT.timestamp()) + 600},
        {"exp": "soon"},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 300},
        {"jti": "a\x00b"},
    ],
    ids=str,
)
def test_an_assertion_with_a_wrong_claim_is_refused(claims: dict[str, Any]) -> None:
    assert refused(an_assertion(**claims))


def test_an_assertion_by_another_key_or_algorithm_is_refused() -> None:
    public_text = json.dumps(CLIENT_KEY.as_dict(private=False)).encode()
    assert refused(an_assertion(ECKey.generate_key("P-256", {"kid": "own"})))
    assert refused(an_assertion(OctKey.import_key(public_text), {"alg": "HS256"}))
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    assert refused(f"{header}.{an_assertion().split('.')[1]}.")


@pytest.mark.parametrize("header", [{"typ": "at+jwt"}, {"jku": "https://evil.test"}, {"crit": ["x"], "x": 1}], ids=str)
def test_an_assertion_with_a_header_that_is_not_expected_is_refused(header: dict[str, Any]) -> None:
    assert refused(_signed_with(header))


def _signed_with(header: dict[str, Any]) -> str:
    """Sign by hand what the library would not let us say."""
    encoded = base64.urlsafe_b64encode(json.dumps({"alg": "ES256", "kid": "own"} | header).encode()).rstrip(b"=").decode()
    payload = an_assertion().split(".")[1]
    signature = JWSRegistry.algorithms["ES256"].sign(f"{encoded}.{payload}".encode(), CLIENT_KEY)
    return f"{encoded}.{payload}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_signing_by_hand_makes_a_good_assertion_when_the_header_is_right() -> None:
    assert not refused(_signed_with({"typ": "JWT"}))


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "a.W10.c", "a.e30.c", "a.eyJzdWIiOjd9.c", "a." + "W" * 100_000 + ".c"])
def test_what_is_no_assertion_names_no_client(text: str) -> None:
    with pytest.raises(NotAuthenticated):
        claimed_client(text)


def test_a_secret_is_known_by_its_hash_alone() -> None:
    stored = hash_secret("correct horse")
    assert "correct" not in stored
    assert secret_matches("correct horse", stored)
    assert not secret_matches("correct horsf", stored)
    assert hash_secret("correct horse") != stored


def test_no_secret_opens_a_client_that_has_none() -> None:
    assert not secret_matches("", None)
