"""FHIR R4 in and out: the same effect and the same sight as the plain interface, in resources that the official models accept."""

import copy
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fhir.resources.R4B import get_fhir_model_class

from services.planning.api.fhir import EXAMPLE
from tests.builders import GOTEBORG, HARRYDA, a_person, a_personnummer, a_ward_event, admission_data
from tests.integration.planning.conftest import Planning
from tests.services import bearer

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FHIR = {"Content-Type": "application/fhir+json"}
PERSONNUMMER = "http://electronichealth.se/identifier/personnummer"
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


def accepted_by_the_models(resource: dict[str, Any]) -> dict[str, Any]:
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    for entry in resource.get("entry", []):
        accepted_by_the_models(entry["resource"])
    return resource


def a_message(kind: str = "stay.admitted", message_id: str = "SU-1", parameters: list[dict[str, Any]] | None = None, **period: str) -> Any:
    bundle = copy.deepcopy(EXAMPLE)
    bundle["identifier"]["value"] = message_id
    bundle["entry"][0]["resource"]["eventCoding"]["code"] = kind
    if kind != "stay.admitted":
        bundle["entry"][1]["resource"]["period"] = period
        bundle["entry"][3]["resource"]["parameter"] = parameters or []
    if not bundle["entry"][3]["resource"]["parameter"]:
        del bundle["entry"][3]
    return bundle


async def process(planning: Planning, bundle: Any, status: int = 200) -> dict[str, Any]:
    answer = await planning.http.post("/v1/fhir/$process-message", json=bundle, headers={**planning.ward, **FHIR})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/fhir+json"
    return accepted_by_the_models(answer.json())


def became(bundle: dict[str, Any]) -> str:
    return str(bundle["entry"][0]["resource"]["response"]["code"])


async def read(planning: Planning, path: str, who: dict[str, str], status: int = 200) -> dict[str, Any]:
    answer = await planning.http.get(f"/v1/fhir/{path}", headers=who)
    assert answer.status_code == status, answer.text
    return accepted_by_the_models(answer.json())


async def search(
    planning: Planning, kind: str, who: dict[str, str], expected: int = 200, form: dict[str, str] | None = None, **more: str
) -> dict[str, Any]:
    answer = await planning.http.post(f"/v1/fhir/{kind}/_search", content=urlencode((form or {}) | more), headers={**who, **FORM})
    assert answer.status_code == expected, answer.text
    return accepted_by_the_models(answer.json())


def ids(bundle: dict[str, Any]) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", [])]


async def admitted(planning: Planning, **data: object) -> str:
    answer = await planning.tell(a_ward_event(data=admission_data(**data)))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case_id"])


async def test_a_message_has_the_effect_of_a_plain_event_and_may_come_twice(planning: Planning) -> None:
    accepted_by_the_models(copy.deepcopy(EXAMPLE))
    for _ in range(2):
        assert became(await process(planning, a_message())) == "ok"
    case = (await planning.http.get("/v1/cases", headers=planning.municipality())).json()["cases"][0]
    assert case["planned_discharge_date"] == "2026-11-09"
    ready: list[dict[str, Any]] = [
        {"name": "time", "valueDateTime": "2026-11-05T09:00:00+01:00"},
        {"name": "secrecy_checked", "valueBoolean": True},
    ]
    assert became(await process(planning, a_message("stay.ready", "SU-2", ready))) == "ok"
    assert became(await process(planning, a_message("stay.discharged", "SU-3", end="2026-11-06T10:00:00+01:00"))) == "ok"
    told = [entry["type"] for entry in (await planning.mailbox(planning.municipality()))["entries"]]
    assert told == ["notice.admission", "notice.ready", "notice.discharged"]
    history = (await planning.http.get(f"/v1/cases/{case['id']}/history", headers=planning.municipality())).json()["history"]
    assert [line["event_id"] for line in history] == ["SU-1", "SU-2", "SU-3"]


async def test_what_cannot_be_taken_is_an_outcome_with_the_status_that_json_has(planning: Planning) -> None:
    other = a_message()
    other["entry"][1]["resource"]["serviceProvider"]["identifier"]["value"] = "SE2321000131-E000000000201"
    assert became(await process(planning, other, 403)) == "fatal-error"
    wrong_number = a_message()
    wrong_number["entry"][2]["resource"]["identifier"][0]["value"] = "189001019803"
    answer = await process(planning, wrong_number, 422)
    assert became(answer) == "fatal-error"
    issue = answer["entry"][1]["resource"]["issue"][0]
    assert (issue["diagnostics"], issue["expression"]) == ("person_id.check_digit", ["data.person.id"])
    assert issue["details"]["coding"][0]["code"] == "event.invalid"
    await process(planning, a_message())
    reused = a_message()
    reused["entry"][1]["resource"]["period"]["start"] = "2026-11-03T15:05:00+01:00"
    assert became(await process(planning, reused, 422)) == "fatal-error"


def _set(*path: Any, value: Any) -> Any:
    def change(bundle: Any) -> None:
        for step in path[:-1]:
            bundle = bundle[step]
        bundle[path[-1]] = value

    return change


def _without(*path: Any) -> Any:
    def change(bundle: Any) -> None:
        for step in path[:-1]:
            bundle = bundle[step]
        del bundle[path[-1]]

    return change


def _parameter(**value: str) -> Any:
    return lambda bundle: bundle["entry"][3]["resource"]["parameter"].append(value)


BROKEN = {
    "another resource": _set("resourceType", value="Patient"),
    "another type": _set("type", value="batch"),
    "no entries": _set("entry", value=[]),
    "entries that are none": _set("entry", value={"resource": 1}),
    "no id": _without("identifier"),
    "no header": _without("entry", 0),
    "another event": _set("entry", 0, "resource", "eventCoding", "code", value="stay.imagined"),
    "no stay": _without("entry", 1),
    "no ward": _without("entry", 1, "resource", "serviceProvider"),
    "no time": _without("entry", 1, "resource", "period"),
    "two patients": lambda bundle: bundle["entry"].append(bundle["entry"][2]),
    "no known number": _set("entry", 2, "resource", "identifier", 0, "system", value="urn:oid:1.2.3"),
    "no name": _without("entry", 2, "resource", "name"),
    "a name that is a number": _set("entry", 2, "resource", "name", 0, "family", value=189001019802),
    "an unknown parameter": _parameter(name="wish", valueString="x"),
    "a parameter twice": _parameter(name="care_type", valueCode="somatic"),
    "a parameter with two values": _parameter(name="reason", valueCode="x", valueString="y"),
}


async def test_a_message_that_is_none_is_refused_without_its_values(planning: Planning) -> None:
    for change, breaking in BROKEN.items():
        bundle = a_message()
        breaking(bundle)
        answer = await planning.http.post("/v1/fhir/$process-message", json=bundle, headers={**planning.ward, **FHIR})
        assert answer.status_code == 422, (change, answer.text)
        accepted_by_the_models(answer.json())
        assert "189001019802" not in answer.text, change
        assert "Testgatan" not in answer.text, change
    for body, status in ((b"{", 400), (b'{"a":1,"a":2}', 400), (b"<Bundle/>", 400)):
        answer = await planning.http.post("/v1/fhir/$process-message", content=body, headers={**planning.ward, **FHIR})
        assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")
    xml = {"Content-Type": "application/fhir+xml"}
    answer = await planning.http.post("/v1/fhir/$process-message", content=b"<Bundle/>", headers={**planning.ward, **xml})
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (415, "not-supported")
    assert (await planning.http.post("/v1/fhir/$process-message", json=a_message())).json()["issue"][0]["code"] == "login"


async def test_a_case_is_an_encounter_and_its_person_a_patient_of_this_case_alone(planning: Planning) -> None:
    case_id = await admitted(planning)
    who = planning.municipality()
    encounter = await read(planning, f"Encounter/{case_id}", who)
    assert (encounter["status"], encounter["period"]["start"]) == ("in-progress", "2026-11-03T13:05:00.000000Z")
    assert encounter["subject"]["reference"] == f"Patient/{case_id}"
    patient = await read(planning, f"Patient/{case_id}", who)
    assert patient["identifier"] == [{"use": "official", "system": PERSONNUMMER, "value": a_personnummer()}]
    assert patient["name"] == [{"use": "official", "family": "Testsson", "given": ["Test"]}]
    found = await search(planning, "Patient", who, identifier=f"{PERSONNUMMER}|{a_personnummer()}")
    assert ids(found) == [case_id]
    assert a_personnummer() not in str(found["link"])
    assert ids(await search(planning, "Encounter", who, form={"patient.identifier": f"{PERSONNUMMER}|{a_personnummer()}"})) == [case_id]
    assert ids(await search(planning, "Encounter", who, _id=case_id)) == [case_id]
    assert ids(await search(planning, "Encounter", who, status="finished")) == []


async def test_foreign_and_unknown_look_the_same(planning: Planning) -> None:
    case_id = await admitted(planning)
    await planning.number()
    notice = (await planning.mailbox(planning.municipality()))["entries"][0]["id"]
    other = planning.municipality(HARRYDA, "plans:write")
    for kind, known in (("Encounter", case_id), ("Patient", case_id), ("Task", notice), ("CarePlan", UNKNOWN)):
        foreign, unknown = await read(planning, f"{kind}/{known}", other, 404), await read(planning, f"{kind}/{UNKNOWN}", other, 404)
        assert foreign == unknown == await read(planning, f"{kind}/nothing", other, 404)
        assert ids(await search(planning, kind, other, _id=known)) == ids(await search(planning, kind, other, _id=UNKNOWN)) == []
    assert ids(await search(planning, "Encounter", other)) == []
    assert ids(await search(planning, "Patient", other, identifier=f"{PERSONNUMMER}|{a_personnummer()}")) == []


async def test_of_a_protected_person_nothing_is_told_but_that_it_is_withheld(planning: Planning) -> None:
    case_id = await admitted(planning, person=a_person(protected=True))
    who = planning.municipality()
    patient = await read(planning, f"Patient/{case_id}", who)
    assert set(patient) == {"resourceType", "id", "meta", "name"}
    assert patient["meta"]["security"][0]["code"] == "R"
    notice = (await planning.mailbox(who))["entries"][0]["id"]
    task = await read(planning, f"Task/{notice}", who)
    assert {"contained", "input", "for"}.isdisjoint(task)
    assert task["meta"]["security"][0]["code"] == "R"


async def test_a_protected_person_is_named_for_one_task_by_its_id_and_never_by_pages(planning: Planning) -> None:
    await admitted(planning, person=a_person(protected=True))
    who = planning.municipality(GOTEBORG, "persons:protected")
    notice = (await planning.mailbox(who))["entries"][0]["id"]
    await planning.http.post(f"/v1/notices/{notice}/acknowledgement", json={"acknowledged_by": "Anna Test"}, headers=who)
    assert (await read(planning, f"Task/{notice}", who))["contained"][0]["identifier"][0]["value"] == a_personnummer()
    paged = (await search(planning, "Task", who))["entry"][0]["resource"]
    assert paged["id"] == notice
    assert "contained" not in paged


async def test_a_notice_is_a_task_that_is_accepted_when_somebody_took_it_on(planning: Planning) -> None:
    case_id = await admitted(planning)
    who = planning.municipality()
    await planning.number()
    found = await search(planning, "Task", who)
    task = found["entry"][0]["resource"]
    assert (task["status"], task["encounter"]["reference"]) == ("received", f"Encounter/{case_id}")
    assert task["contained"][0]["identifier"][0]["value"] == a_personnummer()
    answer = await planning.http.post(f"/v1/notices/{task['id']}/acknowledgement", json={"acknowledged_by": "Anna Test"}, headers=who)
    assert answer.status_code == 201, answer.text
    assert (await read(planning, f"Task/{task['id']}", who))["status"] == "accepted"


async def test_searches_page_with_a_cursor_that_names_nobody(planning: Planning) -> None:
    for number in range(3):
        event = a_ward_event(id=f"SU-{number}", subject=f"SU-{number}", data=admission_data(person=a_person(id=a_personnummer(number))))
        assert (await planning.tell(event)).status_code == 201
    await planning.number()
    for kind in ("Encounter", "Task"):
        seen, form = [], {"_count": "2"}
        for _ in range(4):
            page = await search(planning, kind, planning.municipality(), form=form)
            seen += ids(page)
            following = [link["url"] for link in page["link"] if link["relation"] == "next"]
            if not following:
                break
            form = dict(parse_qsl(following[0].partition("?")[2]))
        assert len(seen) == len(set(seen)) == 3, kind


async def test_a_plan_is_a_care_plan(planning: Planning) -> None:
    case_id = await admitted(planning)
    key = {"Idempotency-Key": "plan-1"}
    opened = await planning.http.post("/v1/plans", json={"case_id": case_id, "consent": "given"}, headers={**planning.care, **key})
    assert opened.status_code == 201, opened.text
    plan = await read(planning, f"CarePlan/{opened.json()['id']}", planning.care)
    assert (plan["status"], plan["encounter"]["reference"]) == ("draft", f"Encounter/{case_id}")
    assert ids(await search(planning, "CarePlan", planning.care, _id=opened.json()["id"])) == [opened.json()["id"]]


async def test_a_search_takes_what_the_capability_statement_says_and_nothing_else(planning: Planning) -> None:
    who = planning.municipality()
    statement = await read(planning, "metadata", who)
    served = {one["type"]: [parameter["name"] for parameter in one["searchParam"]] for one in statement["rest"][0]["resource"]}
    assert set(served) == {"Encounter", "Patient", "Task", "CarePlan"}
    numbered = f"{PERSONNUMMER}|{a_personnummer()}"
    values = {"_id": UNKNOWN, "encounter": UNKNOWN, "identifier": numbered, "patient.identifier": numbered, "status": "cancelled"}
    document = (await planning.http.get("/openapi.json")).json()["paths"]
    for kind, names in served.items():
        content = document[f"/v1/fhir/{kind}/_search"]["post"]["requestBody"]["content"]
        assert set(content[FORM["Content-Type"]]["schema"]["properties"]) == {*names, "_count", "_cursor"}
        for name in names:
            asked = await search(planning, kind, planning.municipality(GOTEBORG, "plans:write"), form={name: values[name]})
            assert ids(asked) == [], (kind, name)
    for form in ({"name": "Testsson"}, {"_count": "0"}, {"_count": "9999"}, {"_cursor": "x"}, {"identifier": "x|y"}, {}):
        assert (await search(planning, "Patient", who, 400, form))["resourceType"] == "OperationOutcome"
    answer = await planning.http.post("/v1/fhir/Encounter/_search", json={}, headers=who)
    assert answer.status_code == 415
    answer = await planning.http.post("/v1/fhir/Encounter/_search?patient.identifier=x", content="", headers={**who, **FORM})
    assert answer.status_code == 400
    assert (await planning.http.get(f"/v1/fhir/Patient?identifier={a_personnummer()}", headers=who)).status_code in {404, 405}


async def test_reading_a_patient_leaves_a_line_in_the_access_log(planning: Planning) -> None:
    case_id = await admitted(planning)
    await read(planning, f"Patient/{case_id}", planning.municipality())
    await planning.number()
    async with planning.database.transaction() as work:
        found = await work.connection.exec_driver_sql(
            "SELECT count(*) FROM feed_entries WHERE feed = 'access' AND body::text LIKE '%case.read%'"
        )
        assert found.scalar_one() == 1


async def test_pages_of_encounters_say_what_one_says_and_leave_a_line_as_well(planning: Planning) -> None:
    case_id = await admitted(planning)
    assert ids(await search(planning, "Encounter", planning.municipality())) == [case_id]
    await planning.number()
    async with planning.database.transaction() as work:
        found = await work.connection.exec_driver_sql(
            "SELECT CAST(body AS jsonb) -> 'cases' FROM feed_entries WHERE feed = 'access' AND kind = 'case.list'"
        )
        assert list(found.scalars()) == [[case_id]]


async def test_whoever_may_not_read_cases_reads_no_encounter(planning: Planning) -> None:
    case_id = await admitted(planning)
    nobody = bearer(planning.tokens.token("x", scopes=["events:write"]))
    assert (await read(planning, f"Encounter/{case_id}", nobody, 403))["issue"][0]["code"] == "forbidden"
