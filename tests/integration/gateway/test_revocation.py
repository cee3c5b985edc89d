"""A revoked client is out within seconds: in the process that hears of it and in every other, also in the middle of a stream."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from time import monotonic

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from services.gateway import clients, revocations
from services.gateway.app import create_app
from services.gateway.settings import Settings
from shared.db import Database, Work
from tests.integration.gateway.asking import a_key, jwks, status_of, token_of
from tests.integration.gateway.parts import a_client, an_echo, echoes, inside, register, served, settings_for

KEY, OTHER = a_key("mine"), a_key("other")
SOON_SECONDS = 5.0


@pytest.fixture
async def database(gateway_database: str) -> AsyncIterator[Database]:
    await register(gateway_database, a_client(client_id="keyed", public_keys=jwks(KEY)), None)
    opened = Database(gateway_database)
    yield opened
    await opened.close()


@pytest.fixture
def settings(gateway_database: str, tmp_path: Path) -> Settings:
    return settings_for(gateway_database, tmp_path, environment="production")


async def change(database: Database, use: Callable[[Work], Awaitable[object]]) -> None:
    async with database.transaction() as work:
        await use(work)


async def refused_within(gateway: httpx.AsyncClient, headers: dict[str, str], seconds: float = SOON_SECONDS) -> httpx.Response:
    """The first answer that is none of 2xx."""
    until = monotonic() + seconds
    while monotonic() < until:
        answer = await gateway.get("/v1/notices", headers=headers)
        if answer.status_code != 200:
            return answer
        await asyncio.sleep(0.02)
    raise AssertionError("the token still works")


async def test_a_revoked_client_is_out_at_once_in_every_process(settings: Settings, database: Database) -> None:
    async with inside(settings) as one, inside(settings) as other:
        mine = await token_of(one, KEY)
        for gateway in (one, other):
            assert (await gateway.get("/v1/notices", headers=mine)).status_code == 200
        await change(database, lambda work: clients.revoke_client(work, "keyed"))
        answers = await asyncio.gather(refused_within(one, mine), refused_within(other, mine))
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(401, "token.invalid")] * 2
        assert await status_of(one, KEY) == 401


async def test_a_process_that_starts_later_knows_who_was_revoked(settings: Settings, database: Database) -> None:
    async with inside(settings) as one:
        mine = await token_of(one, KEY)
        await change(database, lambda work: clients.revoke_client(work, "keyed"))
    async with inside(settings) as later:
        assert (await later.get("/v1/notices", headers=mine)).status_code == 401


async def test_a_process_that_hears_nothing_looks_by_itself(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations, "LOOK_EVERY_SECONDS", 0.2)
    deaf = settings.model_copy(update={"listen_url": type(settings.database_url)("postgresql+asyncpg://nobody@127.0.0.1:1/nowhere")})
    async with inside(deaf) as gateway:
        mine = await token_of(gateway, KEY)
        assert (await gateway.get("/v1/notices", headers=mine)).status_code == 200
        await change(database, lambda work: clients.revoke_client(work, "keyed"))
        assert (await refused_within(gateway, mine)).status_code == 401


async def test_taken_back_tokens_are_refused_and_new_ones_work(settings: Settings, database: Database) -> None:
    async with inside(settings) as gateway:
        mine = await token_of(gateway, KEY)
        assert (await gateway.get("/v1/notices", headers=mine)).status_code == 200
        await change(database, lambda work: clients.end_tokens(work, "keyed"))
        assert (await refused_within(gateway, mine)).status_code == 401
        await asyncio.sleep(1.1)
        assert (await gateway.get("/v1/notices", headers=await token_of(gateway, KEY))).status_code == 200
        assert (await gateway.get("/v1/notices", headers=mine)).status_code == 401


async def test_a_client_let_in_again_gets_new_tokens_and_its_old_ones_stay_refused(
    settings: Settings, database: Database, gateway_database: str
) -> None:
    async with inside(settings) as gateway:
        mine = await token_of(gateway, KEY)
        await change(database, lambda work: clients.revoke_client(work, "keyed"))
        await refused_within(gateway, mine)
        await register(gateway_database, a_client(client_id="keyed", public_keys=jwks(OTHER)), None)
        await asyncio.sleep(1.1)
        assert (await gateway.get("/v1/notices", headers=await token_of(gateway, OTHER))).status_code == 200
        assert (await gateway.get("/v1/notices", headers=mine)).status_code == 401


async def test_another_clients_tokens_go_on(settings: Settings, database: Database, gateway_database: str) -> None:
    await register(gateway_database, a_client(client_id="other", public_keys=jwks(OTHER)), None)
    async with inside(settings) as gateway:
        mine = await token_of(gateway, KEY)
        await change(database, lambda work: clients.revoke_client(work, "other"))
        await asyncio.sleep(0.3)
        assert (await gateway.get("/v1/notices", headers=mine)).status_code == 200


async def test_whoever_could_not_look_for_a_minute_lets_nobody_in(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with inside(settings) as gateway:
        mine = await token_of(gateway, KEY)
        assert (await gateway.get("/v1/notices", headers=mine)).status_code == 200
        monkeypatch.setattr(revocations, "TRUSTED_FOR_SECONDS", 0.0)
        answer = await gateway.get("/v1/notices", headers=mine)
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "service.unavailable", "1")
        assert (await gateway.get("/health/live")).status_code == 200


@pytest.mark.parametrize("known", [True, False], ids=["revoked", "nobody could look whether"])
async def test_a_stream_of_a_revoked_client_ends(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    ended = asyncio.Event()
    streaming = FastAPI()

    @streaming.get("/v1/stream")
    async def stream(_request: Request) -> StreamingResponse:
        async def beats() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b": beat\n\n"
                    await asyncio.sleep(0.05)
            finally:
                ended.set()

        return StreamingResponse(beats(), media_type="text/event-stream")

    services = echoes() | {"notifications": streaming}
    async with served(create_app(settings, services)) as address, httpx.AsyncClient(base_url=address, trust_env=False) as client:
        mine = await token_of(client, KEY)
        async with client.stream("GET", "/v1/stream", headers=mine) as answer:
            assert answer.status_code == 200
            beats = answer.aiter_raw()
            for _ in range(6):
                await anext(beats)
            if known:
                await change(database, lambda work: clients.revoke_client(work, "keyed"))
            else:
                monkeypatch.setattr(revocations, "TRUSTED_FOR_SECONDS", 0.0)
            async with asyncio.timeout(SOON_SECONDS):
                async for _ in beats:
                    pass
        async with asyncio.timeout(SOON_SECONDS):
            await ended.wait()


async def test_what_somebody_says_about_her_organisation_in_a_header_is_not_heard(settings: Settings, database: Database) -> None:
    planning = an_echo("planning")
    async with inside(settings, echoes() | {"planning": planning}) as gateway:
        mine = await token_of(gateway, KEY)
        spoofed = {"X-Organisation": "2321000131", "X-Organization-Id": "2321000131", "X-Client-Id": "finance", "X-Scope": "months:issue"}
        seen = (await gateway.get("/v1/notices", headers=mine | spoofed | {"Cookie": "session=1", "Client-Cert": ":AAAA:"})).json()
        assert (await gateway.get("/v1/notices", headers=spoofed)).status_code == 401
    names = {name for name, _ in seen["headers"]}
    assert not names & {"cookie", "client-cert"}
    assert dict(seen["headers"])["authorization"] == mine["Authorization"], "who calls is what the token says"
