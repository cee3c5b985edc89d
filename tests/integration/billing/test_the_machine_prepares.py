"""The machine prepares by itself what is over and at rest; from then on it takes two persons, and it never undoes a person's step."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.billing.domain.preparing import MachineTerms
from services.billing.settings import Settings
from services.billing.usecases import Debtor, enter_debtors
from services.billing.usecases.preparing import due_months, prepare_by_machine
from services.billing.worker import prepare_due, prepare_months
from shared.dates import Month, local_date
from tests.integration.billing.parts import DEBTORS, Billing, a_stay_fact, local

TERMS = MachineTerms(3, timedelta(minutes=60))
TOLD = local("2026-04-04T08:00")
DUE = local("2026-04-04T09:30")
ALL = {debtor.municipality: "prepared" for debtor in DEBTORS}


async def runs(billing: Billing, at: datetime, terms: MachineTerms = TERMS, looked: dict[Any, datetime] | None = None) -> None:
    await prepare_due(billing.database, terms, {} if looked is None else looked, at)


async def states(billing: Billing, month: str = "2026-03") -> dict[str, str]:
    found = (await billing.get(f"/v1/months/{month}", billing.controller())).json()["months"]
    return {one["municipality"]: one["state"] for one in found if one["state"] != "open"}


async def version(billing: Billing, code: str = "1480") -> int:
    return int((await billing.get(f"/v1/months/2026-03/{code}", billing.controller())).json()["calculation"]["version"])


async def actions(billing: Billing, code: str = "1480") -> list[tuple[str, str, str]]:
    async with billing.database.transaction() as work:
        statement = text(
            "SELECT action, client, person FROM month_actions WHERE municipality = :code AND month = '2026-03-01' ORDER BY at, id"
        )
        return [(row.action, row.client, row.person) for row in await work.connection.execute(statement, {"code": code})]


async def test_a_month_is_prepared_by_itself_three_days_after_its_end_for_every_debtor(billing: Billing) -> None:
    await billing.price()
    await billing.tell(a_stay_fact(12), at=local("2026-03-21T08:00"))
    await runs(billing, local("2026-04-03T23:59"))
    assert await states(billing) == {}
    await runs(billing, local("2026-04-04T00:01"))
    assert await states(billing) == ALL
    assert await actions(billing) == [("prepare", "dirigent", "dirigent (maskin)")]


async def test_a_month_waits_until_no_stay_of_it_has_come_in_for_an_hour(billing: Billing) -> None:
    await billing.tell(a_stay_fact(12), at=TOLD)
    await billing.tell(a_stay_fact(12, municipality="1490"), at=TOLD + timedelta(minutes=30))
    for minutes in (0, 59, 60, 89):
        await runs(billing, TOLD + timedelta(minutes=minutes))
        assert await states(billing) == {}, minutes
    await runs(billing, TOLD + timedelta(minutes=91))
    assert await states(billing) == ALL


async def test_stays_of_other_months_hold_nothing_up(billing: Billing) -> None:
    await billing.tell(a_stay_fact(12), at=local("2026-03-21T08:00"))
    await billing.tell(a_stay_fact(2, discharged="2026-04-04T07:00"), a_stay_fact(2, discharged="2026-02-20T11:00"), at=TOLD)
    await runs(billing, TOLD + timedelta(minutes=1))
    assert await states(billing) == ALL


async def test_a_system_that_has_heard_of_no_stay_yet_prepares_nothing(billing: Billing) -> None:
    await runs(billing, DUE)
    await billing.tell(a_stay_fact(2, discharged="2026-04-04T07:00"), at=DUE)
    await runs(billing, DUE + timedelta(minutes=59))
    assert await states(billing) == {}


async def test_only_the_month_that_ended_last_unless_a_first_month_is_set(billing: Billing) -> None:
    await billing.tell(a_stay_fact(12, discharged="2026-01-20T11:00"), at=local("2026-03-21T08:00"))
    await runs(billing, DUE)
    assert (await states(billing, "2026-02"), await states(billing, "2026-03")) == ({}, ALL)
    await runs(billing, DUE, MachineTerms(3, timedelta(minutes=60), Month(2026, 1)))
    assert [await states(billing, month) for month in ("2025-12", "2026-01", "2026-02")] == [{}, ALL, ALL]


async def test_what_the_machine_prepared_is_prepared_anew_a_day_later_when_facts_moved(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await billing.tell(stay, at=local("2026-03-21T08:00"))
    await runs(billing, DUE)
    await billing.tell(stay.model_copy(update={"case_version": 2, "discharged_at": local("2026-03-25T11:00")}), at=DUE)
    await runs(billing, DUE + timedelta(hours=23))
    assert await version(billing) == 1
    await runs(billing, DUE + timedelta(hours=24))
    assert (await version(billing), await version(billing, "1481")) == (2, 1)
    assert [client for _, client, _ in await actions(billing)] == ["dirigent", "dirigent"]


async def test_what_did_not_move_is_looked_at_once_a_day_and_left_as_it_is(billing: Billing) -> None:
    await billing.tell(a_stay_fact(12), at=local("2026-03-21T08:00"))
    looked: dict[Any, datetime] = {}
    await runs(billing, DUE, looked=looked)
    first = dict(looked)
    await runs(billing, DUE + timedelta(hours=1), looked=looked)
    assert looked == first
    await runs(billing, DUE + timedelta(days=1), looked=looked)
    assert set(looked.values()) == {DUE + timedelta(days=1)}
    assert await actions(billing) == [("prepare", "dirigent", "dirigent (maskin)")]


@pytest.mark.parametrize("steps", [["prepare"], ["prepare", "publish"]])
async def test_the_machine_leaves_alone_what_a_person_has_touched(billing: Billing, steps: list[str]) -> None:
    await billing.price()
    stay = a_stay_fact(12)
    await billing.tell(stay, at=local("2026-03-21T08:00"))
    for step in steps:
        assert (await billing.step(step, billing.controller())).status_code == 200
    before = await states(billing)
    await billing.tell(
        stay.model_copy(update={"case_version": 2, "discharged_at": local("2026-03-25T11:00")}), at=local("2026-03-26T08:00")
    )
    async with billing.database.transaction() as work:
        later = work.at + timedelta(days=3)
    await runs(billing, later, MachineTerms(3, timedelta(minutes=60), Month(2026, 3)))
    assert (await states(billing))["1480"] == before["1480"]
    assert [client for _, client, _ in await actions(billing)] == ["controller"] * len(steps)


async def test_a_person_who_publishes_while_the_machine_is_on_its_way_is_not_undone(billing: Billing) -> None:
    await billing.price()
    stay = a_stay_fact(12)
    await billing.tell(stay, at=local("2026-03-21T08:00"))
    async with billing.database.transaction(DUE) as work:
        assert ("1480", Month(2026, 3)) in await due_months(work, TERMS)
    for step in ("prepare", "publish"):
        assert (await billing.step(step, billing.controller())).status_code == 200
    await billing.tell(stay.model_copy(update={"case_version": 2, "discharged_at": local("2026-03-25T11:00")}), at=DUE)
    async with billing.database.transaction(DUE) as work:
        assert await prepare_by_machine(work, "1480", Month(2026, 3), TERMS) is None
    assert await states(billing) == {"1480": "published"}


async def test_after_the_machine_publishing_and_approving_take_two_persons(billing: Billing) -> None:
    await billing.price()
    await billing.tell(a_stay_fact(12), at=local("2026-03-21T08:00"))
    await runs(billing, DUE)
    billing.calculations["1480"] = (await billing.get("/v1/months/2026-03/1480", billing.controller())).json()["calculation"]
    both = billing.token("one", "approver", "months:publish months:approve averages:read")
    assert (await billing.step("publish", both, acted_by="Anna Test")).status_code == 200
    assert (await billing.step("sign", billing.municipality())).status_code == 200
    refused = await billing.step("approve", both, acted_by="anna test")
    assert (refused.status_code, refused.json()["code"]) == (409, "month.same_person")
    assert (await billing.step("approve", both, acted_by="Berit Test")).status_code == 200


async def test_two_workers_at_once_prepare_a_month_once(billing: Billing) -> None:
    await billing.tell(a_stay_fact(12), at=local("2026-03-21T08:00"))
    await asyncio.gather(*(runs(billing, DUE) for _ in range(3)))
    assert await states(billing) == ALL
    assert await actions(billing) == [("prepare", "dirigent", "dirigent (maskin)")]


async def test_a_person_who_prepares_the_same_month_finds_the_machine_s_calculation(billing: Billing) -> None:
    await billing.tell(a_stay_fact(12), at=local("2026-03-21T08:00"))
    await runs(billing, DUE)
    answer = await billing.step("prepare", billing.controller())
    assert (answer.status_code, answer.json()["calculation"]["version"]) == (200, 1)


async def test_a_month_that_cannot_be_prepared_stops_no_other_and_is_not_tried_again_at_once(billing: Billing) -> None:
    """Before 2018 no rule set was in force: nothing could be calculated for a debtor that had been entered for that time."""
    await billing.tell(a_stay_fact(12, discharged="2017-11-20T11:00"), at=local("2017-11-21T08:00"))
    async with billing.database.transaction() as work:
        await enter_debtors(work, [Debtor("1440", "Ale", "2120001439", date(2010, 1, 1))])
    looked: dict[Any, datetime] = {}
    at = local("2018-02-05T08:00")
    await runs(billing, at, MachineTerms(3, timedelta(minutes=60), Month(2017, 11)), looked)
    assert looked[("1440", Month(2017, 11))] == at
    assert await states(billing, "2017-11") == {}
    assert await states(billing, "2018-01") == ALL | {"1440": "prepared"}


async def test_the_loop_prepares_the_month_that_ended_last_until_it_is_cancelled(billing: Billing) -> None:
    async with billing.database.transaction() as work:
        at, last = work.at, Month.of(local_date(work.at)).previous
    await billing.tell(a_stay_fact(2, discharged=f"{last}-20T11:00"), at=at - timedelta(hours=2))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(prepare_months(MachineTerms(0, timedelta(minutes=60)), billing.database), 2)
    assert await states(billing, str(last)) == ALL


async def test_the_settings_say_when(billing: Billing) -> None:
    settings: Settings = billing.app.state.settings
    assert settings.preparing == TERMS
    told = settings.model_copy(update={"prepare_after_days": 5, "prepare_quiet_minutes": 0, "prepare_from": "2026-02"})
    assert told.preparing == MachineTerms(5, timedelta(0), Month(2026, 2))
