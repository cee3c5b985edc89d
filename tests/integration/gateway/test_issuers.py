"""Tokens of issuers that the operator trusts: verified whole, known as a registered client, exchanged for ours."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from services.gateway import clients
from services.gateway.auth import unverified
from services.gateway.issuers import read_issuers
from services.gateway.key_sources import LOOK_AGAIN_SECONDS, LOOKS
from services.gateway.settings import Settings
from shared.dates import now
from shared.db import Database
from tests.forging import forgeries, signed
from tests.integration.gateway.asking import a_key, jwks
from tests.integration.gateway.key_server import published
from tests.integration.gateway.parts import PUBLIC_URL, a_client, echoes, inside, register, settings_for
from tests.integration.gateway.test_revocation import refused_within

ISSUER = "https://idp.vgregion.test"
KEY, OTHER = a_key("theirs"), a_key("other")
HEADER = {"alg": "ES256", "kid": "theirs", "typ": "at+jwt"}


def claims(**changed: Any) -> dict[str, Any]:
    at = int(now().timestamp())
    return {"iss": ISSUER, "aud": PUBLIC_URL, "sub": "journal-su", "iat": at, "exp": at + 600, "jti": "1"} | changed


def header_of(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def settings_with(database: str, folder: Path, *issuers: dict[str, Any], **changed: Any) -> Settings:
    file = folder / "issuers.json"
    file.write_text(json.dumps({"issuer": list(issuers)}))
    return settings_for(database, folder, **({"environment": "production", "issuers_file": file} | changed))


def an_issuer(**changed: Any) -> dict[str, Any]:
    stated = {"issuer": ISSUER, "audience": PUBLIC_URL, "keys": jwks(KEY)["keys"]} | changed
    return {name: value for name, value in stated.items() if value is not None}


@pytest.fixture
async def registered(gateway_database: str) -> str:
    await register(gateway_database, a_client(client_id="journal", issuer=ISSUER, subject="journal-su"), None)
    return gateway_database


async def test_their_token_lets_the_client_in_and_the_services_see_ours(registered: str, tmp_path: Path) -> None:
    services = echoes()
    async with inside(settings_with(registered, tmp_path, an_issuer()), services) as gateway:
        theirs = header_of(signed(HEADER, claims(), KEY))
        answers = [await gateway.get("/v1/notices", headers=theirs) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    inner = [dict(answer.json()["headers"])["authorization"] for answer in answers]
    assert inner[0] == inner[1] != theirs["Authorization"], "the same token of ours, as long as it lives"
    told = unverified(inner[0].removeprefix("Bearer "), 1)
    assert (told["iss"], told["sub"], told["org"], told["scope"]) == (PUBLIC_URL, "journal", "2120001355", "cases:read notices:read")
    assert 0 < told["exp"] - told["iat"] <= 300


async def test_ours_lives_no_longer_than_theirs(registered: str, tmp_path: Path) -> None:
    stated = claims(exp=int(now().timestamp()) + 20)
    async with inside(settings_with(registered, tmp_path, an_issuer())) as gateway:
        answer = await gateway.get("/v1/notices", headers=header_of(signed(HEADER, stated, KEY)))
    ours = unverified(dict(answer.json()["headers"])["authorization"].removeprefix("Bearer "), 1)
    assert ours["exp"] == stated["exp"]


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
async def test_an_issuer_may_sign_with_rsa_where_the_operator_says_so(registered: str, tmp_path: Path, algorithm: str) -> None:
    key = RSAKey.generate_key(2048, {"kid": "rsa"})
    token = signed(HEADER | {"alg": algorithm, "kid": "rsa"}, claims(), key, algorithm)
    keys = [key.as_dict(private=False)]
    statuses = []
    for allowed in ([algorithm], ["ES256"]):
        async with inside(settings_with(registered, tmp_path, an_issuer(keys=keys, algorithms=allowed))) as gateway:
            statuses.append((await gateway.get("/v1/notices", headers=header_of(token))).status_code)
    assert statuses == [200, 401]


async def test_their_keys_may_be_fetched_and_change(registered: str, tmp_path: Path) -> None:
    async with published(jwks(OTHER)["keys"]) as keys:
        issuer = an_issuer(keys=None, jwks_url=keys.url)
        async with inside(settings_with(registered, tmp_path, issuer, allowed_key_origins=(keys.origin,))) as gateway:
            other = signed(HEADER | {"kid": "other"}, claims(), OTHER)
            assert (await gateway.get("/v1/notices", headers=header_of(other))).status_code == 200
            keys.keys = jwks(OTHER, KEY)["keys"]
            assert (await gateway.get("/v1/notices", headers=header_of(signed(HEADER, claims(), KEY)))).status_code == 200


async def test_who_names_keys_of_theirs_that_are_not_there_bars_no_new_key_and_hears_when_to_come_again(
    registered: str, tmp_path: Path
) -> None:
    async with published(jwks(OTHER)["keys"]) as keys:
        issuer = an_issuer(keys=None, jwks_url=keys.url)
        async with inside(settings_with(registered, tmp_path, issuer, allowed_key_origins=(keys.origin,))) as gateway:
            unknown = [header_of(signed(HEADER | {"kid": f"never-{n}"}, claims(), KEY)) for n in range(LOOKS + 2)]
            assert (await gateway.get("/v1/notices", headers=unknown[0])).status_code == 401
            assert (await gateway.get("/v1/notices", headers=unknown[1])).status_code == 401
            keys.keys = jwks(OTHER, KEY)["keys"]
            assert (await gateway.get("/v1/notices", headers=header_of(signed(HEADER, claims(), KEY)))).status_code == 200
            answers = [await gateway.get("/v1/notices", headers=one) for one in unknown[2:]]
            last = answers[-1]
            assert (last.status_code, last.json()["code"]) == (503, "service.unavailable")
            assert 1 <= int(last.headers["Retry-After"]) <= LOOK_AGAIN_SECONDS


async def test_a_key_of_theirs_without_an_id_is_changed_without_a_word_to_us(registered: str, tmp_path: Path) -> None:
    header = {name: value for name, value in HEADER.items() if name != "kid"}
    async with published(jwks(OTHER)["keys"]) as keys:
        issuer = an_issuer(keys=None, jwks_url=keys.url)
        async with inside(settings_with(registered, tmp_path, issuer, allowed_key_origins=(keys.origin,))) as gateway:
            assert (await gateway.get("/v1/notices", headers=header_of(signed(header, claims(), OTHER)))).status_code == 200
            keys.keys = jwks(KEY)["keys"]
            assert (await gateway.get("/v1/notices", headers=header_of(signed(header, claims(), KEY)))).status_code == 200


async def test_a_forged_token_of_theirs_is_refused_without_saying_why(registered: str, tmp_path: Path) -> None:
    changed: dict[str, dict[str, Any]] = {
        "exp beyond all numbers": {"exp": 10**400},
        "subject of nobody": {"sub": "nobody"},
        "subject a number": {"sub": 7},
        "subject half a character": {"sub": "\ud800"},
    }
    forged = forgeries(HEADER, claims(), KEY, OTHER) | {word: signed(HEADER, claims(**what), KEY) for word, what in changed.items()}
    hidden = {"request_id": None, "instance": None}
    async with inside(settings_with(registered, tmp_path, an_issuer())) as gateway:
        unknown = await gateway.get("/v1/notices", headers=header_of("nonsense"))
        answers = {name: await gateway.get("/v1/notices", headers=header_of(token)) for name, token in forged.items()}
    assert len(answers) > 40
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(forged, 401)
    assert [name for name, answer in answers.items() if answer.json() | hidden != unknown.json() | hidden] == []


async def test_a_token_of_theirs_with_our_key_id_or_ours_with_theirs_is_refused(registered: str, tmp_path: Path) -> None:
    settings = settings_with(registered, tmp_path, an_issuer())
    own = ECKey.import_key(json.loads(settings.signing_key_file.read_text())["keys"][0])
    ours = {"org": "2120001355", "units": [], "scope": "notices:read", "role": "municipality"}
    tokens = [
        signed(HEADER, claims(iss=PUBLIC_URL, **ours), KEY),
        signed(HEADER | {"kid": own.kid}, claims(iss=PUBLIC_URL, **ours), KEY),
        signed(HEADER | {"kid": own.kid}, claims(), own),
        signed(HEADER, claims(), own),
    ]
    async with inside(settings) as gateway:
        statuses = [(await gateway.get("/v1/notices", headers=header_of(token))).status_code for token in tokens]
    assert statuses == [401] * 4


async def test_a_claim_of_the_operators_choice_names_the_client(registered: str, tmp_path: Path) -> None:
    token = signed(HEADER, claims(sub="a person", azp="journal-su"), KEY)
    statuses = []
    for claim in ("azp", "sub"):
        async with inside(settings_with(registered, tmp_path, an_issuer(client_claim=claim))) as gateway:
            statuses.append((await gateway.get("/v1/notices", headers=header_of(token))).status_code)
    assert statuses == [200, 401]


async def test_a_revoked_client_is_out_although_its_issuer_still_vouches_for_it(registered: str, tmp_path: Path) -> None:
    database = Database(registered)
    async with inside(settings_with(registered, tmp_path, an_issuer())) as gateway:
        theirs = header_of(signed(HEADER, claims(), KEY))
        assert (await gateway.get("/v1/notices", headers=theirs)).status_code == 200
        async with database.transaction() as work:
            await clients.revoke_client(work, "journal")
        assert (await refused_within(gateway, theirs)).status_code == 401
    await database.close()


async def test_a_token_of_theirs_from_before_a_cut_opens_nothing_and_a_new_one_does(registered: str, tmp_path: Path) -> None:
    """Both after `revoke --tokens-only` and after the client was revoked and let in again."""
    database = Database(registered)
    begun = int(now().timestamp())
    old, new = (header_of(signed(HEADER, claims(iat=at), KEY)) for at in (begun, begun + 25))
    async with inside(settings_with(registered, tmp_path, an_issuer())) as gateway:
        assert (await gateway.get("/v1/notices", headers=old)).status_code == 200
        async with database.transaction() as work:
            await clients.end_tokens(work, "journal")
        await refused_within(gateway, old)
        await asyncio.sleep(1.1)  # tokens of ours of the very second of a cut are refused whoever asks for them
        assert (await gateway.get("/v1/notices", headers=old)).status_code == 401
        assert (await gateway.get("/v1/notices", headers=new)).status_code == 200
        async with database.transaction() as work:
            await clients.revoke_client(work, "journal")
            await clients.register_client(work, a_client(client_id="journal", issuer=ISSUER, subject="journal-su"))
        await asyncio.sleep(1.1)
        assert (await gateway.get("/v1/notices", headers=old)).status_code == 401
    await database.close()


async def test_a_demo_client_is_nobody_in_production_also_at_their_word(gateway_database: str, tmp_path: Path) -> None:
    await register(gateway_database, a_client(client_id="journal", issuer=ISSUER, subject="journal-su", demo=True), None)
    statuses = []
    for environment in ("production", "demo"):
        async with inside(settings_with(gateway_database, tmp_path, an_issuer(), environment=environment)) as gateway:
            statuses.append((await gateway.get("/v1/notices", headers=header_of(signed(HEADER, claims(), KEY)))).status_code)
    assert statuses == [401, 200]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[[issuer]]\nissuer = 'a'\naudience = 'b'",
        "[[issuer]]\nissuer = 'a'\naudience = 'b'\njwks_url = 'https://a.se/k'\nalgorithms = ['HS256']",
        "[[issuer]]\nissuer = 'a'\naudience = 'b'\njwks_url = 'https://a.se/k'\nalgorithms = []",
        "[[issuer]]\nissuer = 'a'\naudience = 'b'\njwks_url = 'https://a.se/k'\nodd = 1",
        "[[issuer]]\nissuer = 'a'\naudience = 'b'\nkeys = [{kty = 'oct', k = 'c2VjcmV0'}]",
        2 * "[[issuer]]\nissuer = 'a'\naudience = 'b'\njwks_url = 'https://a.se/k'\n",
    ],
)
def test_a_file_of_issuers_that_does_not_hold_stops_the_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "issuers.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"issuer|validation"):
        read_issuers(file)


def test_without_a_file_nobody_else_is_trusted() -> None:
    assert read_issuers(None) == ()
