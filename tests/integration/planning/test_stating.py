"""What care centres and municipalities state of a stay, and what stays hidden of a person whose identity is protected."""

from typing import Any

import httpx
import pytest

from shared.identifiers import uuid7
from tests.builders import CARE_CENTRE, GOTEBORG, HARRYDA, OTHER_SOURCE, OTHER_WARD, a_person, a_ward_event, admission_data
from tests.integration.planning.conftest import GOTEBORG_NUMBER, GOTEBORG_UNIT, HARRYDA_NUMBER, HARRYDA_UNIT, Planning
from tests.integration.planning.test_transfers import case_of, stays_told
from tests.services import bearer

NUMBERS = {GOTEBORG: GOTEBORG_NUMBER, HARRYDA: HARRYDA_NUMBER}
SCOPES = ["cases:read", "cases:write", "notices:read", "notices:acknowledge", "persons:protected"]
READY = a_ward_event("stay.ready", id="SU-2", time="2026-11-05T10:00:00+01:00")


def municipality(planning: Planning, code: str = GOTEBORG) -> dict[str, str]:
    units, number = [f"SE{NUMBERS[code]}-"], NUMBERS[code]
    token = planning.tokens.token(f"k-{code}", scopes=SCOPES, role="municipality", organisation=number, units=units, municipality=code)
    return bearer(token)


def care(planning: Planning) -> dict[str, str]:
    return bearer(planning.tokens.token("care-2", scopes=SCOPES, role="care", units=[CARE_CENTRE]))


async def block(planning: Planning, who: dict[str, str], case: str, key: str, **said: Any) -> httpx.Response:
    return await planning.http.post(f"/v1/cases/{case}/outpatient-block", json=said, headers={**who, "Idempotency-Key": key})


async def test_a_municipality_states_a_block_and_the_care_centre_contests_it(planning: Planning) -> None:
    case = (await planning.tell(a_ward_event())).json()["case_id"]
    await planning.tell(READY)
    started = {"state": "started", "kind": "missing", "at": "2026-11-06T10:00:00+01:00"}
    first = await block(planning, municipality(planning), case, "k1", **started)
    again = await block(planning, municipality(planning), case, "k1", **started)
    assert (first.status_code, first.json()["unit"], again.json()) == (201, GOTEBORG_UNIT, first.json())
    twice = await block(planning, municipality(planning), case, "k2", **started | {"at": "2026-11-07T10:00:00+01:00"})
    assert (twice.status_code, twice.json()["code"]) == (409, "case.block_lasts")
    over = await block(planning, care(planning), case, "k3", state="ended", contested=True, at="2026-11-08T10:00:00+01:00")
    assert (over.status_code, over.json()["unit"]) == (201, CARE_CENTRE)
    (shown,) = (await case_of(planning, case))["outpatient_blocks"]
    assert (shown["stated_by"], shown["kind"], shown["contested"]) == (GOTEBORG_UNIT, "missing", True)
    (told,) = (await stays_told(planning))[case].outpatient_blocks
    assert (told.stated_by, told.block, told.contested, told.ended_at is None) == (GOTEBORG_UNIT, "missing", True, False)
    notices = [one for one in (await planning.mailbox(planning.care))["entries"] if one["type"] == "notice.outpatient_block"]
    assert [(one["sender"], one["personal"]["content"]["block"]) for one in notices] == [(GOTEBORG_UNIT, "started"), (CARE_CENTRE, "ended")]
    assert not [one for one in (await case_of(planning, case))["findings"] if one["code"] == "not_by_holder"], "theirs to state"
    named = a_ward_event("stay.outpatient_block_started", id=str(uuid7()), source=OTHER_SOURCE, time="2026-11-09T10:00:00+01:00")
    other = bearer(planning.tokens.token("ward-other", scopes=["events:write"], units=[OTHER_WARD]))
    answer = (await planning.http.post("/v1/events", json=named, headers=other)).json()
    assert [one["code"] for one in answer["findings"]] == ["not_by_holder"], "by whatever id: a ward that does not have her says it"
    assert "not_by_holder" in (await stays_told(planning))[case].findings


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"state": "started", "kind": "missing", "at": "2026-11-01T10:00:00+01:00"}, 409, "case.block_outside_stay"),
        ({"state": "ended", "at": "2026-11-06T10:00:00+01:00"}, 409, "case.block_not_started"),
        ({"state": "started", "at": "2026-11-06T10:00:00+01:00"}, 422, "request.malformed"),
        ({"state": "ended", "kind": "missing", "at": "2026-11-06T10:00:00+01:00"}, 422, "request.malformed"),
        ({"state": "started", "kind": "missing", "at": "2199-11-06T10:00:00+01:00"}, 422, "request.malformed"),
        ({"state": "ended", "contested": True, "at": "2026-11-06T10:00:00+01:00"}, 403, "access.denied"),
        ({"state": "started", "kind": "missing", "at": "2026-11-06T10:00:00+01:00", "unit": CARE_CENTRE}, 403, "access.denied"),
    ],
)
async def test_a_block_that_cannot_be_leaves_nothing(planning: Planning, said: dict[str, Any], status: int, code: str) -> None:
    case = (await planning.tell(a_ward_event())).json()["case_id"]
    answer = await block(planning, municipality(planning), case, "k1", **said)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    after = await case_of(planning, case)
    assert (after["version"], after["outpatient_blocks"]) == (1, [])


async def test_a_case_of_others_cannot_be_stated_anything_of(planning: Planning) -> None:
    case = (await planning.tell(a_ward_event())).json()["case_id"]
    stranger = municipality(planning, HARRYDA)
    said = {"state": "started", "kind": "missing", "at": "2026-11-06T10:00:00+01:00"}
    assert (await block(planning, stranger, case, "k1", **said)).status_code == 404
    placement = {"municipality": HARRYDA, "decision_date": "2026-10-01", "reference": "SN 17"}
    assert (await planning.http.put(f"/v1/cases/{case}/liable-municipality", json=placement, headers=stranger)).status_code == 404
    assert (await planning.http.put(f"/v1/cases/{case}/liable-municipality", json=placement, headers=care(planning))).status_code == 403


async def test_a_placing_municipality_becomes_a_party_and_is_liable_until_it_disagrees(planning: Planning) -> None:
    case = (await planning.tell(a_ward_event())).json()["case_id"]
    await planning.tell(READY)
    placement = {"municipality": HARRYDA, "decision_date": "2026-10-01", "reference": "SN 2026-17"}
    address = f"/v1/cases/{case}/liable-municipality"
    first = await planning.http.put(address, json=placement, headers=municipality(planning))
    again = await planning.http.put(address, json=placement, headers=municipality(planning))
    assert (first.status_code, first.json()["disputed"], again.json()) == (200, False, first.json())
    types = [entry["type"] for entry in (await planning.mailbox(planning.municipality(HARRYDA)))["entries"]]
    assert types == ["notice.admission", "notice.ready"]
    assert (await case_of(planning, case))["state"] == "ready"
    told = (await stays_told(planning))[case]
    assert (told.municipality, told.admission_notice_sent_at == told.ready[0].notice_sent_at) == (HARRYDA, True)
    no = await planning.http.put(address, json=placement | {"municipality": GOTEBORG}, headers=municipality(planning, HARRYDA))
    assert (no.status_code, no.json()["disputed"]) == (200, True)
    told = (await stays_told(planning))[case]
    assert (told.municipality, "placement_disputed" in told.findings, len(told.placements)) == (GOTEBORG, True, 2)
    assert HARRYDA_UNIT  # the placing municipality states it from a unit of its own


def hidden(answer: Any, person: dict[str, Any]) -> bool:
    return person["id"] not in str(answer) and person["name"]["family"] not in str(answer)


async def test_a_protected_person_shows_only_to_who_took_the_admission_on(planning: Planning) -> None:
    person = a_person(protected=True, name={"given": "Skyddad", "family": "Hemligsson"})
    case = (await planning.tell(a_ward_event(data=admission_data(person=person)))).json()["case_id"]
    await planning.tell(READY)
    who = municipality(planning)
    entries = (await planning.mailbox(who))["entries"]
    assert [(entry["personal"].get("person") or entry["personal"])["withheld"] for entry in entries] == ["protected"] * 2
    shown = await case_of(planning, case, who)
    sought = {"person": {"type": person["type"], "id": person["id"]}}
    found = (await planning.http.post("/v1/cases/search", json=sought, headers=who)).json()["cases"]
    listed = (await planning.http.get("/v1/cases", headers=who)).json()
    assert [one["id"] for one in found] == [case]
    address = f"/v1/notices/{entries[0]['id']}"
    before = (await planning.http.get(address, headers=who)).json()
    assert all(hidden(answer, person) for answer in (entries, shown, found, listed, before))
    await planning.http.post(f"{address}/acknowledgement", json={"acknowledged_by": "Anna Test"}, headers=who)
    after = (await planning.http.get(address, headers=who)).json()
    assert not hidden(after, person)
    assert hidden((await planning.mailbox(who))["entries"], person)


async def test_protection_that_comes_late_withdraws_what_was_told(planning: Planning) -> None:
    person = a_person(name={"given": "Skyddad", "family": "Hemligsson"})
    await planning.tell(a_ward_event(data=admission_data(person=person)))
    who = municipality(planning)
    assert not hidden((await planning.mailbox(who))["entries"], person)
    late = {"person": person | {"protected": True}}
    await planning.tell(a_ward_event("stay.person_changed", late, id="SU-2", time="2026-11-05T10:00:00+01:00"))
    entries = (await planning.mailbox(who))["entries"]
    assert [entry["type"] for entry in entries] == ["notice.admission", "notice.admission"]
    assert entries[0]["personal"]["withheld"] == "protected"
    assert hidden(entries, person)
