"""What-if: rule sets compared on the same real months, as a job that any worker goes on with."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text

from services.billing.usecases.simulations import go_on
from services.billing.worker import simulate
from tests.integration.billing.parts import Billing, a_stay_fact
from tests.patience import until

WHO = "averages:read simulations:run"
BODY = {"profiles": ["law-2018", "vgr-2018"], "from": "2026-02", "to": "2026-03"}


def region(billing: Billing) -> dict[str, str]:
    return billing.token("controller", "controller", WHO)


def kommun(billing: Billing, code: str = "1480") -> dict[str, str]:
    return billing.token(f"kommun-{code}", "municipality", WHO, code)


async def months_with_stays(billing: Billing) -> None:
    """Göteborg's March 2026 with 2, 5, 6 and 7 days, Mölndal's with 4; nothing in February."""
    await billing.price()
    await billing.tell(*(a_stay_fact(days) for days in (2, 5, 6, 7)), a_stay_fact(4, municipality="1481"))


async def step(billing: Billing) -> bool:
    async with billing.database.transaction(billing.at) as work:
        return await go_on(work)


async def finish(billing: Billing) -> None:
    while await step(billing):
        pass


async def started(billing: Billing, who: dict[str, str], **changed: Any) -> str:
    answer = await billing.post("/v1/simulations", who, BODY | changed)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def test_a_job_ends_with_every_month_of_every_municipality_under_every_rule_set(billing: Billing) -> None:
    await months_with_stays(billing)
    job = await started(billing, region(billing))
    await finish(billing)
    told = (await billing.get(f"/v1/simulations/{job}", region(billing))).json()
    assert (told["state"], told["progress"], told["from"], told["to"]) == ("done", {"done": 6, "total": 6}, "2026-02", "2026-03")
    assert told["municipalities"] == ["1480", "1481", "1490"]
    goteborg = told["result"]["municipalities"][0]
    assert [month["month"] for month in goteborg["months"]] == ["2026-02", "2026-03"]
    march = {row["profile"]: row for row in goteborg["months"][1]["profiles"]}
    assert list(march) == ["in_force", "law-2018", "vgr-2018"]
    # The average model: 20 days over 4 stays, 8 above the free 12. The statute: three free days each, 2 + 3 + 4 days.
    assert (march["in_force"]["average"], march["in_force"]["excess_days"]) == ("5.000000", "8.000000")
    assert march["in_force"]["amount"] == march["vgr-2018"]["amount"] == {"amount": "96000.00", "currency": "SEK"}
    assert march["vgr-2018"]["difference"] == {"amount": "0.00", "currency": "SEK"}
    assert (march["law-2018"]["individual_days"], march["law-2018"]["excess_days"]) == (9, "0.000000")
    assert march["law-2018"]["difference"] == {"amount": "12000.00", "currency": "SEK"}


async def test_the_totals_are_the_sums_of_the_months(billing: Billing) -> None:
    await months_with_stays(billing)
    job = await started(billing, region(billing))
    await finish(billing)
    result = (await billing.get(f"/v1/simulations/{job}", region(billing))).json()["result"]
    for total in result["totals"]:
        rows = [
            row
            for municipality in result["municipalities"]
            for month in municipality["months"]
            for row in month["profiles"]
            if row["profile"] == total["profile"]
        ]
        assert len(rows) == 6
        assert total["stays"] == sum(row["stays"] for row in rows) == 5
        assert float(total["amount"]["amount"]) == sum(float(row["amount"]["amount"]) for row in rows)
        assert total["individual_days"] == sum(row["individual_days"] for row in rows)


async def test_a_missing_price_leaves_the_amount_unknown_and_says_in_how_many_months(billing: Billing) -> None:
    await billing.tell(*(a_stay_fact(days) for days in (2, 5, 6, 7)))
    job = await started(billing, region(billing))
    await finish(billing)
    totals = (await billing.get(f"/v1/simulations/{job}", region(billing))).json()["result"]["totals"]
    assert {(row["amount"], row["difference"], row["unpriced"]) for row in totals} == {(None, None, 1)}


async def test_progress_is_seen_and_the_table_only_at_the_end(billing: Billing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.billing.usecases.simulations.STAYS_AT_ONCE", 0)
    await months_with_stays(billing)
    job = await started(billing, region(billing))
    seen = []
    while await step(billing):
        told = (await billing.get(f"/v1/simulations/{job}", region(billing))).json()
        seen.append((told["state"], told["progress"]["done"], told["result"] is None))
    assert seen == [("running", 3, True), ("running", 4, True), ("running", 5, True), ("done", 6, False)]


async def test_however_it_is_cut_into_parts_the_result_is_the_same(billing: Billing, monkeypatch: pytest.MonkeyPatch) -> None:
    await months_with_stays(billing)
    jobs = []
    for room in (0, 3, 500):
        monkeypatch.setattr("services.billing.usecases.simulations.STAYS_AT_ONCE", room)
        jobs.append(await started(billing, region(billing)))
        await finish(billing)
    results = [(await billing.get(f"/v1/simulations/{job}", region(billing))).json()["result"] for job in jobs]
    assert results[0] == results[1] == results[2]


async def test_a_part_that_is_broken_off_leaves_nothing_and_is_done_by_the_next_worker(billing: Billing) -> None:
    await months_with_stays(billing)
    job = await started(billing, region(billing))

    class Killed(BaseException):
        """What no handler catches."""

    async def until_killed() -> None:
        async with billing.database.transaction(billing.at) as work:
            assert await go_on(work)
            raise Killed

    with pytest.raises(Killed):
        await until_killed()
    told = (await billing.get(f"/v1/simulations/{job}", region(billing))).json()
    assert (told["state"], told["progress"]["done"]) == ("queued", 0)
    await finish(billing)
    assert (await billing.get(f"/v1/simulations/{job}", region(billing))).json()["progress"]["done"] == 6


async def test_the_worker_takes_a_job_up_by_itself_and_ends_it(billing: Billing) -> None:
    await months_with_stays(billing)
    worker = asyncio.create_task(simulate(billing.database))
    job = await started(billing, region(billing))

    async def is_done() -> bool:
        return bool((await billing.get(f"/v1/simulations/{job}", region(billing))).json()["state"] == "done")

    await until(is_done)
    worker.cancel()
    with suppress(asyncio.CancelledError):
        await worker


async def test_two_workers_never_do_the_same_part(billing: Billing) -> None:
    await months_with_stays(billing)
    jobs = [await started(billing, region(billing)) for _ in range(2)]
    await asyncio.gather(finish(billing), finish(billing), finish(billing))
    await finish(billing)
    for job in jobs:
        assert (await billing.get(f"/v1/simulations/{job}", region(billing))).json()["progress"]["done"] == 6


async def test_while_one_worker_is_at_a_job_another_finds_nothing_of_it(billing: Billing) -> None:
    await months_with_stays(billing)
    await started(billing, region(billing))
    async with billing.database.transaction(billing.at) as first:
        assert await go_on(first)
        assert not await step(billing)


async def test_a_cancelled_job_is_not_gone_on_with_and_shows_no_table(billing: Billing) -> None:
    await months_with_stays(billing)
    job = await started(billing, region(billing))
    answer = await billing.post(f"/v1/simulations/{job}/cancel", region(billing), {})
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert not await step(billing)
    told = (await billing.get(f"/v1/simulations/{job}", region(billing))).json()
    assert (told["state"], told["result"]) == ("cancelled", None)
    again = await billing.post(f"/v1/simulations/{job}/cancel", region(billing), {})
    assert (again.status_code, again.json()["code"]) == (409, "simulation.ended")


async def test_a_job_that_is_done_cannot_be_cancelled(billing: Billing) -> None:
    job = await started(billing, region(billing))
    await finish(billing)
    answer = await billing.post(f"/v1/simulations/{job}/cancel", region(billing), {})
    assert (answer.status_code, answer.json()["code"]) == (409, "simulation.ended")


async def test_a_job_that_cannot_be_worked_out_fails_and_stands_in_nobodys_way(billing: Billing) -> None:
    await months_with_stays(billing)
    broken = await started(billing, region(billing))
    async with billing.database.transaction() as work:
        told = '{"from":"2026-02","municipalities":["1480"],"profiles":["gone"],"to":"2026-03"}'
        await work.connection.execute(text("UPDATE simulations SET request = :told"), {"told": told})
    sound = await started(billing, region(billing))
    await finish(billing)
    states = [(await billing.get(f"/v1/simulations/{job}", region(billing))).json()["state"] for job in (broken, sound)]
    assert states == ["failed", "done"]


@pytest.mark.parametrize("profile", ["nobody-2031", "", "IN_FORCE", "vgr-2018 "])
async def test_an_unknown_profile_is_refused_by_its_place(billing: Billing, profile: str) -> None:
    answer = await billing.post("/v1/simulations", region(billing), BODY | {"profiles": ["vgr-2018", profile]})
    assert answer.status_code == 422
    code, error = answer.json()["code"], answer.json()["errors"][0]
    assert (code, error["pointer"]) in {("simulation.profile_unknown", "/profiles/1"), ("request.malformed", "/profiles/1")}
    assert profile == "" or profile not in answer.text.replace("vgr-2018,", "").replace('vgr-2018"', "")


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"from": "2026-04", "to": "2026-03"}, "/to"),
        ({"from": "2026-04", "to": "2099-01"}, "/to"),
        ({"from": "2022-01", "to": "2025-01"}, "/from"),
        ({"from": "1900-01", "to": "2025-01"}, "/from"),
    ],
)
async def test_months_that_cannot_be_are_refused(billing: Billing, changed: dict[str, str], pointer: str) -> None:
    answer = await billing.post("/v1/simulations", region(billing), BODY | changed)
    assert (answer.status_code, answer.json()["code"]) == (422, "simulation.period_invalid")
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_thirty_six_months_are_not_too_many(billing: Billing) -> None:
    answer = await billing.post("/v1/simulations", region(billing), BODY | {"from": "2022-01", "to": "2024-12"})
    assert answer.status_code == 202


@pytest.mark.parametrize("profiles", [[], ["vgr-2018"] * 11, "vgr-2018", [7]])
async def test_one_to_ten_profiles_are_named(billing: Billing, profiles: Any) -> None:
    answer = await billing.post("/v1/simulations", region(billing), BODY | {"profiles": profiles})
    assert (answer.status_code, answer.json()["code"]) == (422, "request.malformed")


async def test_a_municipality_simulates_itself_only(billing: Billing) -> None:
    await months_with_stays(billing)
    job = await started(billing, kommun(billing))
    await finish(billing)
    told = (await billing.get(f"/v1/simulations/{job}", kommun(billing))).json()
    assert told["municipalities"] == ["1480"]
    assert [one["municipality"] for one in told["result"]["municipalities"]] == ["1480"]
    for codes in (["1481"], ["1480", "1481"], ["9999"]):
        answer = await billing.post("/v1/simulations", kommun(billing), BODY | {"municipalities": codes})
        assert answer.status_code == 404


async def test_a_simulation_of_others_looks_like_none(billing: Billing) -> None:
    jobs = {name: await started(billing, who) for name, who in (("region", region(billing)), ("1480", kommun(billing)))}
    unknown = await billing.get("/v1/simulations/01890a5d-ac96-774b-bcce-b302099a8057", region(billing))
    for job, reader in (
        (jobs["region"], kommun(billing)),
        (jobs["1480"], kommun(billing, "1481")),
        (jobs["1480"], region(billing)),
    ):
        answer = await billing.get(f"/v1/simulations/{job}", reader)
        assert (answer.status_code, answer.json()["code"]) == (404, unknown.json()["code"])
        answer = await billing.post(f"/v1/simulations/{job}/cancel", reader, {})
        assert answer.status_code == 404
    for reader, own in ((region(billing), "region"), (kommun(billing), "1480")):
        listed = (await billing.get("/v1/simulations", reader)).json()["simulations"]
        assert [one["id"] for one in listed] == [jobs[own]]
    assert (await billing.get("/v1/simulations", kommun(billing, "1481"))).json() == {"simulations": []}


async def test_a_ward_has_no_simulations(billing: Billing) -> None:
    who = billing.token("ward", "ward", WHO)
    assert (await billing.post("/v1/simulations", who, BODY)).status_code == 404
    assert (await billing.get("/v1/simulations", who)).status_code == 404


async def test_only_a_few_jobs_of_one_side_wait_at_once(billing: Billing) -> None:
    for _ in range(3):
        await started(billing, kommun(billing))
    answer = await billing.post("/v1/simulations", kommun(billing), BODY)
    assert (answer.status_code, answer.json()["code"]) == (409, "simulation.too_many")
    await started(billing, kommun(billing, "1481"))
    await started(billing, region(billing))


async def test_the_list_is_read_page_by_page_newest_first(billing: Billing) -> None:
    jobs = [await started(billing, region(billing)) for _ in range(3)]
    first = await billing.get("/v1/simulations", region(billing), limit=2)
    assert [one["id"] for one in first.json()["simulations"]] == jobs[:0:-1]
    behind = first.headers["Link"].partition("<")[2].partition(">")[0]
    rest = await billing.get(behind, region(billing))
    assert [one["id"] for one in rest.json()["simulations"]] == jobs[:1]
    assert "Link" not in rest.headers


async def test_the_same_request_twice_starts_one_job(billing: Billing) -> None:
    answers = [await billing.post("/v1/simulations", region(billing), BODY, key="one") for _ in range(2)]
    assert answers[0].text == answers[1].text
    assert len((await billing.get("/v1/simulations", region(billing))).json()["simulations"]) == 1


async def test_simulating_changes_nothing_that_is_billed(billing: Billing) -> None:
    await months_with_stays(billing)
    before = (await billing.get("/v1/months/2026-03/1480", billing.controller())).json()
    await started(billing, region(billing))
    await finish(billing)
    assert (await billing.get("/v1/months/2026-03/1480", billing.controller())).json() == before
