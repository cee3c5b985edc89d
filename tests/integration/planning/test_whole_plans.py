"""A SIP from the need to the close: for a child without any hospital stay, for a patient in hospital, with a team, and as a care plan."""

from datetime import timedelta
from typing import Any

from services.planning.usecases import DirectoryEntries, MailboxAt, Unit, load_directory
from shared.dates import format_instant, now
from tests.builders import CARE_CENTRE, HARRYDA, a_ward_event
from tests.integration.planning.conftest import GOTEBORG_UNIT, HARRYDA_NUMBER, HARRYDA_UNIT, Planning
from tests.integration.planning.plan_calls import (
    ADULT,
    CHILD,
    SCHOOL,
    TEAM,
    a_case,
    care,
    done,
    everything_told,
    facts,
    get,
    municipality,
    post,
    put,
    refused,
    with_school_and_team,
)
from tests.services import REGION

SECRET = "Stöd i skolan varje dag"
LINK = "https://video.test/mote/17"


def measures(unit: str = GOTEBORG_UNIT, main: str = CARE_CENTRE) -> dict[str, Any]:
    return {
        "needs": [SECRET],
        "measures": [
            {"what": "Elevassistent", "by": "unit", "unit": unit},
            {"what": "Läxhjälp hemma", "by": "relative"},
            {"what": "Simma", "by": "patient"},
        ],
        "main_responsibility": main,
        "follow_up_on": "2027-01-15",
    }


async def invited(planning: Planning, units: list[str], **new: Any) -> tuple[str, str]:
    """A plan with consent to which units were called: `/v1/plans/{id}` and the invitation's id."""
    body = {"person": ADULT, "consent": "given"} | new
    plan = f"/v1/plans/{(await done(post(planning, care(planning), '/v1/plans', body)))['id']}"
    call = {"units": units, "meeting": {"at": format_instant(now() + timedelta(days=2)), "link": LINK}}
    return plan, (await done(post(planning, care(planning), f"{plan}/invitations", call)))["invitation_id"]


async def held(planning: Planning, plan: str) -> None:
    meeting = {"at": format_instant(now() - timedelta(hours=1)), "link": LINK, "held": True, "attended": [{"role": "patient"}]}
    assert (await done(put(planning, care(planning), f"{plan}/meeting", meeting)))["state"] == "held"


async def test_a_child_without_any_hospital_stay_gets_a_plan(planning: Planning) -> None:
    await with_school_and_team(planning)
    lead, school = care(planning), municipality(planning)
    opened = await done(post(planning, lead, "/v1/plans", {"person": CHILD}))
    plan = f"/v1/plans/{opened['id']}"
    assert (opened["case_id"], opened["state"]) == (None, "need")
    assert await refused(post(planning, lead, f"{plan}/invitations", {"units": [SCHOOL]})) == (409, "plan.consent_missing")
    consented = await done(put(planning, lead, f"{plan}/consent", {"consent": "given", "by": "guardian", "asked_by": "Anna Test"}))
    assert consented["state"] == "consented"

    call = {"units": [SCHOOL, GOTEBORG_UNIT], "meeting": {"at": format_instant(now() + timedelta(days=2)), "place": "Skolan"}}
    invitation = (await done(post(planning, lead, f"{plan}/invitations", call)))["invitation_id"]
    boxes = (await planning.http.get("/v1/mailboxes", headers=school)).json()["mailboxes"]
    box = next(one["id"] for one in boxes if one["unit"] == SCHOOL)
    (notice,) = (await planning.mailbox(school, mailbox=box))["entries"]
    assert (notice["type"], notice["case_id"], notice["about"]["plan_id"]) == ("notice.sip_invitation", None, opened["id"])
    assert notice["personal"]["person"]["id"] == CHILD["id"]

    answer = {"unit": SCHOOL, "answer": "accepted", "answered_by": "Maja Test"}
    assert (await done(post(planning, school, f"{plan}/invitations/{invitation}/answer", answer)))["state"] == "invited"
    await held(planning, plan)
    assert (await done(put(planning, lead, f"{plan}/measures", measures(SCHOOL, main=SCHOOL))))["state"] == "held"
    follow = {"held_at": format_instant(now() - timedelta(minutes=1)), "outcome": "goals_met", "note": "Det går bra"}
    assert (await done(post(planning, school, f"{plan}/follow-up", follow)))["state"] == "follow_up"
    assert (await done(post(planning, lead, f"{plan}/close", {"reason": "goals_met"})))["state"] == "closed"

    shown = await get(planning, school, plan)
    assert (shown["child"], shown["state"], shown["withheld"]) == (True, "closed", None)
    assert shown["measures"]["needs"] == [SECRET]
    assert [(one["unit"], one["answer"]) for one in shown["invitations"][0]["answers"]] == [(SCHOOL, "accepted")]
    told = [line["what"] for line in shown["history"]]
    assert told == ["opened", "consent", "meeting", "held", "measures", "follow_up", "closed"]


async def test_nothing_a_plan_says_is_in_any_envelope_or_fact(planning: Planning) -> None:
    plan, _ = await invited(planning, [GOTEBORG_UNIT])
    await held(planning, plan)
    await done(put(planning, care(planning), f"{plan}/measures", measures()))
    told = await everything_told(planning)
    assert plan.removeprefix("/v1/plans/") in told, "positive control"
    for secret in (SECRET, LINK, ADULT["id"], "Testsson", "Elevassistent"):
        assert secret not in told


async def test_the_other_services_learn_each_step(planning: Planning) -> None:
    case = await a_case(planning)
    plan, invitation = await invited(planning, [GOTEBORG_UNIT], case_id=case, person=None)
    answer = {"answer": "declined", "proposed_at": format_instant(now() + timedelta(days=3)), "answered_by": "Maja Test"}
    await done(post(planning, municipality(planning), f"{plan}/invitations/{invitation}/answer", answer))
    await held(planning, plan)
    await done(put(planning, care(planning), f"{plan}/measures", measures()))
    follow = {"held_at": format_instant(now() - timedelta(minutes=1)), "outcome": "partly_met", "next_on": "2027-06-01"}
    await done(post(planning, care(planning), f"{plan}/follow-up", follow))
    await done(post(planning, care(planning), f"{plan}/close", {"reason": "moved"}))
    found = {}
    for kind in ("consent_changed", "invited", "answered", "held", "agreed", "followed_up", "closed"):
        (found[kind],) = await facts(planning, f"plan.{kind}")
        assert found[kind]["case_id"] == case
    assert (found["consent_changed"]["consent"], found["held"]["by_video"], found["agreed"]["follow_up_on"]) == (
        "given",
        True,
        "2027-01-15",
    )
    history = (await get(planning, care(planning), f"/v1/cases/{case}/history"))["history"]
    steps = ["plan.opened", "plan.invited", "plan.answered", "plan.held", "plan.agreed", "plan.followed_up", "plan.closed"]
    assert [line["what"] for line in history if line["what"].startswith("plan.")] == steps


async def test_the_units_are_told_of_every_change_but_not_the_one_who_made_it(planning: Planning) -> None:
    plan, invitation = await invited(planning, [GOTEBORG_UNIT])
    meeting = {"at": format_instant(now() + timedelta(days=3)), "place": "Hemma hos patienten"}
    await done(put(planning, care(planning), f"{plan}/meeting", meeting))
    await done(
        post(
            planning, municipality(planning), f"{plan}/invitations/{invitation}/answer", {"answer": "accepted", "answered_by": "Maja Test"}
        )
    )
    theirs = (await planning.mailbox(municipality(planning)))["entries"]
    assert [(one["type"], one["about"].get("change")) for one in theirs] == [
        ("notice.sip_invitation", None),
        ("notice.sip_changed", "meeting_set"),
    ]
    ours = (await planning.mailbox(care(planning)))["entries"]
    assert [one["about"]["change"] for one in ours] == ["answered"]


async def test_when_the_consent_is_withdrawn_sharing_stops(planning: Planning) -> None:
    plan, invitation = await invited(planning, [GOTEBORG_UNIT])
    them = municipality(planning)
    assert (await get(planning, them, plan))["person"]["id"] == ADULT["id"]
    withdrawn = await done(put(planning, them, f"{plan}/consent", {"consent": "withdrawn", "asked_by": "Maja Test"}))
    assert (withdrawn["state"], withdrawn["consent"]) == ("withdrawn", "withdrawn")
    shown = await get(planning, them, plan)
    assert shown["withheld"] == "consent_withdrawn"
    assert (shown["person"], shown["meeting"], shown["invitations"][0]["meeting"]) == (None, None, None)
    assert all(line["said"] is None for line in shown["history"])
    first, *_ = (await planning.mailbox(them))["entries"]
    assert first["personal"]["withheld"] == "consent_withdrawn"
    assert "person" not in first["personal"] or first["personal"]["person"] is None
    assert (await get(planning, care(planning), plan))["person"]["id"] == ADULT["id"], "the plan's own unit keeps it"
    for step, body in (("meeting", {"at": format_instant(now()), "place": "Hemma"}), ("measures", measures())):
        assert await refused(put(planning, care(planning), f"{plan}/{step}", body)) == (409, "plan.consent_withdrawn")
    again = post(planning, them, f"{plan}/invitations/{invitation}/answer", {"answer": "accepted", "answered_by": "Maja Test"})
    assert await refused(again) == (409, "plan.consent_withdrawn")
    assert [fact["consent"] for fact in await facts(planning, "plan.consent_changed")] == ["given", "withdrawn"]


async def test_an_office_of_the_region_is_not_called_to_a_plan(planning: Planning) -> None:
    await with_school_and_team(planning)
    office = f"SE{REGION}-K1"
    units, boxes = [Unit(office, REGION, "Utskrivningskontoret", "office")], [MailboxAt(office, REGION, f"unit:{office}", "controller")]
    async with planning.database.transaction() as work:
        await load_directory(work, DirectoryEntries([], units, boxes))
    lead = care(planning)
    plan = f"/v1/plans/{(await done(post(planning, lead, '/v1/plans', {'person': CHILD})))['id']}"
    await done(put(planning, lead, f"{plan}/consent", {"consent": "given", "by": "guardian", "asked_by": "Anna Test"}))
    meeting = {"at": format_instant(now() + timedelta(days=2)), "place": "Skolan"}
    called = post(planning, lead, f"{plan}/invitations", {"units": [SCHOOL, office], "meeting": meeting})
    assert await refused(called) == (422, "plan.unit_unknown")


async def test_a_team_takes_part_with_members_of_several_employers(planning: Planning) -> None:
    await with_school_and_team(planning)
    plan, invitation = await invited(planning, [TEAM])
    them = municipality(planning)
    shown = await get(planning, them, plan)
    assert {one["unit"]: one["team"] for one in shown["parties"]} == {CARE_CENTRE: None, GOTEBORG_UNIT: TEAM, TEAM: None}
    answer = {"unit": TEAM, "answer": "accepted", "answered_by": "Maja Test"}
    assert (await done(post(planning, them, f"{plan}/invitations/{invitation}/answer", answer)))["unit"] == TEAM
    await held(planning, plan)
    assert (await done(put(planning, care(planning), f"{plan}/measures", measures(TEAM))))["state"] == "held"


async def test_a_unit_that_was_not_called_neither_sees_nor_answers(planning: Planning) -> None:
    plan, invitation = await invited(planning, [GOTEBORG_UNIT])
    other = municipality(planning, HARRYDA, HARRYDA_NUMBER)
    answer = {"answer": "accepted", "answered_by": "Maja Test"}
    assert (await planning.http.get(plan, headers=other)).status_code == 404
    assert await refused(post(planning, other, f"{plan}/invitations/{invitation}/answer", answer)) == (404, "not_found")
    assert await refused(put(planning, other, f"{plan}/measures", measures())) == (404, "not_found")
    assert await refused(put(planning, municipality(planning), f"{plan}/measures", measures())) == (403, "access.denied")
    assert (await planning.http.get(plan, headers=municipality(planning))).status_code == 200, "positive control"


async def test_who_sees_the_case_but_was_not_called_sees_where_the_plan_stands_and_no_more(planning: Planning) -> None:
    plan, _ = await invited(planning, [CARE_CENTRE], case_id=await a_case(planning), person=None)
    shown = await get(planning, municipality(planning), plan)
    assert (shown["state"], shown["withheld"], shown["person"], shown["meeting"]) == ("invited", "not_participant", None, None)
    assert (await get(planning, care(planning), plan))["withheld"] is None
    stranger = await planning.http.get(plan, headers=municipality(planning, HARRYDA, HARRYDA_NUMBER))
    assert stranger.status_code == 404, "neither called nor concerned"


async def test_under_compulsory_care_a_care_plan_stands_instead_and_needs_no_consent(planning: Planning) -> None:
    case = await a_case(planning)
    plan, _ = await invited(planning, [GOTEBORG_UNIT], case_id=case, person=None, kind="care_plan", consent=None, compulsory="opt")
    entries = (await planning.mailbox(municipality(planning)))["entries"]
    assert entries[-1]["legal_basis"] == "lag (2017:612) 4 kap. 1 §"
    assert await facts(planning, "plan.invited") == [], "the call to a care plan is no N8"
    asked = put(planning, care(planning), f"{plan}/consent", {"consent": "given", "asked_by": "Anna Test"})
    assert await refused(asked) == (409, "plan.consent_not_asked")
    await held(planning, plan)
    assert (await facts(planning, "plan.held"))[0]["plan_kind"] == "care_plan"


async def test_measures_name_the_units_that_take_part(planning: Planning) -> None:
    plan, _ = await invited(planning, [GOTEBORG_UNIT])
    await held(planning, plan)
    answer = await put(planning, care(planning), f"{plan}/measures", measures(HARRYDA_UNIT, main=HARRYDA_UNIT))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/measures/0/unit", "/main_responsibility"]


async def test_a_plan_is_of_a_stay_or_of_a_person(planning: Planning) -> None:
    lead = care(planning)
    assert await refused(post(planning, lead, "/v1/plans", {"consent": "given"})) == (422, "request.malformed")
    both = {"case_id": await a_case(planning), "person": ADULT}
    assert await refused(post(planning, lead, "/v1/plans", both)) == (422, "request.malformed")
    wrong = {"person": ADULT | {"id": "189001019803"}}
    assert await refused(post(planning, lead, "/v1/plans", wrong)) == (422, "request.malformed")
    guardian = {"person": ADULT, "consent": "given", "consent_by": "guardian"}
    assert await refused(post(planning, lead, "/v1/plans", guardian)) == (422, "consent.guardian_of_adult")


async def test_a_municipality_opens_a_plan_without_a_stay_but_not_that_of_a_stay(planning: Planning) -> None:
    them = municipality(planning)
    own = {"person": ADULT, "care_centre": GOTEBORG_UNIT, "consent": "given"}
    assert (await done(post(planning, them, "/v1/plans", own)))["care_centre"] == GOTEBORG_UNIT
    of_stay = {"case_id": await a_case(planning), "care_centre": GOTEBORG_UNIT}
    assert await refused(post(planning, them, "/v1/plans", of_stay)) == (403, "access.denied")


async def test_who_a_protected_person_is_only_the_one_who_takes_the_invitation_on_with_a_name_learns(planning: Planning) -> None:
    plan, _ = await invited(planning, [GOTEBORG_UNIT], person=ADULT | {"protected": True})
    them = municipality(planning)
    assert (await get(planning, them, plan))["person"] == {"withheld": "protected"}
    assert (await get(planning, care(planning), plan))["person"]["id"] == ADULT["id"], "who entered her knows her"
    (notice,) = (await planning.mailbox(them))["entries"]
    assert ADULT["id"] not in str(notice)
    one = f"/v1/notices/{notice['id']}"
    assert ADULT["id"] not in str(await get(planning, them, one))
    await done(post(planning, them, f"{one}/acknowledgement", {"acknowledged_by": "Maja Test"}))
    assert (await get(planning, them, one))["personal"]["person"]["id"] == ADULT["id"]


async def test_in_the_plan_of_a_stay_a_protected_person_is_not_told_at_all(planning: Planning) -> None:
    person = {"person": a_ward_event()["data"]["person"] | {"protected": True, "registered_address": None}}
    event = a_ward_event()
    case = (await planning.tell(event | {"data": event["data"] | person})).json()["case_id"]
    plan, _ = await invited(planning, [GOTEBORG_UNIT], case_id=case, person=None)
    assert (await get(planning, care(planning), plan))["person"] == {"withheld": "protected"}
    notice = (await planning.mailbox(municipality(planning)))["entries"][-1]
    assert (notice["type"], notice["personal"]["person"]) == ("notice.sip_invitation", {"withheld": "protected"})


async def test_reading_a_plan_is_logged_also_without_a_case(planning: Planning) -> None:
    plan, _ = await invited(planning, [GOTEBORG_UNIT])
    await get(planning, municipality(planning), plan)
    (line,) = await facts(planning, "plan.read")
    assert (line["client"], line["cases"]) == ("kommun-1480", [plan.removeprefix("/v1/plans/")])
