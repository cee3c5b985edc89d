import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from starlette.responses import Response

from dirigent.demo_issuer import NotHere, demo_issuer
from services.gateway.app import create_app
from services.gateway.staff import sessions
from services.gateway.staff.cookies import Origin
from services.gateway.staff.provider import Challenge, NotIdentified, Provider
from shared.dates import now
from shared.db import Database
from shared.http.auth import TokenVerifier
from tests.integration.gateway.parts import echoes, settings_for
from tests.integration.gateway.staff_parts import (
    CITY,
    REGION,
    WARD,
    Forger,
    Stand,
    a_stand,
    back_from_demo,
    forged,
    ours,
    sign_in,
    signed_with_public_key,
    to_provider,
    unsigned,
)
from tests.patience import until

COOKIE = "dirigent"


@pytest.fixture
async def stand(gateway_database: str, tmp_path: Path) -> AsyncIterator[Stand]:
    async with a_stand(gateway_database, tmp_path) as started:
        yield started


@pytest.fixture
async def browser(stand: Stand) -> AsyncIterator[httpx.AsyncClient]:
    async with stand.browser() as opened:
        yield opened


async def test_a_nurse_signs_in_chooses_her_ward_and_calls_the_interface(stand: Stand, browser: httpx.AsyncClient) -> None:
    page = await browser.get("/sign-in")
    assert "/sign-in/start?issuer=demo" in page.text
    answer = await sign_in(browser, "anna")
    assert (answer.status_code, answer.headers["location"]) == (303, "/staff")
    assert (await browser.get("/staff")).headers["location"] == "/sign-in/role"
    assert "Anna Test" in (await browser.get("/sign-in/role")).text
    # Nothing is hers before she chose.
    assert (await browser.get("/v1/cases")).status_code == 401
    chosen = await browser.post("/sign-in/role", data={"commission": "1"}, headers=ours(browser))
    assert chosen.headers["location"] == "/staff"
    swedish = await browser.get("/staff", headers={"Accept-Language": "sv"})
    assert "Sjuksköterska på avdelning" in swedish.text
    assert (await browser.get("/v1/cases")).status_code == 200
    told = dict(stand.seen[-1]["headers"])
    assert "cookie" not in told
    caller = await _caller(browser, told["authorization"])
    assert (caller.client_id, caller.person, caller.role, caller.organisation) == ("staff:demo:anna", "Anna Test", "ward", REGION)
    assert len(caller.unit_prefixes) == 1
    assert len(caller.unit_prefixes[0]) > len(f"SE{REGION}-")
    assert caller.scopes == {"cases:read", "cases:write", "notices:read", "notices:acknowledge", "consents:write", "deviations:write"}
    assert not caller.demo


async def test_who_has_one_commission_needs_not_choose(browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "maja")
    page = await browser.get("/staff?lang=en")
    assert ("Maja Test" in page.text, "Municipal officer" in page.text, "1480" in page.text) == (True, True, True)
    assert "/sign-in/role" not in page.text


async def test_who_has_no_commission_is_told_so_and_gets_no_session(browser: httpx.AsyncClient) -> None:
    answer = await sign_in(browser, "ingen")
    assert (answer.status_code, "no commission here" in answer.text) == (403, True)
    assert COOKIE not in browser.cookies


async def test_cookies_are_for_us_alone(browser: httpx.AsyncClient) -> None:
    flags = _flags(await sign_in(browser, "maja"))
    assert ("httponly" in flags, "samesite=lax" in flags, "path=/" in flags, "domain" in flags) == (True, True, True, False)


def test_over_https_cookies_carry_the_prefix_that_ties_them_to_us() -> None:
    origin, response = Origin("https://dirigent.test"), Response()
    assert (origin.session, origin.sign_in) == ("__Host-dirigent", "__Host-dirigent-sign-in")
    origin.keep(response, origin.session, "1", timedelta(hours=1))
    flags = response.headers["set-cookie"].lower()
    assert ("secure" in flags, "httponly" in flags, "samesite=lax" in flags, "path=/" in flags, "domain" in flags) == (*[True] * 4, False)


async def test_every_step_gives_the_session_a_new_id(browser: httpx.AsyncClient) -> None:
    browser.cookies.set(COOKIE, "chosen-by-somebody-else", domain="127.0.0.1", path="/")
    await sign_in(browser, "sven")
    first = _session(browser)
    assert first != "chosen-by-somebody-else"
    await browser.post("/sign-in/role", data={"commission": "0"}, headers=ours(browser))
    second = _session(browser)
    assert first != second
    _use(browser, first)
    assert (await browser.get("/v1/cases")).status_code == 401
    _use(browser, second)
    assert (await browser.get("/v1/cases")).status_code == 200


async def test_changing_role_changes_what_one_may(stand: Stand, browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "sven")
    scopes = []
    for number in ("0", "1"):
        await browser.post("/sign-in/role", data={"commission": number}, headers=ours(browser))
        assert (await browser.get("/v1/cases")).status_code == 200
        scopes.append((await _caller(browser, dict(stand.seen[-1]["headers"])["authorization"])).scopes)
    assert ["persons:protected" in found for found in scopes] == [False, True]


@pytest.mark.parametrize("number", ["2", "-1", "x", "", "١", "1e0", "999"])
async def test_nobody_takes_on_a_role_that_is_not_hers(browser: httpx.AsyncClient, number: str) -> None:
    await sign_in(browser, "sven")
    assert (await browser.post("/sign-in/role", data={"commission": number}, headers=ours(browser))).status_code == 400
    assert (await browser.get("/v1/cases")).status_code == 401


async def test_signing_out_ends_it_at_once(browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "maja")
    assert (await browser.get("/v1/cases")).status_code == 200
    kept = _session(browser)
    assert (await browser.post("/sign-out", headers=ours(browser))).headers["location"] == "/sign-in"
    assert COOKIE not in browser.cookies
    _use(browser, kept)
    assert (await browser.get("/v1/cases")).status_code == 401
    assert (await browser.get("/staff")).headers["location"] == "/sign-in"


async def test_a_session_ends_unused_and_in_any_case(gateway_database: str, stand: Stand) -> None:
    lifetimes = sessions.Lifetimes(timedelta(minutes=30), timedelta(hours=12))
    async with stand.browser() as browser:
        await sign_in(browser, "maja")
        session_id = _session(browser)
    database = Database(gateway_database)
    found = []
    for minutes in (29, 58, 89):  # the third is 31 minutes after the second
        async with database.transaction(now() + timedelta(minutes=minutes)) as work:
            found.append(await sessions.find_session(work, session_id, lifetimes) is not None)
    assert found == [True, True, False]
    for hours in range(1, 30):
        async with database.transaction(now() + timedelta(minutes=58 + 25 * hours)) as work:
            if await sessions.find_session(work, session_id, lifetimes) is None:
                break
    assert 58 + 25 * hours > 12 * 60
    await database.close()


async def test_an_operator_signs_a_person_out_everywhere(gateway_database: str, stand: Stand) -> None:
    async with stand.browser() as one, stand.browser() as other, stand.browser() as elsewhere:
        await sign_in(one, "maja")
        await sign_in(other, "maja")
        page = await one.post("/sign-in/token", headers=ours(one))
        bearer = {"Authorization": f"Bearer {_shown(page)}"}
        assert (await elsewhere.get("/v1/cases", headers=bearer)).status_code == 200
        (first, _) = await _staff_command(gateway_database, "list", "--json")
        assert (first["user"], first["name"], first["role"]) == ("staff:demo:maja", "Maja Test", "municipal_officer")
        told = await _staff_command(gateway_database, "sign-out", "staff:demo:maja", "--json")
        assert told == {"user": "staff:demo:maja", "sessions": 2}
        assert [(await browser.get("/staff")).headers["location"] for browser in (one, other)] == ["/sign-in", "/sign-in"]
        # Every gateway process is told; the token she carried off does not hold either.
        await until(lambda: _refused(elsewhere, bearer))
        assert (await one.get("/v1/cases")).status_code == 401


@pytest.mark.parametrize("path", ["/sign-out", "/sign-in/role", "/sign-in/token"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_other_sites_forms_are_refused(browser: httpx.AsyncClient, path: str, headers: dict[str, str]) -> None:
    await sign_in(browser, "maja")
    answer = await browser.post(path, data={"commission": "0"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "origin.refused")
    assert (await browser.get("/v1/cases")).status_code == 200


async def test_other_sites_pages_call_nothing_with_our_cookie(stand: Stand, browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "maja")
    refused = [
        await browser.post("/v1/cases/search", json={}, headers={"Origin": "https://evil.test"}),
        await browser.post("/v1/cases/search", json={}),
        await browser.get("/v1/cases", headers={"Sec-Fetch-Site": "cross-site"}),
        await browser.get("/v1/cases", headers={"Origin": "https://evil.test"}),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "origin.refused")] * 4
    assert stand.seen == []
    taken = [
        await browser.post("/v1/cases/search", json={}, headers=ours(browser)),
        await browser.post("/v1/cases/search", json={}, headers={"Sec-Fetch-Site": "same-origin", "Origin": "null"}),
        await browser.get("/v1/cases"),
    ]
    assert [answer.status_code for answer in taken] == [200, 200, 200]


async def test_a_bearer_token_goes_before_the_cookie(stand: Stand, browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "maja")
    assert (await browser.get("/v1/cases", headers={"Authorization": "Bearer nonsense"})).status_code == 401


async def test_a_signed_in_browser_gets_a_token_for_use_outside_it(stand: Stand, browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "maja")
    page = await browser.post("/sign-in/token", headers=ours(browser))
    token = _shown(page)
    assert page.headers["cache-control"] == "no-store"
    async with stand.browser() as elsewhere:
        assert (await elsewhere.get("/v1/cases", headers={"Authorization": f"Bearer {token}"})).status_code == 200
    caller = await _caller(browser, f"Bearer {token}")
    assert (caller.person, caller.municipality) == ("Maja Test", "1480")


async def test_nobody_signed_in_gets_no_token(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/sign-in/token", headers=ours(browser))
    assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid")


async def test_the_way_back_is_for_the_browser_that_began_and_good_once(stand: Stand, browser: httpx.AsyncClient) -> None:
    address = await back_from_demo(browser, "maja")
    async with stand.browser() as other:
        assert (await other.get(address)).status_code == 400
        # Not even one with a sign-in of its own under way.
        await to_provider(other)
        assert (await other.get(address)).status_code == 400
    assert (await browser.get(address)).status_code == 303
    assert (await browser.get(address)).status_code == 400


async def test_of_many_at_once_one_ends_the_sign_in(stand: Stand, browser: httpx.AsyncClient) -> None:
    address = await back_from_demo(browser, "maja")
    answers = await asyncio.gather(*(browser.get(address) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [303] + [400] * 7


@pytest.mark.parametrize(
    "changed",
    [{"state": "other"}, {"code": "other"}, {"iss": "https://other.test"}, {"error": "access_denied"}, {"code": ""}, {"state": ""}],
)
async def test_a_changed_answer_of_the_provider_is_refused(browser: httpx.AsyncClient, changed: dict[str, str]) -> None:
    address = httpx.URL(await back_from_demo(browser, "maja"))
    answer = await browser.get(address.copy_merge_params(changed))
    assert (answer.status_code, COOKIE in browser.cookies) == (400, False)


async def test_a_sign_in_that_took_too_long_is_refused(gateway_database: str) -> None:
    database = Database(gateway_database)
    challenge = Challenge.fresh()
    async with database.transaction() as work:
        browser = await sessions.begin_sign_in(work, "demo", challenge, timedelta(minutes=30))
    async with database.transaction(now() + timedelta(minutes=11)) as work:
        assert await sessions.take_sign_in(work, challenge.state, browser) is None
    await database.close()


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "other"},
        {"nonce": None},
        {"aud": "somebody-else"},
        {"aud": ["dirigent", "somebody-else"]},
        {"azp": "somebody-else"},
        {"iss": "https://other.test"},
        {"exp": lambda at: at - 120},
        {"exp": None},
        {"iat": lambda at: at - 3600},
        {"iat": lambda at: at + 3600},
        {"iat": None},
        {"sub": None},
        {"name": None},
        {"name": "Anna 18900101-9802"},
        {"name": ["Anna"]},
        {"employeeHsaId": None},
        {"employeeHsaId": "189001019802"},
        {"employeeHsaId": "a b"},
    ],
    ids=str,
)
async def test_an_id_token_that_is_not_for_this_sign_in_opens_nothing(
    gateway_database: str, tmp_path: Path, claims: dict[str, Any]
) -> None:
    forger = Forger(claims=claims)
    async with a_stand(gateway_database, tmp_path, forger.made_for) as stand, stand.browser() as browser:
        answer = await forged(browser, forger)
        assert (answer.status_code, COOKIE in browser.cookies) == (400, False)
        # The same provider saying the right thing is believed: it was this claim.
        forger.claims = {}
        assert (await forged(browser, forger)).status_code == 303


@pytest.mark.parametrize("kind", ["unsigned", "public key as secret", "another key", "unknown kid", "crit", "jku", "access token"])
async def test_a_forged_signature_opens_nothing(gateway_database: str, tmp_path: Path, kind: str) -> None:
    forger = Forger()
    match kind:
        case "unsigned":
            forger.sign = unsigned
        case "public key as secret":
            forger.sign = signed_with_public_key(forger.key)
        case "another key":
            forger.published = [ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})]
        case "unknown kid":
            forger.header = {"kid": "two"}
        case "crit":
            forger.header = {"crit": ["b64"], "b64": True}
        case "jku":
            forger.header = {"jku": "https://evil.test/keys"}
        case _:
            forger.header = {"typ": "at+jwt"}
    async with a_stand(gateway_database, tmp_path, forger.made_for) as stand, stand.browser() as browser:
        answer = await forged(browser, forger)
        assert (answer.status_code, COOKIE in browser.cookies) == (400, False)


@pytest.mark.parametrize(
    ("commission", "status"),
    [
        ({"organisation": REGION, "units": [WARD], "role": "Sjuksköterska"}, 303),
        ({"organisation": CITY, "role": ["Handläggare", "unheard of"]}, 303),
        ({"organisation": REGION, "role": "Attestant"}, 303),
        ({"organisation": REGION, "role": "Sjuksköterska"}, 403),  # the whole region is no ward
        ({"organisation": REGION, "units": [f"SE{REGION}-"], "role": "Sjuksköterska"}, 403),
        ({"organisation": REGION, "units": [f"SE{CITY}-E1"], "role": "Sjuksköterska"}, 403),  # units of somebody else
        ({"organisation": CITY, "role": "Attestant"}, 403),  # a role of the region
        ({"organisation": REGION, "role": "Handläggare"}, 403),  # a role of municipalities
        ({"organisation": "5560000000", "role": "Loggranskare"}, 403),  # not for this provider to say
        ({"organisation": REGION, "role": "approver"}, 403),  # our own word is not the provider's
        ({"organisation": 2321000131, "role": "Attestant"}, 403),
        ("not an object", 403),
    ],
    ids=str,
)
async def test_a_provider_is_believed_in_what_the_operator_lets_it_say(
    gateway_database: str, tmp_path: Path, commission: object, status: int
) -> None:
    forger = Forger(claims={"commissions": [commission]})
    async with a_stand(gateway_database, tmp_path, forger.made_for) as stand, stand.browser() as browser:
        assert (await forged(browser, forger)).status_code == status


async def test_a_log_reviewer_of_a_municipality_acts_as_a_municipality(gateway_database: str, tmp_path: Path) -> None:
    """With the role of the region's auditor it would read the region's ledger."""
    forger = Forger(claims={"commissions": [{"organisation": CITY, "role": "Loggranskare"}]})
    async with a_stand(gateway_database, tmp_path, forger.made_for) as stand, stand.browser() as browser:
        await forged(browser, forger)
        await browser.get("/v1/audit")
        caller = await _caller(browser, dict(stand.seen[-1]["headers"])["authorization"])
        assert (caller.role, caller.municipality, caller.scopes) == ("municipality", "1480", {"audit:read"})


async def test_the_provider_may_begin_to_sign_with_a_new_key(gateway_database: str, tmp_path: Path) -> None:
    forger = Forger()
    async with a_stand(gateway_database, tmp_path, forger.made_for) as stand, stand.browser() as browser, httpx.AsyncClient() as session:
        issuer = forger.made_for(stand.url).issuers.issuer[0]
        patient = Provider(issuer, "", session, loopback=True)
        eager = Provider(issuer, "", session, loopback=True, keys_again_seconds=0.0)
        challenge = Challenge.fresh()
        forger.nonce = challenge.nonce
        for provider in (patient, eager):
            assert (await provider.identify("any", challenge, now()))["name"] == "Anna Test"
        forger.key, forger.header = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"}), {"kid": "two"}
        forger.published = [*forger.published, forger.key]
        assert (await eager.identify("any", challenge, now()))["name"] == "Anna Test"
        # Nobody can make us ask all the time.
        with pytest.raises(NotIdentified):
            await patient.identify("any", challenge, now())
        # One that was asked for the first time has the new key anyway.
        assert (await forged(browser, forger)).status_code == 303


async def test_we_prove_who_we_are_with_a_key_of_our_own(gateway_database: str, tmp_path: Path) -> None:
    forger, own = Forger(), ECKey.generate_key("P-256", {"kid": "ours"})
    file = tmp_path / "own.json"
    file.write_text(json.dumps(own.as_dict(private=True)))
    async with a_stand(gateway_database, tmp_path, forger.made_for) as stand, httpx.AsyncClient() as session:
        issuer = forger.made_for(stand.url).issuers.issuer[0].model_copy(update={"client_secret": None, "private_key_file": file})
        challenge = Challenge.fresh()
        forger.nonce = challenge.nonce
        await Provider(issuer, "", session, loopback=True).identify("any", challenge, now())
    form = forger.forms[-1]
    claims = jwt.decode(form["client_assertion"][0], own, algorithms=["ES256"]).claims
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("dirigent", "dirigent", f"{forger.issuer}/token")
    assert claims["exp"] - claims["iat"] <= 300
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]


async def test_the_code_is_redeemed_with_the_verifier_and_for_our_address(gateway_database: str, tmp_path: Path) -> None:
    forger = Forger()
    async with a_stand(gateway_database, tmp_path, forger.made_for) as stand, stand.browser() as browser:
        assert (await forged(browser, forger)).status_code == 303
        form = forger.forms[0]
        assert (form["grant_type"], form["redirect_uri"]) == (["authorization_code"], [f"{stand.url}/sign-in/callback"])
        assert len(form["code_verifier"][0]) == 43


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://other.test"},
        {"token_endpoint": "http://intranet.test/token"},
        {"jwks_uri": None},
        {"authorization_endpoint": "https://name:word@other.test/"},
    ],
    ids=str,
)
async def test_a_provider_that_is_not_the_one_it_should_be_is_not_used(
    gateway_database: str, tmp_path: Path, discovery: dict[str, Any]
) -> None:
    forger = Forger(discovery=discovery)
    async with a_stand(gateway_database, tmp_path, forger.made_for) as stand, stand.browser() as browser:
        assert (await browser.get("/sign-in/start", params={"issuer": "forger"})).status_code == 503


async def test_an_unknown_provider_is_not_found(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/sign-in/start", params={"issuer": "nobody"})).status_code == 404


async def test_signing_in_begins_under_the_address_it_comes_back_to(stand: Stand, browser: httpx.AsyncClient) -> None:
    host = stand.url.removeprefix("http://")
    for name, location in ((host.replace("127.0.0.1", "localhost"), f"{stand.url}/sign-in"), (host, None), ("behind-a-proxy", None)):
        answer = await browser.get("/sign-in/start", params={"issuer": "demo"}, headers={"Host": name})
        assert answer.status_code == 303
        assert (answer.headers["location"] == location) is (location is not None)


async def test_staff_pages_run_no_script_and_say_what_their_fields_are(browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "sven")
    await browser.post("/sign-in/role", data={"commission": "0"}, headers=ours(browser))
    for path in ("/sign-in", "/sign-in/role", "/staff"):
        for language in ("sv", "en"):
            page = await browser.get(path, params={"lang": language})
            assert (page.status_code, f'lang="{language}"' in page.text, "<script" in page.text) == (200, True, False)
            assert "default-src 'none'" in page.headers["content-security-policy"]
            # With `no-referrer` browsers would send our own forms with `Origin: null`.
            assert page.headers["referrer-policy"] == "same-origin"
            assert page.headers["cache-control"] == "no-store"
            assert "<input" not in page.text


@pytest.mark.parametrize(("url", "environment"), [("https://dirigent.example.org", "demo"), ("http://127.0.0.1:8080", "production")])
def test_the_demos_provider_runs_on_this_machine_and_in_a_demo_only(url: str, environment: str) -> None:
    with pytest.raises(NotHere):
        demo_issuer(url, environment)


async def test_a_gateway_outside_a_demo_refuses_the_demos_provider(gateway_database: str, tmp_path: Path) -> None:
    settings = settings_for(gateway_database, tmp_path, environment="production")
    with pytest.raises(ValueError, match="demo only"):
        create_app(settings, echoes(), demo_issuer("http://127.0.0.1:8080", "demo"))


async def test_the_demos_provider_answers_this_machine_only() -> None:
    app = demo_issuer("http://127.0.0.1:8080", "demo").app
    for client, headers, status in (
        (("127.0.0.1", 1), {}, 200),
        (("192.0.2.7", 1), {}, 404),
        (("127.0.0.1", 1), {"X-Forwarded-For": "192.0.2.7"}, 404),
    ):
        transport = httpx.ASGITransport(app, client=client)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as asking:
            assert (await asking.get("/.well-known/openid-configuration", headers=headers)).status_code == status


def _shown(page: httpx.Response) -> str:
    """The token on its page."""
    return page.text.split('id="token">')[1].split("<")[0]


async def _refused(browser: httpx.AsyncClient, bearer: dict[str, str]) -> bool:
    return (await browser.get("/v1/cases", headers=bearer)).status_code == 401


async def _staff_command(database_url: str, *arguments: str) -> Any:
    environment = os.environ | {"DIRIGENT_GATEWAY_DATABASE_URL": database_url}
    running = await asyncio.create_subprocess_exec(sys.executable, "-m", "dirigent", "staff", *arguments, stdout=PIPE, env=environment)
    output, _ = await running.communicate()
    assert running.returncode == 0
    return json.loads(output)


def _flags(answer: httpx.Response) -> str:
    return next(line for line in answer.headers.get_list("set-cookie") if line.startswith(f"{COOKIE}=")).lower()


def _session(browser: httpx.AsyncClient) -> str:
    return next(cookie.value for cookie in browser.cookies.jar if cookie.name == COOKIE and cookie.value)


def _use(browser: httpx.AsyncClient, session_id: str) -> None:
    browser.cookies.clear()
    browser.cookies.set(COOKIE, session_id)


async def _caller(browser: httpx.AsyncClient, authorization: str) -> Any:
    keys = KeySet.import_key_set((await browser.get("/.well-known/jwks.json")).json())
    return TokenVerifier(keys, issuer=str(browser.base_url).rstrip("/")).verify(authorization)
