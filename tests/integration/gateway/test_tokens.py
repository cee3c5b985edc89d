import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from services.gateway import clients
from services.gateway.tokens import ASSERTION_TYPE
from shared.dates import now
from shared.db import Database
from shared.http.auth import TokenVerifier
from shared.identifiers import uuid7
from tests import forging
from tests.integration.gateway.parts import PUBLIC_URL, SECRET, a_client, inside, register, settings_for

GRANT = {"grant_type": "client_credentials"}
KEY = ECKey.generate_key("P-256", {"kid": "own"})
PUBLIC_KEYS = {"keys": [KEY.as_dict(private=False)]}


@pytest.fixture
async def demo(gateway_database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    await register(gateway_database, a_client(demo=True))
    await register(gateway_database, a_client(client_id="keyed", public_keys=PUBLIC_KEYS), None)
    async with inside(settings_for(gateway_database, tmp_path)) as client:
        yield client


@pytest.fixture
async def production(gateway_database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    await register(gateway_database, a_client(demo=True, public_keys=PUBLIC_KEYS))
    await register(gateway_database, a_client(client_id="keyed", public_keys=PUBLIC_KEYS))
    async with inside(settings_for(gateway_database, tmp_path, environment="production")) as client:
        yield client


def signed(client_id: str = "keyed", **changed: Any) -> dict[str, str]:
    at = now()
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": f"{PUBLIC_URL}/oauth2/token",
        "iat": int(at.timestamp()),
        "exp": int((at + timedelta(minutes=2)).timestamp()),
        "jti": str(uuid7()),
    } | changed
    assertion = jwt.encode({"alg": "ES256", "kid": "own"}, claims, KEY, algorithms=["ES256"])
    return GRANT | {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}


async def ask(client: httpx.AsyncClient, form: dict[str, str], auth: tuple[str, str] | None = None) -> httpx.Response:
    if auth is None:
        return await client.post("/oauth2/token", data=form)
    return await client.post("/oauth2/token", data=form, auth=auth)


def refused(answer: httpx.Response, status: int, error: str) -> bool:
    return (answer.status_code, answer.json()["error"], answer.headers["cache-control"]) == (status, error, "no-store")


async def test_a_demo_client_gets_a_token_for_its_secret(demo: httpx.AsyncClient) -> None:
    answer = await ask(demo, GRANT, ("kommun-1480", SECRET))
    assert answer.status_code == 200
    told = answer.json()
    assert (told["token_type"], told["expires_in"], told["scope"]) == ("Bearer", 300, "cases:read notices:read")
    assert answer.headers["cache-control"] == "no-store"
    keys = KeySet.import_key_set((await demo.get("/.well-known/jwks.json")).json())
    caller = TokenVerifier(keys, issuer=PUBLIC_URL).verify(f"Bearer {told['access_token']}")
    assert (caller.client_id, caller.municipality, caller.demo) == ("kommun-1480", "1480", True)


async def test_a_client_may_ask_for_less_than_it_has_and_never_for_more(demo: httpx.AsyncClient) -> None:
    less = await ask(demo, GRANT | {"scope": "cases:read"}, ("kommun-1480", SECRET))
    assert less.json()["scope"] == "cases:read"
    more = await ask(demo, GRANT | {"scope": "cases:read events:write"}, ("kommun-1480", SECRET))
    assert refused(more, 400, "invalid_scope")


async def test_unknown_client_and_wrong_secret_look_the_same(demo: httpx.AsyncClient) -> None:
    wrong = await ask(demo, GRANT, ("kommun-1480", "guess"))
    unknown = await ask(demo, GRANT, ("kommun-9999", "guess"))
    keyed = await ask(demo, GRANT, ("keyed", "guess"))
    assert refused(wrong, 401, "invalid_client")
    assert wrong.headers["www-authenticate"].startswith("Basic")
    assert wrong.content == unknown.content == keyed.content


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !", "Basic a29tbXVu", "Bearer abc", "Basic a29tbXVuLTE0ODA6AA==", "Basic JTAwOiUwMA==", "Basic /w=="]
)
async def test_a_header_that_proves_nothing_is_refused(demo: httpx.AsyncClient, header: str) -> None:
    assert refused(await demo.post("/oauth2/token", data=GRANT, headers={"Authorization": header}), 401, "invalid_client")


async def test_a_client_that_signs_needs_no_secret(production: httpx.AsyncClient) -> None:
    assert (await ask(production, signed())).status_code == 200


async def test_an_assertion_is_good_once_even_when_sent_many_times_at_once(production: httpx.AsyncClient) -> None:
    form = signed()
    answers = await asyncio.gather(*(ask(production, form) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    assert all(refused(answer, 401, "invalid_client") for answer in answers if answer.status_code != 200)


async def test_an_assertion_is_not_used_up_by_a_refused_scope(production: httpx.AsyncClient) -> None:
    form = signed()
    assert refused(await ask(production, form | {"scope": "events:write"}), 400, "invalid_scope")
    assert (await ask(production, form)).status_code == 200


async def test_used_assertions_are_forgotten_when_they_have_expired(production: httpx.AsyncClient, gateway_database: str) -> None:
    await ask(production, signed())
    database = Database(gateway_database)
    async with database.transaction() as work:
        await work.connection.exec_driver_sql("UPDATE used_assertions SET expires_at = now() - interval '1 minute'")
    await ask(production, signed())
    async with database.transaction() as work:
        assert (await work.connection.exec_driver_sql("SELECT count(*) FROM used_assertions")).scalar_one() == 1
    await database.close()


@pytest.mark.parametrize("changed", [{"aud": PUBLIC_URL}, {"iss": "other"}, {"exp": 1}, {"exp": 4_000_000_000}], ids=str)
async def test_a_wrong_assertion_is_refused_without_saying_why(production: httpx.AsyncClient, changed: dict[str, Any]) -> None:
    answer = await ask(production, signed(**changed))
    assert refused(answer, 401, "invalid_client")
    assert answer.content == (await ask(production, signed("nobody"))).content


@pytest.mark.parametrize("changed", [{"jti": "\ud800"}, {"sub": "\ud800"}, {"iss": "\udfff", "sub": "\udfff"}, {"jti": "a\x00"}], ids=repr)
async def test_text_that_no_database_holds_is_refused_like_anything_else(production: httpx.AsyncClient, changed: dict[str, Any]) -> None:
    at = int(now().timestamp())
    claims = {"iss": "keyed", "sub": "keyed", "aud": f"{PUBLIC_URL}/oauth2/token", "iat": at, "exp": at + 60, "jti": str(uuid7())}
    assertion = forging.signed({"alg": "ES256", "kid": "own"}, claims | changed, KEY)
    answer = await ask(production, GRANT | {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_production_takes_no_secret(production: httpx.AsyncClient) -> None:
    assert refused(await ask(production, GRANT, ("keyed", SECRET)), 401, "invalid_client")


async def test_a_demo_client_is_nobody_in_production(production: httpx.AsyncClient) -> None:
    assert refused(await ask(production, signed("kommun-1480")), 401, "invalid_client")


async def test_two_ways_to_authenticate_at_once_are_refused(demo: httpx.AsyncClient) -> None:
    assert refused(await ask(demo, signed(), ("kommun-1480", SECRET)), 400, "invalid_request")


@pytest.mark.parametrize(
    ("content", "status", "error"),
    [
        ("", 400, "invalid_request"),
        ("grant_type=password", 400, "unsupported_grant_type"),
        ("grant_type=client_credentials", 401, "invalid_client"),
        ("grant_type=client_credentials&client_id=kommun-1480&client_secret=x", 401, "invalid_client"),
        ("grant_type=client_credentials&grant_type=client_credentials", 400, "invalid_request"),
        ("grant_type=%ff", 400, "invalid_request"),
        ("grant_type=client_credentials&scope=%00", 400, "invalid_request"),
        ("&".join(f"a{n}=1" for n in range(50)), 400, "invalid_request"),
    ],
)
async def test_each_bad_form_has_its_oauth_error(demo: httpx.AsyncClient, content: str, status: int, error: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert refused(await demo.post("/oauth2/token", content=content, headers=headers), status, error)


async def test_json_is_no_form(demo: httpx.AsyncClient) -> None:
    assert refused(await demo.post("/oauth2/token", json=GRANT), 415, "invalid_request")


async def test_a_form_that_is_far_too_large_is_refused_unread(demo: httpx.AsyncClient) -> None:
    answer = await demo.post("/oauth2/token", data=GRANT | {"scope": "x" * 20_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")


async def test_registering_a_client_twice_changes_nothing(gateway_database: str) -> None:
    async def stored() -> Any:
        database = Database(gateway_database)
        async with database.transaction() as work:
            row = (await work.connection.exec_driver_sql("SELECT * FROM clients")).one()
        await database.close()
        return row

    await register(gateway_database, a_client())
    first = await stored()
    await register(gateway_database, a_client())
    await register(gateway_database, a_client(), None)
    assert await stored() == first


async def test_a_revoked_client_gets_no_token_until_it_is_registered_again(demo: httpx.AsyncClient, gateway_database: str) -> None:
    database = Database(gateway_database)
    async with database.transaction() as work:
        assert await clients.revoke_client(work, "kommun-1480")
        assert not await clients.revoke_client(work, "kommun-1480")
        assert [client.client_id for client in await clients.list_clients(work)] == ["keyed"]
    await database.close()
    assert refused(await ask(demo, GRANT, ("kommun-1480", SECRET)), 401, "invalid_client")
    await register(gateway_database, a_client(demo=True))
    assert (await ask(demo, GRANT, ("kommun-1480", SECRET))).status_code == 200
