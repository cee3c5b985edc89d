"""Several endpoints of one organisation, and secrets that overlap."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from standardwebhooks import Webhook, WebhookVerificationError

from services.notifications.api import create_app
from services.notifications.usecases import MOST_SUBSCRIPTIONS, TargetPolicy
from shared.db import Database
from shared.identifiers import uuid7
from tests.integration.notifications.parts import LOCAL, a_caller, a_notice, a_subscription, change, delivering, rows, settings_for, tell
from tests.integration.notifications.receivers import receiver
from tests.integration.notifications.test_subscriptions import REGION, auth, public, subscribe
from tests.patience import until
from tests.services import Tokens, serving


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(tmp_path)


@pytest.fixture
async def client(notifications_database: str, tokens: Tokens) -> AsyncIterator[httpx.AsyncClient]:
    app: FastAPI = create_app(settings_for(notifications_database, tokens.keys_file))
    app.state.target_policy = TargetPolicy(LOCAL, public)
    async with serving(app) as opened:
        yield opened


async def rotate(client: httpx.AsyncClient, headers: dict[str, str], subscription: str, key: str | None = None) -> Any:
    answer = await client.post(
        f"/v1/subscriptions/{subscription}/rotate-secret", headers=headers | {"Idempotency-Key": key or str(uuid7())}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_one_organisation_has_several_endpoints_each_with_what_it_wants(database: Database, notifications_database: str) -> None:
    async with receiver() as all_told, receiver() as ready, receiver() as one_unit, delivering(database, notifications_database):
        await a_subscription(database, all_told.url)
        await a_subscription(database, ready.url, types=("notice.ready",))
        await a_subscription(database, one_unit.url, units=("SE2120001355-E000000000001",))
        await tell(
            database,
            a_notice(),
            a_notice(notice_type="notice.ready"),
            a_notice(unit="SE2120001355-E000000000001"),
            a_notice(unit="SE2120001355-E000000000002"),
        )
        await until(lambda: (len(all_told.received), len(ready.received), len(one_unit.received)) == (4, 1, 1))
    assert ready.received[0][1]["webhook-id"] not in all_told.ids(), "each endpoint's message is its own"


async def test_there_are_at_most_twenty_endpoints_for_the_same_units(client: httpx.AsyncClient, tokens: Tokens) -> None:
    headers = auth(tokens)
    answers = await asyncio.gather(
        *(subscribe(client, headers, url=f"https://hooks.kommun.se/{number}") for number in range(MOST_SUBSCRIPTIONS + 5))
    )
    assert sorted(answer.status_code for answer in answers) == [201] * MOST_SUBSCRIPTIONS + [409] * 5
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"subscription.too_many"}
    part = auth(tokens, "2120001355", "SE2120001355-E000000000001")
    assert (await subscribe(client, part)).status_code == 201, "other units have their own"
    made = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
    await client.delete(f"/v1/subscriptions/{made}", headers=headers)
    assert (await subscribe(client, headers, url="https://hooks.kommun.se/once-more")).status_code == 201


async def test_the_same_address_twice_for_the_same_units_is_refused(client: httpx.AsyncClient, tokens: Tokens) -> None:
    headers = auth(tokens)
    assert (await subscribe(client, headers)).status_code == 201
    again = await subscribe(client, headers, types=["notice.ready"])
    assert (again.status_code, again.json()["code"]) == (409, "subscription.exists")
    assert (await subscribe(client, auth(tokens, "2120001355", "SE2120001355-E000000000001"))).status_code == 201


async def test_after_a_rotation_both_secrets_sign_for_a_day_and_then_the_new_one_alone(
    client: httpx.AsyncClient, tokens: Tokens, database: Database, notifications_database: str
) -> None:
    headers = auth(tokens)
    async with receiver() as told, delivering(database, notifications_database):
        made = (await subscribe(client, headers, url=told.url)).json()
        rotated = await rotate(client, headers, made["id"])
        assert rotated["secret"] != made["secret"]
        await tell(database, a_notice())
        await until(lambda: len(told.received) == 1)
        assert told.verified(made["secret"]) == told.verified(rotated["secret"])
        signatures = told.received[0][1]["webhook-signature"].split(" ")
        assert [one.partition(",")[0] for one in signatures] == ["v1", "v1"]
        await change(database, "UPDATE subscriptions SET former_until = clock_timestamp()")
        await tell(database, a_notice())
        await until(lambda: len(told.received) == 2)
    assert told.verified(rotated["secret"])
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(told.received[1][2], told.received[1][1])
    (until_when,) = await rows(database, "SELECT extract(epoch FROM former_until - secret_since) AS seconds FROM subscriptions")
    assert until_when.seconds < 86_400 + 1


async def test_the_former_secret_is_valid_for_24_hours(client: httpx.AsyncClient, tokens: Tokens, database: Database) -> None:
    made = (await subscribe(client, auth(tokens))).json()
    await rotate(client, auth(tokens), made["id"])
    (valid,) = await rows(database, "SELECT extract(epoch FROM former_until - secret_since) AS seconds FROM subscriptions")
    assert valid.seconds == 86_400


async def test_rotating_twice_keeps_the_last_two_secrets_only(
    client: httpx.AsyncClient, tokens: Tokens, database: Database, notifications_database: str
) -> None:
    headers = auth(tokens)
    async with receiver() as told, delivering(database, notifications_database):
        first = (await subscribe(client, headers, url=told.url)).json()
        second = await rotate(client, headers, first["id"])
        third = await rotate(client, headers, first["id"])
        await tell(database, a_notice())
        await until(lambda: told.received)
    assert told.verified(second["secret"]) == told.verified(third["secret"])
    with pytest.raises(WebhookVerificationError):
        told.verified(first["secret"])


async def test_a_repeated_rotation_rotates_once_and_shows_the_secret_until_there_is_a_newer_one(
    client: httpx.AsyncClient, tokens: Tokens, database: Database
) -> None:
    headers = auth(tokens)
    made = (await subscribe(client, headers | {"Idempotency-Key": "made"})).json()
    first = await rotate(client, headers, made["id"], key="a")
    assert await rotate(client, headers, made["id"], key="a") == first
    assert "secret" not in (await subscribe(client, headers | {"Idempotency-Key": "made"})).json(), (
        "the secret it was about is a former one"
    )
    second = await rotate(client, headers, made["id"], key="b")
    assert (await rotate(client, headers, made["id"], key="a")).get("secret") is None
    kept = str([*await rows(database, "SELECT * FROM subscriptions"), *await rows(database, "SELECT * FROM idempotency_keys")])
    assert not any(one["secret"].removeprefix("whsec_") in kept for one in (made, first, second))


async def test_nobody_else_rotates_replays_redrives_or_enables(client: httpx.AsyncClient, tokens: Tokens, database: Database) -> None:
    made = (await subscribe(client, auth(tokens))).json()
    await tell(database, a_notice())
    (delivery,) = await rows(database, "SELECT id FROM deliveries")
    unknown = uuid7()
    for suffix in ("rotate-secret", "replay?from=1", f"deliveries/{delivery.id}/redrive", "enable"):
        headers = auth(tokens, REGION) | {"X-Request-Id": "same"}
        foreign = await client.post(f"/v1/subscriptions/{made['id']}/{suffix}", headers=headers | {"Idempotency-Key": str(uuid7())})
        absent = await client.post(f"/v1/subscriptions/{unknown}/{suffix}", headers=headers | {"Idempotency-Key": str(uuid7())})
        assert (foreign.status_code, foreign.content) == (404, absent.content), suffix
    assert a_caller().organisation != REGION
