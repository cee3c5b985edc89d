"""What parties tell each other of a case, and the check list that is derived from it."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.planning.usecases import DirectoryEntries, MailboxAt, load_directory
from tests.builders import CARE_CENTRE, GOTEBORG, HARRYDA, WARD, a_ward_event
from tests.integration.planning.conftest import GOTEBORG_UNIT, HARRYDA_UNIT, Planning
from tests.services import REGION, bearer

SCOPES = ["cases:read", "cases:write", "notices:read", "notices:acknowledge"]
READY_FROM = {"status": "ready_from", "ready_from": {"date": "2026-11-09", "time": "13:00"}}


@pytest.fixture
async def with_ward(planning: Planning) -> Planning:
    """Planning whose ward has a mailbox too."""
    async with planning.database.transaction() as work:
        await load_directory(work, DirectoryEntries([], [], [MailboxAt(WARD, REGION, f"unit:{WARD}", "ward")]))
    return planning


def municipality(planning: Planning, code: str = GOTEBORG) -> dict[str, str]:
    number = {GOTEBORG: "2120001355", HARRYDA: "2120001264"}[code]
    claims: dict[str, Any] = {"role": "municipality", "organisation": number, "units": [f"SE{number}-"], "municipality": code}
    return bearer(planning.tokens.token(f"kommun-{code}", scopes=SCOPES, **claims))


def care(planning: Planning) -> dict[str, str]:
    return bearer(planning.tokens.token("care-1", scopes=SCOPES, role="care", units=[CARE_CENTRE]))


def ward(planning: Planning) -> dict[str, str]:
    return bearer(planning.tokens.token("ward-su", scopes=[*SCOPES, "events:write"], units=[WARD]))


async def admitted(planning: Planning) -> str:
    return str((await planning.tell(a_ward_event())).json()["case_id"])


async def state(planning: Planning, case: str, unit: str, body: dict[str, Any], who: dict[str, str] | None = None) -> httpx.Response:
    address = f"/v1/cases/{case}/parties/{unit}/planning-status"
    return await planning.http.put(address, headers=who or municipality(planning), json=body)


async def rules(planning: Planning, who: dict[str, str]) -> list[str]:
    answer = await planning.http.get("/v1/worklist", headers=who)
    assert answer.status_code == 200, answer.text
    return [duty["rule"] for duty in answer.json()["duties"]]


async def facts(planning: Planning, kind: str) -> int:
    await planning.number()
    async with planning.database.transaction() as work:
        count = await work.connection.execute(
            text("SELECT count(*) FROM feed_entries WHERE feed = 'facts' AND kind = :kind"), {"kind": kind}
        )
        return int(count.scalar_one())


async def test_what_a_unit_tells_of_its_planning_reaches_the_ward_and_the_stream(with_ward: Planning) -> None:
    case = await admitted(with_ward)
    answer = await state(with_ward, case, GOTEBORG_UNIT, READY_FROM)
    assert (answer.status_code, answer.json()["ready_from"]) == (200, "2026-11-09T12:00:00.000000Z"), answer.text
    (notice,) = (await with_ward.mailbox(ward(with_ward)))["entries"]
    assert (notice["type"], notice["legal_basis"]) == ("notice.planning_status", "lag (2017:612) 2 kap. 6 §")
    content = notice["personal"]["content"]
    assert (content["subject"], content["unit"], content["status"]) == ("SU-2026-000123", GOTEBORG_UNIT, "ready_from")
    assert await facts(with_ward, "case.planning_status_set") == 1
    shown = (await with_ward.http.get(f"/v1/cases/{case}", headers=ward(with_ward))).json()
    assert [(one["unit"], one["status"]) for one in shown["planning"]] == [(GOTEBORG_UNIT, "ready_from")]
    assert (shown["care_contact"], shown["declined"]) == (None, [])


async def test_planning_that_has_begun_cannot_only_have_been_received(planning: Planning) -> None:
    case = await admitted(planning)
    assert (await state(planning, case, GOTEBORG_UNIT, {"status": "assessing"})).status_code == 200
    again = await state(planning, case, GOTEBORG_UNIT, {"status": "received"})
    assert (again.status_code, again.json()["code"]) == (409, "party.status_backwards")


@pytest.mark.parametrize(
    "body",
    [
        {"status": "ready_from"},
        {"status": "needs"},
        {"status": "needs", "needs": ["a lift"]},
        {"status": "assessing", "needs": ["aids"]},
        {"status": "ready_from", "ready_from": {"date": "2026-11-09", "time": "24:00"}},
        {"status": "done"},
    ],
)
async def test_a_status_that_is_not_whole_is_refused(planning: Planning, body: dict[str, Any]) -> None:
    answer = await state(planning, await admitted(planning), GOTEBORG_UNIT, body)
    assert answer.status_code == 422, answer.text


async def test_nobody_tells_for_another_and_a_foreign_case_is_unknown(planning: Planning) -> None:
    case = await admitted(planning)
    body = {"status": "assessing"}
    assert (await state(planning, case, GOTEBORG_UNIT, body, care(planning))).status_code == 403
    assert (await state(planning, case, HARRYDA_UNIT, body)).status_code == 404
    assert (await state(planning, case, HARRYDA_UNIT, body, municipality(planning, HARRYDA))).status_code == 404


async def test_the_care_centre_appoints_the_care_contact_and_the_others_are_told(with_ward: Planning) -> None:
    case = await admitted(with_ward)
    contact = {"unit": CARE_CENTRE, "name": "Kim Testsson", "phone": "031-000 00 00"}
    address = f"/v1/cases/{case}/care-contact"
    assert (await with_ward.http.put(address, headers=municipality(with_ward), json=contact)).status_code == 403
    answer = await with_ward.http.put(address, headers=care(with_ward), json=contact)
    assert (answer.status_code, answer.json()["name"]) == (200, "Kim Testsson"), answer.text
    for who in (ward(with_ward), municipality(with_ward)):
        notice = (await with_ward.mailbox(who))["entries"][-1]
        assert (notice["type"], notice["personal"]["content"]["name"]) == ("notice.care_contact", "Kim Testsson")
        assert notice["legal_basis"] == "lag (2017:612) 2 kap. 5 §"
    assert [entry["type"] for entry in (await with_ward.mailbox(care(with_ward)))["entries"]] == ["notice.admission"]
    assert await facts(with_ward, "case.care_contact_set") == 1


async def test_no_name_of_a_care_contact_stands_in_a_fact_or_an_envelope(with_ward: Planning) -> None:
    case = await admitted(with_ward)
    contact = {"unit": CARE_CENTRE, "name": "Kim Testsson"}
    await with_ward.http.put(f"/v1/cases/{case}/care-contact", headers=care(with_ward), json=contact)
    await with_ward.number()
    async with with_ward.database.transaction() as work:
        bodies = list((await work.connection.execute(text("SELECT body FROM feed_entries"))).scalars())
    assert bodies
    assert not any("Kim" in body for body in bodies)


async def test_that_the_patient_declined_is_kept_once_and_told_to_billing(planning: Planning) -> None:
    case = await admitted(planning)
    body = {"unit": GOTEBORG_UNIT, "measures": ["municipal_social"], "declined_at": "2026-11-04T10:00:00+01:00", "recorded_by": "Anna Test"}
    address = f"/v1/cases/{case}/declined"
    assert (await planning.http.post(address, headers=municipality(planning), json=body)).status_code == 400
    headers = municipality(planning) | {"Idempotency-Key": "declined-1"}
    first, again = [await planning.http.post(address, headers=headers, json=body) for _ in range(2)]
    assert (first.status_code, again.content) == (201, first.content), first.text
    assert await facts(planning, "case.declined") == 1


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"declined_at": "2190-01-01T00:00:00Z"}, 422),
        ({"declined_at": "2026-11-02T23:00:00+01:00"}, 422),
        ({"unit": CARE_CENTRE}, 403),
        ({"measures": []}, 422),
        ({"measures": ["all"]}, 422),
    ],
)
async def test_a_decline_that_cannot_be_is_refused(planning: Planning, changed: dict[str, Any], status: int) -> None:
    case = await admitted(planning)
    body = {"unit": GOTEBORG_UNIT, "measures": ["municipal_social"], "declined_at": "2026-11-04T10:00:00+01:00", "recorded_by": "Anna Test"}
    headers = municipality(planning) | {"Idempotency-Key": "declined-1"}
    answer = await planning.http.post(f"/v1/cases/{case}/declined", headers=headers, json=body | changed)
    assert answer.status_code == status, answer.text


async def test_the_work_list_shrinks_as_the_duties_are_done(planning: Planning) -> None:
    case = await admitted(planning)
    who = municipality(planning)
    assert await rules(planning, who) == ["acknowledge", "start_planning"]
    (notice,) = (await planning.mailbox(who))["entries"]
    duty = (await planning.http.get("/v1/worklist", headers=who)).json()["duties"][0]
    assert duty["fulfilled_by"] == f"POST /v1/notices/{notice['id']}/acknowledgement"
    await planning.http.post(f"/v1/notices/{notice['id']}/acknowledgement", headers=who, json={"acknowledged_by": "Anna Test"})
    assert await rules(planning, who) == ["start_planning"]
    await state(planning, case, GOTEBORG_UNIT, {"status": "assessing"})
    assert await rules(planning, who) == []
    await planning.tell(a_ward_event("stay.ready", id="SU-2", time="2026-11-05T10:00:00+01:00"))
    assert await rules(planning, who) == ["acknowledge", "answer_ward"]
    await state(planning, case, GOTEBORG_UNIT, READY_FROM)
    assert await rules(planning, who) == ["acknowledge"]


async def test_the_care_centre_as_conductor_sees_where_every_party_stands(planning: Planning) -> None:
    case = await admitted(planning)
    await state(planning, case, GOTEBORG_UNIT, READY_FROM)
    (conducted,) = (await planning.http.get("/v1/worklist", headers=care(planning))).json()["conducted"]
    assert conducted["case_id"] == case
    assert {party["unit"]: party["status"] for party in conducted["parties"]} == {GOTEBORG_UNIT: "ready_from", CARE_CENTRE: None}
    assert (await planning.http.get("/v1/worklist", headers=municipality(planning))).json()["conducted"] == []


async def test_the_work_list_holds_no_foreign_case_and_no_person(planning: Planning) -> None:
    await admitted(planning)
    assert await rules(planning, municipality(planning, HARRYDA)) == []
    whole = (await planning.http.get("/v1/worklist", headers=care(planning))).text
    assert "Testsson" not in whole
    assert "189001" not in whole


async def test_the_work_list_comes_in_pages_of_cases(planning: Planning) -> None:
    for number in range(3):
        await planning.tell(a_ward_event(id=f"SU-{number}", subject=f"stay-{number}"))
    seen: list[str] = []
    address: str | None = "/v1/worklist?limit=2"
    while address:
        answer = await planning.http.get(address, headers=municipality(planning))
        seen += {duty["case_id"] for duty in answer.json()["duties"]}
        address = answer.links["next"]["url"] if "next" in answer.links else None
    assert len(seen) == len(set(seen)) == 3


async def test_a_ward_is_asked_for_a_planned_date_it_has_not_stated(planning: Planning) -> None:
    event = a_ward_event()
    event["data"]["planned_discharge_date"] = None
    await planning.tell(event)
    assert await rules(planning, ward(planning)) == ["state_planned_date"]
