"""Which plan may be opened: a care plan only under compulsory care, one of each kind, and what everybody learns of it."""

from typing import Any

import pytest

from services.planning.usecases import DirectoryEntries, MailboxAt, load_directory
from tests.builders import CARE_CENTRE, WARD, a_ward_event
from tests.integration.planning.conftest import GOTEBORG_UNIT, Planning
from tests.integration.planning.plan_calls import ADULT, a_case, care, done, facts, get, municipality, post, put, refused
from tests.services import REGION, bearer

SOON = "2026-12-05T10:00:00+01:00"


async def ready(planning: Planning, compulsory: str, *, hour: int = 10) -> None:
    event = a_ward_event("stay.ready", id=f"ready-{hour}", time=f"2026-11-05T{hour}:00:00+01:00", data={"compulsory": compulsory})
    assert (await planning.tell(event)).status_code == 201


async def opened(planning: Planning, case: str | None, **new: Any) -> tuple[int, str]:
    """What became of opening a plan."""
    about = {"person": ADULT} if case is None else {"case_id": case}
    answer = await post(planning, care(planning), "/v1/plans", about | new)
    return answer.status_code, answer.json().get("code", answer.json().get("state"))


async def test_a_care_plan_rests_on_the_readiness_that_stands_or_on_what_is_stated_before_it(planning: Planning) -> None:
    case = await a_case(planning)
    assert await opened(planning, case, kind="care_plan") == (422, "request.malformed")
    await ready(planning, "opt")
    assert await opened(planning, case, kind="care_plan", compulsory="orv") == (409, "plan.not_compulsory")
    assert await opened(planning, case, kind="care_plan") == (201, "need")


async def test_before_any_readiness_whoever_opens_a_care_plan_states_what_it_rests_on(planning: Planning) -> None:
    case = await a_case(planning)
    plan = await done(post(planning, care(planning), "/v1/plans", {"case_id": case, "kind": "care_plan", "compulsory": "orv"}))
    (first,) = (await get(planning, care(planning), f"/v1/plans/{plan['id']}"))["history"]
    assert first["said"]["compulsory"] == "orv"


async def test_a_readiness_without_compulsory_care_refuses_the_care_plan_and_stops_one_opened_before(planning: Planning) -> None:
    case = await a_case(planning)
    plan = await done(post(planning, care(planning), "/v1/plans", {"case_id": case, "kind": "care_plan", "compulsory": "opt"}))
    await ready(planning, "none")
    for said in ({}, {"compulsory": "opt"}):
        assert await opened(planning, case, kind="care_plan", **said) == (409, "plan.not_compulsory")
    call = post(planning, care(planning), f"/v1/plans/{plan['id']}/invitations", {"units": [GOTEBORG_UNIT]})
    assert await refused(call) == (409, "plan.not_compulsory"), "consent cannot be gone round by opening it early"


async def test_a_readiness_that_was_withdrawn_says_nothing(planning: Planning) -> None:
    case = await a_case(planning)
    await ready(planning, "opt")
    withdrawn = a_ward_event("stay.ready_withdrawn", id="back", time="2026-11-05T12:00:00+01:00", data={"reason": "Sämre"})
    assert (await planning.tell(withdrawn)).status_code == 201
    assert await opened(planning, case, kind="care_plan") == (422, "request.malformed")
    assert await opened(planning, case, kind="sip", consent="given") == (201, "consented")


async def test_without_a_stay_a_care_plan_states_what_it_rests_on_and_a_sip_states_nothing(planning: Planning) -> None:
    assert await opened(planning, None, kind="care_plan") == (422, "request.malformed")
    assert await opened(planning, None, kind="care_plan", compulsory="opt") == (201, "need")
    assert await opened(planning, None, kind="sip", compulsory="opt") == (422, "request.malformed")


@pytest.mark.parametrize("compulsory", ["opt", "orv"])
async def test_under_compulsory_care_no_sip_is_opened_except_as_history(planning: Planning, compulsory: str) -> None:
    case = await a_case(planning)
    await ready(planning, compulsory)
    assert await opened(planning, case, kind="sip", consent="given") == (409, "plan.compulsory")
    history = bearer(planning.tokens.token("history", scopes=["events:import", "plans:write", "cases:read"], role="history", units=["SE"]))
    assert (await post(planning, history, "/v1/plans", {"case_id": case, "consent": "given"})).status_code == 201


async def test_a_stay_has_one_open_plan_of_each_kind(planning: Planning) -> None:
    case = await a_case(planning)
    plan = (await done(post(planning, care(planning), "/v1/plans", {"case_id": case, "consent": "given"})))["id"]
    answer = await post(planning, care(planning), "/v1/plans", {"case_id": case})
    assert (answer.status_code, answer.json()["code"]) == (409, "plan.already_open")
    assert plan not in answer.text
    history = bearer(planning.tokens.token("history", scopes=["events:import", "plans:write", "cases:read"], role="history", units=["SE"]))
    before = (await done(post(planning, history, "/v1/plans", {"case_id": case})))["id"]
    await done(post(planning, history, f"/v1/plans/{before}/close", {"reason": "replaced"}))
    assert await opened(planning, case, kind="care_plan", compulsory="opt") == (201, "need"), "of another kind"
    await done(post(planning, care(planning), f"/v1/plans/{plan}/close", {"reason": "no_longer_needed"}))
    assert await opened(planning, case, consent="given") == (201, "consented")


async def test_a_plan_that_was_refused_is_not_taken_up_again_beside_another_open_one(planning: Planning) -> None:
    case = await a_case(planning)
    first = (await done(post(planning, care(planning), "/v1/plans", {"case_id": case, "consent": "refused"})))["id"]
    assert await opened(planning, case, consent="given") == (201, "consented")
    again = put(planning, care(planning), f"/v1/plans/{first}/consent", {"consent": "given", "asked_by": "Anna Test"})
    assert await refused(again) == (409, "plan.already_open")


async def test_every_step_answers_with_the_consent_as_it_stands(planning: Planning) -> None:
    plan = f"/v1/plans/{(await done(post(planning, care(planning), '/v1/plans', {'person': ADULT, 'consent': 'given'})))['id']}"
    await done(post(planning, care(planning), f"{plan}/invitations", {"units": [GOTEBORG_UNIT]}))
    held = {"at": "2026-11-05T10:00:00+01:00", "place": "Hemma", "held": True}
    agreed = {"needs": ["Stöd"], "measures": [{"what": "Stöd", "unit": GOTEBORG_UNIT}], "main_responsibility": CARE_CENTRE}
    followed = {"held_at": "2026-11-06T10:00:00+01:00", "outcome": "goals_met"}
    steps = [
        put(planning, care(planning), f"{plan}/meeting", {"at": SOON, "place": "Hemma"}),
        put(planning, care(planning), f"{plan}/meeting", held),
        put(planning, care(planning), f"{plan}/measures", agreed | {"follow_up_on": "2027-01-15"}),
        post(planning, care(planning), f"{plan}/follow-up", followed),
        post(planning, care(planning), f"{plan}/close", {"reason": "goals_met"}),
    ]
    assert [(await done(step))["consent"] for step in steps] == ["given"] * 5


async def test_a_plan_without_consent_and_without_a_stay_leaves_a_fact_and_so_does_its_meeting(planning: Planning) -> None:
    opening = {"person": ADULT, "kind": "care_plan", "compulsory": "opt"}
    plan = (await done(post(planning, care(planning), "/v1/plans", opening)))["id"]
    (fact,) = await facts(planning, "plan.opened")
    assert (fact["plan_id"], fact["case_id"], fact["plan_kind"], fact["unit"]) == (plan, None, "care_plan", CARE_CENTRE)
    await done(put(planning, care(planning), f"/v1/plans/{plan}/meeting", {"at": SOON, "place": "Storgatan 1"}))
    call = {"units": [GOTEBORG_UNIT], "meeting": {"at": SOON, "link": "https://moten.region.test/1"}}
    await done(post(planning, care(planning), f"/v1/plans/{plan}/invitations", call))
    told = await facts(planning, "plan.meeting_set")
    assert [(one["plan_id"], one["by_video"]) for one in told] == [(plan, False), (plan, True)]
    assert not any(secret in str([fact, *told]) for secret in (ADULT["id"], "Storgatan", "moten"))


async def test_a_question_and_what_becomes_of_a_notice_leave_facts_without_names_and_text(planning: Planning) -> None:
    case = await a_case(planning)
    them = municipality(planning)
    asked = {"unit": GOTEBORG_UNIT, "to": CARE_CENTRE, "topic": "needs", "written_by": "Maja Test"}
    question = (await done(post(planning, them, f"/v1/cases/{case}/messages", asked)))["id"]
    reply = {"unit": CARE_CENTRE, "answers": question, "topic": "needs", "written_by": "Anna Test"}
    await done(post(planning, care(planning), f"/v1/cases/{case}/messages", reply))
    notice = (await planning.mailbox(them))["entries"][0]["id"]
    await done(post(planning, them, f"/v1/notices/{notice}/acknowledgement", {"acknowledged_by": "Maja Test"}))
    await done(post(planning, them, f"/v1/notices/{notice}/acknowledgement", {"acknowledged_by": "Maja Test"}))
    await done(post(planning, them, f"/v1/notices/{notice}/return", {"returned_by": "Maja Test", "reason": "Flyttad"}))

    told = {kind: await facts(planning, kind) for kind in ("message.sent", "notice.acknowledged", "notice.returned")}
    assert [(one["sender"], one["recipient"], one["answers"]) for one in told["message.sent"]] == [
        (GOTEBORG_UNIT, CARE_CENTRE, None),
        (CARE_CENTRE, GOTEBORG_UNIT, question),
    ]
    assert [one["notice_id"] for one in told["notice.acknowledged"]] == [notice], "repeating it is nothing new"
    assert [one["recipient"] for one in told["notice.returned"]] == ["municipality:1480"]
    assert not any(secret in str(told) for secret in ("Maja", "Anna", "Flyttad"))


async def test_the_ward_gets_the_time_of_the_plan_and_nothing_else_of_it(planning: Planning) -> None:
    async with planning.database.transaction() as work:
        await load_directory(work, DirectoryEntries([], [], [MailboxAt(WARD, REGION, f"unit:{WARD}", "ward")]))
    case = await a_case(planning)
    plan = f"/v1/plans/{(await done(post(planning, care(planning), '/v1/plans', {'case_id': case, 'consent': 'given'})))['id']}"
    assert (await get(planning, planning.ward, f"/v1/cases/{case}"))["sip"] is None
    call = {"units": [GOTEBORG_UNIT], "meeting": {"at": SOON, "place": "Storgatan 1"}}
    called = await done(post(planning, care(planning), f"{plan}/invitations", call))

    (notice,) = (await planning.mailbox(planning.ward))["entries"]
    assert (notice["type"], notice["acknowledge_by"], notice["about"]["change"]) == ("notice.sip_changed", None, "meeting_set")
    assert (notice["personal"]["person"], notice["personal"]["content"]) == (None, {"meeting_at": "2026-12-05T09:00:00.000000Z"})
    assert "Storgatan" not in str(notice)
    for who in (planning.ward, municipality(planning)):
        sip = (await get(planning, who, f"/v1/cases/{case}"))["sip"]
        assert sip == {"invited_at": called["sent_at"], "meeting_at": "2026-12-05T09:00:00.000000Z"}
    await done(put(planning, care(planning), f"{plan}/meeting", {"at": "2026-12-06T10:00:00+01:00", "place": "Hemma"}))
    assert (await get(planning, planning.ward, f"/v1/cases/{case}"))["sip"]["meeting_at"] == "2026-12-06T09:00:00.000000Z"
    assert len((await planning.mailbox(planning.ward))["entries"]) == 2

    await done(put(planning, care(planning), f"{plan}/consent", {"consent": "withdrawn", "asked_by": "Anna Test"}))
    assert (await get(planning, planning.ward, f"/v1/cases/{case}"))["sip"] is None
    kept = (await planning.mailbox(planning.ward))["entries"]
    assert {one["personal"]["withheld"] for one in kept} == {"consent_withdrawn"}
