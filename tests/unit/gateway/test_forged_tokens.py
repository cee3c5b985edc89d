"""The table of forged tokens: each is 401 `token.invalid` with the very same words, so that nobody learns which check failed."""

from typing import Any

import pytest
from joserfc.jwk import ECKey

from services.gateway.auth import Grant, SigningKeys, unverified
from shared.dates import now
from shared.http.auth import TokenVerifier
from shared.http.problems import HttpProblem
from tests.forging import forgeries, signed
from tests.signing import a_key_set

ISSUER = "https://dirigent.test"
GRANT = Grant("kommun-1480", "2120001355", ("SE2120001355-",), "municipality", ("cases:read",), "1480")
PRIVATE = a_key_set()
KEY = ECKey.import_key(PRIVATE["keys"][0])
OTHER = ECKey.generate_key("P-256", {"kid": "other"})
KEYS = SigningKeys(PRIVATE, ISSUER)


def a_token() -> tuple[dict[str, Any], dict[str, Any]]:
    token = KEYS.issue(GRANT, now())
    return unverified(token, 0), unverified(token, 1)


NAMES = sorted(forgeries(*a_token(), KEY, OTHER))


def problem_of(token: str) -> tuple[str, dict[str, str]]:
    with pytest.raises(HttpProblem) as caught:
        TokenVerifier(KEYS.key_set(), issuer=ISSUER).verify(f"Bearer {token}")
    return caught.value.code, dict(caught.value.headers)


def test_a_token_signed_by_hand_is_good_when_nothing_is_wrong_with_it() -> None:
    header, claims = a_token()
    assert TokenVerifier(KEYS.key_set(), issuer=ISSUER).verify(f"Bearer {signed(header, claims, KEY)}").client_id == "kommun-1480"


@pytest.mark.parametrize("name", NAMES)
def test_a_forged_token_is_refused_without_saying_why(name: str) -> None:
    # Made when it is used: one from the future made when the tests were collected is a good one by the end of a long run.
    assert problem_of(forgeries(*a_token(), KEY, OTHER)[name]) == ("token.invalid", {"WWW-Authenticate": 'Bearer error="invalid_token"'})


@pytest.mark.parametrize(
    "changed",
    [{"org": None}, {"scope": None}, {"role": None}, {"units": None}, {"units": 7}, {"cnf": {"jkt": "x"}}, {"cnf": "x"}, {"cnf": {}}],
)
def test_a_token_of_ours_that_lacks_what_the_services_need_is_refused(changed: dict[str, Any]) -> None:
    header, claims = a_token()
    kept = {name: value for name, value in (claims | changed).items() if value is not None}
    assert problem_of(signed(header, kept, KEY))[0] == "token.invalid"


def test_a_dropped_client_is_looked_at_whole_again_and_others_are_not() -> None:
    verifier = TokenVerifier(KEYS.key_set(), issuer=ISSUER)
    mine, other = (f"Bearer {KEYS.issue(grant, now())}" for grant in (GRANT, Grant("b", "2120001355", (), "ward", ("cases:read",))))
    verifier.verify(mine)
    verifier.verify(other)
    verifier.drop("kommun-1480")
    assert verifier.remembered(mine) is None
    assert verifier.remembered(other) is not None


def test_a_token_carries_its_certificate_and_who_signed_in() -> None:
    grant = Grant("staff", "2321000131", ("SE2321000131-",), "ward", ("cases:read",), certificate="abc", person="Anna Test", auth_time=1)
    token = KEYS.issue(grant, now())
    caller = TokenVerifier(KEYS.key_set(), issuer=ISSUER).verify(f"Bearer {token}")
    assert (caller.certificate, caller.person, unverified(token, 1)["auth_time"]) == ("abc", "Anna Test", 1)
    assert abs(caller.issued_at - now().timestamp()) < 5
