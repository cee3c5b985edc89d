"""Every reading of a patient is logged or does not happen; logs are reviewed; a person gets everything, and can be erased."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from dirigent.databases import app_role
from services.planning import usecases
from services.planning.vault import person_vault
from shared.db import Database
from shared.streams import feeds
from shared.streams.access_log import ACCESS_FEED
from tests.builders import CARE_CENTRE, GOTEBORG, WARD, a_person, a_personnummer, a_ward_event, admission_data
from tests.integration.planning.conftest import GOTEBORG_NUMBER, GOTEBORG_UNIT, Planning
from tests.integration.planning.plan_calls import ADULT, care, done, get, municipality, post, refused
from tests.services import REGION, bearer

PERSON = a_person()
WHO = {"type": PERSON["type"], "id": PERSON["id"]}
SOUGHT = {"person": WHO}


def auditor(planning: Planning, organisation: str = REGION) -> dict[str, str]:
    who: dict[str, Any] = {"role": "auditor", "organisation": organisation, "units": [f"SE{organisation}-"], "name": "Nils Test"}
    return bearer(planning.tokens.token("auditor", scopes=["audit:read", "persons:write"], **who))


async def log(planning: Planning) -> list[dict[str, Any]]:
    await planning.number()
    async with planning.database.transaction() as work:
        return [json.loads(entry.body) for entry in (await feeds.read(work, ACCESS_FEED, after=0, limit=500)).entries]


async def a_stay(planning: Planning, *, over: bool = True) -> str:
    case = str((await planning.tell(a_ward_event())).json()["case_id"])
    if over:
        ended = await planning.tell(a_ward_event("stay.discharged", {}, id="SU-9", time="2026-11-09T10:00:00+01:00"))
        assert ended.status_code == 201, ended.text
    await planning.number()
    return case


async def a_deviation(planning: Planning, case: str) -> None:
    told = {"unit": GOTEBORG_UNIT, "category": "self_care", "step": "discharge", "text": "Rutinen var oklar", "case_id": case}
    await done(post(planning, municipality(planning), "/v1/deviations", told))


async def paths(planning: Planning, case: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Every address that shows a person or what a case says, with somebody who may ask."""
    plan = (await done(post(planning, care(planning), "/v1/plans", {"person": ADULT, "kind": "sip"})))["id"]
    consent = {"case_id": case, "answer": "given", "purposes": ["free_text"], "unit": WARD, "asked_by": "Anna Test"}
    await planning.http.post("/v1/consents", json=consent, headers={**care(planning), "Idempotency-Key": "consent-1"})
    await planning.tell(a_ward_event("stay.ready_withdrawn", id="SU-2", time="2026-11-05T10:00:00+01:00"))
    notice = (await planning.mailbox(planning.municipality()))["entries"][0]["id"]
    await a_deviation(planning, case)
    return {
        "case": (f"/v1/cases/{case}", planning.ward),
        "history": (f"/v1/cases/{case}/history", planning.ward),
        "patient information": (f"/v1/cases/{case}/patient-information", planning.ward),
        "paper": ("/v1/cases/paper", planning.ward),
        "cases": ("/v1/cases", planning.ward),
        "work list": ("/v1/worklist", planning.municipality()),
        "findings": ("/v1/findings", planning.ward),
        "deviations": ("/v1/deviations", municipality(planning)),
        "mailbox": ("/v1/notices", planning.municipality()),
        "notice": (f"/v1/notices/{notice}", planning.municipality()),
        "plan": (f"/v1/plans/{plan}", care(planning)),
    }


async def test_no_reading_of_a_patient_happens_without_its_line_in_the_log(planning: Planning) -> None:
    asked = await paths(planning, await a_stay(planning, over=False))
    for name, (path, who) in asked.items():
        before = len(await log(planning))
        answer = await planning.http.get(path, headers=who)
        assert answer.status_code == 200, (name, answer.text)
        assert len(await log(planning)) == before + 1, name
    owner = Database(planning.owner_url, role=None)
    beside = ", ".join(f"dirigent_planning_{role}" for role in ("worker", "intake"))
    async with owner.transaction() as work:
        await work.connection.execute(text(f"REVOKE INSERT ON outbox FROM {app_role('planning')}, {beside}"))
    await owner.close()
    for name, (path, who) in asked.items():
        answer = await planning.http.get(path, headers=who)
        assert answer.status_code == 500, name
        assert PERSON["id"] not in answer.text, name
    searched = await planning.http.post("/v1/cases/search", json=SOUGHT, headers=planning.ward)
    exported = await planning.http.post("/v1/persons/export", json=SOUGHT, headers=auditor(planning))
    assert (searched.status_code, exported.status_code) == (500, 500)


async def test_lists_that_name_nobody_are_logged_with_the_cases_they_show(planning: Planning) -> None:
    case = await a_stay(planning, over=False)
    await planning.tell(a_ward_event("stay.ready_withdrawn", id="SU-2", time="2026-11-05T10:00:00+01:00"))
    plan = (await done(post(planning, care(planning), "/v1/plans", {"person": ADULT, "kind": "sip", "consent": "given"})))["id"]
    await get(planning, planning.ward, "/v1/cases")
    await get(planning, planning.ward, "/v1/findings")
    await a_deviation(planning, case)
    await get(planning, municipality(planning), "/v1/deviations")
    await get(planning, planning.municipality(), "/v1/worklist")
    owed = {one["case_id"] or one["plan_id"] for one in (await get(planning, care(planning), "/v1/worklist"))["duties"]}
    assert owed == {case, plan}, "positive control: a plan without a stay stands in it too"
    for path in (
        "/v1/cases?state=cancelled",
        "/v1/findings?code=two_admissions",
        f"/v1/worklist?after={'f' * 8}-ffff-7fff-bfff-{'f' * 12}",
    ):
        await get(planning, planning.ward, path)
    patient = person_vault().stands_for(PERSON["type"], PERSON["id"])
    assert ADULT["id"] == PERSON["id"]
    assert [(line["action"], line["cases"], line["patients"]) for line in await log(planning)] == [
        ("case.list", [case], [patient]),
        ("findings.read", [case], [patient]),
        ("deviation.list", [case], [patient]),
        ("worklist.read", [case], [patient]),
        ("worklist.read", sorted([case, plan]), [patient]),
    ]


async def test_a_line_says_what_the_law_asks_for_and_never_who_the_patient_is(planning: Planning) -> None:
    case = await a_stay(planning)
    await get(
        planning, bearer(planning.tokens.token("ward-su", scopes=["cases:read"], units=[WARD], name="Anna Test")), f"/v1/cases/{case}"
    )
    (line,) = await log(planning)
    assert {name: line[name] for name in ("action", "client", "user", "organisation", "units", "role", "cases")} == {
        "action": "case.read",
        "client": "ward-su",
        "user": "Anna Test",
        "organisation": REGION,
        "units": [WARD],
        "role": "ward",
        "cases": [case],
    }
    assert line["at"]
    assert line["request_id"]
    assert len(line["patients"]) == 1
    assert PERSON["id"] not in json.dumps(line)


async def test_a_line_names_the_one_unit_of_the_case_that_was_acted_for(planning: Planning) -> None:
    case = await a_stay(planning, over=False)
    plan = (await done(post(planning, care(planning), "/v1/plans", {"case_id": case, "kind": "sip", "consent": "given"})))["id"]
    county = bearer(planning.tokens.token("county", scopes=["cases:read"], units=[f"SE{REGION}-"]))
    wide = bearer(planning.tokens.token("wards", scopes=["cases:read"], units=[WARD[:-1]]))
    for who in (planning.ward, wide, care(planning), county):
        await get(planning, who, f"/v1/cases/{case}")
    await get(planning, wide, f"/v1/cases/{case}/history")
    await get(planning, care(planning), f"/v1/plans/{plan}")
    await planning.mailbox(planning.municipality())
    lines = await log(planning)
    assert [(line["action"], line["unit"]) for line in lines] == [
        ("case.read", WARD),
        ("case.read", WARD),
        ("case.read", CARE_CENTRE),
        ("case.read", None),
        ("case.history_read", WARD),
        ("plan.read", CARE_CENTRE),
        ("notices.read", GOTEBORG_UNIT),
    ]
    assert lines[1]["units"] == [WARD[:-1]], "beside it stands all that the client acts for"
    shown = (await get(planning, auditor(planning), f"/v1/audit?case_id={case}"))["accesses"]
    assert [one["unit"] for one in shown] == [line["unit"] for line in lines]


async def test_a_call_to_a_plan_without_a_stay_is_logged_with_its_plan_and_its_patient(planning: Planning) -> None:
    plan = (await done(post(planning, care(planning), "/v1/plans", {"person": ADULT, "kind": "sip", "consent": "given"})))["id"]
    await done(post(planning, care(planning), f"/v1/plans/{plan}/invitations", {"units": [GOTEBORG_UNIT]}))
    await planning.number()
    (called,) = (await get(planning, municipality(planning), "/v1/notices"))["entries"]
    await get(planning, municipality(planning), f"/v1/notices/{called['id']}")
    assert called["personal"]["person"]["id"] == ADULT["id"], "positive control: it says who she is"
    lines = [line for line in await log(planning) if line["client"] == "kommun-1480"]
    patient = person_vault().stands_for(ADULT["type"], ADULT["id"])
    assert [(line["action"], line["cases"], line["patients"]) for line in lines] == [
        ("notices.read", [plan], [patient]),
        ("notice.read", [plan], [patient]),
    ]


async def test_whoever_is_no_party_any_more_and_reads_its_old_notice_is_logged_with_the_patient(planning: Planning) -> None:
    case = await a_stay(planning)
    async with planning.database.transaction() as work:
        await work.connection.execute(text("UPDATE cases SET parties = '[]' WHERE id = CAST(:id AS uuid)"), {"id": case})
    read = await get(planning, planning.municipality(), "/v1/notices")
    assert PERSON["id"] in json.dumps(read), "positive control: its mailbox still says who she is"
    assert [line["patients"] for line in await log(planning)] == [[person_vault().stands_for(PERSON["type"], PERSON["id"])]]


async def test_an_organisation_reviews_its_own_people_and_whoever_read_of_its_patients(planning: Planning) -> None:
    case = await a_stay(planning)
    await get(planning, planning.ward, f"/v1/cases/{case}")
    await get(planning, planning.municipality(), f"/v1/cases/{case}")
    await log(planning)
    seen = (await get(planning, auditor(planning), f"/v1/audit?case_id={case}"))["accesses"]
    assert [(one["client"], one["action"]) for one in seen] == [("ward-su", "case.read"), (f"kommun-{GOTEBORG}", "case.read")]
    theirs = (await get(planning, auditor(planning, GOTEBORG_NUMBER), "/v1/audit"))["accesses"]
    assert [one["client"] for one in theirs] == [f"kommun-{GOTEBORG}"]
    await log(planning)
    looked = (await get(planning, auditor(planning), "/v1/audit?client=auditor&user=Nils%20Test"))["accesses"]
    assert [(one["action"], one["organisation"]) for one in looked] == [("audit.read", REGION)], "who reviews is reviewed"
    first = await planning.http.get("/v1/audit?limit=1", headers=auditor(planning))
    rest = await planning.http.get(first.headers["link"].split(";")[0].strip("<>"), headers=auditor(planning))
    assert (first.json()["accesses"][0]["number"], rest.json()["accesses"][0]["number"]) == (1, 2)
    none = (await get(planning, auditor(planning), f"/v1/audit?case_id={case}&to=2020-01-01T00:00:00Z"))["accesses"]
    assert none == []


async def test_of_what_another_organisation_read_in_one_go_only_the_own_patients_are_reviewed(planning: Planning) -> None:
    case = await a_stay(planning)
    another = a_person(id=a_personnummer(3))
    elsewhere = str((await planning.tell(a_ward_event(id="SU-77", subject="SU-77", data=admission_data(person=another)))).json()["case_id"])
    async with planning.database.transaction() as work:
        await work.connection.execute(text("UPDATE cases SET provider = '5560000001' WHERE id = CAST(:id AS uuid)"), {"id": elsewhere})
    await planning.mailbox(planning.municipality())
    (line,) = [one for one in await log(planning) if one["action"] == "notices.read"]
    assert (sorted(line["cases"]), len(line["patients"])) == (sorted([case, elsewhere]), 2), "positive control: both were read at once"
    (seen,) = (await get(planning, auditor(planning), "/v1/audit"))["accesses"]
    assert (seen["cases"], seen["patients"]) == ([case], [person_vault().stands_for(PERSON["type"], PERSON["id"])])
    theirs = (await get(planning, auditor(planning, GOTEBORG_NUMBER), "/v1/audit"))["accesses"]
    assert sorted(theirs[0]["cases"]) == sorted([case, elsewhere]), "whose people read sees all of it"


async def test_what_is_known_of_one_patient_is_reviewed_by_a_number_in_the_body_only(planning: Planning) -> None:
    case = await a_stay(planning)
    await get(planning, planning.ward, f"/v1/cases/{case}")
    await log(planning)
    found = await planning.http.post("/v1/audit/search", json=SOUGHT, headers=auditor(planning))
    assert [one["cases"] for one in found.json()["accesses"]] == [[case]]
    assert PERSON["id"] not in found.text
    other = await planning.http.post("/v1/audit/search", json={"person": WHO | {"id": "189001029819"}}, headers=auditor(planning))
    assert other.json() == {"accesses": [], "next": None}
    wrong = await planning.http.post("/v1/audit/search", json={"person": WHO | {"id": "189001019809"}}, headers=auditor(planning))
    assert wrong.status_code == 422
    assert "189001019809" not in wrong.text


async def test_a_person_gets_everything_and_who_read_it(planning: Planning) -> None:
    case = await a_stay(planning)
    await get(planning, planning.municipality(), f"/v1/cases/{case}")
    await planning.mailbox(planning.municipality())
    answer = await planning.http.post("/v1/persons/export", json=SOUGHT, headers=auditor(planning))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert [event["event"]["data"].get("person") for event in told["events"]] == [PERSON, None]
    assert {notice["type"] for notice in told["notices"]} == {"notice.admission", "notice.discharged"}
    assert told["notices"][0]["personal"]["person"]["id"] == PERSON["id"]
    assert [one["organisation"] for one in told["accesses"]][:1] == [GOTEBORG_NUMBER]
    assert (await log(planning))[-1]["action"] == "person.export"
    foreign = await planning.http.post("/v1/persons/export", json=SOUGHT, headers=auditor(planning, GOTEBORG_NUMBER))
    unknown = await planning.http.post("/v1/persons/export", json={"person": WHO | {"id": "189001029819"}}, headers=auditor(planning))
    assert foreign.status_code == unknown.status_code == 404


async def erase(planning: Planning, **changed: Any) -> Any:
    return await post(
        planning, auditor(planning), "/v1/persons/erasure", SOUGHT | {"basis": "beslut 17", "acted_by": "Nils Test"} | changed
    )


async def test_a_person_is_erased_and_everything_else_stands(planning: Planning) -> None:
    case = await a_stay(planning)
    before = await get(planning, planning.ward, f"/v1/cases/{case}")
    box = await planning.mailbox(planning.municipality())
    done_ = await erase(planning)
    assert done_.status_code == 201, done_.text
    assert {name: value for name, value in done_.json().items() if name != "erased_at"} == {
        "cases": 1,
        "events": 1,
        "notices": 4,
        "plans": 0,
    }
    after = await get(planning, planning.ward, f"/v1/cases/{case}")
    assert after["person"] == {"withheld": "erased", "at": done_.json()["erased_at"], "basis": "beslut 17"}
    changing = ("person", "version", "changed_at")
    assert {name: value for name, value in after.items() if name not in changing} == {
        name: value for name, value in before.items() if name not in changing
    }
    again = await planning.mailbox(planning.municipality())
    assert [entry["hash"] for entry in again["entries"]] == [entry["hash"] for entry in box["entries"]], "nobody is told of her any more"
    assert {entry["personal"]["withheld"] for entry in again["entries"]} == {"erased"}
    assert (await planning.http.post("/v1/cases/search", json=SOUGHT, headers=planning.ward)).json() == {"cases": []}
    async with planning.database.transaction() as work:
        assert await feeds.verify(work, ACCESS_FEED) is None
        assert await usecases.persons_that_do_not_open(work) == []
        kept = (await work.connection.execute(text("SELECT CAST(e AS text) || CAST(c AS text) FROM events e, cases c"))).scalars().all()
    assert not [row for row in kept if '"sealed"' in row], "nothing is left that a key could open"
    reviewed = await planning.http.post("/v1/audit/search", json=SOUGHT, headers=auditor(planning))
    assert reviewed.json()["accesses"], "who read of her is still known"
    assert (await erase(planning)).status_code == 404


async def test_what_comes_after_the_erasure_tells_nobody_of_her(planning: Planning) -> None:
    case = await a_stay(planning)
    box = await planning.mailbox(planning.municipality())
    assert (await erase(planning)).status_code == 201
    late = await planning.tell(a_ward_event("stay.planned_discharge_changed", {"planned_discharge_date": "2026-11-12"}, id="SU-10"))
    assert late.status_code == 201, late.text
    assert len((await planning.mailbox(planning.municipality()))["entries"]) == len(box["entries"])
    assert (await get(planning, planning.ward, f"/v1/cases/{case}"))["person"]["withheld"] == "erased"


async def test_nobody_is_erased_while_she_is_cared_for(planning: Planning) -> None:
    case = await a_stay(planning, over=False)
    assert await refused(erase(planning)) == (409, "person.case_open")
    assert (await get(planning, planning.ward, f"/v1/cases/{case}"))["person"]["id"] == PERSON["id"]


async def test_nobody_is_erased_while_a_plan_of_her_stay_is_open(planning: Planning) -> None:
    case = await a_stay(planning, over=False)
    await done(post(planning, care(planning), "/v1/plans", {"case_id": case, "kind": "sip", "consent": "given"}))
    ended = await planning.tell(a_ward_event("stay.discharged", {}, id="SU-9", time="2026-11-09T10:00:00+01:00"))
    assert ended.status_code == 201, ended.text
    assert await refused(erase(planning)) == (409, "person.case_open")
    async with planning.database.transaction() as work:
        await work.connection.execute(text("UPDATE plans SET state = 'closed'"))
    assert (await erase(planning)).status_code == 201


async def test_what_is_over_for_long_enough_is_erased_by_itself(planning: Planning) -> None:
    case = await a_stay(planning)
    async with planning.database.transaction() as work:
        soon, later = usecases.kept_since(work.at, 1), work.at + timedelta(seconds=1)
        counted = [await usecases.count_outlived(work, one) for one in (soon, later)]
        assert counted == [usecases.Outlived(0, 0), usecases.Outlived(1, 0)]
        assert await usecases.erase_outlived(work, soon, basis="retention", limit=10) == 0
        assert await usecases.erase_outlived(work, later, basis="retention", limit=10) == 1
        assert await usecases.count_outlived(work, later) == usecases.Outlived(0, 0)
    assert (await get(planning, planning.ward, f"/v1/cases/{case}"))["person"]["withheld"] == "erased"


@pytest.mark.parametrize("alone", [False, True], ids=["of the stay", "without a stay"])
async def test_nothing_is_erased_by_itself_while_a_plan_of_hers_is_open(planning: Planning, alone: bool) -> None:
    case = await a_stay(planning, over=False)
    about = {"person": ADULT} if alone else {"case_id": case}
    await done(post(planning, care(planning), "/v1/plans", {**about, "kind": "sip", "consent": "given"}))
    ended = await planning.tell(a_ward_event("stay.discharged", {}, id="SU-9", time="2026-11-09T10:00:00+01:00"))
    assert ended.status_code == 201, ended.text
    async with planning.database.transaction() as work:
        later = work.at + timedelta(seconds=1)
        assert await usecases.count_outlived(work, later) == usecases.Outlived(0, 0)
        assert await usecases.erase_outlived(work, later, basis="retention", limit=10) == 0
        await work.connection.execute(text("UPDATE plans SET state = 'closed'"))
        assert await usecases.erase_outlived(work, later, basis="retention", limit=10) == (2 if alone else 1)
    assert (await get(planning, planning.ward, f"/v1/cases/{case}"))["person"]["withheld"] == "erased"


async def test_a_municipality_does_not_erase_what_the_hospital_answers_for(planning: Planning) -> None:
    await a_stay(planning)
    body = SOUGHT | {"basis": "x", "acted_by": "Nils Test"}
    assert (await post(planning, auditor(planning, GOTEBORG_NUMBER), "/v1/persons/erasure", body)).status_code == 404
    assert (await post(planning, municipality(planning), "/v1/persons/erasure", body)).status_code == 403


async def test_who_erases_is_whoever_signed_in_and_a_system_names_her(planning: Planning) -> None:
    await a_stay(planning)
    system = bearer(planning.tokens.token("auditor", scopes=["persons:write"], role="auditor", organisation=REGION, units=[f"SE{REGION}-"]))
    body = SOUGHT | {"basis": "x"}
    codes = []
    for who, named in ((auditor(planning), {"acted_by": "Maja Test"}), (system, {})):
        answer = await post(planning, who, "/v1/persons/erasure", body | named)
        codes.append((answer.status_code, answer.json()["errors"]))
    assert codes == [(422, [{"pointer": "/acted_by", "code": code}]) for code in ("person_differs", "person_missing")]
    assert (await post(planning, auditor(planning), "/v1/persons/erasure", body)).status_code == 201
