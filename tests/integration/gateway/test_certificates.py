"""Tokens bound to the client certificate that a trusted proxy verified (RFC 8705, RFC 9440)."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from services.gateway.proxies import thumbprint_of
from tests.certificates import a_certificate
from tests.integration.gateway.asking import a_key, asked_with, jwks, status_of, token_of
from tests.integration.gateway.parts import a_client, inside, register, settings_for

KEY = a_key("mine")
MINE, OTHER = a_certificate("mine"), a_certificate("other")


def shown(certificate: x509.Certificate) -> dict[str, str]:
    return {"Client-Cert": f":{base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()}:"}


@pytest.fixture
async def behind_proxy(gateway_database: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    await register(gateway_database, a_client(client_id="keyed", public_keys=jwks(KEY)), None)
    settings = settings_for(gateway_database, tmp_path, environment="production", trusted_proxies="127.0.0.0/8, ::1")
    async with inside(settings) as client:
        yield client


async def answer_to(gateway: httpx.AsyncClient, *headers: dict[str, str]) -> int:
    merged = {name: value for one in headers for name, value in one.items()}
    return (await gateway.get("/v1/notices", headers=merged)).status_code


async def test_a_token_got_with_a_certificate_works_only_with_it(behind_proxy: httpx.AsyncClient) -> None:
    bound = await token_of(behind_proxy, KEY, **shown(MINE))
    assert await answer_to(behind_proxy, bound, shown(MINE)) == 200
    for headers in ({}, shown(OTHER), {"Client-Cert": "nonsense"}, {"Client-Cert": "::"}):
        refused = await behind_proxy.get("/v1/notices", headers=bound | headers)
        assert (refused.status_code, refused.json()["code"]) == (401, "token.invalid")
    assert await answer_to(behind_proxy, bound, shown(MINE)) == 200


async def test_a_token_got_without_a_certificate_is_bound_to_none(behind_proxy: httpx.AsyncClient) -> None:
    unbound = await token_of(behind_proxy, KEY)
    assert await answer_to(behind_proxy, unbound) == 200
    assert await answer_to(behind_proxy, unbound, shown(OTHER)) == 200


async def test_a_certificate_that_nobody_trusted_tells_of_is_not_believed(
    behind_proxy: httpx.AsyncClient, gateway_database: str, tmp_path: Path
) -> None:
    bound = await token_of(behind_proxy, KEY, **shown(MINE))
    async with inside(settings_for(gateway_database, tmp_path, environment="production", trusted_proxies="192.0.2.1")) as direct:
        assert await answer_to(direct, bound, shown(MINE)) == 401
        claimed = await token_of(direct, KEY, **shown(MINE))
        assert await answer_to(direct, claimed) == 200, "the token was bound to nothing"


async def test_two_certificates_in_one_request_are_none(behind_proxy: httpx.AsyncClient) -> None:
    bound = await token_of(behind_proxy, KEY, **shown(MINE))
    twice = [*bound.items(), *shown(MINE).items(), *shown(MINE).items()]
    assert (await behind_proxy.get("/v1/notices", headers=twice)).status_code == 401


async def test_a_client_with_registered_certificates_gets_tokens_only_with_one_of_them(
    behind_proxy: httpx.AsyncClient, gateway_database: str
) -> None:
    thumbprint = thumbprint_of(MINE.public_bytes(Encoding.DER))
    await register(gateway_database, a_client(client_id="keyed", certificate_thumbprints=(thumbprint,)), None)
    assert [await status_of(behind_proxy, KEY, **headers) for headers in ({}, shown(OTHER), shown(MINE))] == [401, 401, 200]


async def test_a_refused_certificate_does_not_use_up_the_assertion(behind_proxy: httpx.AsyncClient, gateway_database: str) -> None:
    thumbprint = thumbprint_of(MINE.public_bytes(Encoding.DER))
    await register(gateway_database, a_client(client_id="keyed", certificate_thumbprints=(thumbprint,)), None)
    form = asked_with(KEY)
    assert (await behind_proxy.post("/oauth2/token", data=form, headers=shown(OTHER))).status_code == 401
    assert (await behind_proxy.post("/oauth2/token", data=form, headers=shown(MINE))).status_code == 200


@pytest.mark.parametrize(("proxies", "statuses"), [("127.0.0.1", [401, 429, 401]), ("192.0.2.1", [401, 429, 429])])
async def test_whoever_stands_behind_a_trusted_proxy_is_counted_for_herself(
    gateway_database: str, tmp_path: Path, proxies: str, statuses: list[int]
) -> None:
    settings = settings_for(gateway_database, tmp_path, trusted_proxies=proxies, failures_per_second=0.01, failures_burst=1)
    found: list[int] = []
    async with inside(settings) as gateway:
        for address in ("203.0.113.1", "203.0.113.1", "203.0.113.2"):
            headers = {"Authorization": f"Bearer {len(found)}.x.y", "X-Forwarded-For": address}
            found.append((await gateway.get("/v1/notices", headers=headers)).status_code)
    assert found == statuses


def test_a_proxy_that_is_no_address_stops_the_start(gateway_database: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="trusted_proxies"):
        settings_for(gateway_database, tmp_path, trusted_proxies="proxy.vgregion.se")
