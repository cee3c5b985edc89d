"""Outages that the service records or somebody states, and what they make of notices that were given on paper."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import event as hooks
from sqlalchemy import text

from services.planning import usecases
from services.planning.heartbeat import keep_beating
from shared.dates import format_instant, parse_instant
from shared.http.auth import Caller
from shared.streams import due
from tests.builders import GOTEBORG, OTHER_WARD, WARD, a_ward_event
from tests.integration.planning.conftest import GOTEBORG_NUMBER, GOTEBORG_UNIT, Planning
from tests.patience import until
from tests.services import REGION, bearer

CALLER = Caller("ward-su", REGION, (WARD,), frozenset({"events:write"}), "ward")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BEGAN = parse_instant("2026-03-02T08:00:00+01:00")
GIVEN, ENDED, BACK = BEGAN + HOUR, BEGAN + 30 * HOUR, BEGAN + 31 * HOUR


def ward(planning: Planning, organisation: str = REGION, units: str = WARD) -> dict[str, str]:
    scopes = ["events:write", "cases:read", "cases:write", "notices:read"]
    return bearer(planning.tokens.token("ward-su", scopes=scopes, units=[units], organisation=organisation))


def controller(planning: Planning, client: str = "controller") -> dict[str, str]:
    return bearer(planning.tokens.token(client, scopes=["reviews:decide"], role="controller", units=[f"SE{REGION}-"]))


async def post(planning: Planning, who: dict[str, str], path: str, **body: Any) -> httpx.Response:
    return await planning.http.post(path, headers={**who, "Idempotency-Key": str(uuid4())}, json=body)


async def state(planning: Planning, **other: Any) -> dict[str, Any]:
    told = {
        "started_at": format_instant(BEGAN),
        "ended_at": format_instant(ENDED),
        "unit": WARD,
        "cause": "network",
        "stated_by": "Anna Test",
    }
    answer = await post(planning, ward(planning), "/v1/outages", **{name: value for name, value in (told | other).items() if value})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def confirm(planning: Planning, outage: dict[str, Any], person: str = "Maja Test", client: str = "controller") -> httpx.Response:
    return await post(planning, controller(planning, client), f"/v1/outages/{outage['id']}/confirmation", confirmed_by=person)


async def tell(planning: Planning, kind: str, time: datetime, *, given: datetime | None = GIVEN, at: datetime = BACK, **other: Any) -> None:
    """A ward states something at a moment of the test's own, after it has been given on paper."""
    event = a_ward_event(kind, time=format_instant(time), **other)
    if given is not None:
        event["data"]["given_on_paper_at"] = format_instant(given)
    async with planning.database.transaction(at) as work:
        await usecases.accept(work, [usecases.statement(event, CALLER, at, None)])


async def judge(planning: Planning) -> int:
    """What the worker does with the cases whose paper times may count differently now; how many changed."""
    changed = 0
    async with planning.database.transaction() as work:
        for claimed in await due.claim(work, usecases.PAPER_TIMES, limit=100):
            changed += await usecases.judge_paper_times(work, claimed)
    return changed


async def last_fact(planning: Planning) -> dict[str, Any]:
    await planning.number()
    statement = "SELECT CAST(body AS jsonb) FROM feed_entries WHERE feed = 'facts' AND kind = 'stay.changed' ORDER BY position DESC LIMIT 1"
    async with planning.database.transaction() as work:
        found: dict[str, Any] = (await work.connection.execute(text(statement))).scalar_one()
    return found


async def case(planning: Planning) -> dict[str, Any]:
    listed = (await planning.http.get("/v1/cases", headers=ward(planning))).json()["cases"]
    found: dict[str, Any] = (await planning.http.get(f"/v1/cases/{listed[0]['id']}", headers=ward(planning))).json()
    return found


def codes(found: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in found["findings"]}


async def silence(planning: Planning, seconds: float) -> None:
    """As if nothing had beaten for so long: the last beat, the running application's own, lies that far back on the database's clock."""

    async def beaten() -> bool:
        async with planning.database.transaction() as work:
            return bool((await work.connection.execute(text("SELECT count(*) FROM service_beats"))).scalar_one())

    await until(beaten)
    async with planning.database.transaction() as work:
        asked = {"gap": timedelta(seconds=seconds)}
        await work.connection.execute(text("UPDATE service_beats SET at = clock_timestamp() - CAST(:gap AS interval)"), asked)


async def beat(planning: Planning, at: datetime | None = None) -> UUID | None:
    async with planning.database.transaction(at) as work:
        return await usecases.beat(work, MINUTE)


async def outages(planning: Planning, who: dict[str, str]) -> list[dict[str, Any]]:
    answer = await planning.http.get("/v1/outages", headers=who)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["outages"]
    return found


async def test_a_gap_between_two_beats_is_recorded_as_an_outage_and_the_next_beat_is_not(planning: Planning) -> None:
    await silence(planning, 1_800)
    assert await beat(planning) is not None
    assert await beat(planning) is None
    (one,) = await outages(planning, ward(planning))
    lasted = parse_instant(one["ended_at"]) - parse_instant(one["started_at"])
    assert timedelta(seconds=1_800) <= lasted < timedelta(seconds=1_860)
    assert (one["origin"], one["counts"], one["unit"]) == ("recorded", True, None)


async def test_a_short_silence_is_no_outage(planning: Planning) -> None:
    await silence(planning, 50)
    assert await beat(planning) is None
    assert await outages(planning, ward(planning)) == []


async def test_a_process_whose_clock_is_a_day_wrong_records_no_outage(planning: Planning) -> None:
    assert await beat(planning) is None
    for day in (-1, 1):
        assert await beat(planning, datetime.now(UTC) + timedelta(days=day)) is None
    assert await outages(planning, ward(planning)) == []


async def test_the_api_beats_by_itself_and_sees_that_nothing_beat_before_it(planning: Planning) -> None:
    await silence(planning, 3_600)
    beating = asyncio.create_task(keep_beating(planning.database, every=0.05, outage_after=60))
    try:

        async def recorded() -> bool:
            return len(await outages(planning, ward(planning))) == 1

        await until(recorded)
    finally:
        beating.cancel()


async def test_a_notice_given_on_paper_in_a_recorded_outage_is_in_time(planning: Planning) -> None:
    async with planning.database.transaction() as work:
        now = (await work.connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
    await silence(planning, 30 * 3_600)
    assert await beat(planning) is not None
    given = now - 28 * HOUR
    await tell(planning, "stay.admitted", now - 29 * HOUR, given=given, at=now + MINUTE)
    assert not codes(await case(planning)) & {"late_admission_notice", "paper_time_unconfirmed"}
    fact = await last_fact(planning)
    assert (parse_instant(fact["admission_notice_sent_at"]), fact["admission_notice_paper"]) == (given, "counted")


async def test_what_came_in_before_the_first_beat_saw_the_gap_is_judged_anew(planning: Planning) -> None:
    async with planning.database.transaction() as work:
        now = (await work.connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
    await silence(planning, 30 * 3_600)
    await tell(planning, "stay.admitted", now - 29 * HOUR, given=now - 28 * HOUR, at=now)
    assert "paper_time_unconfirmed" in codes(await case(planning))
    assert await beat(planning) is not None
    assert await judge(planning) == 1
    assert not codes(await case(planning)) & {"late_admission_notice", "paper_time_unconfirmed"}


async def test_outside_an_outage_it_counts_as_really_sent_and_billing_is_told_that_a_person_must_decide(planning: Planning) -> None:
    await tell(planning, "stay.admitted", BEGAN)
    assert codes(await case(planning)) >= {"late_admission_notice", "paper_time_unconfirmed"}
    fact = await last_fact(planning)
    assert (parse_instant(fact["admission_notice_sent_at"]), fact["admission_notice_paper"]) == (BACK, "unconfirmed")
    assert parse_instant(fact["admission_notice_given_on_paper_at"]) == GIVEN


async def test_an_outage_that_is_only_stated_changes_nothing_and_once_confirmed_the_case_and_billing_follow(planning: Planning) -> None:
    await tell(planning, "stay.admitted", BEGAN)
    await tell(planning, "stay.ready", BEGAN + HOUR, given=BEGAN + 2 * HOUR, id="SU-2")
    outage = await state(planning)
    assert await judge(planning) == 0
    assert "paper_time_unconfirmed" in codes(await case(planning))
    before = (await planning.mailbox(planning.municipality()))["entries"]
    confirmed = await confirm(planning, outage)
    assert (confirmed.status_code, confirmed.json()["counts"], confirmed.json()["confirmed_by"]) == (201, True, "Maja Test")
    assert await judge(planning) == 1
    now = await case(planning)
    assert not codes(now) & {"late_admission_notice", "paper_time_unconfirmed"}
    assert {one["mark"] for one in now["on_paper"]} == {"counted"}
    assert now["ready"][0]["notice_sent_at"] == format_instant(BEGAN + 2 * HOUR)
    fact = await last_fact(planning)
    assert (parse_instant(fact["admission_notice_sent_at"]), fact["admission_notice_paper"]) == (GIVEN, "counted")
    assert (parse_instant(fact["ready"][0]["notice_sent_at"]), fact["ready"][0]["paper"]) == (BEGAN + 2 * HOUR, "counted")
    assert fact["case_version"] == now["version"] == 3
    assert (await planning.mailbox(planning.municipality()))["entries"] == before, "nobody is sent anything anew"
    history = (await planning.http.get(f"/v1/cases/{now['id']}/history", headers=ward(planning))).json()["history"]
    assert history[-1]["what"] == "case.paper_times_judged"


async def test_the_deadline_of_the_invitation_runs_from_the_paper_once_it_counts(planning: Planning) -> None:
    async def due_by() -> datetime:
        duties = (await planning.http.get("/v1/worklist", headers=planning.care)).json()["duties"]
        return parse_instant(next(duty["due_at"] for duty in duties if duty["rule"] == "invite_to_plan"))

    await tell(planning, "stay.admitted", BEGAN)
    await tell(planning, "stay.ready", BEGAN + HOUR, given=BEGAN + 2 * HOUR, id="SU-2")
    assert await due_by() == parse_instant("2026-03-07T00:00:00+01:00")
    await confirm(planning, await state(planning))
    assert await judge(planning) == 1
    assert await due_by() == parse_instant("2026-03-06T00:00:00+01:00")


async def test_only_cases_with_a_paper_time_inside_it_are_folded_anew_and_each_once(planning: Planning) -> None:
    await tell(planning, "stay.admitted", BEGAN, id="A-1", subject="one")
    await tell(planning, "stay.admitted", BEGAN - 3 * HOUR, given=BEGAN - 2 * HOUR, id="A-2", subject="two")
    await tell(planning, "stay.admitted", BEGAN, given=None, id="A-3", subject="three")
    await confirm(planning, await state(planning))
    async with planning.database.transaction() as work:
        assert (await work.connection.execute(text("SELECT count(*) FROM due_work WHERE kind = 'paper'"))).scalar_one() == 1
    assert await judge(planning) == 1
    assert await judge(planning) == 0


async def test_what_is_stated_after_the_confirmation_counts_at_once(planning: Planning) -> None:
    await confirm(planning, await state(planning))
    await tell(planning, "stay.admitted", BEGAN)
    assert "paper_time_unconfirmed" not in codes(await case(planning))


async def test_an_outage_confirmed_while_an_event_is_being_taken_in_misses_no_case(planning: Planning) -> None:
    """The confirmation waits for the transaction that has read outages, and so finds the case that it writes."""
    outage = await state(planning)
    event = a_ward_event("stay.admitted", time=format_instant(BEGAN))
    event["data"]["given_on_paper_at"] = format_instant(GIVEN)
    async with planning.database.transaction(BACK) as work:
        await usecases.accept(work, [usecases.statement(event, CALLER, BACK, None)])
        confirming = asyncio.create_task(confirm(planning, outage))
        done, _ = await asyncio.wait([confirming], timeout=0.3)
        assert not done, "it must not look for cases before this one is written"
    assert (await confirming).status_code == 201
    assert await judge(planning) == 1


@pytest.mark.parametrize(
    ("person", "client", "status"),
    [
        ("Anna Test", "controller", 409),
        ("ＡＮＮＡ  test", "controller", 409),
        ("anna test", "controller", 409),
        ("Maja Test", "ward-su", 201),  # one client may stand for two persons when it names both
        ("Maja Test", "controller", 201),
    ],
)
async def test_the_person_who_stated_an_outage_does_not_confirm_it(planning: Planning, person: str, client: str, status: int) -> None:
    answer = await confirm(planning, await state(planning), person, client)
    assert answer.status_code == status, answer.text
    assert status == 201 or answer.json()["code"] == "outage.same_person"


async def test_who_stated_its_end_does_not_confirm_it_either_and_it_must_have_ended(planning: Planning) -> None:
    outage = await state(planning, ended_at=None)
    assert (await confirm(planning, outage)).json()["code"] == "outage.lasts"
    ended = await post(planning, ward(planning), f"/v1/outages/{outage['id']}/end", ended_at=format_instant(ENDED), ended_by="Maja Test")
    assert (ended.status_code, ended.json()["ended_at"]) == (201, format_instant(ENDED))
    again = await post(planning, ward(planning), f"/v1/outages/{outage['id']}/end", ended_at=format_instant(BACK))
    assert (again.status_code, again.json()["code"]) == (409, "outage.ended")
    assert (await confirm(planning, outage)).json()["code"] == "outage.same_person"
    assert (await confirm(planning, outage, "Kim Test")).status_code == 201
    assert (await confirm(planning, outage, "Kim Test")).json()["code"] == "outage.confirmed"
    async with planning.database.transaction() as work:
        said = await work.connection.execute(text("SELECT what, person FROM outage_entries ORDER BY number"))
        assert [tuple(row) for row in said] == [("stated", "Anna Test"), ("ended", "Maja Test"), ("confirmed", "Kim Test")]


async def test_nobody_states_an_outage_of_other_units_and_a_municipality_none_of_everybody(planning: Planning) -> None:
    told = {"started_at": format_instant(BEGAN), "ended_at": format_instant(ENDED), "cause": "network"}
    assert (await post(planning, ward(planning), "/v1/outages", **told, unit=OTHER_WARD)).status_code == 403
    assert (await post(planning, ward(planning), "/v1/outages", **told, unit=WARD[:14])).status_code == 403
    assert (await post(planning, ward(planning), "/v1/outages", **told)).status_code == 201
    municipality = planning.municipality(GOTEBORG, "cases:write")
    assert (await post(planning, municipality, "/v1/outages", **told)).status_code == 403
    assert (await post(planning, municipality, "/v1/outages", **told, unit=GOTEBORG_UNIT)).status_code == 201


async def test_one_ward_ends_no_outage_of_another_one(planning: Planning) -> None:
    outage = await state(planning, ended_at=None)
    address = f"/v1/outages/{outage['id']}/end"
    assert (await post(planning, ward(planning, units=OTHER_WARD), address, ended_at=format_instant(ENDED))).status_code == 403
    assert (await post(planning, ward(planning), address, ended_at=format_instant(ENDED))).status_code == 201


async def test_a_municipality_confirms_nothing_and_an_unknown_outage_looks_the_same(planning: Planning) -> None:
    outage = await state(planning)
    who = bearer(
        planning.tokens.token(
            "kommun-1480", scopes=["reviews:decide"], role="municipality", organisation=GOTEBORG_NUMBER, municipality=GOTEBORG, units=[]
        )
    )
    foreign = await post(planning, who, f"/v1/outages/{outage['id']}/confirmation", confirmed_by="Maja Test")
    unknown = await post(planning, controller(planning), f"/v1/outages/{uuid4()}/confirmation", confirmed_by="Maja Test")
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.json()["code"] == unknown.json()["code"]


async def test_another_organisation_neither_sees_nor_ends_an_outage_of_its_units_and_those_who_pay_see_it_without_names(
    planning: Planning,
) -> None:
    outage = await state(planning, ended_at=None)
    other = ward(planning, "5560000001", "SE5560000001-E1")
    assert await outages(planning, other) == []
    answer = await post(planning, other, f"/v1/outages/{outage['id']}/end", ended_at=format_instant(ENDED))
    assert answer.status_code == 404
    (seen,) = await outages(planning, planning.municipality())
    assert (seen["id"], seen["stated_by"]) == (outage["id"], None)
    (own,) = await outages(planning, ward(planning))
    assert own["stated_by"] == "Anna Test"


@pytest.mark.parametrize(
    ("times", "pointer", "code"),
    [
        ({"ended_at": format_instant(BEGAN)}, "/ended_at", "out_of_order"),
        ({"ended_at": "2090-01-01T00:00:00Z"}, "/ended_at", "in_future"),
        ({"started_at": "2090-01-01T00:00:00Z", "ended_at": None}, "/started_at", "in_future"),
    ],
)
async def test_an_outage_ends_after_it_began_and_lies_in_the_past(
    planning: Planning, times: dict[str, str | None], pointer: str, code: str
) -> None:
    told = {"started_at": format_instant(BEGAN), "ended_at": format_instant(ENDED), "cause": "network"} | times
    answer = await post(planning, ward(planning), "/v1/outages", **{name: value for name, value in told.items() if value})
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": pointer, "code": code}])


@pytest.mark.parametrize(
    ("given", "code"),
    [("2026-11-03T14:04:59+01:00", "before_event"), ("2090-01-01T00:00:00Z", "in_future"), ("2026-11-03T15:00:00", "time.format")],
)
async def test_an_impossible_time_on_paper_is_told_by_its_place(planning: Planning, given: str, code: str) -> None:
    event = a_ward_event("stay.ready", {"given_on_paper_at": given}, time="2026-11-03T14:05:30+01:00")
    answer = await planning.tell(event)
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": "/data/given_on_paper_at", "code": code}])


async def test_a_clock_on_the_wall_shows_no_seconds_and_what_is_no_notice_is_not_given_on_paper(planning: Planning) -> None:
    time = "2026-03-02T14:05:30+01:00"
    accepted = await planning.tell(a_ward_event("stay.ready", {"given_on_paper_at": "2026-03-02T14:05:00+01:00"}, time=time))
    assert accepted.status_code == 201, accepted.text
    assert "paper_time_unconfirmed" in {finding["code"] for finding in accepted.json()["findings"]}
    refused = await planning.tell(a_ward_event("stay.leave_started", {"given_on_paper_at": time}, time=time, id="SU-2"))
    assert refused.json()["errors"] == [{"pointer": "/data/given_on_paper_at", "code": "unknown_field"}]


async def test_an_event_without_a_paper_time_asks_nothing_about_outages(planning: Planning) -> None:
    asked: list[str] = []
    async with planning.database.transaction() as work:
        engine = planning.database.engine.sync_engine

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            asked.append(statement)

        hooks.listen(engine, "before_cursor_execute", note)
        try:
            for number, data in enumerate(({}, {"given_on_paper_at": format_instant(BEGAN)})):
                before = len(asked)
                event = a_ward_event("stay.ready", data, id=f"SU-{number}", time=format_instant(BEGAN))
                await usecases.accept(work, [usecases.statement(event, CALLER, BACK, None)])
                assert any("outages" in one for one in asked[before:]) == bool(data)
        finally:
            hooks.remove(engine, "before_cursor_execute", note)
