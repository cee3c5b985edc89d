"""The live average: told once when it passes a threshold, foreseen where enough is known, and always what counting anew would give."""

import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from services.billing.agreements import agreement_files
from services.billing.domain.contested import Standing
from services.billing.domain.persons import Actor
from services.billing.repository import averages as rows
from services.billing.usecases.agreements import approve_agreement, propose_agreement
from services.billing.usecases.gathering import gather_one
from services.billing.usecases.ledger import recount, turn_month
from services.billing.usecases.recounting import months_that_differ, stays_that_differ
from services.billing.usecases.rollup import average_terms, plain_decimal, rebuild
from services.billing.usecases.rules import rules_now
from shared.dates import Month, format_instant
from shared.db import Work
from shared.events.facts import StayChanged
from shared.identifiers import uuid7
from tests.integration.billing.parts import Billing, a_stay_fact
from tests.integration.billing.test_the_ledger import a_random_story

MARCH = datetime(2026, 3, 21, 10, tzinfo=UTC)


async def told(billing: Billing) -> list[dict[str, Any]]:
    """The facts of averages that billing has put on its stream."""
    async with billing.database.transaction() as work:
        found = await work.connection.execute(text("SELECT body FROM outbox WHERE kind = 'average.passed' ORDER BY entry_id"))
        return [json.loads(body) for body in found.scalars()]


async def test_an_average_above_a_threshold_is_told_once(billing: Billing) -> None:
    await billing.tell(a_stay_fact(2), a_stay_fact(3), at=MARCH)
    assert await told(billing) == []  # exactly 2.5 is not above it
    await billing.tell(a_stay_fact(4), at=MARCH)
    (fact,) = await told(billing)
    assert (fact["municipality"], fact["month"], fact["threshold"], fact["average"], fact["stays"]) == (
        "1480",
        "2026-03",
        "2.5",
        "3.000000",
        3,
    )
    await billing.tell(a_stay_fact(0), at=MARCH)
    await billing.tell(a_stay_fact(7), a_stay_fact(7), at=MARCH)
    assert [fact["threshold"] for fact in await told(billing)] == ["2.5", "3.0"]
    await billing.tell(a_stay_fact(7), at=MARCH)
    assert len(await told(billing)) == 2


async def test_who_asks_for_the_average_sees_what_it_passed_and_others_do_not(billing: Billing) -> None:
    await billing.tell(a_stay_fact(6), at=MARCH)

    async def seen(who: dict[str, str]) -> list[tuple[str, str, int]]:
        averages = (await billing.get("/v1/averages", who, month="2026-03")).json()["averages"]
        return [(one["threshold"], one["average"], one["stays"]) for row in averages for one in row["passed"]]

    both = [("2.5", "6.000000", 1), ("3.0", "6.000000", 1)]
    assert [await seen(who) for who in (billing.controller(), billing.municipality(), billing.municipality("1481"))] == [both, both, []]
    await billing.price()
    assert (await billing.close_month()).status_code == 200
    assert await seen(billing.municipality("1481")) == []
    span = {"from": "2026-02", "to": "2026-04"}
    history = (await billing.get("/v1/averages/1480", billing.municipality(), **span)).json()["averages"]
    assert [[one["threshold"] for one in row["passed"]] for row in history if row["month"] == "2026-03"] == [["2.5", "3.0"]]
    assert history[0]["passed"][0]["passed_at"] == format_instant(MARCH)


async def test_each_municipality_and_month_has_its_own_thresholds(billing: Billing) -> None:
    await billing.tell(a_stay_fact(6), a_stay_fact(6, municipality="1481"), at=MARCH)
    april = datetime(2026, 4, 21, 10, tzinfo=UTC)
    await billing.tell(a_stay_fact(6, discharged="2026-04-20T10:00"), at=april)
    found = [(fact["municipality"], fact["month"], fact["threshold"]) for fact in await told(billing)]
    assert found == [
        (code, month, above) for code, month in (("1480", "2026-03"), ("1481", "2026-03"), ("1480", "2026-04")) for above in ("2.5", "3.0")
    ]


async def test_what_comes_in_on_the_first_days_of_a_month_alarms_of_the_one_before_and_of_no_older_one(billing: Billing) -> None:
    late = datetime(2026, 4, 2, 10, tzinfo=UTC)
    await billing.tell(a_stay_fact(6), a_stay_fact(6, discharged="2026-02-20T10:00"), at=late)
    assert {fact["month"] for fact in await told(billing)} == {"2026-03"}


async def test_an_alert_that_is_rolled_back_was_never_told(billing: Billing) -> None:
    async def fail() -> None:
        async with billing.database.transaction(MARCH) as work:
            await rows.lock(work, {("1480", Month(2026, 3))})
            assert await rows.keep_alerts(work, [rows.Alert("1480", Month(2026, 3), Fraction(3), Fraction(4), 1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await billing.tell(a_stay_fact(6), at=MARCH)
    assert len(await told(billing)) == 2


@pytest.mark.parametrize(("value", "written"), [(Fraction(3), "3.0"), (Fraction(5, 2), "2.5"), (Fraction(11, 4), "2.75")])
def test_a_threshold_is_written_as_in_the_agreement(value: Fraction, written: str) -> None:
    assert plain_decimal(value) == written


async def test_a_municipality_with_few_stays_has_no_forecast_and_is_told_why(billing: Billing) -> None:
    await billing.tell(gone(billing, 3), at=billing.at)
    row = await running(billing)
    assert (row["forecast"], row["forecast_missing"]) == (None, "few_stays")
    assert row["if_all_left_now"]["stays"] == 1


async def test_the_forecast_says_its_method_its_basis_and_its_error(billing: Billing) -> None:
    this_month = Month.of(billing.at.date())
    month, facts = this_month, []
    for _ in range(6):
        month = month.previous
        facts += [
            a_stay_fact(days, discharged=f"{month}-{day:02d}T10:00") for day, days in ((3, 1), (9, 2), (15, 3), (20, 4), (25, 2), (28, 6))
        ]
    await billing.price(f"{this_month.year - 1}-01-01", f"{this_month.year + 1}-12-31")
    await billing.tell(*facts, gone(billing, 4), waiting(billing, 2), at=billing.at)
    row = await running(billing)
    found = row["forecast"]
    assert row["forecast_missing"] is None
    assert (found["months"], found["past_stays"]) == (6, 36)
    assert found["stays"] >= 1
    assert found["method"]["sv"].startswith("Det som avslutats")
    assert found["method"]["en"].startswith("What has ended")
    assert found["error"]["months"] >= 1
    assert float(found["error"]["mean_absolute_days"]) >= 0
    assert found["amount"]["currency"] == "SEK"


async def test_the_forecast_is_for_the_region_and_the_municipality_itself(billing: Billing) -> None:
    await billing.tell(gone(billing, 3), at=billing.at)
    month = str(Month.of(billing.at.date()))
    others = (await billing.get("/v1/averages", billing.municipality("1481"), month=month)).json()["averages"]
    assert [row["municipality"] for row in others] == ["1481"]


async def test_one_municipality_over_several_months_has_a_forecast_for_the_running_one_alone(billing: Billing) -> None:
    this_month = Month.of(billing.at.date())
    await billing.tell(gone(billing, 3), a_stay_fact(2, discharged=f"{this_month.previous}-10T10:00"), at=billing.at)
    path = f"/v1/averages/1480?from={this_month.previous}&to={this_month}"
    found = (await billing.get(path, billing.controller())).json()["averages"]
    assert [(row["month"], row["if_all_left_now"] is None) for row in found] == [(str(this_month.previous), True), (str(this_month), False)]


async def test_every_derived_number_is_what_counting_anew_gives_and_a_changed_one_is_found(billing: Billing) -> None:
    random, at = Random(11), datetime(2026, 6, 15, 10, tzinfo=UTC)
    await billing.price()
    for _ in range(8):
        await billing.tell(*(version for _ in range(12) for version in a_random_story(random)), at=at)
    async with billing.database.transaction(at) as work:
        assert (await stays_that_differ(work), await months_that_differ(work)) == ([], [])
        case = (await work.connection.execute(text("UPDATE stay_months SET days = days + 1 WHERE ended RETURNING case_id"))).scalars().all()
        assert set(await stays_that_differ(work)) == set(case)
        await work.connection.execute(text("UPDATE averages SET in_average = in_average + 1 WHERE municipality = '1481'"))
        assert {code for code, _ in await months_that_differ(work)} == {"1481"}
        await work.connection.rollback()


async def test_a_patient_who_waits_over_the_end_of_a_month_is_no_fault_until_the_month_is_turned(billing: Billing) -> None:
    before, after = datetime(2026, 3, 31, 10, tzinfo=UTC), datetime(2026, 4, 1, 10, tzinfo=UTC)
    await billing.tell(a_stay_fact(None, ready="2026-03-10T09:00", discharged=None), at=before)
    for _ in range(2):
        async with billing.database.transaction(after) as work:
            assert (await stays_that_differ(work), await months_that_differ(work)) == ([], [])
        async with billing.database.transaction(after) as work:
            await turn_month(work)


async def test_a_contested_month_is_calculated_as_a_whole(billing: Billing) -> None:
    await billing.price()
    long, short = a_stay_fact(12), a_stay_fact(2)
    await billing.tell(long, short, at=MARCH)
    at = datetime(2026, 4, 10, 10, tzinfo=UTC)
    async with billing.database.transaction(at) as work:
        await recount(work, {long.case_id})
        counted = (await rows.of_month(work, Month(2026, 3)))["1480"]
        assert counted.amount_ore == 9 * 1_200_000
        await contest(work, long)
        await recount(work, {long.case_id})
        lower = (await rows.of_month(work, Month(2026, 3)))["1480"]
        basis = (await gather_one(work, "1480", Month(2026, 3))).basis()
        assert [claim.standing for claim in (await gather_one(work, "1480", Month(2026, 3))).claims] == [Standing.UNDECIDED]
        assert lower.amount_ore == 0
        assert basis.amount is not None
        assert basis.amount.ore == 0
        assert await months_that_differ(work) == []


async def contest(work: Work, fact: StayChanged) -> None:
    await work.connection.execute(
        text(
            "INSERT INTO disputes (id, municipality, month, case_id, reason, explanation, client, person, opened_at) "
            "VALUES (:id, '1480', '2026-03-01', :case, 'readiness_contested', 'x', 'kommun-1480', 'Handläggare', :at)"
        ),
        {"id": uuid7(), "case": fact.case_id, "at": work.at},
    )


async def test_a_rule_set_that_looks_back_recounts_the_month_after_the_one_that_moved(billing: Billing) -> None:
    """Under the next-month model the average of March decides over April, so that what moves March moves April with it."""
    at = datetime(2026, 5, 10, 10, tzinfo=UTC)
    await agree_on(billing, "next-month-trigger", at)
    await billing.tell(a_stay_fact(6, discharged="2026-04-20T10:00"), at=at)
    async with billing.database.transaction(at) as work:
        assert average_terms(await rules_now(work), "1480", Month(2026, 4)) is None
        assert (await rows.of_month(work, Month(2026, 4)))["1480"].individual_days == 0
    await billing.tell(a_stay_fact(7), at=at)
    async with billing.database.transaction(at) as work:
        assert (await rows.of_month(work, Month(2026, 4)))["1480"].individual_days == 3
        assert await months_that_differ(work) == []


@pytest.mark.parametrize("profile", ["stockholm-2020", "average3-generic", "next-month-trigger", "vgr-2018"])
async def test_under_every_rule_set_the_rollup_is_what_counting_anew_gives(billing: Billing, profile: str) -> None:
    random, at = Random(5), datetime(2026, 6, 15, 10, tzinfo=UTC)
    await billing.price()
    await agree_on(billing, profile, at)
    facts = [version for _ in range(40) for version in a_random_story(random)]
    random.shuffle(facts)
    while facts:
        await billing.tell(*facts[:25], at=at)
        facts = facts[25:]
    async with billing.database.transaction(at) as work:
        assert (await stays_that_differ(work), await months_that_differ(work)) == ([], [])
        before = await rows.everything(work)
        assert sum(one.stays for one in before) > 10
        assert await rebuild(work, await rules_now(work)) == len(before)
        assert await rows.everything(work) == before


async def agree_on(billing: Billing, profile: str, at: datetime) -> None:
    """Let the region and its municipalities agree on another rule set in the place of theirs."""
    shipped = {file.name: file.model_dump(mode="json", exclude_none=True) for file in agreement_files()}
    place = ("name", "title", "first", "parties", "region")
    told = shipped[profile] | {name: shipped["vgr-2018"][name] for name in place}
    told.pop("only_for_simulation", None)
    async with billing.database.transaction(at) as work:
        proposed = await propose_agreement(work, told, "Made up for a test", Actor("controller", "Controller"))
        assert proposed.row is not None
        await approve_agreement(work, proposed.row.id, Actor("approver", "Attestant"))


def gone(billing: Billing, days: int) -> StayChanged:
    """A stay that ended today."""
    fact = waiting(billing, days)
    return fact.model_copy(update={"case_id": uuid7(), "discharged_at": billing.at})


def waiting(billing: Billing, days: int) -> StayChanged:
    """A patient who has waited some days by now."""
    since = (billing.at - timedelta(days=days)).date().isoformat()
    return a_stay_fact(None, ready=f"{since}T09:00", discharged=None)


async def running(billing: Billing) -> dict[str, Any]:
    month = str(Month.of(billing.at.date()))
    found: dict[str, Any] = (await billing.get("/v1/averages", billing.controller(), month=month)).json()["averages"][0]
    return found
