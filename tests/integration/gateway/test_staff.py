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
from starlette.responses import Response

from dirigent.demo_issuer import NotHere, demo_issuer
from services.gateway.app import create_app
from services.gateway.staff import sessions
from services.gateway.staff.cookies import Origin
from services.gateway.staff.provider import Challenge
from shared.dates import now
from shared.db import Database
from tests.integration.gateway.parts import echoes, settings_for
from tests.integration.gateway.staff_parts import (
    COOKIE,
    REGION,
    Stand,
    a_stand,
    back_from_demo,
    caller_of,
    ours,
    session_of,
    sign_in,
    to_provider,
)
from tests.patience import until


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
    caller = await caller_of(browser, told["authorization"])
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
    first = session_of(browser)
    assert first != "chosen-by-somebody-else"
    await browser.post("/sign-in/role", data={"commission": "0"}, headers=ours(browser))
    second = session_of(browser)
    assert first != second
    _use(browser, first)
    assert (await browser.get("/v1/cases")).status_code == 401
    _use(browser, second)
    assert (await browser.get("/v1/cases")).status_code == 200


async def test_signing_in_anew_ends_the_session_that_the_browser_had(stand: Stand, browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "maja")
    before = {"Cookie": f"{COOKIE}={session_of(browser)}"}
    await sign_in(browser, "lars")
    async with stand.browser() as other:
        assert (await other.get("/staff", headers=before)).headers["location"] == "/sign-in"
        assert (await other.get("/v1/cases", headers=before)).status_code == 401
    assert "Lars Test" in (await browser.get("/staff")).text


async def test_changing_role_changes_what_one_may(stand: Stand, browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "sven")
    scopes = []
    for number in ("0", "1"):
        await browser.post("/sign-in/role", data={"commission": number}, headers=ours(browser))
        assert (await browser.get("/v1/cases")).status_code == 200
        scopes.append((await caller_of(browser, dict(stand.seen[-1]["headers"])["authorization"])).scopes)
    assert ["persons:protected" in found for found in scopes] == [False, True]


@pytest.mark.parametrize("number", ["2", "-1", "x", "", "١", "1e0", "999"])
async def test_nobody_takes_on_a_role_that_is_not_hers(browser: httpx.AsyncClient, number: str) -> None:
    await sign_in(browser, "sven")
    assert (await browser.post("/sign-in/role", data={"commission": number}, headers=ours(browser))).status_code == 400
    assert (await browser.get("/v1/cases")).status_code == 401


async def test_signing_out_ends_it_at_once(browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "maja")
    assert (await browser.get("/v1/cases")).status_code == 200
    kept = session_of(browser)
    left = (await browser.post("/sign-out", headers=ours(browser))).headers["location"]
    assert COOKIE not in browser.cookies
    assert "You are signed out here" in (await browser.get(left)).text
    _use(browser, kept)
    assert (await browser.get("/v1/cases")).status_code == 401
    assert (await browser.get("/staff")).headers["location"] == "/sign-in"


async def test_a_session_ends_unused_and_in_any_case(gateway_database: str, stand: Stand) -> None:
    lifetimes = sessions.Lifetimes(timedelta(minutes=30), timedelta(hours=12))
    async with stand.browser() as browser:
        await sign_in(browser, "maja")
        session_id = session_of(browser)
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
    caller = await caller_of(browser, f"Bearer {token}")
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


async def test_an_answer_that_does_not_say_whose_it_is_is_refused_where_the_provider_says_so(browser: httpx.AsyncClient) -> None:
    """RFC 9207 2.4: otherwise one provider could pass its answer off as another's by leaving the name out, or saying two."""
    for change in ("left out", "said twice"):
        address = httpx.URL(await back_from_demo(browser, "maja"))
        named = address.copy_remove_param("iss") if change == "left out" else address.copy_add_param("iss", "https://other.test")
        answer = await browser.get(named)
        assert (answer.status_code, COOKIE in browser.cookies) == (400, False), change


async def test_a_sign_in_that_took_too_long_is_refused(gateway_database: str) -> None:
    database = Database(gateway_database)
    challenge = Challenge.fresh()
    async with database.transaction() as work:
        browser = await sessions.begin_sign_in(work, "demo", challenge, timedelta(minutes=30))
    async with database.transaction(now() + timedelta(minutes=11)) as work:
        assert await sessions.take_sign_in(work, challenge.state, browser) is None
    await database.close()


async def test_an_unknown_provider_is_not_found(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/sign-in/start", params={"issuer": "nobody"})).status_code == 404


async def test_signing_in_begins_under_the_address_it_comes_back_to(stand: Stand, browser: httpx.AsyncClient) -> None:
    host = stand.url.removeprefix("http://")
    for name, location in ((host.replace("127.0.0.1", "localhost"), f"{stand.url}/sign-in"), (host, None), ("behind-a-proxy", None)):
        answer = await browser.get("/sign-in/start", params={"issuer": "demo"}, headers={"Host": name})
        assert answer.status_code == 303
        assert (answer.headers["location"] == location) is (location is not None)


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
        (("127.0.0.1", 1), {"X-Real-IP": "192.0.2.7"}, 404),
        (("127.0.0.1", 1), {"Via": "1.1 proxy"}, 404),
        (("127.0.0.1", 1), {"Host": "localhost:8080"}, 200),
        (("127.0.0.1", 1), {"Host": "[::1]:8080"}, 200),
        (("127.0.0.1", 1), {"Host": "dirigent.example.org"}, 404),  # a proxy on this machine that says nothing else
        (("127.0.0.1", 1), {"Host": "127.0.0.1.evil.test:8080"}, 404),  # a page elsewhere whose name leads here
        (("127.0.0.1", 1), {"Host": "evil.test@127.0.0.1"}, 404),
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


def _use(browser: httpx.AsyncClient, session_id: str) -> None:
    browser.cookies.clear()
    browser.cookies.set(COOKIE, session_id)
