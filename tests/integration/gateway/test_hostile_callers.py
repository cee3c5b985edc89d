"""What a caller that means harm, or only does not know better, meets at the door; each over a real socket, in one process and in two."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.gateway.app import create_app
from services.gateway.settings import Settings
from tests.integration.gateway.parts import bearer, echoes, over_http, served, settings_for


@asynccontextmanager
async def in_process(settings: Settings, services: dict[str, FastAPI]) -> AsyncIterator[str]:
    async with served(create_app(settings, services)) as address:
        yield address


@pytest.fixture(params=[in_process, over_http], ids=["in-process", "over-http"])
def front(request: pytest.FixtureRequest) -> Any:
    return request.param


def client_of(address: str, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=address, headers=headers, trust_env=False)


def settings_of(database: str, folder: Path, **changed: Any) -> Settings:
    return settings_for(database, folder, **changed)


def with_another_signature(authorization: str, place: int) -> str:
    """The same, one character of the signature changed; never the last ones, of which not every bit counts."""
    signed, _, signature = authorization.rpartition(".")
    other = "B" if signature[place] == "A" else "A"
    return f"{signed}.{signature[:place]}{other}{signature[place + 1 :]}"


async def test_an_address_that_keeps_sending_bad_tokens_waits_while_known_tokens_go_on(
    front: Any, gateway_database: str, tmp_path: Path
) -> None:
    settings = settings_of(gateway_database, tmp_path, failures_per_second=0.01, failures_burst=3)
    good = bearer(settings)
    async with front(settings, echoes()) as address, client_of(address) as client:
        assert (await client.get("/v1/notices", headers=good)).status_code == 200
        assert [(await client.get("/v1/notices")).status_code for _ in range(5)] == [401] * 5, "no token costs nothing"
        bad = [{"Authorization": with_another_signature(good["Authorization"], place)} for place in range(5)]
        answers = [await client.get("/v1/notices", headers=one) for one in bad]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
        assert answers[3].json()["code"] == "rate.exceeded"
        assert int(answers[3].headers["retry-after"]) > 0
        assert (await client.get("/v1/notices", headers=good)).status_code == 200


@pytest.mark.parametrize("path", ["/openapi.json/", "/docs/", "/health/live/"])
async def test_no_address_redirects_to_the_host_the_caller_names(path: str, gateway_database: str, tmp_path: Path) -> None:
    settings = settings_of(gateway_database, tmp_path)
    async with in_process(settings, echoes()) as address, client_of(address, Host="evil.test") as client:
        answer = await client.get(path)
    assert answer.status_code == 404
    assert "evil" not in str(answer.headers) + answer.text


async def test_head_gets_the_head_that_get_would(front: Any, gateway_database: str, tmp_path: Path) -> None:
    settings = settings_of(gateway_database, tmp_path)
    async with front(settings, echoes()) as address, client_of(address, **bearer(settings)) as client:
        for path in ("/v1/notices", "/v1/nothing", "/health/live", "/openapi.json", "/"):
            head, get = await client.head(path), await client.get(path)
            assert (head.status_code, head.content) == (get.status_code, b""), path
            assert head.headers["content-type"] == get.headers["content-type"], path
        refused = await client.head("/v1/events")
        assert refused.status_code == 405
        assert (await client.put("/v1/notices")).headers["allow"] == "GET, HEAD"


async def test_an_answer_of_a_service_is_not_kept_on_the_way(front: Any, gateway_database: str, tmp_path: Path) -> None:
    settings = settings_of(gateway_database, tmp_path)
    async with front(settings, echoes()) as address, client_of(address, **bearer(settings)) as client:
        answers = [await client.get("/v1/notices"), await client.get("/v1/cases"), await client.get("/v1/nothing")]
    assert [answer.headers.get_list("cache-control") for answer in answers] == [["no-store"]] * 3
