"""Clients with keys: by value, by address, changed while they work, and taken away."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Response
from joserfc.jwk import ECKey

from services.gateway import clients
from services.gateway.clients import Credentials, UnknownClient
from services.gateway.key_sources import LOOK_AGAIN_SECONDS, LOOKS
from shared.db import Database
from shared.errors import Malformed
from tests.integration.gateway.asking import a_key, asked_with, jwks, status_of, token_of
from tests.integration.gateway.key_server import published
from tests.integration.gateway.parts import SECRET, a_client, inside, register, settings_for

OLD, NEW, OTHER = a_key("old"), a_key("new"), a_key("other")


@pytest.fixture
async def database(gateway_database: str) -> AsyncIterator[Database]:
    opened = Database(gateway_database)
    yield opened
    await opened.close()


@pytest.fixture
async def gateway(gateway_database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with inside(settings_for(gateway_database, tmp_path, environment="production")) as client:
        yield client


async def rotate(database: Database, credentials: Credentials, overlap: timedelta = clients.OVERLAP, client_id: str = "keyed") -> None:
    async with database.transaction() as work:
        await clients.rotate_credentials(work, client_id, credentials, overlap)


async def test_both_keys_are_good_during_the_overlap_and_then_only_the_new_one(
    gateway: httpx.AsyncClient, database: Database, gateway_database: str
) -> None:
    await register(gateway_database, a_client(client_id="keyed", public_keys=jwks(OLD)), None)
    await rotate(database, Credentials(public_keys=jwks(NEW)))
    assert [await status_of(gateway, key) for key in (OLD, NEW, OTHER)] == [200, 200, 401]
    async with database.transaction() as work:
        await work.connection.exec_driver_sql("DELETE FROM former_credentials")
    assert [await status_of(gateway, key) for key in (OLD, NEW)] == [401, 200]


async def test_the_old_key_ends_with_the_overlap(gateway: httpx.AsyncClient, database: Database, gateway_database: str) -> None:
    await register(gateway_database, a_client(client_id="keyed", public_keys=jwks(OLD)), None)
    await rotate(database, Credentials(public_keys=jwks(NEW)), timedelta(seconds=0.5))
    assert await status_of(gateway, OLD) == 200
    await asyncio.sleep(0.6)
    assert [await status_of(gateway, key) for key in (OLD, NEW)] == [401, 200]


async def test_no_good_request_is_refused_while_a_key_is_changed(
    gateway: httpx.AsyncClient, database: Database, gateway_database: str
) -> None:
    await register(gateway_database, a_client(client_id="keyed", public_keys=jwks(OLD)), None)
    changed = asyncio.Event()

    async def keep_asking() -> list[int]:
        found = []
        while not changed.is_set():
            found.append(await status_of(gateway, OLD))
        return [*found, await status_of(gateway, NEW), await status_of(gateway, OLD)]

    asking = [asyncio.create_task(keep_asking()) for _ in range(4)]
    await asyncio.sleep(0.1)
    await rotate(database, Credentials(public_keys=jwks(NEW)))
    changed.set()
    statuses = [status for found in await asyncio.gather(*asking) for status in found]
    assert len(statuses) > 10
    assert set(statuses) == {200}


async def test_keys_of_several_changes_are_good_together(gateway: httpx.AsyncClient, database: Database, gateway_database: str) -> None:
    await register(gateway_database, a_client(client_id="keyed", public_keys=jwks(OLD)), None)
    await rotate(database, Credentials(public_keys=jwks(NEW)))
    await rotate(database, Credentials(public_keys=jwks(OTHER)))
    assert [await status_of(gateway, key) for key in (OLD, NEW, OTHER)] == [200, 200, 200]


async def test_a_change_without_overlap_ends_every_key_there_was(
    gateway: httpx.AsyncClient, database: Database, gateway_database: str
) -> None:
    await register(gateway_database, a_client(client_id="keyed", public_keys=jwks(OLD)), None)
    await rotate(database, Credentials(public_keys=jwks(NEW)))
    await rotate(database, Credentials(public_keys=jwks(OTHER)), timedelta())
    assert [await status_of(gateway, key) for key in (OLD, NEW, OTHER)] == [401, 401, 200]


async def test_an_assertion_cannot_be_used_again_under_the_other_key_set(
    gateway: httpx.AsyncClient, database: Database, gateway_database: str
) -> None:
    await register(gateway_database, a_client(client_id="keyed", public_keys=jwks(OLD)), None)
    form = asked_with(OLD)
    assert (await gateway.post("/oauth2/token", data=form)).status_code == 200
    await rotate(database, Credentials(public_keys=jwks(NEW)))
    assert (await gateway.post("/oauth2/token", data=form)).status_code == 401


async def test_a_secret_of_the_demo_is_changed_with_an_overlap_too(gateway_database: str, database: Database, tmp_path: Path) -> None:
    await register(gateway_database, a_client(demo=True))
    await rotate(database, Credentials(secret="another"), client_id="kommun-1480")
    form = {"grant_type": "client_credentials"}
    async with inside(settings_for(gateway_database, tmp_path)) as demo:
        answers = [await demo.post("/oauth2/token", data=form, auth=("kommun-1480", one)) for one in (SECRET, "another", "guess")]
    assert [answer.status_code for answer in answers] == [200, 200, 401]


async def test_a_client_that_publishes_its_keys_changes_them_without_a_word_to_us(gateway_database: str, tmp_path: Path) -> None:
    async with published(jwks(OLD)["keys"]) as keys:
        await register(gateway_database, a_client(client_id="keyed", jwks_url=keys.url), None)
        settings = settings_for(gateway_database, tmp_path, environment="production", allowed_key_origins=(keys.origin,))
        async with inside(settings) as gateway:
            assert [await status_of(gateway, key) for key in (OLD, NEW)] == [200, 401]
            assert keys.asked == 2, "an unknown key is looked for once"
        async with inside(settings) as gateway:
            assert await status_of(gateway, OLD) == 200
            keys.keys = jwks(OLD, NEW)["keys"]
            assert set(await asyncio.gather(*(status_of(gateway, key) for key in (OLD, NEW) * 8))) == {200}
            keys.answer = Response("away", 503)
            assert [await status_of(gateway, key) for key in (OLD, NEW)] == [200, 200]


async def test_who_names_keys_that_are_not_there_bars_no_new_key(gateway_database: str, tmp_path: Path) -> None:
    async with published(jwks(OLD)["keys"]) as keys:
        await register(gateway_database, a_client(client_id="keyed", jwks_url=keys.url), None)
        settings = settings_for(gateway_database, tmp_path, environment="production", allowed_key_origins=(keys.origin,))
        async with inside(settings) as gateway:
            assert await status_of(gateway, OLD) == 200
            assert await status_of(gateway, a_key("never-1")) == 401
            keys.keys = jwks(OLD, NEW)["keys"]
            assert await status_of(gateway, NEW) == 200
            answers = [await gateway.post("/oauth2/token", data=asked_with(a_key(f"never-{n}"))) for n in range(LOOKS)]
            assert {answer.status_code for answer in answers[:-2]} == {401}
            last = answers[-1]
            assert (last.status_code, last.json()["error"]) == (503, "temporarily_unavailable"), "not 401: its key may be there by now"
            assert 1 <= int(last.headers["Retry-After"]) <= LOOK_AGAIN_SECONDS
            assert [await status_of(gateway, key) for key in (OLD, NEW)] == [200, 200]


async def test_a_key_without_an_id_is_changed_without_a_word_to_us(gateway_database: str, tmp_path: Path) -> None:
    old, new = (ECKey.generate_key("P-256") for _ in range(2))
    async with published(jwks(old)["keys"]) as keys:
        await register(gateway_database, a_client(client_id="keyed", jwks_url=keys.url), None)
        settings = settings_for(gateway_database, tmp_path, environment="production", allowed_key_origins=(keys.origin,))
        async with inside(settings) as gateway:
            assert [await status_of(gateway, key) for key in (old, new)] == [200, 401]
            keys.keys = jwks(new)["keys"]
            assert [await status_of(gateway, key) for key in (new, old)] == [200, 401]


async def test_a_published_key_serves_after_a_change_from_a_key_by_value(gateway_database: str, database: Database, tmp_path: Path) -> None:
    await register(gateway_database, a_client(client_id="keyed", public_keys=jwks(OLD)), None)
    async with published(jwks(NEW)["keys"]) as keys:
        await rotate(database, Credentials(jwks_url=keys.url))
        settings = settings_for(gateway_database, tmp_path, environment="production", allowed_key_origins=(keys.origin,))
        async with inside(settings) as gateway:
            assert [await status_of(gateway, key) for key in (NEW, OLD)] == [200, 200]


async def test_keys_at_a_private_address_prove_nothing(gateway_database: str, tmp_path: Path) -> None:
    async with published(jwks(OLD)["keys"]) as keys:
        await register(gateway_database, a_client(client_id="keyed", jwks_url=keys.url), None)
        async with inside(settings_for(gateway_database, tmp_path, environment="production")) as gateway:
            assert await status_of(gateway, OLD) == 401
        assert keys.asked == 0


async def test_one_assertion_in_many_hands_at_two_gateways_gives_one_token(gateway_database: str, tmp_path: Path) -> None:
    await register(gateway_database, a_client(client_id="keyed", public_keys=jwks(OLD)), None)
    settings = settings_for(gateway_database, tmp_path, environment="production")
    async with inside(settings) as one, inside(settings) as other:
        form = asked_with(OLD)
        answers = await asyncio.gather(*(gateway.post("/oauth2/token", data=form) for gateway in (one, other) * 32))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 63


@pytest.mark.parametrize(
    "changed",
    [
        {"organisation": "212000"},
        {"organisation": "21200013551"},
        {"role": "king"},
        {"scopes": ()},
        {"scopes": ("cases:read", "everything")},
        {"unit_prefixes": ()},
        {"unit_prefixes": ("SE2321000131-",)},
        {"unit_prefixes": ("SE2120001355-", "SE")},
        {"municipality": None},
        {"municipality": "148"},
        {"public_keys": {"keys": []}},
        {"public_keys": jwks(OLD), "jwks_url": "https://keys.vgregion.se/keys"},
        {"jwks_url": "https://user@keys.vgregion.se/keys"},
        {"jwks_url": "keys"},
        {"certificate_thumbprints": ("abc",)},
        {"issuer": "https://idp.vgregion.se"},
    ],
    ids=" ".join,
)
async def test_what_does_not_fit_together_is_not_registered(gateway_database: str, changed: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as caught:
        await register(gateway_database, a_client(**changed), None)
    assert caught.value.code == "client.unusable"
    assert caught.value.detail


@pytest.mark.parametrize("again", [{"public_keys": jwks(OTHER)}, {"issuer": "https://idp.test", "subject": "keyed"}, {}], ids=" ".join)
async def test_what_a_revoked_client_had_opens_nothing_when_it_is_let_in_again(
    gateway: httpx.AsyncClient, database: Database, gateway_database: str, again: dict[str, Any]
) -> None:
    await register(gateway_database, a_client(client_id="keyed", public_keys=jwks(OLD)), None)
    await rotate(database, Credentials(public_keys=jwks(NEW)))
    assert [await status_of(gateway, key) for key in (OLD, NEW)] == [200, 200]
    async with database.transaction() as work:
        await clients.revoke_client(work, "keyed")
    await register(gateway_database, a_client(client_id="keyed", **again), None)
    assert [await status_of(gateway, key) for key in (OLD, NEW, OTHER)] == [401, 401, 200 if "public_keys" in again else 401]


async def test_only_a_client_in_use_can_be_changed(database: Database, gateway_database: str) -> None:
    with pytest.raises(UnknownClient):
        await rotate(database, Credentials(public_keys=jwks(NEW)))
    await register(gateway_database, a_client(client_id="keyed", public_keys=jwks(OLD)), None)
    with pytest.raises(Malformed):
        await rotate(database, Credentials(public_keys={"keys": []}))
    async with database.transaction() as work:
        await clients.revoke_client(work, "keyed")
    for change in (rotate(database, Credentials(public_keys=jwks(NEW))), _end(database)):
        with pytest.raises(UnknownClient):
            await change


async def _end(database: Database) -> None:
    async with database.transaction() as work:
        await clients.end_tokens(work, "keyed")


async def test_a_grant_is_held_to_what_stands_in_the_registry_at_its_end(
    gateway: httpx.AsyncClient, database: Database, gateway_database: str
) -> None:
    """A revocation under way makes the request wait, and refuses it when it has committed."""
    await register(gateway_database, a_client(client_id="keyed", public_keys=jwks(OLD)), None)
    async with database.transaction() as work:
        await clients.revoke_client(work, "keyed")
        asking = asyncio.create_task(status_of(gateway, OLD))
        done, _ = await asyncio.wait([asking], timeout=0.5)
        assert not done
    assert await asking == 401


async def test_tokens_of_a_client_in_use_work(gateway: httpx.AsyncClient, gateway_database: str) -> None:
    await register(gateway_database, a_client(client_id="keyed", public_keys=jwks(OLD)), None)
    assert (await gateway.get("/v1/notices", headers=await token_of(gateway, OLD))).status_code == 200
