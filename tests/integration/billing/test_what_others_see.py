"""Averages: the region and the municipality itself see everything, others see closed months and no lone patient in them."""

from typing import Any

from shared.events.facts import Fact
from tests.integration.billing.parts import Billing, a_stay_fact

FIGURES = ("stays", "in_average", "sum_days", "average", "excess_days", "long_stays", "individual_days", "exposure")


async def seen(billing: Billing, who: dict[str, str], month: str = "2026-03") -> dict[str, dict[str, Any]]:
    answer = await billing.get("/v1/averages", who, month=month)
    assert answer.status_code == 200, answer.text
    return {row["municipality"]: row for row in answer.json()["averages"]}


def figures(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in FIGURES if row[name] is not None}


async def closed(billing: Billing, *facts: Fact, code: str = "1480") -> dict[str, Any]:
    """Close a month on these stays; what a neighbour sees of it."""
    await billing.price()
    await billing.tell(*facts)
    answer = await billing.close_month(code=code)
    assert answer.status_code == 200, answer.text
    return (await seen(billing, billing.municipality("1490")))[code]


async def test_a_month_that_is_over_but_not_closed_is_shown_to_its_own_readers_only(billing: Billing) -> None:
    await billing.price()
    await billing.tell(*(a_stay_fact(days) for days in (1, 2, 3, 4, 6)))
    neighbour = billing.municipality("1481")
    for action, who in (
        ("prepare", billing.controller()),
        ("publish", billing.controller()),
        ("sign", billing.municipality()),
        ("approve", billing.approver()),
        ("issue", billing.finance()),
    ):
        assert list(await seen(billing, neighbour)) == ["1481"], action
        assert (await seen(billing, billing.municipality()))["1480"]["stays"] == 5
        assert len(await seen(billing, billing.controller())) == 3
        assert (await billing.step(action, who)).status_code == 200
    assert sorted(await seen(billing, neighbour)) == ["1480", "1481"]
    row = (await billing.get("/v1/averages/1480", neighbour, **{"from": "2026-01", "to": "2026-12"})).json()
    assert [(one["month"], one["average"], one["in_average"]) for one in row["averages"]] == [("2026-03", "3.200000", 5)]


async def test_a_closed_month_of_short_stays_is_shown_whole_but_for_who_still_waits(billing: Billing) -> None:
    row = await closed(billing, *(a_stay_fact(days) for days in (1, 2, 3, 4, 6)))
    assert (row["small_group"], row["suppressed"], row["open_stays"], row["forecast"]) == (False, False, None, None)
    assert (row["stays"], row["sum_days"], row["excess_days"], row["long_stays"]) == (5, 16, 1, 0)
    assert row["exposure"] == {"days": 1, "amount": {"amount": "12000.00", "currency": "SEK"}}


async def test_a_closed_month_of_four_stays_is_a_small_group(billing: Billing) -> None:
    row = await closed(billing, *(a_stay_fact(days) for days in (1, 2, 6, 7)))
    assert (row["small_group"], row["suppressed"], figures(row)) == (True, True, {})


async def test_a_lone_long_patient_is_in_no_figure_and_in_no_difference(billing: Billing) -> None:
    row = await closed(billing, *(a_stay_fact(days) for days in (1, 2, 3, 4, 6, 30)))
    assert (row["small_group"], row["suppressed"]) == (False, True)
    assert figures(row) == {"in_average": 5, "sum_days": 16, "average": "3.200000", "excess_days": 1}


async def test_a_lone_patient_beside_long_ones_is_in_no_figure_and_in_no_difference(billing: Billing) -> None:
    row = await closed(billing, *(a_stay_fact(days) for days in (2, 8, 9, 10, 11, 12)))
    assert (row["small_group"], row["suppressed"]) == (False, True)
    assert figures(row) == {"long_stays": 5, "individual_days": 35}


async def test_a_lone_patient_who_is_still_there_is_not_shown_by_her_days(billing: Billing) -> None:
    still_there = a_stay_fact(None, ready="2026-03-05T09:00", discharged=None)
    row = await closed(billing, *(a_stay_fact(days) for days in (1, 2, 3, 4, 6)), still_there)
    assert figures(row) == {"in_average": 5, "sum_days": 16, "average": "3.200000", "excess_days": 1}


async def test_a_patient_who_comes_after_a_month_was_closed_is_not_told_by_the_change(billing: Billing) -> None:
    before = await closed(billing, *(a_stay_fact(days) for days in (1, 2, 3, 4, 6)))
    await billing.tell(a_stay_fact(7))
    assert (await seen(billing, billing.municipality("1490")))["1480"] == before
    assert (await seen(billing, billing.municipality()))["1480"]["stays"] == 6


async def test_a_month_that_is_over_is_complete_although_nobody_was_ready_in_it(billing: Billing) -> None:
    await billing.tell(a_stay_fact(5))
    assert {code: row["complete"] for code, row in (await seen(billing, billing.controller())).items()} == dict.fromkeys(
        ("1480", "1481", "1490"), True
    )
    running = f"{billing.at.year}-{billing.at.month:02d}"
    assert not (await seen(billing, billing.controller(), running))["1490"]["complete"]
