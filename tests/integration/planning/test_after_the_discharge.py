"""What outpatient care had to do before the discharge and did not: a discharge ends neither the call to SIP nor the care contact."""

from datetime import datetime, timedelta

import pytest

from shared.dates import local_date, now, parse_instant, start_of_day
from tests.builders import CARE_CENTRE
from tests.integration.planning.conftest import GOTEBORG_UNIT, Planning
from tests.integration.planning.plan_calls import care, done, get, municipality, post, put
from tests.integration.planning.test_checklist import duties
from tests.integration.planning.test_reminders import look, overdue, tell

CONTACT = {"unit": CARE_CENTRE, "name": "Kim Test", "role": None, "phone": None}
ADMITTED, READY, DISCHARGED = [parse_instant(f"2026-11-{day}T10:00:00+01:00") for day in ("16", "17", "18")]
LAST_DAY_OVER = start_of_day(ADMITTED.date() + timedelta(days=5))  # the third day after 17 November is a Friday


async def a_stay_that_ended(planning: Planning, discharged: datetime = DISCHARGED) -> str:
    """A stay of two days, and its case; ready on the second one."""
    for number, kind in enumerate(("stay.admitted", "stay.ready", "stay.discharged")):
        await tell(planning, kind, discharged - timedelta(days=2 - number), id=f"SU-{number}")
    (case,) = (await get(planning, care(planning), "/v1/cases"))["cases"]
    return str(case["id"])


async def late_rules(planning: Planning) -> list[tuple[str, str]]:
    return [
        (fact["rule"], fact["due_at"]) for fact in await overdue(planning) if fact["unit"] == CARE_CENTRE and fact["rule"] != "acknowledge"
    ]


async def test_the_call_to_sip_and_the_care_contact_are_owed_until_they_are_done(planning: Planning) -> None:
    yesterday = now() - timedelta(days=1)
    case, who = await a_stay_that_ended(planning, yesterday), care(planning)
    owed = await duties(planning, who)
    assert owed.keys() >= {"invite_to_plan", "appoint_care_contact"}
    ready_on = local_date(yesterday - timedelta(days=1))
    assert parse_instant(owed["invite_to_plan"]["due_at"]) == start_of_day(ready_on + timedelta(days=4))
    assert parse_instant(owed["appoint_care_contact"]["due_at"]) <= yesterday, "before the discharge"
    assert (await get(planning, who, "/v1/worklist"))["conducted"] == []
    await done(put(planning, who, f"/v1/cases/{case}/care-contact", CONTACT))
    plan = await done(post(planning, who, "/v1/plans", {"case_id": case, "consent": "given"}))
    assert (await duties(planning, who))["invite_to_plan"]["fulfilled_by"] == f"POST /v1/plans/{plan['id']}/invitations"
    await done(post(planning, who, f"/v1/plans/{plan['id']}/invitations", {"units": [GOTEBORG_UNIT]}))
    assert (await duties(planning, who)).keys().isdisjoint({"invite_to_plan", "appoint_care_contact"})


async def test_a_patient_who_refuses_after_the_discharge_is_called_to_nothing(planning: Planning) -> None:
    case, who = await a_stay_that_ended(planning, now() - timedelta(days=1)), care(planning)
    assert "invite_to_plan" in await duties(planning, who)
    await done(post(planning, who, "/v1/plans", {"case_id": case, "consent": "refused"}))
    assert "invite_to_plan" not in await duties(planning, who)


async def test_the_municipality_owes_nothing_more_and_a_death_ends_it_for_all(planning: Planning) -> None:
    yesterday = now() - timedelta(days=1)
    await a_stay_that_ended(planning, yesterday)
    assert set(await duties(planning, municipality(planning))) <= {"acknowledge"}
    await tell(planning, "stay.deceased", yesterday + timedelta(hours=1), id="SU-9")
    assert (await duties(planning, care(planning))).keys().isdisjoint({"invite_to_plan", "appoint_care_contact"})


async def test_what_was_not_done_is_reminded_of_and_told_as_overdue_after_the_discharge(planning: Planning) -> None:
    await a_stay_that_ended(planning)
    await look(planning, LAST_DAY_OVER - timedelta(minutes=1))
    assert "invite_to_plan" not in dict(await late_rules(planning))
    await look(planning, LAST_DAY_OVER)
    assert parse_instant(dict(await late_rules(planning))["invite_to_plan"]) == LAST_DAY_OVER


async def test_a_call_whose_last_day_is_a_sunday_is_not_told_as_overdue_before_monday_is_over(planning: Planning) -> None:
    thursday = parse_instant("2026-11-05T10:00:00+01:00")
    await tell(planning, "stay.admitted", thursday - timedelta(days=1), id="SU-1")
    await tell(planning, "stay.ready", thursday, id="SU-2")
    sunday_over = parse_instant("2026-11-09T00:00:00+01:00")
    await look(planning, sunday_over + timedelta(hours=23))
    assert "invite_to_plan" not in dict(await late_rules(planning))
    await look(planning, sunday_over + timedelta(hours=24))
    assert parse_instant(dict(await late_rules(planning))["invite_to_plan"]) == sunday_over, "the day that is shown is the statutory one"


@pytest.mark.parametrize(("days", "asked_for"), [(29, True), (31, False)])
async def test_a_stay_that_ended_long_ago_is_not_asked_for_any_more(planning: Planning, days: int, asked_for: bool) -> None:
    await a_stay_that_ended(planning, now() - timedelta(days=days))
    assert ("invite_to_plan" in await duties(planning, care(planning))) is asked_for


async def test_what_a_plan_of_a_stay_that_ended_long_ago_asks_is_still_asked(planning: Planning) -> None:
    case, who = await a_stay_that_ended(planning, now() - timedelta(days=31)), care(planning)
    await done(post(planning, who, "/v1/plans", {"case_id": case}))
    assert "ask_consent" in await duties(planning, who)


async def test_imported_history_reminds_nobody_after_its_discharge(planning: Planning) -> None:
    long_ago = parse_instant("2026-11-20T10:00:00+01:00")
    for number, (kind, at) in enumerate((("stay.admitted", ADMITTED), ("stay.ready", READY), ("stay.discharged", DISCHARGED))):
        await tell(planning, kind, long_ago, id=f"SU-{number}", imported=at)
    await look(planning, LAST_DAY_OVER + timedelta(hours=1))
    assert await late_rules(planning) == []
