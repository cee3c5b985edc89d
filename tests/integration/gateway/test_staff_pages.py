"""The pages that staff come by, as a tired person meets them: names, languages, two clicks, the way back, a session that ended."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from services.gateway.staff import sessions
from shared.dates import now
from shared.db import Database
from tests.integration.gateway.staff_parts import COOKIE, REGION, Stand, a_stand, back_from_demo, ours, session_of, sign_in, to_provider


@pytest.fixture
async def stand(gateway_database: str, tmp_path: Path) -> AsyncIterator[Stand]:
    async with a_stand(gateway_database, tmp_path) as started:
        yield started


@pytest.fixture
async def browser(stand: Stand) -> AsyncIterator[httpx.AsyncClient]:
    async with stand.browser() as opened:
        yield opened


async def test_a_role_that_is_clicked_twice_is_chosen_once(gateway_database: str, stand: Stand, browser: httpx.AsyncClient) -> None:
    """A browser drops the answer to the first click, and the new session id in it."""
    await sign_in(browser, "sven")
    before = {"Cookie": f"{COOKIE}={session_of(browser)}"}
    async with stand.browser() as clicking:
        clicks = [clicking.post("/sign-in/role", data={"commission": "1"}, headers=ours(browser) | before) for _ in range(4)]
        answers = await asyncio.gather(*clicks)
        assert [answer.headers["location"] for answer in answers] == ["/staff"] * 4
        ids = [answer.headers["set-cookie"].split(";")[0] for answer in answers]
        good = [one for one in ids if (await clicking.get("/v1/cases", headers={"Cookie": one})).status_code == 200]
        assert len(good) == 1
        # The id from before the choice is good for nothing but choosing, and that for a moment.
        assert (await clicking.get("/v1/cases", headers=before)).status_code == 401
        assert (await clicking.get("/staff", headers=before)).headers["location"] == "/sign-in"
    database = Database(gateway_database)
    lifetimes = sessions.Lifetimes(timedelta(minutes=30), timedelta(hours=12))
    chosen = []
    for seconds in (5, 11):
        async with database.transaction(now() + timedelta(seconds=seconds)) as work:
            chosen.append(await sessions.choose_role(work, session_of(browser), 0, lifetimes) is not None)
    await database.close()
    assert chosen == [True, False]


async def test_who_signs_out_before_the_answer_to_her_choice_has_come_is_signed_out(stand: Stand, browser: httpx.AsyncClient) -> None:
    """Both buttons stand on one page, and her browser knows the former id only."""
    await sign_in(browser, "sven")
    before = ours(browser) | {"Cookie": f"{COOKIE}={session_of(browser)}"}
    async with stand.browser() as clicking:
        chosen = await clicking.post("/sign-in/role", data={"commission": "0"}, headers=before)
        renewed = {"Cookie": chosen.headers["set-cookie"].split(";")[0]}
        assert (await clicking.get("/v1/cases", headers=renewed)).status_code == 200
        await clicking.post("/sign-out", headers=before)
        assert (await clicking.get("/staff", headers=renewed)).headers["location"] == "/sign-in"
        again = await clicking.post("/sign-in/role", data={"commission": "1"}, headers=before)
        assert (again.headers["location"], COOKIE in again.headers.get("set-cookie", "")) == ("/sign-in", False)


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


async def test_a_nurse_chooses_among_her_wards_by_name(browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "anna")
    page = (await browser.get("/sign-in/role?lang=sv")).text
    for number in (1, 2):
        assert f"Sjuksköterska på avdelning · <strong>Demoavdelning medicin {number}, Sahlgrenska universitetssjukhuset</strong>" in page
        assert f"Västra Götalandsregionen · SE{REGION}-E00000000010{number}" in page
    await browser.post("/sign-in/role", data={"commission": "1"}, headers=ours(browser))
    assert "your role now" in (await browser.get("/sign-in/role?lang=en")).text
    assert "Demoavdelning medicin 2" in (await browser.get("/staff")).text


async def test_the_language_that_was_chosen_holds_the_whole_way(browser: httpx.AsyncClient) -> None:
    browser.headers["Accept-Language"] = "en"
    assert 'lang="en"' in (await browser.get("/sign-in")).text
    assert 'lang="sv"' in (await browser.get("/sign-in?lang=sv")).text
    assert 'lang="sv"' in (await browser.get("/sign-in")).text
    provider = await to_provider(browser)
    assert httpx.URL(provider).params["ui_locales"] == "sv"
    assert "Vem är du?" in (await browser.get(provider)).text
    answer = await browser.get(await back_from_demo(browser, "sven"))
    assert answer.status_code == 303
    assert "Välj roll" in (await browser.get("/sign-in/role")).text
    assert (await browser.get("/sign-in/role?lang=xx")).headers["content-language"] == "sv"


@pytest.mark.parametrize(
    ("where", "said"),
    [("no role", "no commission here"), ("cancelled", "Begin again"), ("unknown", "no such sign-in service"), ("token", "Maja Test")],
)
async def test_every_page_can_be_read_in_the_other_language(browser: httpx.AsyncClient, where: str, said: str) -> None:
    """Also where the address that the page came from is good once, or is no page."""
    browser.headers["Accept-Language"] = "sv"
    match where:
        case "no role":
            page = await sign_in(browser, "ingen")
        case "cancelled":
            page = await browser.get("/sign-in/callback", params={"error": "access_denied", "state": "x"})
        case "unknown":
            page = await browser.get("/sign-in/start", params={"issuer": "nobody"})
        case _:
            await sign_in(browser, "maja")
            page = await browser.post("/sign-in/token", headers=ours(browser))
    other = await browser.get(_switch(page))
    assert (other.status_code, said in other.text) == (200, True)


async def test_whoever_comes_back_to_a_used_address_is_told_that_she_is_signed_in(stand: Stand, browser: httpx.AsyncClient) -> None:
    """A browser's own button leads there."""
    address = await back_from_demo(browser, "maja")
    await browser.get(address)
    again = await browser.get(address, headers={"Accept-Language": "en"})
    assert (again.status_code, "You are still signed in as <strong>Maja Test</strong>" in again.text) == (400, True)
    assert "Sign-in failed" not in again.text
    assert "Du är fortfarande inloggad som <strong>Maja Test</strong>" in (await browser.get("/sign-in/refused?why=not_begun&lang=sv")).text
    async with stand.browser() as other:
        refused = await other.get(address, headers={"Accept-Language": "en"})
        assert ("Sign-in failed" in refused.text, "Maja Test" in refused.text) == (True, False)
        # What support finds in the log.
        assert refused.headers["x-request-id"] in refused.text
    # The same at the page where one begins.
    assert "Maja Test" in (await browser.get("/sign-in")).text


async def test_whoever_fails_to_sign_in_where_somebody_else_still_is_reads_that_it_failed(browser: httpx.AsyncClient) -> None:
    """Two nurses, one computer: the second must not go on as the first because of a page that says all is well."""
    browser.headers["Accept-Language"] = "sv"
    await sign_in(browser, "maja")
    address = httpx.URL(await back_from_demo(browser, "lars")).copy_remove_param("code").copy_set_param("error", "access_denied")
    refused = await browser.get(address)
    assert refused.status_code == 400
    for page in (refused.text, (await browser.get(_switch(refused))).text):
        assert ("Inloggningen gick inte" in page or "Sign-in failed" in page, "Maja Test" in page) == (True, True)
        assert not any(said in page for said in ("Du är redan inloggad", "You are signed in already"))
    assert refused.headers["x-request-id"] in refused.text


async def test_whoever_left_reads_so_in_the_other_language_too(browser: httpx.AsyncClient) -> None:
    await sign_in(browser, "maja")
    left = await browser.get((await browser.post("/sign-out", headers=ours(browser))).headers["location"])
    assert "You are signed out here" in left.text
    assert "Du är utloggad härifrån" in (await browser.get(_switch(left))).text


async def test_whoever_left_her_page_open_too_long_is_told_that_her_session_ended(
    gateway_database: str, browser: httpx.AsyncClient
) -> None:
    assert "no longer signed in" not in (await browser.get("/sign-in?lang=en")).text
    await sign_in(browser, "sven")
    database = Database(gateway_database)
    async with database.transaction() as work:
        await sessions.end_session(work, session_of(browser))
    await database.close()
    page = {**ours(browser), "Accept": "text/html,application/xhtml+xml"}
    assert (await browser.get("/staff")).headers["location"] == "/sign-in"
    assert (await browser.post("/sign-in/role", data={"commission": "0"}, headers=page)).headers["location"] == "/sign-in"
    # A person gets no page of JSON.
    assert (await browser.post("/sign-in/token", headers=page)).headers["location"] == "/staff"
    assert "no longer signed in" in (await browser.get("/sign-in")).text


async def test_a_sign_in_that_the_demo_does_not_know_any_more_leads_to_another(browser: httpx.AsyncClient) -> None:
    """The page stayed open while the demonstration was started again."""
    page = await browser.get("/demo-issuer/as/before/maja", headers={"Accept-Language": "sv"})
    assert (page.status_code, "gäller inte längre" in page.text, f'href="{ours(browser)["Origin"]}/sign-in"' in page.text) == (
        400,
        True,
        True,
    )


def _switch(page: httpx.Response) -> str:
    """Where the page leads in the other language."""
    found = re.search(r'<a href="([^"]+)" lang="(?:sv|en)"', page.text)
    assert found is not None
    return found[1].replace("&amp;", "&")
