"""Persons stand sealed in planning's tables, are found by what stands for their number, and a key can be replaced under way."""

import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from dirigent.databases import Access
from dirigent.person_keys import look
from services.planning import usecases
from services.planning.repository import sealing
from services.planning.usecases import PLACES, look_again, persons_that_do_not_open, seal_some
from services.planning.vault import PersonKeys, Vault, person_vault
from shared.db import Database, Role
from shared.streams.canonical import canonical_plain
from tests.builders import a_person, a_ward_event, admission_data
from tests.integration.planning.conftest import Planning
from tests.integration.planning.plan_calls import ADULT, care, done, get, post
from tests.services import REGION, bearer

TABLES = ("events", "cases", "notices", "plans", "case_history", "feed_entries", "outbox")
PERSON = a_person()
TELLING = (PERSON["id"], PERSON["name"]["family"], PERSON["registered_address"]["street"])


async def rows(planning: Planning, statement: str, **values: Any) -> Any:
    async with planning.database.transaction() as work:
        return (await work.connection.execute(text(statement), values)).all()


async def everything(planning: Planning) -> str:
    return "\n".join([str(row[0]) for table in TABLES for row in await rows(planning, f"SELECT CAST(t AS text) FROM {table} AS t")])  # noqa: S608


async def told(planning: Planning) -> str:
    """A stay and a plan without one; the id of the case."""
    case = str((await planning.tell(a_ward_event())).json()["case_id"])
    await done(post(planning, care(planning), "/v1/plans", {"person": ADULT, "kind": "sip"}))
    await planning.number()
    return case


async def test_nothing_in_clear_says_who_the_patient_is(planning: Planning) -> None:
    case = await told(planning)
    kept = await everything(planning)
    assert not [part for part in TELLING if part in kept]
    shown = await get(planning, planning.ward, f"/v1/cases/{case}")
    assert [part for part in TELLING if part in str(shown["person"])] == list(TELLING), "positive control: her own ward reads who she is"


async def test_the_person_of_another_case_cannot_be_put_in_place_of_hers(planning: Planning) -> None:
    case = await told(planning)
    other = (await planning.tell(a_ward_event(id="SU-2", subject="stay-2"))).json()["case_id"]
    await rows(
        planning, "UPDATE cases SET person = (SELECT person FROM cases WHERE id = :other) WHERE id = :id RETURNING id", other=other, id=case
    )
    assert (await planning.http.get(f"/v1/cases/{case}", headers=planning.ward)).status_code == 500
    async with planning.database.transaction() as work:
        assert await persons_that_do_not_open(work) == [f"cases {case}: the person cannot be opened"]


async def unseal(planning: Planning) -> None:
    """Put the rows back as they were written before there were keys."""
    owner = Database(planning.owner_url, role=None)
    async with owner.transaction() as work:
        await work.connection.execute(text("ALTER TABLE events DISABLE TRIGGER USER"))
        for table in ("events", "cases", "notices", "plans"):
            await work.connection.execute(text(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"))
        for row in (await work.connection.execute(text("SELECT id, body FROM events"))).all():
            body = canonical_plain(sealing.opened_event(row.body))
            await work.connection.execute(
                text("UPDATE events SET body = :body, fingerprint = :fingerprint WHERE id = :id"),
                {"id": row.id, "body": body, "fingerprint": sha256(body.encode()).digest()},
            )
        for row in (await work.connection.execute(text("SELECT id, person FROM cases"))).all():
            person = sealing.opened_value(row.person, of=sealing.case_of(row.id))
            await work.connection.execute(
                text(
                    "UPDATE cases SET person = CAST(:person AS jsonb), person_id = :number,"
                    " person_ids = CAST(:numbers AS jsonb) WHERE id = :id"
                ),
                {
                    "id": row.id,
                    "person": json.dumps(person),
                    "number": person["id"],
                    "numbers": f'["{person["type"]}:{person["id"]}"]',
                },
            )
        for row in (await work.connection.execute(text("SELECT id, person FROM plans WHERE person IS NOT NULL"))).all():
            plain = json.dumps(sealing.opened_value(row.person, of=sealing.plan_of(row.id)))
            await work.connection.execute(
                text("UPDATE plans SET person = CAST(:person AS jsonb), person_id = NULL WHERE id = :id"), {"id": row.id, "person": plain}
            )
        await work.connection.execute(text("ALTER TABLE events ENABLE TRIGGER USER"))
    await owner.close()


async def seal_all(planning: Planning, at_once: int = 2) -> int:
    rounds = 0
    for place in PLACES:
        finished = False
        while not finished:
            async with planning.database.transaction() as work:
                finished = await seal_some(work, place, at_once)
            rounds += 1
    return rounds


async def keys(planning: Planning) -> dict[str, dict[str, int]]:
    async with planning.database.transaction() as work:
        return {use.key: use.rows for use in await usecases.key_use(work)}


async def guessed(planning: Planning) -> list[int]:
    """The events that somebody without a key knows to be of a person whose number, name and address she has from elsewhere."""
    async with planning.database.transaction() as work:
        found = (await work.connection.execute(text("SELECT id, body, fingerprint FROM events"))).all()
    known = []
    for row in found:
        event = json.loads(row.body)
        event["data"]["person"] = PERSON
        if sha256(canonical_plain(event).encode()).digest() == bytes(row.fingerprint):
            known.append(row.id)
    return known


async def test_no_event_can_be_tried_against_a_register_of_all_people(planning: Planning) -> None:
    await told(planning)
    assert await guessed(planning) == []
    await unseal(planning)
    assert await guessed(planning), "positive control"


async def test_what_was_written_before_is_read_found_and_sealed(planning: Planning) -> None:
    case = await told(planning)
    before = await get(planning, planning.ward, f"/v1/cases/{case}")
    await unseal(planning)
    assert PERSON["id"] in await everything(planning), "positive control"
    assert await get(planning, planning.ward, f"/v1/cases/{case}") == before
    sought = {"person": {"type": PERSON["type"], "id": PERSON["id"]}}
    found = await planning.http.post("/v1/cases/search", json=sought, headers=planning.ward)
    assert [one["id"] for one in found.json()["cases"]] == [case]
    assert (await planning.tell(a_ward_event())).status_code == 200, "the same event again, before it was sealed"
    await seal_all(planning)
    assert PERSON["id"] not in await everything(planning)
    assert await guessed(planning) == []
    assert (await planning.tell(a_ward_event())).status_code == 200, "and after"
    assert await get(planning, planning.ward, f"/v1/cases/{case}") == before
    found = await planning.http.post("/v1/cases/search", json=sought, headers=planning.ward)
    assert [one["id"] for one in found.json()["cases"]] == [case]


async def test_a_plan_that_is_not_sealed_yet_is_exported_reviewed_and_erased_like_any_other(planning: Planning) -> None:
    who: dict[str, Any] = {"role": "auditor", "units": [f"SE{REGION}-"], "name": "Nils Test"}
    auditor = bearer(planning.tokens.token("auditor", scopes=["audit:read", "persons:write"], **who))
    sought = {"person": {"type": ADULT["type"], "id": ADULT["id"]}}
    plan = (await done(post(planning, care(planning), "/v1/plans", {"person": ADULT, "kind": "sip"})))["id"]
    ended = str((await planning.tell(a_ward_event(id="SU-3", subject="stay-3", data=admission_data(person=a_person())))).json()["case_id"])
    await planning.tell(a_ward_event("stay.discharged", {}, id="SU-4", subject="stay-3", time="2026-11-09T10:00:00+01:00"))
    await unseal(planning)
    await get(planning, care(planning), f"/v1/plans/{plan}")
    await planning.number()
    pseudonym = person_vault().stands_for(ADULT["type"], ADULT["id"])
    found = await done(planning.http.post("/v1/audit/search", json=sought, headers=auditor))
    assert [(one["cases"], one["patients"]) for one in found["accesses"]] == [([plan], [pseudonym])]
    assert [one["id"] for one in (await done(planning.http.post("/v1/persons/export", json=sought, headers=auditor)))["plans"]] == [plan]
    async with planning.database.transaction() as work:
        outlived = await usecases.count_outlived(work, work.at + timedelta(seconds=1))
        assert outlived == usecases.Outlived(0, 0), "it may be of whoever is too old to be kept"
    erasure = sought | {"basis": "beslut 17", "acted_by": "Nils Test"}
    assert (await post(planning, auditor, "/v1/persons/erasure", erasure)).json()["code"] == "person.case_open"
    await rows(planning, "UPDATE plans SET state = 'closed' RETURNING id")
    assert (await done(post(planning, auditor, "/v1/persons/erasure", erasure)))["plans"] == 1
    assert ADULT["id"] not in str(await rows(planning, "SELECT CAST(p AS text) FROM plans p"))
    assert (await get(planning, planning.ward, f"/v1/cases/{ended}"))["person"]["withheld"] == "erased"


async def test_a_key_is_replaced_under_way_and_the_old_one_may_go_when_nothing_needs_it(
    planning: Planning, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await told(planning)
    assert await keys(planning) == {"t2": {"events": 1, "cases": 1, "notices": 2, "plans": 1}, "t1": {}}
    before = await get(planning, planning.ward, f"/v1/cases/{case}")
    await seal_all(planning)
    person_vault.cache_clear()
    ring = PersonKeys().keys.get_secret_value().split(",")
    monkeypatch.setenv("DIRIGENT_PLANNING_PERSON_KEYS", ",".join(reversed(ring)))
    try:
        assert person_vault().first == "t1"
        await seal_all(planning)
        assert await keys(planning) == {"t1": {"events": 1, "cases": 1, "notices": 2, "plans": 1}, "t2": {}}
        assert await get(planning, planning.ward, f"/v1/cases/{case}") == before
        repeated = await planning.tell(a_ward_event())
        assert repeated.status_code == 200, "the event is still the one that was sent"
        async with planning.database.transaction() as work:
            assert {use.key: use.may_go for use in await usecases.key_use(work)} == {"t1": False, "t2": True}
            assert await persons_that_do_not_open(work) == []
            await look_again(work)
        monkeypatch.setenv("DIRIGENT_PLANNING_PERSON_KEYS", ring[0])
        person_vault.cache_clear()
        async with planning.database.transaction() as work:
            assert len(await persons_that_do_not_open(work)) == 5, "doctor finds what a key is missing for"
    finally:
        person_vault.cache_clear()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET received_at = now()",
        "UPDATE events SET fingerprint = 'x'",
        "UPDATE events SET body = replace(body, 'somatic', 'psychiatric')",
        "UPDATE events SET body = CAST(jsonb_set(CAST(body AS jsonb), '{data,person}', '{\"id\": \"1\"}') AS text)",
        "UPDATE events SET body = CAST(CAST(body AS jsonb) #- '{data,person}' AS text)",
        "DELETE FROM events",
        "TRUNCATE events CASCADE",
    ],
)
async def test_of_an_event_nothing_changes_but_how_its_person_is_kept(planning: Planning, change: str) -> None:
    await told(planning)
    owner = Database(planning.owner_url, role=None)
    for database in (owner, planning.database):
        with pytest.raises(DBAPIError, match=r"refused|denied"):
            async with database.transaction() as work:
                await work.connection.execute(text(change))
    async with owner.transaction() as work:
        allowed = (
            "UPDATE events SET body = CAST(jsonb_set(CAST(body AS jsonb), '{data,person}', '{\"sealed\": \"x\"}') AS text) RETURNING id"
        )
        await work.connection.execute(text("ALTER TABLE events DISABLE ROW LEVEL SECURITY"))
        assert (await work.connection.execute(text(allowed))).all(), "positive control"
    await owner.close()


async def test_the_role_of_requests_may_not_touch_an_event(planning: Planning) -> None:
    await told(planning)
    with pytest.raises(DBAPIError, match="denied"):
        async with planning.database.transaction(role=Role.APP) as work:
            await work.connection.execute(text("UPDATE events SET body = body"))


@pytest.mark.parametrize("keys", ["", "k1:short"])
def test_planning_does_not_start_without_its_keys(keys: str) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault.of(PersonKeys(keys=keys, lookup_key=keys))


async def test_the_command_says_how_much_each_key_sealed(planning: Planning) -> None:
    await told(planning)
    access = Access(app=planning.database.engine.url.render_as_string(hide_password=False), owner=planning.owner_url)
    uses, outlived = await look(access, 10)
    assert [(use.key, use.seals, use.may_go) for use in uses] == [("t2", True, False), ("t1", False, True)]
    assert outlived == usecases.Outlived(0, 0)
