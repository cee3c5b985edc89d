"""The one log that is reviewed: who may review it, what was read in billing stands in it too, and a long log is searched in parts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from dirigent.databases import Access
from services.planning import usecases
from services.planning.consumers import BILLING
from services.planning.repository import accesses as rows
from services.planning.vault import person_vault
from shared.dates import format_instant, now
from shared.db import Database
from shared.events.access_facts import AccessLogged
from shared.identifiers import uuid7
from shared.streams import feeds
from shared.streams.access_log import ACCESS_FEED
from shared.streams.consumer import Consumer, Delivered, Fetched, StreamEntry
from shared.streams.outbox import FACTS_FEED, Staged, stage
from tests.builders import CARE_CENTRE, GOTEBORG, WARD
from tests.integration.billing.parts import a_billing, a_stay_fact
from tests.integration.planning.conftest import GOTEBORG_NUMBER, Planning
from tests.integration.planning.plan_calls import get, post
from tests.integration.planning.test_audit_and_person_rights import PERSON, SOUGHT, a_stay, auditor, log
from tests.services import REGION, bearer

BOTH: Final = ["audit:read", "persons:write"]
ERASURE: Final = SOUGHT | {"basis": "beslut 17", "acted_by": "Nils Test"}
PART: Final = f"SE{REGION}-"


def somebody(planning: Planning, role: str, *units: str, organisation: str = REGION) -> dict[str, str]:
    return bearer(planning.tokens.token("somebody", scopes=BOTH, role=role, units=list(units), organisation=organisation, name="Nils Test"))


async def answers(planning: Planning, who: dict[str, str], case: str) -> list[int]:
    asked = [planning.http.get(path, headers=who) for path in ("/v1/audit", f"/v1/audit?case_id={case}")]
    asked += [planning.http.post(path, json=SOUGHT, headers=who) for path in ("/v1/audit/search", "/v1/persons/export")]
    return [(await one).status_code for one in asked]


async def test_a_ward_or_care_centre_reviews_nobody_though_it_carries_the_regions_number(planning: Planning) -> None:
    case = await a_stay(planning)
    for who in (
        somebody(planning, "ward", WARD),
        somebody(planning, "care", CARE_CENTRE),
        somebody(planning, "care", CARE_CENTRE, f"SE{GOTEBORG_NUMBER}-"),
        somebody(planning, "auditor", f"SE{GOTEBORG_NUMBER}-E1", organisation=GOTEBORG_NUMBER),
    ):
        assert await answers(planning, who, case) == [403] * 4
        assert (await post(planning, who, "/v1/persons/erasure", ERASURE)).status_code == 403
        unknown = SOUGHT | {"person": SOUGHT["person"] | {"id": "189001029819"}}
        assert (await planning.http.post("/v1/persons/export", json=unknown, headers=who)).status_code == 403, "as of one who is known"
    assert await log(planning) == [], "nobody was shown anything"
    for who in (somebody(planning, "care", PART), somebody(planning, "auditor", f"{PART}A000000000001")):
        assert (await answers(planning, who, case)) == [200] * 4, "positive control: all of it, and an office of the region"
    assert (await post(planning, somebody(planning, "care", PART), "/v1/persons/erasure", ERASURE)).status_code == 201


async def test_a_position_no_feed_can_have_is_refused_and_not_looked_for(planning: Planning) -> None:
    for after in (2**63 - 1, 2**63, 10**20 - 1):
        asked = await planning.http.get(f"/v1/audit?after={after}", headers=auditor(planning))
        searched = await planning.http.post("/v1/audit/search", json=SOUGHT | {"after": after}, headers=auditor(planning))
        assert (asked.status_code, searched.status_code) == (400, 422), after
    assert (await planning.http.get(f"/v1/audit?after={2**62}", headers=auditor(planning))).status_code == 200


def read_in_billing(case: str, **changed: Any) -> AccessLogged:
    told = {
        "access_id": uuid7(),
        "at": now(),
        "action": "month.read",
        "client": "finance",
        "organisation": REGION,
        "role": "finance",
        "units": (PART,),
        "user": "Olof Test",
        "cases": (UUID(case),),
        "request_id": "r-1",
    }
    return AccessLogged.model_validate(told | changed)


async def tell(planning: Planning, *facts: AccessLogged) -> None:
    async with planning.database.transaction() as work:
        await BILLING[AccessLogged.kind](work, [Delivered(number, uuid7(), None, fact) for number, fact in enumerate(facts, start=1)])
    await planning.number()


async def test_what_was_read_in_billing_is_reviewed_with_what_was_read_here(planning: Planning) -> None:
    case = await a_stay(planning)
    await tell(planning, read_in_billing(case))
    await get(planning, planning.ward, f"/v1/cases/{case}")
    await log(planning)
    patient = person_vault().stands_for(PERSON["type"], PERSON["id"])
    seen = (await get(planning, auditor(planning), f"/v1/audit?case_id={case}"))["accesses"]
    assert [(one["service"], one["action"], one["user"], one["patients"]) for one in seen] == [
        ("billing", "month.read", "Olof Test", [patient]),
        ("planning", "case.read", None, [patient]),
    ]
    named = (await get(planning, auditor(planning), "/v1/audit?user=Olof%20Test"))["accesses"]
    found = (await planning.http.post("/v1/audit/search", json=SOUGHT, headers=auditor(planning))).json()["accesses"]
    told = (await planning.http.post("/v1/persons/export", json=SOUGHT, headers=auditor(planning))).json()["accesses"]
    assert [one["service"] for one in named] == ["billing"]
    assert [one["service"] for one in found] == ["billing", "planning"]
    assert [one.get("service", "planning") for one in told] == ["billing", "planning"]
    async with planning.database.transaction() as work:
        assert await feeds.verify(work, ACCESS_FEED) is None, "it hangs in the chain like all others"


async def test_whose_people_read_in_billing_reviews_it_and_so_does_the_provider_of_the_care(planning: Planning) -> None:
    case, unknown = await a_stay(planning), str(uuid7())
    await tell(
        planning, read_in_billing(case, organisation=GOTEBORG_NUMBER, client=f"kommun-{GOTEBORG}", cases=(UUID(case), UUID(unknown)))
    )
    theirs = (await get(planning, auditor(planning, GOTEBORG_NUMBER), "/v1/audit"))["accesses"]
    assert [sorted(one["cases"]) for one in theirs] == [sorted([case, unknown])], "its own people's reading stands whole"
    ours = (await get(planning, auditor(planning), f"/v1/audit?client=kommun-{GOTEBORG}"))["accesses"]
    assert [one["cases"] for one in ours] == [[case]], "of what others read, only of what was cared for here"


async def test_what_billing_tells_again_stands_once(planning: Planning) -> None:
    case = await a_stay(planning)
    fact = read_in_billing(case)
    await tell(planning, fact, fact)
    await tell(planning, fact, read_in_billing(case))
    assert len(await log(planning)) == 2


async def test_many_accesses_cost_as_many_statements_as_one(planning: Planning) -> None:
    """A database of before tells all that was ever read, and what billing says behind it must not wait for that."""
    case = await a_stay(planning)
    statements: list[str] = []

    def counted(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    event.listen(planning.database.engine.sync_engine, "before_cursor_execute", counted)
    needed = []
    for many in (1, 100):
        statements.clear()
        await tell(planning, *(read_in_billing(case if number % 2 == 0 else str(uuid7())) for number in range(many)))
        needed.append(len(statements))
    event.remove(planning.database.engine.sync_engine, "before_cursor_execute", counted)
    assert needed[0] == needed[1], needed
    patient = person_vault().stands_for(PERSON["type"], PERSON["id"])
    assert [entry["patients"] for entry in await log(planning)] == [[patient], *([patient], []) * 50]


class Stream:
    """A service's own stream, read where it stands."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fetch(self, *, epoch: int, after: int, limit: int) -> Fetched:
        async with self._database.transaction() as work:
            page = await feeds.read(work, FACTS_FEED, after=after, limit=limit, epoch=epoch or None)
        entries = [StreamEntry(one.position, one.entry_id, one.kind, one.subject, one.body) for one in page.entries]
        return Fetched(page.epoch, page.head, entries)


async def test_a_month_that_was_shown_in_billing_stands_in_the_review(
    planning: Planning, new_database: Callable[[str], Access], tmp_path: Path
) -> None:
    case = await a_stay(planning)
    (tmp_path / "billing").mkdir()
    async with a_billing(new_database("billing").app, tmp_path / "billing", dispute_window_days=0) as billing:
        await billing.tell(a_stay_fact(12, case=UUID(case)))
        office = billing.token("olof", "finance", "averages:read", person="Olof Test")
        shown = await billing.get("/v1/months/2026-03/1480", office)
        assert case in shown.text, "positive control"
        await billing.number()
        consumer = Consumer(planning.database, stream="billing", handlers=BILLING, producer=Stream(billing.database))
        assert await consumer.catch_up() > 0
        assert await consumer.catch_up() == 0
    await planning.number()
    (seen,) = (await planning.http.post("/v1/audit/search", json=SOUGHT, headers=auditor(planning))).json()["accesses"]
    assert {name: seen[name] for name in ("service", "action", "client", "user", "organisation", "cases")} == {
        "service": "billing",
        "action": "month.read",
        "client": "olof",
        "user": "Olof Test",
        "organisation": REGION,
        "cases": [case],
    }


async def accesses(planning: Planning, count: int, **told: Any) -> None:
    """Put accesses into the log, as many as wanted."""
    said = {"at": format_instant(now()), "client": "other", "organisation": REGION, "role": "ward", "action": "case.read", "cases": []}
    entries = [Staged(ACCESS_FEED, uuid7(), "case.read", None, json.dumps(said | {"request_id": "r"} | told)) for _ in range(count)]
    async with planning.database.transaction() as work:
        await stage(work, entries)
    await planning.number()


async def every_page(planning: Planning, path: str) -> list[list[dict[str, Any]]]:
    pages = []
    while path:
        answer = await planning.http.get(path, headers=auditor(planning))
        assert answer.status_code == 200, answer.text
        pages.append(answer.json()["accesses"])
        path = answer.headers.get("link", "").split(";")[0].strip("<>")
    return pages


async def test_a_long_log_is_searched_in_parts_and_nothing_in_it_is_missed(planning: Planning) -> None:
    case = await a_stay(planning)
    await accesses(planning, 1, user="Anna Test", cases=[case])
    await accesses(planning, rows.SCANNED + 5, user="Anna Test")
    await accesses(planning, 1, user="Anna Test", client="sought")
    pages = await every_page(planning, "/v1/audit?user=Anna%20Test&client=sought")
    assert [len(page) for page in pages] == [0, 1], "one part holds nothing, and says that there is more"
    ours = await every_page(planning, f"/v1/audit?case_id={case}&user=Anna%20Test")
    assert [len(page) for page in ours] == [1], "what is looked for by a case is found at once, wherever it stands"
    everything = await every_page(planning, "/v1/audit?limit=500&client=other")
    assert sum(map(len, everything)) == rows.SCANNED + 6


@pytest.mark.parametrize("term", ["organisation:", "organisation:2321000131/user:", "case:", "patient:"])
async def test_what_an_access_is_found_by_stands_as_the_log_does_and_doctor_sees_what_is_missing(planning: Planning, term: str) -> None:
    case = await a_stay(planning)
    who = bearer(planning.tokens.token("ward-su", scopes=["cases:read"], units=[WARD], name="Anna Test"))
    await get(planning, who, f"/v1/cases/{case}")
    await log(planning)
    remove = text("DELETE FROM access_terms WHERE starts_with(term, :term)")
    owner = Database(planning.owner_url, role=None)
    for database, refused in ((planning.database, "permission denied"), (owner, "what was written here stands")):
        with pytest.raises(DBAPIError, match=refused):
            async with database.transaction() as work:
                await work.connection.execute(remove, {"term": term})
    async with planning.database.transaction() as work:
        assert await usecases.accesses_not_found(work) == []
    async with owner.transaction() as work:
        await work.connection.execute(text("ALTER TABLE access_terms DISABLE TRIGGER USER"))
        assert (await work.connection.execute(remove, {"term": term})).rowcount > 0
    await owner.close()
    async with planning.database.transaction() as work:
        assert await usecases.accesses_not_found(work) == ["access 1: whoever reviews the log does not find it"]


async def test_a_time_is_found_at_once_however_much_was_read_before(planning: Planning) -> None:
    await accesses(planning, rows.SCANNED + 5, at="2026-01-15T10:00:00.000000Z")
    for at in ("2026-02-28T22:59:59.000000Z", "2026-02-28T23:00:00.000000Z", "2026-03-31T21:59:59.000000Z", "2026-03-31T22:00:00.000000Z"):
        await accesses(planning, 1, at=at)
    march = "/v1/audit?from=2026-03-01T00:00:00%2B01:00&to=2026-04-01T00:00:00%2B02:00"
    assert [[one["at"] for one in page] for page in await every_page(planning, march)] == [
        ["2026-02-28T23:00:00.000000Z", "2026-03-31T21:59:59.000000Z"]
    ]
    early = await every_page(planning, "/v1/audit?from=2001-01-02T00:00:00Z&to=2026-01-01T00:00:00Z")
    assert early == [[]]
    turned = await every_page(planning, "/v1/audit?from=2026-04-01T00:00:00Z&to=2026-01-01T00:00:00Z")
    assert turned == [[]]


@pytest.mark.parametrize(
    "wanted",
    [
        rows.Wanted(),
        rows.Wanted(client="other"),
        rows.Wanted(user="Anna Test"),
        rows.Wanted(cases=[uuid7()]),
        rows.Wanted(patient="x"),
        rows.Wanted(since=now()),
    ],
    ids=["all", "client", "user", "case", "patient", "time"],
)
async def test_no_way_of_asking_reads_the_whole_log(planning: Planning, wanted: rows.Wanted) -> None:
    await accesses(planning, 3_000, user="Anna Test")
    async with planning.database.transaction() as work:
        await work.connection.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        explained = await work.connection.execute(
            text(f"EXPLAIN {rows.PAGE.text}"), rows.asked(REGION, wanted, work.at, after=0, limit=100)
        )
        plan = "\n".join(explained.scalars())
    assert "access_terms_pkey" in plan
    assert "Seq Scan" not in plan, plan
