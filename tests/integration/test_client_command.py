"""`dirigent client` as an operator types it, against a real database, and what a gateway then makes of it."""

import asyncio
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import text

from dirigent.assertions import assertion_form
from dirigent.client_keys import read_private, read_public
from dirigent.supervisor.sockets import free_port
from services.gateway.app import create_app
from services.gateway.proxies import thumbprint_of
from services.gateway.staff.sessions import Lifetimes, open_session
from services.notifications import usecases
from services.notifications.sealing import Seal
from shared.dates import now
from shared.db import Database
from shared.http.auth import Caller
from tests.certificates import a_certificate
from tests.integration.gateway.parts import PUBLIC_URL, echoes, inside, served, settings_for
from tests.services import SERVICE_KEY

REPOSITORY = Path(__file__).resolve().parents[2]
WARD = ("--organisation", "2321000131", "--role", "ward", "--unit", "SE2321000131-SU")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(gateway_database: str, notifications_database: str, tmp_path: Path) -> Run:
    def call(*arguments: str | Path, **changed: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"DIRIGENT_GATEWAY_DATABASE_URL": gateway_database, "PYTHONPATH": str(REPOSITORY)}
        environment |= {"DIRIGENT_NOTIFICATIONS_DATABASE_URL": notifications_database} | changed
        called = [sys.executable, "-m", "dirigent", "client", *map(str, arguments)]
        return subprocess.run(called, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return call


def told(ended: subprocess.CompletedProcess[str]) -> Any:
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def refused(ended: subprocess.CompletedProcess[str]) -> str:
    """The one line that says why."""
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("dirigent: ")
    assert len(ended.stderr.splitlines()) == 1
    return ended.stderr


async def status_of(gateway: httpx.AsyncClient, key: Path, client: str = "ward-x") -> int:
    return (await gateway.post("/oauth2/token", data=assertion_form(key, client, PUBLIC_URL))).status_code


@pytest.mark.parametrize("address", ["nonsense", "postgresql+asyncpg://gateway:hemligt@127.0.0.1:1/gateway"])
@pytest.mark.parametrize(
    "command", [("client", "list"), ("client", "add", "ward-x", *WARD, "--generate-key", "key.json"), ("staff", "list")]
)
def test_a_database_that_does_not_answer_is_said_in_one_line(tmp_path: Path, address: str, command: tuple[str, ...]) -> None:
    environment = os.environ | {"DIRIGENT_GATEWAY_DATABASE_URL": address, "PYTHONPATH": str(REPOSITORY)}
    called = [sys.executable, "-m", "dirigent", *command]
    ended = subprocess.run(called, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "database does not answer" in refused(ended)
    assert not list(tmp_path.iterdir()), "no key is left that opens nothing"


@pytest.mark.parametrize("hours", ["inf", "nan", "-1", "1e9"])
def test_an_overlap_is_a_number_of_hours_that_can_pass(run: Run, tmp_path: Path, hours: str) -> None:
    ended = run("rotate", "ward-x", "--generate-key", tmp_path / "key.json", "--overlap", hours)
    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False)
    assert not (tmp_path / "key.json").exists()


async def test_a_client_is_entered_rotated_and_revoked(run: Run, gateway_database: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    added = told(run("add", "ward-x", *WARD, "--generate-key", first, "--by", "Anna Test", "--json"))
    assert (added["client"], added["private_key_file"]) == ("ward-x", str(first))
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    async with inside(settings_for(gateway_database, tmp_path, environment="production")) as gateway:
        assert await status_of(gateway, first) == 200
        told(run("rotate", "ward-x", "--generate-key", second, "--json"))
        assert [await status_of(gateway, key) for key in (first, second)] == [200, 200]
        told(run("rotate", "ward-x", "--key", second, "--overlap", "0", "--json"))
        assert [await status_of(gateway, key) for key in (first, second)] == [401, 200]
        assert told(run("revoke", "ward-x", "--json")) == {
            "client": "ward-x",
            "revoked": "client",
            "subscriptions_disabled": 0,
            "digests_ended": 0,
        }
        assert await status_of(gateway, second) == 401
    assert told(run("list", "--json")) == []
    (kept,) = told(run("list", "--all", "--json"))
    assert (kept["client"], kept["active"], kept["registered_by"], kept["proved_by"]) == ("ward-x", False, "Anna Test", "key")
    assert "ward-x" in run("list", "--all").stdout


async def _states(url: str, client: str) -> list[Any]:
    """What becomes of a client's webhook, the message that waits there, its digest, and what is due of them."""
    database = Database(url)
    try:
        async with database.transaction() as work:
            found = await work.connection.execute(
                text(
                    """
                    SELECT (SELECT state FROM subscriptions WHERE client = :client),
                           (SELECT d.state FROM deliveries d JOIN subscriptions s ON s.id = d.subscription_id AND s.client = :client),
                           (SELECT state FROM digests WHERE client = :client),
                           (SELECT count(*) FROM due_work WHERE lane IN (
                                SELECT id FROM subscriptions WHERE client = :client
                                UNION ALL SELECT id FROM digests WHERE client = :client))
                    """
                ),
                {"client": client},
            )
            return list(found.one())
    finally:
        await database.close()


async def _subscribed(url: str, client: str) -> None:
    caller = Caller(client, "2321000131", (f"SE2321000131-{client}",), frozenset({"notices:read"}), "ward")
    wanted = usecases.Wanted(f"http://127.0.0.1:9/{client}")
    database = Database(url)
    try:
        async with database.transaction() as work:
            row = await usecases.subscribe(work, caller, Seal(SERVICE_KEY), wanted, usecases.TargetPolicy(("http://127.0.0.1:*",)))
            await usecases.send_test(work, caller, row["id"])
            await usecases.add_digest(work, caller, usecases.DigestWanted("a@vgregion.se", time(7, 30)))
    finally:
        await database.close()


async def test_a_revoked_clients_webhooks_and_digests_end_and_nobody_elses(run: Run, notifications_database: str, tmp_path: Path) -> None:
    for client in ("ward-x", "ward-y"):
        told(run("add", client, *WARD, "--generate-key", tmp_path / f"{client}.json", "--json"))
        await _subscribed(notifications_database, client)
    goes_on = ["active", "pending", "active", 2]
    assert await _states(notifications_database, "ward-x") == goes_on
    away = re.sub(r":[0-9]+/", ":1/", notifications_database)
    for url, why in ((away, "does not answer"), ("", "DIRIGENT_NOTIFICATIONS_DATABASE_URL")):
        assert why in refused(run("revoke", "ward-x", "--json", DIRIGENT_NOTIFICATIONS_DATABASE_URL=url))
        assert [one["client"] for one in told(run("list", "--json"))] == ["ward-y"]
        assert await _states(notifications_database, "ward-x") == goes_on
    for many in (1, 0):
        ended = told(run("revoke", "ward-x", "--json"))
        assert (ended["subscriptions_disabled"], ended["digests_ended"]) == (many, many)
        assert await _states(notifications_database, "ward-x") == ["disabled", "cancelled", "deleted", 0]
    assert await _states(notifications_database, "ward-y") == goes_on


async def test_a_member_of_staff_whom_no_registry_knows_is_revoked_by_her_name(
    run: Run, gateway_database: str, notifications_database: str
) -> None:
    user = "SE2321000131-P0042"
    assert "no such client" in refused(run("revoke", user))
    for name in (user, "ward-y"):
        await _subscribed(notifications_database, name)
    await _signed_in(gateway_database, user)
    expected = {"client": user, "revoked": "staff", "sessions_ended": 1, "subscriptions_disabled": 1, "digests_ended": 1}
    assert told(run("revoke", user, "--json")) == expected
    assert await _states(notifications_database, user) == ["disabled", "cancelled", "deleted", 0]
    assert await _states(notifications_database, "ward-y") == ["active", "pending", "active", 2]
    assert "no such client" in refused(run("revoke", user)), "there is nothing left of her"


async def _signed_in(url: str, user: str) -> None:
    at = now()
    lifetimes = Lifetimes(timedelta(minutes=30), timedelta(hours=10))
    database = Database(url)
    try:
        async with database.transaction() as work:
            await open_session(work, issuer="demo", user=user, name="Anna", commissions=(), authenticated=at, lifetimes=lifetimes)
    finally:
        await database.close()


async def test_a_secret_is_shown_once_and_only_a_demo_takes_it(run: Run, gateway_database: str, tmp_path: Path) -> None:
    secret = told(run("add", "ward-x", *WARD, "--secret", "--scope", "cases:read", "--json"))["secret"]
    assert secret not in run("list", "--json").stdout
    form = {"grant_type": "client_credentials"}
    statuses = []
    for environment in ("demo", "production"):
        async with inside(settings_for(gateway_database, tmp_path, environment=environment)) as gateway:
            statuses.append((await gateway.post("/oauth2/token", data=form, auth=("ward-x", secret))).status_code)
    assert statuses == [200, 401]


async def test_keys_by_address_and_a_certificate_are_kept(run: Run, tmp_path: Path) -> None:
    certificate = a_certificate("ward")
    file = tmp_path / "ward.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    told(run("add", "ward-x", *WARD, "--jwks-url", "https://keys.vgregion.se/jwks", "--certificate", file, "--json"))
    (kept,) = told(run("list", "--json"))
    assert (kept["proved_by"], kept["jwks_url"]) == ("jwks-url", "https://keys.vgregion.se/jwks")
    assert kept["certificates"] == [thumbprint_of(certificate.public_bytes(Encoding.DER))]


async def test_tokens_alone_can_be_taken_back(run: Run, gateway_database: str, tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    told(run("add", "ward-x", *WARD, "--generate-key", key, "--json"))
    assert told(run("revoke", "ward-x", "--tokens-only", "--json"))["revoked"] == "tokens"
    async with inside(settings_for(gateway_database, tmp_path, environment="production")) as gateway:
        assert await status_of(gateway, key) == 200


def test_what_cannot_be_is_refused_in_one_line_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    key, other = tmp_path / "key.json", tmp_path / "other.json"
    told(run("add", "ward-x", *WARD, "--generate-key", key, "--json"))
    assert "already" in refused(run("add", "ward-x", *WARD, "--generate-key", other))
    assert not other.exists()
    assert "never overwritten" in refused(run("rotate", "ward-x", "--generate-key", key))
    assert key.exists()
    assert "no such client" in refused(run("revoke", "ward-y"))
    assert "no such client" in refused(run("rotate", "ward-y", "--generate-key", other))
    assert not other.exists()
    for arguments, word in (
        (("--organisation", "2120001355", *WARD[2:], "--key", key), "begins with SE2120001355-"),
        ((*WARD, "--key", key, "--scope", "everything"), "scope"),
        ((*WARD,), "--key"),
        ((*WARD, "--key", key, "--secret"), "give one of"),
        ((*WARD, "--key", tmp_path / "nothing"), "No such file"),
        ((*WARD, "--jwks-url", "ftp://x"), "address of keys"),
        (("--organisation", "2321000131", "--role", "king", *WARD[4:], "--key", key), "--role"),
    ):
        assert word in refused(run("add", "ward-z", *arguments)), word
    told(run("revoke", "ward-x", "--json"))
    elsewhere = ("--organisation", "2120001355", "--role", "municipality", "--municipality", "1480", "--unit", "SE2120001355-")
    assert "another organisation" in refused(run("add", "ward-x", *elsewhere, "--key", key))
    told(run("add", "ward-x", *WARD, "--key", key, "--json"))


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", '{"keys":[{"kty":"oct","k":"YQ"}]}']
)
def test_what_is_no_key_file_is_refused(run: Run, tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.json"
    file.write_text(text)
    assert "bad.json" in refused(run("add", "ward-x", *WARD, "--key", file))


def test_a_key_in_pem_is_taken_and_its_private_half_left_behind(run: Run, tmp_path: Path) -> None:
    file, pem = tmp_path / "key.json", tmp_path / "key.pem"
    told(run("add", "ward-x", *WARD, "--generate-key", file, "--json"))
    pem.write_bytes(read_private(file).as_pem(private=True))
    (key,) = read_public(pem)["keys"]
    assert "d" not in key
    assert key["x"] == read_public(file)["keys"][0]["x"]
    told(run("rotate", "ward-x", "--key", pem, "--json"))


def test_the_demos_clients_are_listed_without_asking_anybody(run: Run, tmp_path: Path) -> None:
    listed = told(run("list", "--demo", "--json", "--data", tmp_path / "nothing"))
    assert {"ward-su", "kommun-1480", "finance"} <= {one["client"] for one in listed}


async def test_a_token_is_fetched_with_the_key(run: Run, gateway_database: str, tmp_path: Path) -> None:
    key, other = tmp_path / "key.json", tmp_path / "other.json"
    told(run("add", "ward-x", *WARD, "--generate-key", key, "--json"))
    told(run("add", "ward-y", *WARD, "--generate-key", other, "--json"))
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    settings = settings_for(gateway_database, tmp_path, environment="production", public_url=address)
    async with served(create_app(settings, echoes()), port=port), httpx.AsyncClient(base_url=address, trust_env=False) as client:
        token = told(await asyncio.to_thread(run, "token", "ward-x", "--key", key, "--url", address, "--json"))["access_token"]
        assert (await client.get("/v1/notices", headers={"Authorization": f"Bearer {token}"})).status_code == 200
        assert "answered 401" in refused(await asyncio.to_thread(run, "token", "ward-x", "--key", other, "--url", address))
    assert "does not answer" in refused(run("token", "ward-x", "--key", key, "--url", address))
