"""The check list after the notices: plans with and without a stay, questions and deviations, and what reminds of them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.planning.usecases import DirectoryEntries, MailboxAt, load_directory
from shared.dates import format_instant, local_date, now, parse_instant, start_of_day
from tests.builders import CARE_CENTRE, GOTEBORG, WARD, a_ward_event
from tests.integration.planning.conftest import GOTEBORG_NUMBER, GOTEBORG_UNIT, Planning
from tests.integration.planning.plan_calls import (
    ADULT,
    CHILD,
    TEAM,
    a_case,
    care,
    done,
    get,
    municipality,
    post,
    put,
    with_school_and_team,
)
from tests.integration.planning.test_reminders import look, overdue
from tests.integration.planning.test_whole_plans import held, invited, measures
from tests.services import REGION, bearer

RULES_OF_PLANS = {"ask_consent", "invite_to_plan", "answer_invitation", "hold_meeting", "write_measures", "follow_up", "close_plan"}


async def duties(planning: Planning, who: dict[str, str]) -> dict[str, dict[str, Any]]:
    return {duty["rule"]: duty for duty in (await get(planning, who, "/v1/worklist"))["duties"]}


async def of_plans(planning: Planning, who: dict[str, str]) -> set[str]:
    return set(await duties(planning, who)) & RULES_OF_PLANS


async def reminded(planning: Planning, who: dict[str, str]) -> list[tuple[str, str]]:
    entries = (await planning.mailbox(who))["entries"]
    return [(entry["about"]["rule"], entry["about"]["step"]) for entry in entries if entry["type"] == "notice.reminder"]


@pytest.mark.parametrize("person", [ADULT, CHILD], ids=["an adult at home", "a child"])
async def test_a_plan_without_a_stay_lays_each_step_on_the_unit_whose_turn_it_is(planning: Planning, person: dict[str, Any]) -> None:
    lead, them = care(planning), municipality(planning)
    opened = await done(post(planning, lead, "/v1/plans", {"person": person}))
    plan = f"/v1/plans/{opened['id']}"
    (asked,) = (await duties(planning, lead)).values()
    assert (asked["rule"], asked["case_id"], asked["plan_id"], asked["fulfilled_by"]) == (
        "ask_consent",
        None,
        opened["id"],
        f"PUT {plan}/consent",
    )
    by = "guardian" if person is CHILD else "patient"
    await done(put(planning, lead, f"{plan}/consent", {"consent": "given", "by": by, "asked_by": "Anna Test"}))
    assert await of_plans(planning, lead) == {"invite_to_plan"}
    meets = format_instant(now() + timedelta(days=2))
    call = {"units": [GOTEBORG_UNIT], "meeting": {"at": meets, "place": "Hemma"}}
    invitation = (await done(post(planning, lead, f"{plan}/invitations", call)))["invitation_id"]
    theirs = await duties(planning, them)
    assert set(theirs) == {"acknowledge", "answer_invitation"}
    answer = theirs["answer_invitation"]
    assert (answer["fulfilled_by"], parse_instant(answer["due_at"])) == (
        f"POST {plan}/invitations/{invitation}/answer",
        parse_instant(meets),
    )
    assert await of_plans(planning, lead) == {"hold_meeting"}
    await done(post(planning, them, f"{plan}/invitations/{invitation}/answer", {"answer": "accepted", "answered_by": "Maja Test"}))
    assert set(await duties(planning, them)) == {"acknowledge"}
    await held(planning, plan)
    assert await of_plans(planning, lead) == {"write_measures"}
    await done(put(planning, lead, f"{plan}/measures", measures(main=GOTEBORG_UNIT)))
    assert await of_plans(planning, lead) == set()
    follow_up = (await duties(planning, them))["follow_up"]
    assert (follow_up["unit"], follow_up["due_at"]) == (GOTEBORG_UNIT, "2027-01-15T23:00:00.000000Z")
    next_on = {"held_at": format_instant(now()), "outcome": "partly_met", "next_on": "2027-03-01"}
    await done(post(planning, them, f"{plan}/follow-up", next_on))
    assert (await duties(planning, them))["follow_up"]["due_at"] == "2027-03-01T23:00:00.000000Z"
    await done(post(planning, them, f"{plan}/follow-up", {"held_at": format_instant(now()), "outcome": "goals_met"}))
    assert await of_plans(planning, them) == {"close_plan"}
    await done(post(planning, them, f"{plan}/close", {"reason": "goals_met"}))
    assert await of_plans(planning, lead) == await of_plans(planning, them) == set()


async def test_a_plan_of_a_stay_goes_on_in_the_check_list_after_the_discharge(planning: Planning) -> None:
    case = await a_case(planning)
    await invited(planning, [GOTEBORG_UNIT], person=None, case_id=case)
    await planning.tell({**_event("stay.discharged", "SU-9", {"discharged_to": "home"})})
    duty = (await duties(planning, municipality(planning)))["answer_invitation"]
    assert duty["case_id"] == case
    assert "hold_meeting" in await duties(planning, care(planning))
    other = bearer(planning.tokens.token("care-2", scopes=["cases:read"], role="care", units=["SE2321000131-E9"]))
    assert await duties(planning, other) == {}


async def test_a_stay_that_is_over_is_followed_up_and_closed_with_its_plan(planning: Planning) -> None:
    case = await a_case(planning)

    async def states() -> set[str]:
        listed = (await get(planning, care(planning), "/v1/cases"))["cases"]
        return {listed[0]["state"], (await get(planning, care(planning), f"/v1/cases/{case}"))["state"]}

    plan, _ = await invited(planning, [GOTEBORG_UNIT, CARE_CENTRE], person=None, case_id=case)
    await planning.tell({**_event("stay.discharged", "SU-9", {"discharged_to": "home"})})
    assert await states() == {"discharged"}
    await held(planning, plan)
    await done(put(planning, care(planning), f"{plan}/measures", measures()))
    assert await states() == {"discharged"}
    follow = {"held_at": format_instant(now()), "outcome": "goals_met"}
    await done(post(planning, care(planning), f"{plan}/follow-up", follow))
    assert await states() == {"followed_up"}
    await done(post(planning, care(planning), f"{plan}/close", {"reason": "goals_met"}))
    assert await states() == {"closed"}
    for state, found in (("closed", 1), ("discharged", 0)):
        assert len((await get(planning, care(planning), f"/v1/cases?state={state}"))["cases"]) == found
    await done(post(planning, care(planning), "/v1/plans", {"case_id": case, "consent": "given"}))
    assert await states() == {"followed_up"}, "closed with every plan of it, not with one"


def _event(kind: str, event_id: str, data: dict[str, Any]) -> dict[str, Any]:
    return a_ward_event(kind, id=event_id, time=format_instant(now() - timedelta(minutes=5)), data=data)


async def test_the_members_of_a_team_see_what_their_team_owes(planning: Planning) -> None:
    await with_school_and_team(planning)
    async with planning.database.transaction() as work:
        await load_directory(work, DirectoryEntries([], [], [MailboxAt(TEAM, REGION, f"unit:{TEAM}", "team")]))
    await invited(planning, [TEAM], person=ADULT)
    theirs = await duties(planning, municipality(planning))
    assert theirs["answer_invitation"]["unit"] == TEAM
    assert theirs["acknowledge"]["unit"] == TEAM


async def test_an_invitation_that_nobody_answers_and_a_meeting_that_is_not_held_remind_the_units(planning: Planning) -> None:
    plan, _ = await invited(planning, [GOTEBORG_UNIT], person=ADULT)
    meets = now() + timedelta(days=2)
    await look(planning, now())
    assert await reminded(planning, municipality(planning)) == await reminded(planning, care(planning)) == []
    await look(planning, meets + timedelta(minutes=1))
    assert ("answer_invitation", "overdue") in await reminded(planning, municipality(planning))
    assert ("hold_meeting", "overdue") not in await reminded(planning, care(planning))
    await look(planning, start_of_day(local_date(meets) + timedelta(days=1)) + timedelta(minutes=1))
    assert ("hold_meeting", "overdue") in await reminded(planning, care(planning))
    facts = [fact for fact in await overdue(planning) if fact["rule"] in {"answer_invitation", "hold_meeting"}]
    assert {(fact.get("case_id"), fact["plan_id"]) for fact in facts} == {(None, plan.rsplit("/", 1)[1])}


async def test_a_follow_up_reminds_the_unit_with_the_main_responsibility_on_its_day_and_not_before(planning: Planning) -> None:
    plan, _ = await invited(planning, [GOTEBORG_UNIT], person=ADULT)
    await held(planning, plan)
    await done(put(planning, care(planning), f"{plan}/measures", measures(main=GOTEBORG_UNIT)))
    await look(planning, parse_instant("2027-01-15T10:00:00+01:00"))
    assert ("follow_up", "soon_due") not in await reminded(planning, municipality(planning))
    await look(planning, parse_instant("2027-01-15T21:00:00+01:00"))
    assert ("follow_up", "soon_due") in await reminded(planning, municipality(planning))
    await look(planning, parse_instant("2027-01-16T00:00:00+01:00"))
    assert ("follow_up", "overdue") in await reminded(planning, municipality(planning))
    reminder = (await planning.mailbox(municipality(planning)))["entries"][-1]
    assert (reminder["case_id"], reminder["personal"]) == (None, None)
    assert reminder["about"]["fulfilled_by"] == f"POST {plan}/follow-up"


async def test_an_imported_plan_without_a_stay_reminds_nobody(planning: Planning) -> None:
    lead = bearer(
        planning.tokens.token("history", scopes=["events:import", "plans:write", "cases:read"], role="history", units=[CARE_CENTRE])
    )
    sent_at = now() - timedelta(days=30)
    new = {"person": ADULT, "consent": "given", "care_centre": CARE_CENTRE}
    plan = f"/v1/plans/{(await done(post(planning, lead, '/v1/plans', new)))['id']}"
    meeting = {"at": format_instant(sent_at + timedelta(days=2)), "place": "Hemma"}
    call = {"units": [GOTEBORG_UNIT], "meeting": meeting, "sent_at": format_instant(sent_at)}
    await done(post(planning, lead, f"{plan}/invitations", call))
    await look(planning, now() + timedelta(days=5))
    assert await reminded(planning, municipality(planning)) == await reminded(planning, care(planning)) == []
    assert await overdue(planning) == []
    assert "answer_invitation" in await duties(planning, municipality(planning)), "positive control: it is open all the same"


async def test_a_question_and_a_deviation_are_owed_by_whoever_they_are_put_to_and_remind_at_their_deadlines(planning: Planning) -> None:
    case = await a_case(planning)
    them, us = municipality(planning), care(planning)
    await done(
        post(planning, them, f"/v1/cases/{case}/messages", {"unit": GOTEBORG_UNIT, "to": CARE_CENTRE, "topic": "plan", "written_by": "M T"})
    )
    report = {"unit": GOTEBORG_UNIT, "case_id": case, "category": "plan", "step": "plan", "text": "x"}
    deviation = (await done(post(planning, them, "/v1/deviations", report)))["id"]
    assert "assign_deviation" in await duties(planning, them)
    await done(post(planning, them, f"/v1/deviations/{deviation}/assign", {"unit": CARE_CENTRE}))
    owed = await duties(planning, us)
    assert {"answer_question", "answer_deviation"} <= set(owed)
    assert "answer_deviation" not in await duties(planning, them)
    assert owed["answer_deviation"]["fulfilled_by"] == f"POST /v1/deviations/{deviation}/answer"
    question_due, deviation_due = (parse_instant(owed[rule]["due_at"]) for rule in ("answer_question", "answer_deviation"))
    assert timedelta(hours=23) < question_due - now() <= timedelta(hours=24)
    assert timedelta(days=29) < deviation_due - now() <= timedelta(days=30)
    await look(planning, question_due)
    assert ("answer_question", "overdue") in await reminded(planning, us)
    assert ("answer_deviation", "overdue") not in await reminded(planning, us)
    await look(planning, deviation_due)
    assert ("answer_deviation", "overdue") in await reminded(planning, us)
    assert {fact["rule"] for fact in await overdue(planning)} >= {"answer_question", "answer_deviation"}


async def test_a_deviation_that_is_due_on_a_sunday_reaches_whoever_is_on_call_and_its_deadline_stands(planning: Planning) -> None:
    case = await a_case(planning)
    recipient = f"municipality:{GOTEBORG}"
    async with planning.database.transaction() as work:
        await load_directory(work, DirectoryEntries([], [], [MailboxAt(GOTEBORG_UNIT, GOTEBORG_NUMBER, recipient, "on_call")]))
        await work.connection.execute(
            text(
                "INSERT INTO duty_calendars (mailbox, weekly, holidays_closed, outside) SELECT a.id, CAST(:weekly AS jsonb), true, b.id"
                " FROM mailboxes a JOIN mailboxes b USING (recipient)"
                " WHERE a.function = 'municipality' AND b.function = 'on_call' AND recipient = :who"
            ),
            {"who": recipient, "weekly": '{"mon": [], "tue": [], "wed": [], "thu": [], "fri": [], "sat": [], "sun": []}'},
        )
        on_call = (await work.connection.execute(text("SELECT id FROM mailboxes WHERE function = 'on_call'"))).scalar_one()
    report = {"unit": CARE_CENTRE, "case_id": case, "category": "self_care", "step": "discharge", "text": "x"}
    deviation = (await done(post(planning, care(planning), "/v1/deviations", report)))["id"]
    assigned = await done(post(planning, care(planning), f"/v1/deviations/{deviation}/assign", {"unit": GOTEBORG_UNIT}))
    due_at = parse_instant(assigned["due_at"])
    await look(planning, due_at)
    (fact,) = [fact for fact in await overdue(planning) if fact["rule"] == "answer_deviation"]
    assert (fact["told"], parse_instant(fact["due_at"])) == (str(on_call), due_at)


async def test_a_question_to_the_ward_and_a_returned_notice_are_on_the_wards_list(planning: Planning) -> None:
    case = await a_case(planning)
    them = municipality(planning)
    asked = {"unit": GOTEBORG_UNIT, "to": WARD, "topic": "readiness", "written_by": "Maja Test"}
    await done(post(planning, them, f"/v1/cases/{case}/messages", asked))
    assert "answer_question" in await duties(planning, planning.ward)
    assert "correct_addressing" not in await duties(planning, planning.ward)
    notice = (await planning.mailbox(them))["entries"][0]["id"]
    await done(post(planning, them, f"/v1/notices/{notice}/return", {"returned_by": "Maja Test", "reason": "Bor inte här"}))
    assert "correct_addressing" in await duties(planning, planning.ward)
    assert await duties(planning, them) == {}, "who is no party any more owes nothing"


async def test_what_an_import_left_of_a_stay_that_is_over_is_nobodys_to_do(planning: Planning) -> None:
    def then(kind: str, event_id: str, day: int, **more: Any) -> dict[str, Any]:
        at = f"2025-03-{day:02}T10:00:00+01:00"
        return a_ward_event(kind, id=event_id, time=at, **more) | {"sentat": at}

    for event in (then("stay.admitted", "H-1", 3), then("stay.ready", "H-2", 5)):
        assert (await planning.http.post("/v1/events", json=event, headers=planning.history)).status_code == 201
    assert "acknowledge" in await duties(planning, municipality(planning)), "positive control: she is still there"
    over = then("stay.discharged", "H-3", 6)
    assert (await planning.http.post("/v1/events", json=over, headers=planning.history)).status_code == 201
    assert await duties(planning, municipality(planning)) == {}
    assert await duties(planning, care(planning)) == {}
