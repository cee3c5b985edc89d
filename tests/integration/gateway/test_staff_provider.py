"""What a provider of identities may say, and what is believed of it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey

from services.gateway.staff.provider import Challenge, NotIdentified, Provider, ProviderUnavailable, open_session
from shared.dates import now
from tests.integration.gateway.staff_parts import (
    CITY,
    COOKIE,
    REGION,
    WARD,
    Forger,
    Stand,
    a_stand,
    caller_of,
    forged,
    signed_with_public_key,
    unsigned,
)


@pytest.fixture
def forger() -> Forger:
    return Forger()


@pytest.fixture
async def stand(gateway_database: str, tmp_path: Path, forger: Forger) -> AsyncIterator[Stand]:
    async with a_stand(gateway_database, tmp_path, forger.made_for) as started:
        yield started


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "other"},
        {"nonce": None},
        {"aud": "somebody-else"},
        {"aud": ["dirigent", "somebody-else"]},
        {"azp": "somebody-else"},
        {"iss": "https://other.test"},
        {"exp": lambda at: at - 120},
        {"exp": None},
        {"iat": lambda at: at - 3600},
        {"iat": lambda at: at + 3600},
        {"iat": None},
        {"sub": None},
        {"name": None},
        {"name": "Anna 18900101-9802"},
        {"name": ["Anna"]},
        {"employeeHsaId": None},
        {"employeeHsaId": "189001019802"},
        {"employeeHsaId": "a b"},
    ],
    ids=" ".join,
)
async def test_an_id_token_that_is_not_for_this_sign_in_opens_nothing(
    gateway_database: str, tmp_path: Path, claims: dict[str, Any]
) -> None:
    forger = Forger(claims=claims)
    async with a_stand(gateway_database, tmp_path, forger.made_for) as stand, stand.browser() as browser:
        answer = await forged(browser, forger)
        assert (answer.status_code, COOKIE in browser.cookies) == (400, False)
        # The same provider saying the right thing is believed: it was this claim.
        forger.claims = {}
        assert (await forged(browser, forger)).status_code == 303


@pytest.mark.parametrize("name", ["nonce", "name", "employeeHsaId", "iss"])
async def test_a_claim_that_is_half_a_character_opens_nothing_and_breaks_nothing(stand: Stand, forger: Forger, name: str) -> None:
    """JSON can say it, and no encoding can."""
    forger.sign = lambda header, claims: jws.serialize_compact(header, json.dumps(claims), forger.key, algorithms=["ES256"])
    async with stand.browser() as browser:
        assert (await forged(browser, forger)).status_code == 303
        forger.claims = {name: "\ud800"}
        assert (await forged(browser, forger)).status_code == 400


@pytest.mark.parametrize("kind", ["unsigned", "public key as secret", "another key", "unknown kid", "crit", "jku", "access token"])
async def test_a_forged_signature_opens_nothing(gateway_database: str, tmp_path: Path, kind: str) -> None:
    forger = Forger()
    match kind:
        case "unsigned":
            forger.sign = unsigned
        case "public key as secret":
            forger.sign = signed_with_public_key(forger.key)
        case "another key":
            forger.published = [ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})]
        case "unknown kid":
            forger.header = {"kid": "two"}
        case "crit":
            forger.header = {"crit": ["b64"], "b64": True}
        case "jku":
            forger.header = {"jku": "https://evil.test/keys"}
        case _:
            forger.header = {"typ": "at+jwt"}
    async with a_stand(gateway_database, tmp_path, forger.made_for) as stand, stand.browser() as browser:
        answer = await forged(browser, forger)
        assert (answer.status_code, COOKIE in browser.cookies) == (400, False)


@pytest.mark.parametrize(
    ("commission", "status"),
    [
        ({"organisation": REGION, "units": [WARD], "role": "Sjuksköterska"}, 303),
        ({"organisation": CITY, "role": ["Handläggare", "unheard of"]}, 303),
        ({"organisation": REGION, "role": "Attestant"}, 303),
        ({"organisation": REGION, "role": "Sjuksköterska"}, 403),  # the whole region is no ward
        ({"organisation": REGION, "units": [f"SE{REGION}-"], "role": "Sjuksköterska"}, 403),
        ({"organisation": REGION, "units": [f"SE{CITY}-E1"], "role": "Sjuksköterska"}, 403),  # units of somebody else
        ({"organisation": CITY, "units": {"id": f"SE{CITY}-E1"}, "role": "Handläggare"}, 403),  # unreadable is not the whole of it
        ({"organisation": CITY, "units": [f"SE{CITY}-E1", 5], "role": "Handläggare"}, 403),
        ({"organisation": CITY, "units": [[f"SE{CITY}-E1"]], "role": "Handläggare"}, 403),
        ({"organisation": CITY, "units": None, "role": "Handläggare"}, 303),
        ({"organisation": CITY, "units": f"SE{CITY}-E1", "role": "Handläggare"}, 303),
        ({"organisation": CITY, "role": "Attestant"}, 403),  # a role of the region
        ({"organisation": REGION, "role": "Handläggare"}, 403),  # a role of municipalities
        ({"organisation": "5560000000", "role": "Loggranskare"}, 403),  # not for this provider to say
        ({"organisation": REGION, "role": "approver"}, 403),  # our own word is not the provider's
        ({"organisation": 2321000131, "role": "Attestant"}, 403),
        ("not an object", 403),
    ],
    ids=str,
)
async def test_a_provider_is_believed_in_what_the_operator_lets_it_say(
    gateway_database: str, tmp_path: Path, commission: object, status: int
) -> None:
    forger = Forger(claims={"commissions": [commission]})
    async with a_stand(gateway_database, tmp_path, forger.made_for) as stand, stand.browser() as browser:
        assert (await forged(browser, forger)).status_code == status


async def test_a_person_sees_by_name_where_she_may_work_and_by_id_where_nobody_gave_a_name(stand: Stand, forger: Forger) -> None:
    nurse = {"organisation": REGION, "organisation_name": "Västra & Götaland", "units": [WARD], "role": "Sjuksköterska"}
    named, unnamed = nurse | {"unit_names": ['<b>Avd 12</b>, "SU"']}, {"organisation": CITY, "role": "Handläggare"}
    forger.claims = {"commissions": [named, unnamed]}
    async with stand.browser() as browser:
        assert (await forged(browser, forger)).status_code == 303
        choosing = (await browser.get("/sign-in/role?lang=sv")).text
        await browser.post("/sign-in/role", data={"commission": "0"}, headers={"Origin": stand.url})
        staff = (await browser.get("/staff?lang=sv")).text
    for page in (choosing, staff):
        for shown in ("Sjuksköterska på avdelning", "&lt;b&gt;Avd 12&lt;/b&gt;, &#34;SU&#34;", "Västra &amp; Götaland", WARD):
            assert shown in page
        assert "<b>" not in page
    assert f"Organisation {CITY}, hela" in choosing


async def test_whoever_works_in_many_places_can_sign_in_with_all_their_names(stand: Stand, forger: Forger) -> None:
    forger.claims = {
        "commissions": [
            {
                "organisation": REGION,
                "organisation_name": "Västra Götalandsregionen",
                "units": [f"{WARD}{number}"],
                "unit_names": [f"Avdelning {number} med ett långt namn, Sahlgrenska universitetssjukhuset Östra, Göteborg"],
                "role": "Sjuksköterska",
            }
            for number in range(10, 60)
        ]
    }
    async with stand.browser() as browser:
        assert (await forged(browser, forger)).status_code == 303
        assert "Avdelning 59 med" in (await browser.get("/sign-in/role")).text


async def test_whoever_has_several_roles_in_many_places_can_choose_the_last_of_them(stand: Stand, forger: Forger) -> None:
    several = ["Sjuksköterska", "Attestant", "Loggranskare"]
    forger.claims = {"commissions": [{"organisation": REGION, "units": [f"{WARD}{number}"], "role": several} for number in range(10, 60)]}
    async with stand.browser() as browser:
        await forged(browser, forger)
        offered = re.findall(r'name="commission" value="(\d+)"', (await browser.get("/sign-in/role")).text)
        chosen = await browser.post("/sign-in/role", data={"commission": offered[-1]}, headers={"Origin": stand.url})
        assert (len(offered), chosen.headers.get("location")) == (150, "/staff")


async def test_a_log_reviewer_of_a_municipality_acts_as_a_municipality(gateway_database: str, tmp_path: Path) -> None:
    """With the role of the region's auditor it would read the region's ledger."""
    forger = Forger(claims={"commissions": [{"organisation": CITY, "role": "Loggranskare"}]})
    async with a_stand(gateway_database, tmp_path, forger.made_for) as stand, stand.browser() as browser:
        await forged(browser, forger)
        await browser.get("/v1/audit")
        caller = await caller_of(browser, dict(stand.seen[-1]["headers"])["authorization"])
        assert (caller.role, caller.municipality, caller.scopes) == ("municipality", "1480", {"audit:read"})


async def test_the_provider_may_begin_to_sign_with_a_new_key(gateway_database: str, tmp_path: Path) -> None:
    forger = Forger()
    async with a_stand(gateway_database, tmp_path, forger.made_for) as stand, stand.browser() as browser, httpx.AsyncClient() as session:
        issuer = forger.made_for(stand.url).issuers.issuer[0]
        patient = Provider(issuer, "", session, loopback=True)
        eager = Provider(issuer, "", session, loopback=True, keys_again_seconds=0.0)
        challenge = Challenge.fresh()
        forger.nonce = challenge.nonce
        for provider in (patient, eager):
            assert (await provider.identify("any", challenge, now()))["name"] == "Anna Test"
        forger.key, forger.header = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"}), {"kid": "two"}
        forger.published = [*forger.published, forger.key]
        assert (await eager.identify("any", challenge, now()))["name"] == "Anna Test"
        # Nobody can make us ask all the time.
        with pytest.raises(NotIdentified):
            await patient.identify("any", challenge, now())
        # One that was asked for the first time has the new key anyway.
        assert (await forged(browser, forger)).status_code == 303


async def test_a_provider_that_never_finishes_its_answer_is_waited_for_once(forger: Forger) -> None:
    """Everybody who signs in meanwhile is told so at the same time, not one after the other."""
    asked = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    issuer = forger.made_for(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}").issuers.issuer[0]
    async with open_session() as session:
        provider = Provider(issuer, "", session, loopback=True, patience_seconds=0.3)
        told = await asyncio.gather(*(provider.address(Challenge.fresh(), "sv") for _ in range(5)), return_exceptions=True)
    server.close()
    assert [type(one) for one in told] == [ProviderUnavailable] * 5
    assert len(asked) <= 1
    assert {str(one) for one in told[1:]} == {"it did not answer just now"}


@pytest.mark.parametrize("how", ["token", "keys", "says so"])
async def test_a_provider_that_cannot_now_is_not_told_as_a_sign_in_that_was_cancelled(stand: Stand, forger: Forger, how: str) -> None:
    """She would begin again and again; what helps is the fallback routine."""
    told = {"error": "temporarily_unavailable"} if how == "says so" else {}
    forger.failing = {"token": "/token", "keys": "/jwks.json"}.get(how, "")
    async with stand.browser() as browser:
        answer = await forged(browser, forger, **told)
        assert (answer.status_code, "The sign-in service does not answer" in answer.text) == (503, True)
        forger.failing = ""
        assert (await forged(browser, forger)).status_code == 303


async def test_we_prove_who_we_are_with_a_key_of_our_own(gateway_database: str, tmp_path: Path) -> None:
    forger, own = Forger(), ECKey.generate_key("P-256", {"kid": "ours"})
    file = tmp_path / "own.json"
    file.write_text(json.dumps(own.as_dict(private=True)))
    async with a_stand(gateway_database, tmp_path, forger.made_for) as stand, httpx.AsyncClient() as session:
        issuer = forger.made_for(stand.url).issuers.issuer[0].model_copy(update={"client_secret": None, "private_key_file": file})
        challenge = Challenge.fresh()
        forger.nonce = challenge.nonce
        await Provider(issuer, "", session, loopback=True).identify("any", challenge, now())
    form = forger.forms[-1]
    claims = jwt.decode(form["client_assertion"][0], own, algorithms=["ES256"]).claims
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("dirigent", "dirigent", f"{forger.issuer}/token")
    assert claims["exp"] - claims["iat"] <= 300
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]


async def test_the_code_is_redeemed_with_the_verifier_and_for_our_address(gateway_database: str, tmp_path: Path) -> None:
    forger = Forger()
    async with a_stand(gateway_database, tmp_path, forger.made_for) as stand, stand.browser() as browser:
        assert (await forged(browser, forger)).status_code == 303
        form = forger.forms[0]
        assert (form["grant_type"], form["redirect_uri"]) == (["authorization_code"], [f"{stand.url}/sign-in/callback"])
        assert len(form["code_verifier"][0]) == 43


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://other.test"},
        {"token_endpoint": "http://intranet.test/token"},
        {"jwks_uri": None},
        {"jwks_uri": "https://[idp/keys"},
        {"authorization_endpoint": "https://name:word@other.test/"},
    ],
    ids=str,
)
async def test_a_provider_that_is_not_the_one_it_should_be_is_not_used(
    gateway_database: str, tmp_path: Path, discovery: dict[str, Any]
) -> None:
    forger = Forger(discovery=discovery)
    async with a_stand(gateway_database, tmp_path, forger.made_for) as stand, stand.browser() as browser:
        assert (await browser.get("/sign-in/start", params={"issuer": "forger"})).status_code == 503
