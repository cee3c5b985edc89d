import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from markupsafe import escape

from shared.http.field_codes import field_codes
from shared.http.problems import catalogue
from tests.integration.gateway.parts import inside, settings_for


@pytest.fixture
async def reader(gateway_database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with inside(settings_for(gateway_database, tmp_path)) as client:
        yield client


async def test_the_first_page_tells_the_state_in_the_readers_language(reader: httpx.AsyncClient) -> None:
    swedish = await reader.get("/", headers={"Accept-Language": "sv-SE,sv;q=0.9,en;q=0.5"})
    english = await reader.get("/", headers={"Accept-Language": "en-GB"})
    assert ("i drift" in swedish.text, 'lang="sv"' in swedish.text) == (True, True)
    assert ("ready" in english.text, 'lang="en"' in english.text) == (True, True)


async def test_the_reference_says_that_it_is_english_on_a_swedish_page_too(reader: httpx.AsyncClient) -> None:
    for path in ("/docs", "/docs/cases"):
        page = await reader.get(path, params={"lang": "sv"})
        assert ('<html lang="sv">' in page.text, _language_of_main(page.text)) == (True, "en")
    assert _language_of_main((await reader.get("/problems", params={"lang": "sv"})).text) is None


async def test_every_problem_code_has_a_page_in_both_languages(reader: httpx.AsyncClient) -> None:
    for code, problem in catalogue().items():
        for language in ("sv", "en"):
            page = await reader.get(f"/problems/{code}?lang={language}")
            assert page.status_code == 200
            assert page.text.count(f"<code>{code}</code>") == 1
            assert str(problem.status) in page.text


async def test_every_code_of_a_field_is_explained_with_the_problem_codes_in_both_languages(reader: httpx.AsyncClient) -> None:
    for language in ("sv", "en"):
        rows = (await reader.get("/problems", params={"lang": language})).text.partition('<h2 id="fields">')[2]
        for code, field in field_codes().items():
            assert f"<code>{code}</code></td><td>{escape(field.meaning[language])}</td>" in rows, code
    document = (await reader.get("/openapi.json")).json()
    told = document["components"]["schemas"]["Problem"]["properties"]["errors"]["items"]["properties"]["code"]
    assert "/problems#fields" in told["description"]
    assert set(told["examples"]) <= set(field_codes())


async def test_an_unknown_page_is_a_plain_404(reader: httpx.AsyncClient) -> None:
    for path in ("/problems/no.such", "/docs/nothing"):
        page = await reader.get(path)
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_no_page_fetches_anything_from_anywhere_else_or_runs_a_script(reader: httpx.AsyncClient) -> None:
    groups = re.findall(r'href="(/docs/[a-z]+)"', (await reader.get("/docs")).text)
    assert groups
    for path in {"/", "/docs", "/problems", "/problems/not_found", *groups}:
        page = await reader.get(path)
        assert page.status_code == 200
        assert "<script" not in page.text
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
        assert "default-src 'none'" in page.headers["content-security-policy"]
        style = re.search(r'<link rel="stylesheet" href="([^"]+)"', page.text)
        assert style is not None
        assert (await reader.get(style[1])).headers["content-type"].startswith("text/css")


async def test_the_reference_is_searched_on_the_server_and_never_trusts_what_was_asked(reader: httpx.AsyncClient) -> None:
    found = await reader.get("/docs", params={"q": "cases GET"})
    assert ("/v1/cases/{case_id}" in found.text, "/oauth2/token" in found.text) == (True, False)
    nothing = await reader.get("/docs", params={"q": '"><script>alert(1)</script>'})
    assert ("Nothing matches" in nothing.text, "<script>" in nothing.text) == (True, False)


async def test_health_tells_each_part(reader: httpx.AsyncClient) -> None:
    assert (await reader.get("/health/live")).json() == {"status": "live"}
    ready = await reader.get("/health/ready")
    assert ready.json() == {
        "status": "ready",
        "parts": {"gateway": "ready", "planning": "ready", "billing": "ready", "notifications": "ready"},
    }


async def test_a_search_is_read_in_the_other_language_too(reader: httpx.AsyncClient) -> None:
    page = await reader.get("/docs", params={"q": 'acknowledge&"', "lang": "sv"})
    assert 'href="/docs?q=acknowledge%26%22&amp;lang=en"' in page.text


def _language_of_main(text: str) -> str | None:
    """The language that the main part says, where it is another than the page's."""
    found = re.search(r'<main[^>]*?(?: lang="(\w+)")?>', text)
    assert found is not None
    return found[1]
