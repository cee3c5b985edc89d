"""Whoever is no longer concerned in a stay has no part in its plan: reads nothing of it, does nothing in it and is told nothing of it."""

from typing import Any

import pytest

from services.planning.usecases import DirectoryEntries, MailboxAt, Unit, load_directory
from tests.builders import CARE_CENTRE, HARRYDA, a_person, a_ward_event, admission_data
from tests.integration.planning.conftest import GOTEBORG_UNIT, HARRYDA_NUMBER, HARRYDA_UNIT, Planning
from tests.integration.planning.plan_calls import TEAM, a_case, care, done, get, municipality, post, put, refused, with_school_and_team
from tests.services import REGION, bearer

OTHER_CENTRE = "SE2321000131-E000000000902"
SECRET = "Hemtjänst morgon och kväll"
MEETING = {"at": "2026-11-05T10:00:00+01:00", "place": "Hemma", "held": True, "attended": [{"role": "patient"}]}


def measures(unit: str) -> dict[str, Any]:
    named = {"needs": [SECRET], "measures": [{"what": SECRET, "by": "unit", "unit": unit}]}
    return named | {"main_responsibility": unit, "follow_up_on": "2027-01-15"}


async def a_plan(planning: Planning, units: list[str]) -> tuple[str, str]:
    """A case with a readiness and a plan with consent to which units were called."""
    case = await a_case(planning)
    await planning.tell(a_ward_event("stay.ready", id="ready", time="2026-11-05T10:00:00+01:00"))
    plan = f"/v1/plans/{(await done(post(planning, care(planning), '/v1/plans', {'case_id': case, 'consent': 'given'})))['id']}"
    call = {"units": units, "meeting": {"at": "2026-11-12T10:00:00+01:00", "place": "Hemma"}}
    await done(post(planning, care(planning), f"{plan}/invitations", call))
    return case, plan


async def moved_to_harryda(planning: Planning) -> None:
    """The ward corrects where the patient is registered: what it stated before was wrong."""
    data = {"person": a_person(registered_municipality=HARRYDA)}
    told = await planning.tell(a_ward_event("stay.person_changed", id="corrected", time="2026-11-05T12:00:00+01:00", data=data))
    assert told.status_code == 201, told.text


async def another_centre(planning: Planning) -> dict[str, str]:
    """The ward corrects which care centre is concerned; the client of the right one."""
    unit = Unit(OTHER_CENTRE, REGION, "Vårdcentral 2", "care_centre")
    entries = DirectoryEntries([], [unit], [MailboxAt(OTHER_CENTRE, REGION, f"unit:{OTHER_CENTRE}", "care_unit")])
    async with planning.database.transaction() as work:
        await load_directory(work, entries)
    corrected = admission_data(outpatient_unit=OTHER_CENTRE) | {"corrects": "SU-1"}
    assert (await planning.tell(a_ward_event(id="corrected", data=corrected))).status_code == 201
    scopes = ["cases:read", "cases:write", "plans:write", "notices:read"]
    return bearer(planning.tokens.token("care-2", scopes=scopes, role="care", units=[OTHER_CENTRE]))


async def go_on(planning: Planning, plan: str) -> None:
    lead = care(planning)
    await done(post(planning, lead, f"{plan}/invitations", {"units": [HARRYDA_UNIT]}))
    await done(put(planning, lead, f"{plan}/meeting", MEETING))
    await done(put(planning, lead, f"{plan}/measures", measures(HARRYDA_UNIT)))


@pytest.mark.parametrize("how", ["corrected", "returned"])
async def test_a_municipality_that_lost_the_stay_has_no_part_in_its_plan(planning: Planning, how: str) -> None:
    _case, plan = await a_plan(planning, [GOTEBORG_UNIT])
    them = municipality(planning)
    assert (await get(planning, them, plan))["withheld"] is None, "positive control: while it is concerned it reads the plan"
    if how == "returned":
        first = (await planning.mailbox(them))["entries"][0]["id"]
        await done(post(planning, them, f"/v1/notices/{first}/return", {"returned_by": "Olle Test", "reason": "Flyttad"}))
        assert (await planning.http.get(plan, headers=them)).status_code == 404, "at once"
    await moved_to_harryda(planning)
    before = len((await planning.mailbox(them))["entries"])
    await go_on(planning, plan)

    assert (await planning.http.get(plan, headers=them)).status_code == 404
    withdrawal = {"consent": "withdrawn", "asked_by": "Olle Test"}
    assert await refused(put(planning, them, f"{plan}/consent", withdrawal)) == (404, "not_found")
    entries = (await planning.mailbox(them))["entries"]
    assert len(entries) == before, "it is told of nothing that happens in the plan afterwards"
    (called,) = (one for one in entries if one["type"] == "notice.sip_invitation")
    assert called["personal"]["withheld"] == "returned"
    shown = await get(planning, municipality(planning, HARRYDA, HARRYDA_NUMBER), plan)
    assert (shown["withheld"], shown["measures"]["needs"]) == (None, [SECRET]), "positive control: who is concerned now reads it"
    assert {one["unit"] for one in shown["parties"]} == {CARE_CENTRE, HARRYDA_UNIT}


async def test_a_municipality_that_left_answers_no_invitation_and_is_given_no_measure(planning: Planning) -> None:
    _case, plan = await a_plan(planning, [GOTEBORG_UNIT])
    invitation = (await get(planning, care(planning), plan))["invitations"][0]["invitation_id"]
    await moved_to_harryda(planning)
    await done(put(planning, care(planning), f"{plan}/meeting", MEETING))
    answer = {"answer": "accepted", "answered_by": "Olle Test"}
    assert await refused(post(planning, municipality(planning), f"{plan}/invitations/{invitation}/answer", answer)) == (404, "not_found")
    given = put(planning, care(planning), f"{plan}/measures", measures(GOTEBORG_UNIT))
    assert await refused(given) == (422, "plan.measure_unassigned")


async def test_a_municipality_with_the_main_responsibility_loses_it_with_the_stay(planning: Planning) -> None:
    _case, plan = await a_plan(planning, [GOTEBORG_UNIT])
    await done(put(planning, care(planning), f"{plan}/meeting", MEETING))
    await done(put(planning, care(planning), f"{plan}/measures", measures(GOTEBORG_UNIT)))
    await moved_to_harryda(planning)
    assert await refused(post(planning, municipality(planning), f"{plan}/close", {"reason": "goals_met"})) == (404, "not_found")


async def test_a_municipality_that_is_named_anew_takes_part_again(planning: Planning) -> None:
    _case, plan = await a_plan(planning, [GOTEBORG_UNIT])
    await moved_to_harryda(planning)
    data = {"person": a_person(registered_municipality="1480")}
    await planning.tell(a_ward_event("stay.person_changed", id="back", time="2026-11-05T13:00:00+01:00", data=data))
    assert (await get(planning, municipality(planning), plan))["withheld"] is None


async def test_a_care_centre_that_was_corrected_away_calls_nobody_and_the_right_one_goes_on(planning: Planning) -> None:
    case, plan = await a_plan(planning, [GOTEBORG_UNIT])
    theirs = await another_centre(planning)
    assert (await planning.http.get(f"/v1/cases/{case}", headers=care(planning))).status_code == 404, "positive control"
    assert await refused(post(planning, care(planning), f"{plan}/invitations", {"units": [GOTEBORG_UNIT]})) == (404, "not_found")
    assert (await planning.http.get(plan, headers=care(planning))).status_code == 404
    shown = await get(planning, theirs, plan)
    assert (shown["care_centre"], shown["withheld"]) == (OTHER_CENTRE, None)
    assert {one["unit"] for one in shown["parties"]} == {GOTEBORG_UNIT}
    await done(post(planning, theirs, f"{plan}/invitations", {"units": [GOTEBORG_UNIT]}))
    assert await refused(post(planning, theirs, "/v1/plans", {"case_id": case, "consent": "given"})) == (409, "plan.already_open")


async def test_a_team_is_called_to_the_plan_of_a_stay_through_a_member_and_leaves_nobody_out_who_was_not_told(planning: Planning) -> None:
    await with_school_and_team(planning)
    _case, plan = await a_plan(planning, [TEAM])
    them = municipality(planning)
    assert (await get(planning, them, plan))["withheld"] is None
    await moved_to_harryda(planning)
    assert (await planning.http.get(plan, headers=them)).status_code == 404, "not behind its team either"


async def test_history_goes_on_with_a_plan_whose_care_centre_was_corrected_away(planning: Planning) -> None:
    _case, plan = await a_plan(planning, [GOTEBORG_UNIT])
    await another_centre(planning)
    history = bearer(planning.tokens.token("history", scopes=["events:import", "plans:write", "cases:read"], role="history", units=["SE"]))
    sent = {"units": [GOTEBORG_UNIT], "sent_at": "2026-11-06T10:00:00+01:00"}
    await done(post(planning, history, f"{plan}/invitations", sent))


async def test_who_leads_the_plan_of_a_stay_is_its_outpatient_unit(planning: Planning) -> None:
    wide = bearer(planning.tokens.token("region", scopes=["plans:write", "cases:read"], role="care", units=[f"SE{REGION}-"]))
    other = {"case_id": await a_case(planning), "care_centre": OTHER_CENTRE, "consent": "given"}
    assert await refused(post(planning, wide, "/v1/plans", other)) == (422, "plan.unit_not_concerned")


async def test_the_plan_of_a_stay_that_never_was_is_closed_by_who_opened_it_and_says_nothing_any_more(planning: Planning) -> None:
    _case, plan = await a_plan(planning, [GOTEBORG_UNIT])
    cancelled = {"event": "SU-1", "reason": "Fel patient"}
    told = await planning.tell(a_ward_event("stay.event_cancelled", id="never", time="2026-11-05T12:00:00+01:00", data=cancelled))
    assert told.status_code == 201
    assert (await planning.http.get(plan, headers=municipality(planning))).status_code == 404
    shown = await get(planning, care(planning), plan)
    assert (shown["withheld"], shown["person"], shown["meeting"]) == ("stay_cancelled", None, None)
    (duty,) = (one for one in (await get(planning, care(planning), "/v1/worklist"))["duties"] if one["plan_id"] is not None)
    assert duty["fulfilled_by"] == f"POST {plan}/close"
    await done(post(planning, care(planning), f"{plan}/close", {"reason": "no_longer_needed"}))


async def plan_duties(planning: Planning, who: dict[str, str]) -> list[str]:
    return [one["rule"] for one in (await get(planning, who, "/v1/worklist"))["duties"] if one["plan_id"] is not None]


async def test_whoever_left_owes_the_plan_nothing_and_what_it_had_taken_on_comes_back_to_who_leads(planning: Planning) -> None:
    _case, plan = await a_plan(planning, [GOTEBORG_UNIT])
    them = municipality(planning)
    assert "answer_invitation" in await plan_duties(planning, them), "positive control"
    await done(put(planning, care(planning), f"{plan}/meeting", MEETING))
    await done(put(planning, care(planning), f"{plan}/measures", measures(GOTEBORG_UNIT)))
    assert "follow_up" in await plan_duties(planning, them), "positive control"
    await moved_to_harryda(planning)
    assert await plan_duties(planning, them) == []
    assert "write_measures" in await plan_duties(planning, care(planning))


async def test_a_unit_that_was_called_and_left_before_it_answered_owes_no_answer(planning: Planning) -> None:
    await a_plan(planning, [GOTEBORG_UNIT])
    await moved_to_harryda(planning)
    assert await plan_duties(planning, municipality(planning)) == []
