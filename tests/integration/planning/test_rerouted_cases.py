"""A case whose unit or municipality was wrong: what the one before did and told is not its successor's."""

from typing import Any

import pytest

from services.planning.usecases import DirectoryEntries, MailboxAt, Unit, load_directory
from tests.builders import CARE_CENTRE, HARRYDA, a_person, a_ward_event, admission_data
from tests.integration.planning.conftest import GOTEBORG_UNIT, HARRYDA_NUMBER, HARRYDA_UNIT, Planning
from tests.integration.planning.plan_calls import a_case, care, done, get, municipality, post, put
from tests.integration.planning.test_checklist import duties
from tests.services import REGION, bearer

OTHER_CENTRE = "SE2321000131-E000000000902"
CONTACT = {"unit": CARE_CENTRE, "name": "Kim Test", "role": None, "phone": None}
READY: dict[str, Any] = {"id": "ready", "time": "2026-11-05T10:00:00+01:00"}


def other_care(planning: Planning) -> dict[str, str]:
    scopes = ["cases:read", "cases:write", "plans:write", "notices:read", "notices:acknowledge"]
    return bearer(planning.tokens.token("care-2", scopes=scopes, role="care", units=[OTHER_CENTRE]))


async def to_other_centre(planning: Planning) -> None:
    entries = DirectoryEntries(
        [],
        [Unit(OTHER_CENTRE, REGION, "Vårdcentral 2", "care_centre")],
        [MailboxAt(OTHER_CENTRE, REGION, f"unit:{OTHER_CENTRE}", "care_unit")],
    )
    async with planning.database.transaction() as work:
        await load_directory(work, entries)
    await planning.tell(a_ward_event(id="fix", data={**admission_data(outpatient_unit=OTHER_CENTRE), "corrects": "SU-1"}))


async def to_harryda(planning: Planning) -> None:
    person = {"person": a_person(registered_municipality=HARRYDA)}
    await planning.tell(a_ward_event("stay.person_changed", id="moved", time="2026-11-05T12:00:00+01:00", data=person))


def planning_status(case: str) -> str:
    return f"/v1/cases/{case}/parties/{GOTEBORG_UNIT}/planning-status"


async def test_a_care_centre_that_takes_a_case_over_appoints_a_care_contact_of_its_own(planning: Planning) -> None:
    case = await a_case(planning)
    await done(put(planning, care(planning), f"/v1/cases/{case}/care-contact", CONTACT))
    assert "appoint_care_contact" not in await duties(planning, care(planning))
    await to_other_centre(planning)
    who = other_care(planning)
    assert "appoint_care_contact" in await duties(planning, who)
    assert (await get(planning, who, f"/v1/cases/{case}"))["care_contact"] is None
    paper = await planning.http.get("/v1/cases/paper", headers=planning.ward)
    assert "Kim Test" not in paper.text
    await done(put(planning, who, f"/v1/cases/{case}/care-contact", {**CONTACT, "unit": OTHER_CENTRE, "name": "Lo Test"}))
    assert (await get(planning, who, f"/v1/cases/{case}"))["care_contact"]["name"] == "Lo Test"
    assert "appoint_care_contact" not in await duties(planning, who)


async def test_the_call_that_the_check_list_names_is_one_the_new_care_centre_may_make(planning: Planning) -> None:
    case = await a_case(planning)
    await done(post(planning, care(planning), "/v1/plans", {"case_id": case, "consent": "given"}))
    await planning.tell(a_ward_event("stay.ready", **READY))
    await to_other_centre(planning)
    assert "invite_to_plan" not in await duties(planning, care(planning))
    call = (await duties(planning, other_care(planning)))["invite_to_plan"]["fulfilled_by"].split()[1]
    body: dict[str, Any] = {"case_id": case} if call == "/v1/plans" else {"units": [GOTEBORG_UNIT]}
    await done(post(planning, other_care(planning), call, body))


async def test_a_municipality_that_takes_a_case_over_is_to_be_called_too(planning: Planning) -> None:
    case, who = await a_case(planning), care(planning)
    await planning.tell(a_ward_event("stay.ready", **READY))
    plan = await done(post(planning, who, "/v1/plans", {"case_id": case, "consent": "given"}))
    await done(post(planning, who, f"/v1/plans/{plan['id']}/invitations", {"units": [GOTEBORG_UNIT]}))
    assert "invite_to_plan" not in await duties(planning, who)
    await to_harryda(planning)
    assert (await duties(planning, who))["invite_to_plan"]["fulfilled_by"] == f"POST /v1/plans/{plan['id']}/invitations"
    await done(post(planning, who, f"/v1/plans/{plan['id']}/invitations", {"units": [HARRYDA_UNIT]}))
    assert "invite_to_plan" not in await duties(planning, who)


async def test_what_a_municipality_told_of_its_planning_is_not_for_its_successor(planning: Planning) -> None:
    case = await a_case(planning)
    told = {"status": "ready_from", "ready_from": {"date": "2026-11-30", "time": "10:00"}}
    await done(put(planning, municipality(planning), planning_status(case), told))
    paper = (await planning.http.get("/v1/cases/paper", headers=planning.ward)).text
    assert "kan ta emot" in paper
    await to_harryda(planning)
    shown = await get(planning, municipality(planning, HARRYDA, HARRYDA_NUMBER), f"/v1/cases/{case}")
    assert shown["planning"] == []
    assert "kan ta emot" not in (await planning.http.get("/v1/cases/paper", headers=planning.ward)).text


async def test_planning_starts_when_a_unit_tells_more_than_that_it_received_the_notice(planning: Planning) -> None:
    case, who = await a_case(planning), municipality(planning)
    await done(put(planning, who, planning_status(case), {"status": "received"}))
    assert (await get(planning, who, f"/v1/cases/{case}"))["state"] == "admitted"
    await done(put(planning, who, planning_status(case), {"status": "assessing"}))
    assert (await get(planning, who, f"/v1/cases/{case}"))["state"] == "planning"
    await to_harryda(planning)
    assert (await get(planning, care(planning), f"/v1/cases/{case}"))["state"] == "admitted", "who plans is no party any more"


async def test_saying_the_same_again_changes_nothing(planning: Planning) -> None:
    case, who = await a_case(planning), municipality(planning)
    told = {"status": "ready_from", "ready_from": {"date": "2026-11-30", "time": "10:00"}}
    first, again = [await done(put(planning, who, planning_status(case), told)) for _ in range(2)]
    assert first == again
    first, again = [await done(put(planning, care(planning), f"/v1/cases/{case}/care-contact", CONTACT)) for _ in range(2)]
    assert first == again
    changed = await done(put(planning, care(planning), f"/v1/cases/{case}/care-contact", {**CONTACT, "name": "Lo Test"}))
    assert changed["case_version"] == again["case_version"] + 1


@pytest.mark.parametrize(("day", "status"), [("1990-01-01", 422), ("2026-11-02", 422), ("2026-11-03", 200)])
async def test_nobody_could_receive_the_patient_before_the_stay(planning: Planning, day: str, status: int) -> None:
    case = await a_case(planning)
    told = {"status": "ready_from", "ready_from": {"date": day, "time": "00:00"}}
    assert (await put(planning, municipality(planning), planning_status(case), told)).status_code == status


async def test_no_meeting_or_follow_up_of_a_plan_lies_before_the_stay(planning: Planning) -> None:
    case, who = await a_case(planning), care(planning)
    plan = f"/v1/plans/{(await done(post(planning, who, '/v1/plans', {'case_id': case, 'consent': 'given'})))['id']}"
    await done(post(planning, who, f"{plan}/invitations", {"units": [GOTEBORG_UNIT]}))
    meeting = {"place": "Hemma", "held": True, "attended": []}
    assert (await put(planning, who, f"{plan}/meeting", {**meeting, "at": "1950-11-05T10:00:00+01:00"})).status_code == 422
    await done(put(planning, who, f"{plan}/meeting", {**meeting, "at": "2026-11-04T10:00:00+01:00"}))
    measures = {
        "needs": ["Hjälp"],
        "measures": [{"what": "Hemtjänst", "by": "unit", "unit": GOTEBORG_UNIT}],
        "main_responsibility": GOTEBORG_UNIT,
    }
    assert (await put(planning, who, f"{plan}/measures", {**measures, "follow_up_on": "1901-01-01"})).status_code == 422
    await done(put(planning, who, f"{plan}/measures", {**measures, "follow_up_on": "2026-12-01"}))
    late = {"held_at": "2017-12-31T10:00:00+01:00", "outcome": "continues", "note": None, "next_on": None}
    assert (await post(planning, who, f"{plan}/follow-up", late)).status_code == 422


async def test_under_compulsory_outpatient_care_a_care_plan_is_owed_in_the_place_of_the_sip(planning: Planning) -> None:
    case, who = await a_case(planning), care(planning)
    await planning.tell(a_ward_event("stay.ready", **READY, data={"compulsory": "opt"}))
    owed = await duties(planning, who)
    assert owed["open_plan"]["legal_basis"] == "lag (2017:612) 4 kap. 1 §"
    assert "invite_to_plan" not in owed
    await done(post(planning, who, "/v1/plans", {"case_id": case, "kind": "care_plan"}))
    assert "open_plan" not in await duties(planning, who)


async def test_a_unit_of_the_municipality_finds_what_does_not_fit_in_its_cases(planning: Planning) -> None:
    await planning.tell(a_ward_event(data=admission_data(planned_discharge_date=None)))
    found = await get(planning, municipality(planning), f"/v1/findings?code=planned_date_missing&unit={GOTEBORG_UNIT}")
    assert [one["code"] for one in found["findings"]] == ["planned_date_missing"]
    assert (await get(planning, municipality(planning), f"/v1/findings?unit={HARRYDA_UNIT}"))["findings"] == []
