"""The explanation over HTTP: of a kept calculation whatever came in later, of an open month as it would be, logged, and fast."""

import json
from time import perf_counter
from typing import Any

from sqlalchemy import text

from services.billing.domain.verifying import verify
from shared.dates import now
from tests.integration.billing.parts import Billing, a_stay_fact, an_invitation

PATH = "/v1/months/2026-03/1480/explanation"
TEN_TIMES_THE_PROMISE = 2.0
KEPT_WITHOUT_INPUTS = """
    INSERT INTO calculations (municipality, month, version, sha256, agreement, amount_ore, body, prepared_at)
    SELECT municipality, month, version + 1, sha256, agreement, amount_ore, body, prepared_at FROM calculations
"""
LOGGED = "SELECT body FROM outbox WHERE feed = 'access' AND kind = 'explanation.read'"


async def explanation(billing: Billing) -> dict[str, Any]:
    answer = await billing.get(PATH, billing.municipality())
    assert answer.status_code == 200, answer.text
    assert verify(answer.text) is None
    found: dict[str, Any] = answer.json()
    return found


async def test_an_open_month_is_explained_as_it_would_be(billing: Billing) -> None:
    await billing.price()
    await billing.tell(*[a_stay_fact(days) for days in (2, 5, 6, 7)])
    told = await explanation(billing)
    assert (told["calculation"]["version"], told["result"]["amount"], told["documents"]) == (None, "96000.00", [])
    assert [one["name"] for one in told["agreements"]] == ["vgr-2018"]
    threshold = told["agreements"][0]["average"][0]["threshold"]
    assert (threshold["value"], threshold["mark"]) == ("3.0", "A")
    assert threshold["unit"]
    assert threshold["source"]


async def test_a_kept_calculation_is_explained_by_what_it_was_made_from(billing: Billing) -> None:
    await billing.price()
    stays = [a_stay_fact(days, sip_required=True) for days in (2, 5, 6, 7)]
    await billing.tell(*stays, *[an_invitation(stay.case_id, "2026-03-17T09:00") for stay in stays])
    assert (await billing.step("prepare", billing.controller())).status_code == 200
    before = await explanation(billing)
    await billing.tell(stays[0].model_copy(update={"case_version": 2, "cancelled": True}))
    assert await explanation(billing) == before
    month = (await billing.get("/v1/months/2026-03/1480", billing.controller())).json()
    assert month["outdated"] is True
    assert before["calculation"] == before["calculation"] | month["calculation"]


async def test_a_calculation_from_before_inputs_were_kept_is_explained_by_what_was_known_when_it_was_made(billing: Billing) -> None:
    await billing.price()
    stays = [a_stay_fact(days) for days in (2, 5, 6, 7)]
    await billing.tell(*stays)
    prepared = (await billing.step("prepare", billing.controller())).json()
    async with billing.database.transaction() as work:
        await work.connection.execute(text(KEPT_WITHOUT_INPUTS))
        await work.connection.execute(text("UPDATE months SET version = version + 1"))
    await billing.tell(stays[0].model_copy(update={"case_version": 2, "cancelled": True}), at=now())
    told = await explanation(billing)
    assert told["calculation"]["sha256"] == prepared["calculation"]["sha256"]


async def test_the_stays_that_a_reader_sees_in_it_are_logged(billing: Billing) -> None:
    stay = a_stay_fact(5)
    await billing.tell(stay)
    await explanation(billing)
    async with billing.database.transaction() as work:
        logged = (await work.connection.execute(text(LOGGED))).scalars()
    assert [json.loads(one)["cases"] for one in logged] == [[str(stay.case_id)]]


async def test_a_month_of_two_hundred_stays_is_explained_at_once(billing: Billing) -> None:
    await billing.price()
    await billing.tell(*[a_stay_fact(number % 13) for number in range(200)])
    assert (await billing.step("prepare", billing.controller())).status_code == 200
    took = []
    for _ in range(3):
        began = perf_counter()
        assert (await billing.get(PATH, billing.controller())).status_code == 200
        took.append(perf_counter() - began)
    assert min(took) < TEN_TIMES_THE_PROMISE
