from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from services.notifications import usecases
from services.notifications.api import create_app
from services.notifications.usecases import TargetPolicy
from shared.db import Database
from shared.identifiers import uuid7
from tests.integration.notifications.parts import LOCAL, ORGANISATION, a_notice, change, delivering, rows, settings_for, tell
from tests.integration.notifications.receivers import answer, receiver
from tests.patience import until
from tests.services import Tokens, bearer, serving

REGION = "2321000131"


async def public(_host: str, _port: int) -> list[str]:
    return ["93.184.215.14"]


async def private(_host: str, _port: int) -> list[str]:
    return ["93.184.215.14", "10.0.0.1"]


async def unknown(_host: str, _port: int) -> list[str]:
    raise OSError


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(tmp_path)


@pytest.fixture
def app(notifications_database: str, tokens: Tokens) -> FastAPI:
    made = create_app(settings_for(notifications_database, tokens.keys_file))
    made.state.target_policy = TargetPolicy(LOCAL, public)
    return made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(app) as opened:
        yield opened


def auth(
    tokens: Tokens,
    organisation: str = ORGANISATION,
    *units: str,
    key: str | None = None,
    name: str | None = None,
    scopes: Sequence[str] = ("subscriptions:write", "notices:read"),
) -> dict[str, str]:
    who = name or f"c-{organisation}-{units}"
    token = tokens.token(who, scopes=scopes, organisation=organisation, units=units or (f"SE{organisation}-",))
    return bearer(token) | ({"Idempotency-Key": key} if key else {})


async def subscribe(client: httpx.AsyncClient, headers: dict[str, str], **body: Any) -> httpx.Response:
    wanted = {"url": "https://hooks.kommun.se/in"} | body
    return await client.post("/v1/subscriptions", json=wanted, headers={"Idempotency-Key": str(uuid7())} | headers)


async def test_a_subscription_is_made_once_and_its_secret_shown_in_that_answer_only(
    client: httpx.AsyncClient, tokens: Tokens, database: Database
) -> None:
    headers = auth(tokens, key="first")
    made = await subscribe(client, headers, types=["notice.ready"])
    again = await subscribe(client, headers, types=["notice.ready"])
    assert (made.status_code, again.status_code, again.headers["idempotent-replayed"]) == (201, 201, "true")
    told = made.json()
    assert again.json() == told
    assert told["secret"].startswith("whsec_")
    assert (told["state"], told["types"], told["deliveries"]["pending"]) == ("active", ["notice.ready"], 0)
    listed = (await client.get("/v1/subscriptions", headers=headers)).json()["subscriptions"]
    shown = (await client.get(f"/v1/subscriptions/{told['id']}", headers=headers)).json()
    assert listed == [shown] == [{name: value for name, value in told.items() if name != "secret"}]
    stored = [*await rows(database, "SELECT * FROM subscriptions"), *await rows(database, "SELECT * FROM idempotency_keys")]
    assert len(stored) == 2
    assert told["secret"].removeprefix("whsec_") not in str(stored)


async def test_a_key_is_kept_as_its_hash_and_one_that_was_kept_as_sent_is_still_known(
    client: httpx.AsyncClient, tokens: Tokens, database: Database
) -> None:
    headers = auth(tokens, key="18900101-9802")
    made = await subscribe(client, headers)
    assert "9802" not in str([row.key for row in await rows(database, "SELECT key FROM idempotency_keys")])
    columns = "client, fingerprint, status, body"
    await change(database, f"INSERT INTO idempotency_keys (key, {columns}) SELECT '18900101-9802', {columns} FROM idempotency_keys")  # noqa: S608
    await change(database, "DELETE FROM idempotency_keys WHERE key <> '18900101-9802'")
    again = await subscribe(client, headers)
    assert (again.json()["id"], again.headers["idempotent-replayed"]) == (made.json()["id"], "true")


async def test_a_second_subscription_of_the_same_organisation_is_refused_until_the_first_is_deleted(
    client: httpx.AsyncClient, tokens: Tokens
) -> None:
    headers = auth(tokens)
    first = (await subscribe(client, headers)).json()
    second = await subscribe(client, headers)
    assert (second.status_code, second.json()["code"]) == (409, "subscription.exists")
    assert (await client.delete(f"/v1/subscriptions/{first['id']}", headers=headers)).status_code == 204
    assert (await subscribe(client, headers)).status_code == 201
    assert (await client.get(f"/v1/subscriptions/{first['id']}", headers=headers)).status_code == 404


async def test_without_an_idempotency_key_nothing_is_made(client: httpx.AsyncClient, tokens: Tokens) -> None:
    refused = await client.post("/v1/subscriptions", json={"url": "https://hooks.kommun.se/in"}, headers=auth(tokens))
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency.key_missing")


async def test_another_organisations_subscription_looks_like_none(client: httpx.AsyncClient, tokens: Tokens) -> None:
    made = (await subscribe(client, auth(tokens))).json()
    ward = auth(tokens, REGION, "SE2321000131-E000000000101")
    centre = (await subscribe(client, auth(tokens, REGION, "SE2321000131-E000000000901"))).json()
    for other, subscription in ((auth(tokens, REGION), made), (auth(tokens, REGION), centre), (ward, centre), (ward, made)):
        path = f"/v1/subscriptions/{subscription['id']}"
        nothing = f"/v1/subscriptions/{uuid7()}"
        for method, suffix in (("GET", ""), ("GET", "/deliveries"), ("POST", "/test"), ("DELETE", "")):
            key = {"Idempotency-Key": str(uuid7()), "X-Request-Id": "same"}
            foreign = await client.request(method, path + suffix, headers=other | key)
            absent = await client.request(method, nothing + suffix, headers=other | key)
            assert (foreign.status_code, foreign.content) == (404, absent.content)
    assert (await client.get("/v1/subscriptions", headers=ward)).json() == {"subscriptions": []}
    assert (await client.get("/v1/subscriptions", headers=auth(tokens, REGION))).json() == {"subscriptions": []}


async def test_a_subscription_is_managed_by_its_own_client_and_by_those_of_exactly_its_units(
    client: httpx.AsyncClient, tokens: Tokens
) -> None:
    unit, other = "SE2321000131-E000000000901", "SE2321000131-E000000000902"
    made = (await subscribe(client, auth(tokens, REGION, unit, other, name="care"))).json()
    path = f"/v1/subscriptions/{made['id']}"
    for headers in (
        auth(tokens, REGION, unit, other, name="care"),
        auth(tokens, REGION, other, unit, name="colleague"),
        auth(tokens, REGION, unit, name="care"),
    ):
        assert (await client.get(path, headers=headers)).status_code == 200
    for headers in (auth(tokens, REGION, name="finance"), auth(tokens, REGION, unit, name="part"), auth(tokens, ORGANISATION, name="care")):
        assert (await client.get(path, headers=headers)).status_code == 404
        assert (await client.delete(path, headers=headers)).status_code == 404


async def test_whoever_speaks_for_fewer_units_now_looks_at_its_subscription_and_ends_it_and_nothing_else(
    client: httpx.AsyncClient, tokens: Tokens, database: Database
) -> None:
    unit, other = "SE2321000131-E000000000901", "SE2321000131-E000000000902"
    both, one = (auth(tokens, REGION, *units, name="care", key="made") for units in ((unit, other), (unit,)))
    made = (await subscribe(client, both)).json()
    path = f"/v1/subscriptions/{made['id']}"
    assert (await client.post(f"{path}/test", headers=both | {"Idempotency-Key": "t"})).status_code == 202
    (delivery,) = await rows(database, "SELECT id FROM deliveries")
    async with database.transaction() as work:
        assert await usecases.silence_client(work, "care") == usecases.Silenced(1, 0)
    again = f"/deliveries/{delivery.id}/redrive"
    for method, what in (("POST", w) for w in ("/enable", "/replay?from=1", "/rotate-secret", "/test", again)):
        refused = await client.request(method, path + what, headers=one | {"Idempotency-Key": str(uuid7())})
        assert (refused.status_code, refused.json()["code"]) == (403, "access.denied"), what
    assert (await client.get(f"{path}/deliveries", headers=one)).status_code == 403
    repeated = await subscribe(client, one)
    assert "secret" not in repeated.json()
    assert (await client.get(path, headers=one)).json()["state"] == "disabled"
    assert [shown["id"] for shown in (await client.get("/v1/subscriptions", headers=one)).json()["subscriptions"]] == [made["id"]]
    assert (await client.post(f"{path}/enable", headers=both | {"Idempotency-Key": "e"})).status_code == 200
    wide = auth(tokens, REGION, name="care", key="w")
    assert (await client.post(f"{path}/rotate-secret", headers=wide)).status_code == 201, "more units than before are enough"
    assert (await client.delete(path, headers=one)).status_code == 204


async def test_nothing_is_told_of_a_unit_that_a_client_does_not_speak_for_any_more(
    client: httpx.AsyncClient, tokens: Tokens, database: Database
) -> None:
    unit, other = "SE2321000131-E000000000901", "SE2321000131-E000000000902"
    made = (await subscribe(client, auth(tokens, REGION, unit, other, name="care"))).json()
    async with database.transaction() as work:
        await usecases.silence_client(work, "care")
    await client.post(f"/v1/subscriptions/{made['id']}/enable", headers=auth(tokens, REGION, unit, name="care", key="e"))
    await tell(database, a_notice(organisation=REGION, unit=other))
    assert await rows(database, "SELECT * FROM deliveries") == []


async def test_who_may_not_read_notices_is_not_told_of_them(client: httpx.AsyncClient, tokens: Tokens) -> None:
    finance = auth(tokens, REGION, name="finance", scopes=("subscriptions:write", "invoices:read"))
    refused = await subscribe(client, finance)
    assert (refused.status_code, refused.json()["code"]) == (403, "access.denied")
    made = (await subscribe(client, auth(tokens, REGION))).json()
    log = await client.get(f"/v1/subscriptions/{made['id']}/deliveries", headers=finance)
    assert (log.status_code, log.json()["code"]) == (403, "access.denied")
    assert (await client.delete(f"/v1/subscriptions/{made['id']}", headers=finance)).status_code == 204, "of the same units: may end it"


async def test_a_repeated_subscription_gets_its_first_answer_even_after_it_was_deleted(client: httpx.AsyncClient, tokens: Tokens) -> None:
    headers = auth(tokens, key="once")
    first = await subscribe(client, headers)
    told = first.json()
    assert (await client.delete(f"/v1/subscriptions/{told['id']}", headers=headers)).status_code == 204
    again = await subscribe(client, headers)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.json() == {name: value for name, value in told.items() if name != "secret"}
    assert (await client.get("/v1/subscriptions", headers=headers)).json() == {"subscriptions": []}


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"url": "http://hooks.kommun.se/"}, "/url", "url_not_https"),
        ({"url": "https://127.0.0.1/"}, "/url", "url_not_a_name"),
        ({"url": "https://2130706433/"}, "/url", "url_not_a_name"),
        ({"url": "https://[::ffff:127.0.0.1]/"}, "/url", "url_not_a_name"),
        ({"url": "https://a:b@hooks.kommun.se/"}, "/url", "url_with_credentials"),
        ({"url": "https://hooks.kommun.se:444/"}, "/url", "url_port_not_allowed"),
        ({"types": ["notice.ready", "notice.nothing"]}, "/types/1", "type_unknown"),
        ({"units": ["SE2321000131-E000000000101"]}, "/units/0", "unit_not_yours"),
        ({"units": ["SE2120001355-E1", "SE2120001355-"]}, "/units/1", "unit_malformed"),
        ({"units": ["SE2120001355-E1 "]}, "/units/0", "unit_malformed"),
    ],
)
async def test_what_cannot_be_subscribed_to_is_refused_where_it_stands(
    client: httpx.AsyncClient, tokens: Tokens, body: dict[str, Any], pointer: str, code: str
) -> None:
    refused = await subscribe(client, auth(tokens), **body)
    assert (refused.status_code, refused.json()["errors"]) == (422, [{"pointer": pointer, "code": code}])


@pytest.mark.parametrize("body", [{"secret": "mine"}, {"url": 7}, {"types": "notice.ready"}, {"types": [7]}, {"url": "x" * 2000}], ids=str)
async def test_a_body_that_is_not_as_documented_is_refused(client: httpx.AsyncClient, tokens: Tokens, body: dict[str, Any]) -> None:
    refused = await subscribe(client, auth(tokens), **body)
    assert (refused.status_code, refused.json()["code"]) == (422, "request.malformed")


@pytest.mark.parametrize(("resolver", "code"), [(private, "url_not_public"), (unknown, "url_not_resolvable")])
async def test_a_name_is_resolved_before_it_is_taken(
    app: FastAPI, client: httpx.AsyncClient, tokens: Tokens, resolver: Any, code: str
) -> None:
    app.state.target_policy = TargetPolicy((), resolver)
    refused = await subscribe(client, auth(tokens))
    assert (refused.status_code, refused.json()["errors"]) == (422, [{"pointer": "/url", "code": code}])


async def test_where_the_operator_permits_hosts_only_these_are_taken(app: FastAPI, client: httpx.AsyncClient, tokens: Tokens) -> None:
    app.state.target_policy = TargetPolicy(LOCAL, public, (".region.se",))
    refused = await subscribe(client, auth(tokens))
    assert (refused.status_code, refused.json()["errors"]) == (422, [{"pointer": "/url", "code": "url_not_permitted"}])
    assert (await subscribe(client, auth(tokens), url="https://hooks.region.se/in")).status_code == 201
    assert (await subscribe(client, auth(tokens), url="http://127.0.0.1:9/in")).status_code == 201, "its origin is allowed by name"


async def test_what_the_settings_permit_is_what_the_service_and_its_worker_go_by(notifications_database: str, tokens: Tokens) -> None:
    settings = settings_for(notifications_database, tokens.keys_file, permitted_hosts="Hooks.Kommun.se, .region.se")
    assert settings.permitted_hosts == ("hooks.kommun.se", ".region.se")
    assert create_app(settings).state.target_policy.permitted == settings.permitted_hosts
    for wrong in ("*.kommun.se", "https://hooks.kommun.se", "hooks.kommun.se:443", "localhost"):
        with pytest.raises(ValidationError):
            settings_for(notifications_database, tokens.keys_file, permitted_hosts=wrong)


async def test_a_test_message_can_be_followed_in_the_delivery_log(
    client: httpx.AsyncClient, tokens: Tokens, database: Database, notifications_database: str
) -> None:
    headers = auth(tokens)
    async with receiver(answer(500), answer(200)) as told, delivering(database, notifications_database):
        made = (await subscribe(client, headers, url=told.url)).json()
        sent = [
            (await client.post(f"/v1/subscriptions/{made['id']}/test", headers=headers | {"Idempotency-Key": key})).json()["delivery_id"]
            for key in ("a", "a", "b")
        ]
        assert sent[0] == sent[1] != sent[2]
        await until(lambda: len(told.received) == 2)
        log = f"/v1/subscriptions/{made['id']}/deliveries"

        async def settled() -> bool:
            found = (await client.get(log, headers=headers)).json()["deliveries"]
            return all(delivery["attempts"] for delivery in found)

        await until(settled)
    assert {message["type"] for message in (told.verified(made["secret"], index) for index in (0, 1))} == {"subscription.test"}
    newest, oldest = (await client.get(log, headers=headers)).json()["deliveries"]
    assert [newest["id"], oldest["id"]] == [sent[2], sent[0]]
    assert {newest["state"], oldest["state"]} == {"pending", "delivered"}
    pending = newest if newest["state"] == "pending" else oldest
    assert (pending["attempts"][0]["status"], pending["next_attempt_at"] is not None) == (500, True)
    page = await client.get(f"{log}?limit=1", headers=headers)
    following = page.headers["link"].partition(">")[0].removeprefix("<")
    assert [one["id"] for one in (await client.get(following, headers=headers)).json()["deliveries"]] == [oldest["id"]]
    assert len((await client.get(f"{log}?state=delivered", headers=headers)).json()["deliveries"]) == 1
    counts = (await client.get(f"/v1/subscriptions/{made['id']}", headers=headers)).json()["deliveries"]
    assert counts == {"pending": 1, "delivered": 1, "exhausted": 0, "cancelled": 0}


@pytest.mark.parametrize("query", ["limit=0", "limit=100000", "limit=x", "before=1", "state=gone"])
async def test_a_parameter_out_of_range_is_refused(client: httpx.AsyncClient, tokens: Tokens, query: str) -> None:
    made = (await subscribe(client, auth(tokens))).json()
    refused = await client.get(f"/v1/subscriptions/{made['id']}/deliveries?{query}", headers=auth(tokens))
    assert (refused.status_code, refused.json()["code"]) == (400, "request.parameter_invalid")


async def test_a_disabled_subscription_takes_no_test_message(client: httpx.AsyncClient, tokens: Tokens, database: Database) -> None:
    made = (await subscribe(client, auth(tokens))).json()
    async with database.transaction() as work:
        await usecases.disable(work, UUID(made["id"]))
    refused = await client.post(f"/v1/subscriptions/{made['id']}/test", headers=auth(tokens, key="t"))
    assert (refused.status_code, refused.json()["code"]) == (409, "subscription.disabled")
    assert (await client.get(f"/v1/subscriptions/{made['id']}", headers=auth(tokens))).json()["state"] == "disabled"
