"""After every other journey, in the very system that they used: no person stands in clear outside what planning seals (P14)."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from datetime import date, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from dirigent.simulate.persons import personnummer
from dirigent.supervisor.system import System
from services.notifications import usecases as notifying
from services.notifications.repository.digests import DIGEST_KIND
from services.planning import usecases as planning
from shared.dates import now
from shared.db import Database
from shared.streams import due
from tests.adt import PERSONNUMMER, RESERVNUMMER, a_reservnummer, answer_of, at, message, pid, pv1, pv2
from tests.canaries import Canaries, Found, in_database, in_files, in_metrics, in_redis, sealed_persons
from tests.integration.gateway.parts import served
from tests.integration.notifications.receivers import receiver
from tests.integration.notifications.streams import reading
from tests.journeys.stories import WARD, County, Stay
from tests.journeys.test_staff_sign_in import signed_in
from tests.patience import until

CODE: Final = "1470"
MUNICIPALITY: Final = f"kommun-{CODE}"
HELD_ON_PURPOSE: Final = ("paper",)
"""What the wards read when nothing else works: their own lists, for their own eyes."""
FAMILY, STREET = "Kanariefagelsson", "Bågburgatan"
REFUSED: Final = Stay(municipality=CODE)
"""Whose number is only ever sent where it does not belong."""


def known(stay: Stay) -> dict[str, Any]:
    """A person with a name that nobody else has."""
    address = stay.person["registered_address"] | {"street": f"{STREET} 4"}
    return stay.person | {"name": {"given": "Test", "family": FAMILY}, "registered_address": address}


async def admitted(county: County) -> tuple[Stay, str]:
    stay = Stay(municipality=CODE)
    admission = stay.admission(now() - timedelta(hours=1))
    admission["data"]["person"] = known(stay)
    case = str((await county.post_event(admission)).body["case_id"])
    await county.notice(MUNICIPALITY, "notice.admission", case)
    return stay, case


async def over_hl7(county: County, http: httpx.AsyncClient) -> None:
    """A stay that begins with a number of the region's own, a message that is refused, and a merge that waits for a stay."""
    stay, reserve = Stay(municipality=CODE), a_reservnummer(900)
    segments = (pid(reserve, RESERVNUMMER, name=f"{FAMILY}^Test", municipality=CODE), pv1(WARD, stay=stay.subject), pv2(planned="20270109"))
    told = message("A01", stay.subject, *segments, "ZNE|municipal_social||somatic", when=at(now() - timedelta(hours=2)))
    wrong = message("A01", f"{stay.subject}-2", pid(stay.person["id"][:-1] + "x", PERSONNUMMER, name=f"{FAMILY}^Test"), *segments[1:])
    headers = {"Authorization": f"Bearer {await county.api.token('ward-su')}", "Content-Type": "application/hl7-v2"}
    waits = message("A40", f"{stay.subject}-3", segments[0], f"MRG|{a_reservnummer(901)}^^^&{RESERVNUMMER}&ISO")
    answers = [answer_of((await http.post("/v1/hl7v2", content=body, headers=headers)).content)[0] for body in (told, wrong, waits)]
    assert answers == ["AA", "AE", "AA"]


async def over_fhir(county: County, http: httpx.AsyncClient, stay: Stay, case: str) -> None:
    """The same person read and sought as a hospital's tools do."""
    headers = {"Authorization": f"Bearer {await county.api.token('ward-su')}"}
    read = await http.get(f"/v1/fhir/Patient/{case}", headers=headers)
    number = stay.person["id"]
    sought = await http.post(
        "/v1/fhir/Patient/_search", data={"identifier": f"http://electronichealth.se/identifier/personnummer|{number}"}, headers=headers
    )
    assert (read.status_code, sought.status_code) == (200, 200), (read.text, sought.text)
    assert number in read.text
    assert number in sought.text


async def careless(county: County, http: httpx.AsyncClient) -> None:
    """A client that puts a number and a name wherever they do not belong; most of it is refused, and none of it may be kept."""
    number = REFUSED.person["id"]
    headers = {"Authorization": f"Bearer {await county.api.token('ward-su')}"}
    hyphenated = f"{number[:8]}-{number[8:]}"
    for path in (
        f"/v1/cases/{number}",
        f"/v1/fhir/Patient?identifier={hyphenated}",
        f"/v1/cases?person={number}&name={FAMILY}",
        f"/{number}",
    ):
        assert (await http.get(path, headers=headers)).status_code >= 400, path
    asking = headers | {
        "X-Request-Id": number,
        "traceparent": number,
        "User-Agent": FAMILY,
        "Referer": f"https://journal.test/{hyphenated}",
    }
    assert (await http.get("/v1/cases", headers=asking)).status_code == 200
    await http.get("/v1/cases", headers=headers | {"If-None-Match": f'"{number}"', "Last-Event-ID": number})
    assert (await http.get("/v1/cases", headers={"Authorization": f"Bearer {number}"})).status_code == 401
    form = {"grant_type": "client_credentials", "scope": number}
    assert (await http.post("/oauth2/token", data=form, auth=(number, FAMILY))).status_code >= 400
    event = REFUSED.admission(now())
    for body in (
        event | {"data": event["data"] | {number: FAMILY}},
        event | {"data": event["data"] | {"person": REFUSED.person | {"protected": number}}},
        event | {"type": f"stay.{number}"},
        event | {"time": number},
        [number],
    ):
        answer = await county.api.call("ward-su", "POST", "/v1/events", body=body, headers={"Content-Type": "application/cloudevents+json"})
        assert answer.status >= 400, answer
    for broken in (f'{{"person": "{number}", "person": "{FAMILY}"}}', f"{number} {FAMILY}", f'{{"id": "{number}'):
        answered = await http.post("/v1/events", content=broken, headers=headers | {"Content-Type": "application/json"})
        assert answered.status_code >= 400, answered.text
    for kept in ({"person": {"type": "personnummer", "id": number}}, {"person": {"type": "samordningsnummer", "id": number}}):
        await county.post("ward-su", "/v1/cases/search", kept)
    # The one thing here that is done: who may say what a key is made of?
    key = headers | {"Idempotency-Key": hyphenated}
    made = await http.post("/v1/digests", json={"email": "avdelning@vgr.test", "at": "07:30"}, headers=key)
    assert made.status_code == 201, made.text


async def signed_in_reading(county: County, stay: Stay) -> None:
    """A member of staff reads the notice of a patient of hers."""
    case = str((await county.post_event(stay.admission(now() - timedelta(hours=1)))).body["case_id"])
    notice = await county.notice("kommun-1480", "notice.admission", case)
    async with httpx.AsyncClient(base_url=county.api.url, trust_env=False, timeout=30) as browser:
        await signed_in(browser)
        read = await browser.get(f"/v1/notices/{notice['id']}")
        assert read.status_code == 200, read.text
        assert stay.person["id"] in read.text


async def everybody_is_told(county: County, http: httpx.AsyncClient, stack: AsyncExitStack) -> tuple[Any, Any]:
    """A webhook, a stream, a digest and a contact of the municipality."""
    hook = await stack.enter_async_context(receiver())
    assert (await county.post(MUNICIPALITY, "/v1/subscriptions", {"url": hook.url})).status == 201
    assert (await county.post(MUNICIPALITY, "/v1/digests", {"email": "samordning@kommun.test", "at": "07:30"})).status == 201
    contacts = {"contacts": [{"email": "enhet@kommun.test"}, {"email": "chef@kommun.test", "from_step": "operator"}]}
    assert (await county.api.call(MUNICIPALITY, "PUT", "/v1/contacts", body=contacts)).ok
    headers = {"Authorization": f"Bearer {await county.api.token(MUNICIPALITY)}"}
    return hook, await stack.enter_async_context(reading(county.api.url, headers))


async def a_digest_is_due(system: System) -> None:
    """Write the digests now instead of tomorrow morning; the running worker mails them."""
    database = Database(system.databases["notifications"].app)
    async with database.transaction() as work:
        await work.connection.execute(text("UPDATE due_work SET due_at = clock_timestamp() - interval '1 day' WHERE kind = 'digest'"))
        for claimed in await due.claim(work, DIGEST_KIND, limit=100):
            await notifying.write_digest(work, claimed)
    await database.close()


async def nobody_takes_it_on(system: System, case: str) -> None:
    """Look at one case as late as the second day after: the notice that nobody took on is told to contacts, on-call unit and operator."""
    database = Database(system.databases["planning"].app)
    looking = text("UPDATE due_work SET due_at = clock_timestamp() - interval '1 day' WHERE kind = :kind AND subject = :case")

    async def appointed() -> bool:
        async with database.transaction(now() + timedelta(hours=50)) as work:
            await work.connection.execute(looking, {"kind": planning.DEADLINES, "case": UUID(case)})
            claims = await due.claim(work, planning.DEADLINES, limit=1)
            taken = [await planning.remind(work, claimed) for claimed in claims if claimed.subject == UUID(case)]
            return bool(sum(taken))

    await until(appointed)
    await database.close()


@pytest.fixture(scope="session")
async def everything_told(system: System, county: County, data_folder: Path) -> dict[str, int]:
    """One of each thing that could tell of a person, made in the system that all journeys used; how many there are of each."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=county.api.url, trust_env=False, timeout=30))
        hook, stream = await everybody_is_told(county, http, stack)
        stay, case = await admitted(county)
        pushed = await stream.event()
        await until(lambda: hook.received)
        await over_hl7(county, http)
        await over_fhir(county, http, stay, case)
        await signed_in_reading(county, Stay(municipality="1480"))
        await careless(county, http)
        await nobody_takes_it_on(system, case)

        async def escalated() -> list[Any]:
            found: list[Any] = (await county.read(MUNICIPALITY, "/v1/escalations"))["escalations"]
            return found

        await until(escalated)
        await a_digest_is_due(system)
        mails = data_folder / "mail"
        await until(lambda: any("samordning@kommun.test" in one.read_text() for one in mails.glob("*.eml")))
        await until(lambda: any("enhet@kommun.test" in one.read_text() for one in mails.glob("*.eml")))
        sent = [json.dumps(pushed.data).encode(), *(body for _, _, body in hook.received)]
    persons = Canaries.of([known(stay)])
    assert [found for one in sent if (found := persons.within(one))] == []
    return {"mails": len(list(mails.glob("*.eml"))), "escalations": len(await escalated())}


async def places(system: System, data_folder: Path, *, files: bool = True) -> AsyncIterator[Found]:
    """Everything that a running system leaves anywhere."""
    for name, access in system.databases.items():
        async for found in in_database(name, access.owner):
            yield found
    async for found in in_redis(system.redis_url):
        yield found
    async for found in in_metrics(system.public_url):
        yield found
    for one in in_files(data_folder, but=HELD_ON_PURPOSE) if files else ():
        yield one


async def whoever_was_told_of(system: System) -> Canaries:
    """Every person of every journey, as planning can open them, and those who were refused."""
    persons = await sealed_persons(system.databases["planning"].owner)
    return Canaries.of([*persons, known(REFUSED)])


async def hits(canaries: Canaries, found: AsyncIterator[Found]) -> tuple[dict[str, set[str]], Counter[str]]:
    """Where which of them stand, and how much there was to search, by place."""
    standing: dict[str, set[str]] = {}
    searched: Counter[str] = Counter()
    async for place, content in found:
        searched[place] += 1
        if named := canaries.within(content):
            standing.setdefault(place, set()).update(named)
    return standing, searched


@pytest.mark.after_all
async def test_no_person_of_any_journey_stands_in_clear(system: System, data_folder: Path, everything_told: dict[str, int]) -> None:
    canaries = await whoever_was_told_of(system)
    assert canaries.names >= {FAMILY, STREET, "Testsson", "Testgatan"}, "there is somebody to look for"
    assert len(canaries.numbers) > 3
    assert all(everything_told.values()), everything_told
    standing, searched = await hits(canaries, places(system, data_folder))
    assert standing == {}
    tables = {f"planning.{name}" for name in ("events", "cases", "notices", "feed_entries")}
    tables |= {f"notifications.{name}" for name in ("deliveries", "escalations", "mails", "feed_entries")}
    assert (tables | {"metrics", "logs/postgres.log"}) - searched.keys() == set(), "there was something to search"
    for part in ("gateway.", "billing.", "redis ", "logs/api", "logs/worker", "postgres/", "mail/"):
        assert any(place.startswith(part) for place in searched), part


TO_PLANT: Final = (
    "CREATE TABLE canary (one text, two jsonb, three bytea)",
    """INSERT INTO canary VALUES ('NUMBER', NULL, NULL), (NULL, '["NUMBER"]', NULL), (NULL, NULL, CAST('NUMBER' AS bytea))""",
)


async def planted_in_tables(system: System, number: str, *, there: bool) -> None:
    """Put a number into a table of its own in every database, or take it away again."""
    for access in system.databases.values():
        database = Database(access.owner, role=None)
        async with database.transaction() as work:
            for statement in TO_PLANT if there else ("DROP TABLE canary",):
                await work.connection.exec_driver_sql(statement.replace("NUMBER", number))
        await database.close()


@pytest.mark.after_all
async def test_the_search_finds_a_number_wherever_it_is_planted(system: System, data_folder: Path, tmp_path: Path) -> None:
    number = personnummer(date(1907, 7, 7), "989")
    nobody = Canaries(frozenset({number}), frozenset())
    letter = EmailMessage()
    letter.set_content(f"Å {number[2:8]}-{number[8:]}", cte="base64")
    (tmp_path / "mail").mkdir()
    (tmp_path / "logs").mkdir()
    (tmp_path / "mail" / "1.eml").write_bytes(letter.as_bytes())
    (tmp_path / "logs" / "api.log").write_text(json.dumps({"path": f"/v1/cases/{number}"}))
    (tmp_path / f"{number}.csv").touch()
    (tmp_path / "paper").mkdir()
    (tmp_path / "paper" / "list.html").write_text(number)
    standing, _ = await hits(nobody, each(in_files(tmp_path, but=HELD_ON_PURPOSE)))
    assert standing.keys() == {"mail/1.eml as read", "logs/api.log", f"{number}.csv"}

    await planted_in_tables(system, number, there=True)
    try:
        async with Redis.from_url(system.redis_url) as redis:
            await redis.xadd("canary", {"body": number})
            await redis.set(f"canary:{number}", "1")
            try:
                standing, _ = await hits(nobody, places(system, data_folder, files=False))
            finally:
                await redis.delete("canary", f"canary:{number}")
    finally:
        await planted_in_tables(system, number, there=False)
    tables = {f"{service}.canary" for service in system.databases}
    assert standing.keys() == tables | {"redis canary", f"redis canary:{number}"}
    standing, _ = await hits(nobody, each(in_files(data_folder, but=HELD_ON_PURPOSE)))
    written_down = {place.split("/")[0].partition("-")[0] for place in standing}
    assert written_down in ({"postgres", "valkey"}, {"postgres", "redis"}), "what the servers have written down stands there still"

    metrics = Starlette(routes=[Route("/metrics", lambda _request: PlainTextResponse(f'calls{{path="/{number}"}} 1'))])
    async with served(metrics) as url:
        standing, _ = await hits(nobody, in_metrics(url))
    assert standing == {"metrics": {number}}


async def each(found: Iterable[Found]) -> AsyncIterator[Found]:
    """The same, for whoever waits for each."""
    for one in found:
        yield one
