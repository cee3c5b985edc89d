"""A deviation from the report to the close, and what the two sides may read of it."""

from datetime import timedelta
from typing import Any

from shared.dates import local_date, now
from tests.builders import CARE_CENTRE, HARRYDA, a_person, a_ward_event, admission_data
from tests.integration.planning.conftest import GOTEBORG_UNIT, HARRYDA_NUMBER, HARRYDA_UNIT, Planning
from tests.integration.planning.follow_up import region
from tests.integration.planning.plan_calls import a_case, care, done, everything_told, facts, get, municipality, post, refused

SECRET = "Läkemedelslistan saknade insulin"


def a_report(**changed: Any) -> dict[str, Any]:
    return {"unit": GOTEBORG_UNIT, "category": "self_care", "step": "discharge", "text": SECRET} | changed


async def reported(planning: Planning, **changed: Any) -> tuple[str, str]:
    case = await a_case(planning)
    found = await done(post(planning, municipality(planning), "/v1/deviations", a_report(case_id=case, **changed)))
    return case, f"/v1/deviations/{found['id']}"


async def test_a_deviation_is_assigned_to_the_counterpart_answered_with_measures_and_closed(planning: Planning) -> None:
    case, path = await reported(planning)
    them, us = municipality(planning), care(planning)
    assert (await planning.http.get(path, headers=us)).status_code == 404, "the reporter's own until it is assigned"
    assert (await done(post(planning, them, f"{path}/assign", {"unit": CARE_CENTRE})))["state"] == "assigned"
    notice = (await planning.mailbox(us))["entries"][-1]
    assert (notice["type"], notice["about"]["change"], notice["personal"]) == ("notice.deviation", "assigned", None)
    answer = {"text": "Rutinen var oklar", "measures": [{"what": "Ny rutin", "by_day": "2026-12-24"}], "answered_by": "Anna Test"}
    assert (await done(post(planning, us, f"{path}/answer", answer)))["state"] == "answered"
    assert (await planning.mailbox(them))["entries"][-1]["about"]["change"] == "answered"
    assert (await done(post(planning, them, f"{path}/close", {})))["state"] == "closed"
    shown = await get(planning, them, path)
    assert [line["what"] for line in shown["history"]] == ["reported", "assigned", "answered", "closed"]
    assert [fact["state"] for fact in await facts(planning, "deviation.changed")] == ["reported", "assigned", "answered", "closed"]
    history = (await get(planning, them, f"/v1/cases/{case}/history"))["history"]
    assert [line["what"] for line in history][-4:] == [f"deviation.{what}" for what in ("reported", "assigned", "answered", "closed")]
    assert await refused(post(planning, them, f"{path}/assign", {"unit": CARE_CENTRE})) == (409, "deviation.closed")


async def test_a_deviation_is_reported_from_a_notice(planning: Planning) -> None:
    case = await a_case(planning)
    notice = (await planning.mailbox(municipality(planning)))["entries"][-1]["id"]
    found = await done(post(planning, municipality(planning), "/v1/deviations", a_report(notice_id=notice)))
    assert (found["case_id"], found["notice_id"]) == (case, notice)
    foreign = post(planning, care(planning), "/v1/deviations", a_report(notice_id=notice, unit=CARE_CENTRE))
    assert await refused(foreign) == (404, "not_found")
    neither = post(planning, municipality(planning), "/v1/deviations", a_report())
    assert await refused(neither) == (422, "request.malformed")


async def test_without_consent_the_other_side_learns_the_fault_but_not_the_text(planning: Planning) -> None:
    case, path = await reported(planning)
    await done(post(planning, municipality(planning), f"{path}/assign", {"unit": CARE_CENTRE}))
    shown = await get(planning, care(planning), path)
    assert (shown["category"], shown["withheld"]) == ("self_care", True)
    assert SECRET not in str(shown)
    assert SECRET in str(await get(planning, municipality(planning), path)), "who wrote it keeps it"
    consent = {"case_id": case, "answer": "given", "purposes": ["free_text"], "unit": CARE_CENTRE, "asked_by": "Anna Test"}
    await done(post(planning, care(planning), "/v1/consents", consent))
    assert SECRET in str(await get(planning, care(planning), path))
    assert SECRET not in await everything_told(planning)


async def test_each_side_takes_its_own_steps_and_a_foreign_unit_none(planning: Planning) -> None:
    _, path = await reported(planning)
    them, us = municipality(planning), care(planning)
    other = municipality(planning, HARRYDA, HARRYDA_NUMBER)
    answer = {"text": "x", "measures": [], "answered_by": "Anna Test"}
    assert await refused(post(planning, them, f"{path}/answer", answer)) == (409, "deviation.not_assigned")
    assert await refused(post(planning, them, f"{path}/assign", {"unit": HARRYDA_UNIT})) == (422, "case.unit_not_concerned")
    assert await refused(post(planning, them, f"{path}/assign", {"unit": GOTEBORG_UNIT})) == (422, "case.unit_not_concerned")
    await done(post(planning, them, f"{path}/assign", {"unit": CARE_CENTRE}))
    assert await refused(post(planning, them, f"{path}/answer", answer)) == (403, "access.denied")
    assert await refused(post(planning, us, f"{path}/close", {})) == (403, "access.denied")
    for step, body in (("answer", answer), ("close", {}), ("assign", {"unit": CARE_CENTRE})):
        assert await refused(post(planning, other, f"{path}/{step}", body)) == (404, "not_found")
    assert (await planning.http.get(path, headers=other)).status_code == 404


async def test_a_unit_that_passes_it_on_is_out_of_it(planning: Planning) -> None:
    _, path = await reported(planning)
    ward = {**planning.ward}
    await done(post(planning, municipality(planning), f"{path}/assign", {"unit": CARE_CENTRE}))
    passed = await done(post(planning, care(planning), f"{path}/assign", {"unit": "SE2321000131-E000000000101"}))
    assert (passed["state"], passed["assigned_to"]) == ("assigned", "SE2321000131-E000000000101")
    assert (await planning.http.get(path, headers=care(planning))).status_code == 404
    assert ward


async def test_statistics_tell_the_callers_deviations_per_step(planning: Planning) -> None:
    _, path = await reported(planning)
    await done(post(planning, municipality(planning), f"{path}/assign", {"unit": CARE_CENTRE}))
    answer = {"text": "x", "measures": [], "answered_by": "Anna Test"}
    await done(post(planning, care(planning), f"{path}/answer", answer))
    today = local_date(now())
    period = f"from={today - timedelta(days=1)}&to={today}"
    (step,) = (await get(planning, municipality(planning), f"/v1/deviations/statistics?{period}"))["steps"]
    assert (step["step"], step["reported"], step["answered"], step["categories"]) == ("discharge", 1, 1, {"self_care": 1})
    assert step["median_hours_to_answer"] == "0.0"
    assert (await get(planning, region(planning), f"/v1/deviations/statistics?{period}"))["steps"] == [step], "the region's controller"
    assert (await planning.http.get("/v1/deviations", headers=region(planning))).status_code == 403
    assert (await get(planning, municipality(planning, HARRYDA, HARRYDA_NUMBER), f"/v1/deviations/statistics?{period}"))["steps"] == []
    listed = (await get(planning, care(planning), "/v1/deviations?state=answered"))["deviations"]
    assert [f"/v1/deviations/{one['id']}" for one in listed] == [path]


async def test_who_lost_the_case_assigns_nothing_and_so_never_learns_whom_it_concerns_now(planning: Planning) -> None:
    _, path = await reported(planning)
    moved = admission_data(person=a_person(registered_municipality=HARRYDA)) | {"corrects": "SU-1"}
    await planning.tell(a_ward_event(id="SU-9", data=moved))
    for unit in (HARRYDA_UNIT, CARE_CENTRE):
        assert await refused(post(planning, municipality(planning), f"{path}/assign", {"unit": unit})) == (403, "access.denied")
    assert (await get(planning, municipality(planning), path))["state"] == "reported", "its own report it still reads"
