"""The follow-up over HTTP: measured behind the stream, added up for the region and the municipality, and what others see of it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from dirigent.databases import Access
from dirigent.doctor import examine
from services.planning import usecases
from services.planning.repository.stay_measures import OWN_STREAM
from services.planning.worker import watch_measures
from shared.dates import Month, format_instant, local_date, now, parse_instant
from tests.builders import CARE_CENTRE, GOTEBORG, HARRYDA, WARD, a_ward_event
from tests.integration.planning.conftest import GOTEBORG_UNIT, Planning
from tests.integration.planning.follow_up import a_stay, close_months, measure, municipality, read, region, some_stays, tell
from tests.integration.planning.plan_calls import care, done, post, put
from tests.integration.planning.plan_calls import municipality as municipal_office
from tests.patience import until
from tests.services import REGION

JUNE, JULY = Month(2026, 6), Month(2026, 7)
LINK = "https://video.test/mote/17"


def at(text: str) -> datetime:
    return parse_instant(f"{text}+02:00")


async def one(planning: Planning, who: dict[str, str], first: str, last: str | None = None, **query: str) -> dict[str, Any]:
    (found,) = await read(planning, who, first, last, **query)
    return found


def share(count: int, of: int, text: str | None) -> dict[str, object]:
    return {"count": count, "of": of, "share": text}


async def test_everything_that_the_parties_do_with_a_stay_is_measured(planning: Planning) -> None:
    office, centre = municipal_office(planning), care(planning)
    case = (await planning.tell(a_ward_event(time=format_instant(now() - timedelta(hours=3))))).json()["case_id"]
    await done(put(planning, centre, f"/v1/cases/{case}/care-contact", {"unit": CARE_CENTRE, "name": "Anna Test"}))
    await planning.tell(a_ward_event("stay.ready", id="SU-2", time=format_instant(now() - timedelta(hours=2))))
    status = {"status": "ready_from", "ready_from": {"date": local_date(now()).isoformat(), "time": "08:00"}}
    await done(put(planning, office, f"/v1/cases/{case}/parties/{GOTEBORG_UNIT}/planning-status", status))
    plan = (await done(post(planning, centre, "/v1/plans", {"case_id": case, "consent": "given"})))["id"]
    meeting = {"at": format_instant(now() - timedelta(hours=1)), "link": LINK}
    await done(post(planning, centre, f"/v1/plans/{plan}/invitations", {"units": [GOTEBORG_UNIT], "meeting": meeting}))
    held = meeting | {"held": True, "attended": [{"role": "patient"}]}
    await done(put(planning, centre, f"/v1/plans/{plan}/meeting", held))
    taken_on = [notice for notice in (await planning.mailbox(office))["entries"] if notice["type"] in {"notice.admission", "notice.ready"}]
    for notice in taken_on:
        await done(post(planning, office, f"/v1/notices/{notice['id']}/acknowledgement", {"acknowledged_by": "Bo Test"}))
    report = {"unit": GOTEBORG_UNIT, "case_id": case, "category": "information_missing", "step": "ready", "text": "Saknas"}
    deviation = (await done(post(planning, office, "/v1/deviations", report)))["id"]
    await done(post(planning, office, f"/v1/deviations/{deviation}/assign", {"unit": CARE_CENTRE}))
    answer = {"text": "Rättat", "measures": [], "answered_by": "Maja Test"}
    await done(post(planning, centre, f"/v1/deviations/{deviation}/answer", answer))
    await planning.tell(a_ward_event("stay.discharged", id="SU-3", time=format_instant(now())))
    await measure(planning)
    found = await one(planning, region(planning), str(Month.of(local_date(now()))), by="municipality")
    assert (found["key"], found["name"], found["care_type"], found["own"], found["suppressed"]) == (
        GOTEBORG,
        "Göteborg",
        "somatic",
        True,
        [],
    )
    for name in ("admission_notice_in_time", "ready_after_admission_notice", "care_contact_before_discharge", "sip_called", "sip_held"):
        assert found[name] == share(1, 1, "1.000000"), name
    assert found["sip_called_in_time"] == found["meetings_by_video"] == share(1, 1, "1.000000")
    assert found["sip_called_after"] == {"stays": 1, "median": "0.0"}
    assert (found["stays"], found["waiting_now"], found["readmissions"]) == (1, 0, share(0, 1, "0.000000"))
    assert (found["wait_split"]["of"], found["wait_split"]["answered"]) == (1, 1)
    notices = found["notices"]
    assert (notices["acknowledged"], notices["acknowledged_in_time"], notices["median_hours"]) == (2, 2, "0.0")
    assert notices["unacknowledged"] == notices["notices"] - 2 > 0
    assert (notices["longer_than_hours"], notices["unacknowledged_longer"]) == (24, 0)
    assert found["deviations"] == [{"step": "ready", "reported": 1, "answered": 1, "median_hours": "0.0"}]


async def test_the_two_means_are_of_different_stays(planning: Planning) -> None:
    await some_stays(planning, JUNE, [0, 0, 1, 3, 9], first=0)
    await measure(planning)
    found = await one(planning, region(planning), "2026-06")
    assert found["mean_days_ready"] == {"stays": 3, "days": 13, "mean": "4.333333"}
    assert found["mean_days_ready_with_zero"] == {"stays": 5, "days": 13, "mean": "2.600000"}
    assert found["zero_day_stays"] == share(2, 5, "0.400000")
    assert found["long_waits"] == {"over_days": 7, "stays": 1, "days_over": 2}
    assert found["planned_discharge"] == {"of": 5, "before": 0, "on_the_day": 5, "after": 0, "mean_days_after": "0.000000"}
    assert found["charged"] == "/v1/averages/1480?from=2026-06&to=2026-06"


async def test_a_period_without_stays_has_no_groups_and_a_group_without_answers_no_mean(planning: Planning) -> None:
    assert await read(planning, region(planning), "2026-06") == []
    await a_stay(planning, "S1", at("2026-06-01T09:00:00"), discharged=at("2026-06-03T09:00:00"))
    await measure(planning)
    found = await one(planning, region(planning), "2026-06")
    assert found["mean_days_ready_with_zero"] == {"stays": 0, "days": 0, "mean": None}
    assert (found["zero_day_stays"], found["sip_called_after"]) == (share(0, 0, None), {"stays": 0, "median": None})


async def test_hospital_and_care_centre_are_other_views_of_the_same_stays(planning: Planning) -> None:
    async with planning.database.transaction() as work:
        await work.connection.execute(
            text("UPDATE units SET stay_space = :space WHERE hsa_id = :ward"), {"space": f"{REGION}/su", "ward": WARD}
        )
    await some_stays(planning, JUNE, [2, 4], first=0)
    await some_stays(planning, JULY, [1], first=5)
    await measure(planning)
    hospital = await one(planning, region(planning), "2026-06", "2026-07", by="hospital")
    centre = await one(planning, region(planning), "2026-06", "2026-07", by="care_centre")
    assert (hospital["key"], hospital["stays"], hospital["charged"]) == (f"{REGION}/su", 3, None)
    assert hospital["name"] == await name_of_the_region(planning)
    assert (centre["key"], centre["name"], centre["mean_days_ready"]["days"]) == (CARE_CENTRE, "Vårdcentral 1", 7)


async def name_of_the_region(planning: Planning) -> str:
    async with planning.database.transaction() as work:
        return str((await work.connection.execute(text("SELECT name FROM organisations WHERE number = :it"), {"it": REGION})).scalar_one())


async def test_somatic_and_psychiatric_stays_are_never_added_up(planning: Planning) -> None:
    await some_stays(planning, JUNE, [2, 4], first=0)
    await some_stays(planning, JUNE, [9], first=5, care_type="psychiatric")
    await measure(planning)
    both = await read(planning, region(planning), "2026-06")
    assert [(group["care_type"], group["stays"]) for group in both] == [("somatic", 2), ("psychiatric", 1)]
    only = await one(planning, region(planning), "2026-06", care_type="psychiatric")
    assert only["long_waits"]["stays"] == 1


async def test_a_patient_who_comes_back_within_thirty_days_changes_the_stay_before(planning: Planning) -> None:
    await a_stay(planning, "S1", at("2026-06-01T09:00:00"), ready=at("2026-06-03T09:00:00"), discharged=at("2026-06-04T09:00:00"))
    await measure(planning)
    assert (await one(planning, region(planning), "2026-06"))["readmissions"] == share(0, 1, "0.000000")
    await a_stay(planning, "S2", at("2026-07-03T09:00:00"))
    await measure(planning)
    assert (await one(planning, region(planning), "2026-06"))["readmissions"] == share(1, 1, "1.000000")
    mistaken = {"event": f"S2-stay.admitted-{at('2026-07-03T09:00:00'):%d%H%M}", "reason": "Fel patient"}
    await tell(planning, "stay.event_cancelled", at("2026-07-03T10:00:00"), "S2", mistaken)
    await measure(planning)
    assert (await one(planning, region(planning), "2026-06"))["readmissions"] == share(0, 1, "0.000000")


async def test_a_patient_who_waits_now_is_told_of_and_a_cancelled_stay_is_not(planning: Planning) -> None:
    await a_stay(planning, "S1", at("2026-06-01T09:00:00"), ready=at("2026-06-03T09:00:00"))
    await measure(planning)
    found = await one(planning, region(planning), "2026-06")
    assert (found["waiting_now"], found["stays"]) == (1, 0)
    mistaken = {"event": f"S1-stay.admitted-{at('2026-06-01T09:00:00'):%d%H%M}", "reason": "Fel patient"}
    await tell(planning, "stay.event_cancelled", at("2026-06-03T10:00:00"), "S1", mistaken)
    await measure(planning)
    assert await read(planning, region(planning), "2026-06") == []


async def test_a_municipality_sees_its_running_month_and_nothing_of_anybody_elses(planning: Planning) -> None:
    await some_stays(planning, JUNE, [1, 2], first=0)
    await some_stays(planning, JUNE, [1] * 6, first=10, municipality=HARRYDA)
    await measure(planning)
    somatic, psychiatric, own = await read(planning, municipality(planning), "2026-06")
    assert (own["key"], own["own"], own["stays"]) == (GOTEBORG, True, 2)
    for other in (somatic, psychiatric):
        assert (other["key"], other["own"], other["small_group"], other["periods"]) == (HARRYDA, False, True, [])
        figures = {
            name: value for name, value in other.items() if name not in {"key", "name", "care_type", "own", "small_group", "charged"}
        }
        assert not any(figures.values())


async def test_others_see_a_closed_month_as_it_was_closed_and_no_small_group_in_it(planning: Planning) -> None:
    await some_stays(planning, JUNE, [1] * 6 + [0] * 5 + [8], first=0)
    await measure(planning, at("2026-06-30T12:00:00"))
    assert await close_months(planning, at("2026-07-31T12:00:00")) == []
    assert await close_months(planning, at("2026-08-02T12:00:00")) == [JUNE]
    reader = municipality(planning, HARRYDA)
    found = await one(planning, reader, "2026-06", care_type="somatic")
    assert (found["key"], found["stays"], found["periods"], found["waiting_now"]) == (
        GOTEBORG,
        12,
        [{"first": "2026-06", "last": "2026-06"}],
        None,
    )
    assert "waiting" in found["suppressed"]
    assert (found["mean_days_ready"], found["zero_day_stays"], found["long_waits"]) == (None, None, None)
    assert found["readmissions"] == share(0, 12, "0.000000")
    await some_stays(planning, JUNE, [1], first=50)
    await measure(planning)
    assert (await one(planning, region(planning), "2026-06"))["stays"] == 13
    assert await one(planning, reader, "2026-06", care_type="somatic") == found


async def test_small_months_are_shown_together_and_never_apart(planning: Planning) -> None:
    await some_stays(planning, JUNE, [1, 1, 1], first=0)
    await some_stays(planning, JULY, [1, 1, 1], first=10)
    await measure(planning, at("2026-07-31T12:00:00"))
    assert await close_months(planning, at("2026-09-15T12:00:00")) == [JUNE, JULY]
    reader = municipality(planning, HARRYDA)
    for first, last in (("2026-06", "2026-06"), ("2026-07", "2026-07"), ("2026-07", "2026-12")):
        assert (await one(planning, reader, first, last, care_type="somatic"))["small_group"]
    together = await one(planning, reader, "2026-05", "2026-12", care_type="somatic")
    assert (together["stays"], together["periods"]) == (6, [{"first": "2026-06", "last": "2026-07"}])


async def test_a_few_psychiatric_stays_keep_the_somatic_ones_back(planning: Planning) -> None:
    await some_stays(planning, JUNE, [1] * 8, first=0)
    await some_stays(planning, JUNE, [1] * 2, first=20, care_type="psychiatric")
    await measure(planning, at("2026-06-30T12:00:00"))
    assert await close_months(planning, at("2026-09-15T12:00:00")) == [JUNE]
    groups = await read(planning, municipality(planning, HARRYDA), "2026-06")
    assert [group["small_group"] for group in groups] == [True, True]


async def test_a_month_that_still_moves_is_not_closed_and_holds_the_later_ones(planning: Planning) -> None:
    await some_stays(planning, JUNE, [1] * 5, first=0)
    await some_stays(planning, JULY, [1] * 5, first=10)
    await measure(planning, at("2026-09-15T11:30:00"))
    assert await close_months(planning, at("2026-09-15T12:00:00")) == []
    assert await close_months(planning, at("2026-09-15T12:31:00")) == [JUNE, JULY]


async def test_by_hospital_a_municipality_sees_its_own_patients_only(planning: Planning) -> None:
    await some_stays(planning, JUNE, [1] * 5, first=0)
    await some_stays(planning, JUNE, [1] * 7, first=10, municipality=HARRYDA)
    await measure(planning, at("2026-06-30T12:00:00"))
    await close_months(planning, at("2026-09-15T12:00:00"))
    assert (await one(planning, municipality(planning), "2026-06", by="hospital"))["stays"] == 5
    assert (await one(planning, region(planning), "2026-06", by="hospital"))["stays"] == 12


@pytest.mark.parametrize("role", ["ward", "care", "history"])
async def test_nobody_else_reads_the_follow_up(planning: Planning, role: str) -> None:
    answer = await planning.http.get("/v1/indicators?from=2026-06&to=2026-06", headers=region(planning, role))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("query", ["from=2026-07&to=2026-06", "from=2026-13&to=2026-13", "from=2026-06", "from=2026-06&to=2026-06&by=ward"])
async def test_a_period_that_is_none_is_refused(planning: Planning, query: str) -> None:
    answer = await planning.http.get(f"/v1/indicators?{query}", headers=region(planning))
    assert answer.status_code == 400
    assert answer.json()["errors"]


async def test_measuring_everything_anew_gives_what_was_measured_step_by_step(planning: Planning) -> None:
    await some_stays(planning, JUNE, [0, 3, 9], first=0)
    for number in range(3):
        await measure(planning)
        await a_stay(planning, f"T{number}", at(f"2026-06-1{number}T09:00:00"), ready=at("2026-06-20T09:00:00"), person=number)
    await measure(planning)
    before = await rows(planning)
    async with planning.database.transaction() as work:
        assert await usecases.measures_that_differ(work) == []
        await work.connection.execute(text("DELETE FROM stay_measures"))
        await work.connection.execute(text("UPDATE stream_cursors SET position = 0 WHERE stream = :stream"), {"stream": OWN_STREAM})
    await measure(planning)
    assert await rows(planning) == before
    assert len(before) == 6


async def rows(planning: Planning) -> list[dict[str, Any]]:
    async with planning.database.transaction() as work:
        found = await work.connection.execute(text("SELECT to_jsonb(m) - 'measured_at' AS row FROM stay_measures m ORDER BY case_id"))
        return list(found.scalars())


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE stay_measures SET days = days + 1 WHERE case_id = (SELECT min(case_id::text)::uuid FROM stay_measures)",
        "UPDATE stay_measures SET outcome = 'readmitted' WHERE case_id = (SELECT min(case_id::text)::uuid FROM stay_measures)",
        "DELETE FROM stay_measures WHERE case_id = (SELECT min(case_id::text)::uuid FROM stay_measures)",
    ],
)
async def test_the_doctor_finds_a_follow_up_that_is_not_what_it_is_measured_from(planning: Planning, damage: str) -> None:
    await some_stays(planning, JUNE, [1, 2], first=0)
    await measure(planning)
    access = {"planning": Access(planning.database.engine.url.render_as_string(hide_password=False), planning.owner_url)}
    assert (await examine(access))[0].faults == ()
    case = UUID((await rows(planning))[0]["case_id"])
    async with planning.database.transaction() as work:
        await work.connection.execute(text(damage))
    assert (await examine(access))[0].faults == (f"case {case}: the follow-up differs from what it is measured from",)


async def test_the_follow_up_holds_no_person(planning: Planning) -> None:
    await some_stays(planning, JUNE, [1], first=0)
    await measure(planning)
    told = str(await rows(planning))
    assert not any(word in told for word in ("Testsson", "Testgatan", "18900101"))


async def test_imported_history_is_measured_but_its_notices_expected_nobody(planning: Planning) -> None:
    for number, kind in enumerate(("stay.admitted", "stay.ready", "stay.discharged")):
        event = a_ward_event(
            kind, id=f"H-{kind}", time=f"2026-06-0{1 + 2 * number}T09:00:00+02:00", sentat=f"2026-06-0{1 + 2 * number}T10:00:00+02:00"
        )
        assert (await planning.http.post("/v1/events", json=event, headers=planning.history)).status_code == 201
    await measure(planning)
    found = await one(planning, region(planning), "2026-06")
    assert (found["mean_days_ready"]["days"], found["admission_notice_in_time"]) == (2, share(1, 1, "1.000000"))
    assert found["notices"]["notices"] == 0


async def test_the_worker_keeps_the_follow_up(planning: Planning) -> None:
    await some_stays(planning, JUNE, [2], first=0)
    await planning.number()
    watching = asyncio.create_task(watch_measures(planning.database))
    try:
        await until(lambda: _measured(planning))
    finally:
        watching.cancel()


async def _measured(planning: Planning) -> bool:
    return len(await rows(planning)) == 1
