"""Rules change while facts come in: whichever is first, every stay counts by the rules that count when both are there."""

import asyncio

from dirigent.doctor.examining import look
from shared.dates import now
from shared.identifiers import uuid7
from tests.integration.billing.parts import Billing, a_stay_fact, apply
from tests.integration.billing.test_entered_agreements import with_threshold

PRICE = {"first": "2026-01-01", "last": "2026-12-31", "price": {"amount": "12000.00"}, "source": "Made up for a test"}


async def faults(billing: Billing) -> tuple[str, ...]:
    async with billing.database.transaction(now()) as work:
        return (await look(work, "billing")).faults


async def test_a_stay_that_comes_while_its_price_is_approved_is_not_left_without_price(billing: Billing) -> None:
    proposed = await billing.post("/v1/tariffs", billing.controller(), PRICE)
    async with billing.database.transaction(billing.at) as work:
        await apply(work, [a_stay_fact(12)])
        approval = asyncio.create_task(billing.post(f"/v1/tariffs/{proposed.json()['id']}/approval", billing.approver(), {}))
        await asyncio.sleep(0.5)
    assert (await approval).status_code == 200
    assert await faults(billing) == ()


async def test_a_stay_that_comes_while_a_rule_set_is_approved_counts_by_it(billing: Billing) -> None:
    await billing.price()
    told = with_threshold("3.0")
    told["average"][0]["long_over"]["value"] = 5
    proposed = await billing.post("/v1/agreements", billing.controller(), {"agreement": told, "source": "Made up for a test"})
    assert proposed.status_code == 201, proposed.text
    async with billing.database.transaction(billing.at) as work:
        await apply(work, [a_stay_fact(6)])
        approval = asyncio.create_task(billing.post(f"/v1/agreements/{proposed.json()['id']}/approval", billing.approver(), {}))
        await asyncio.sleep(0.5)
    assert (await approval).status_code == 200
    assert await faults(billing) == ()


async def test_a_known_stay_that_changes_while_its_price_is_approved_waits_for_nobody_who_waits_for_it(billing: Billing) -> None:
    case = uuid7()
    await billing.tell(a_stay_fact(12, case=case))
    proposed = await billing.post("/v1/tariffs", billing.controller(), PRICE)
    async with billing.database.transaction(billing.at) as work:
        await apply(work, [a_stay_fact(11, case=case, version=2)])
        approval = asyncio.create_task(billing.post(f"/v1/tariffs/{proposed.json()['id']}/approval", billing.approver(), {}))
        await asyncio.sleep(0.5)
        await apply(work, [a_stay_fact(10, municipality="1481")])
    assert (await approval).status_code == 200
    assert await faults(billing) == ()


async def test_a_dispute_and_a_stream_that_move_the_same_month_do_not_wait_for_each_other_for_ever(billing: Billing) -> None:
    first, second = a_stay_fact(12), a_stay_fact(9)
    await billing.price()
    await billing.tell(first, second)
    for action in ("prepare", "publish"):
        assert (await billing.step(action, billing.controller())).status_code == 200
    body = {"month": "2026-03", "case": str(second.case_id), "reason": "other", "explanation": "Not ours", "acted_by": "Kim"}
    async with billing.database.transaction(billing.at) as work:
        await apply(work, [first.model_copy(update={"case_version": 2})])
        debtor = billing.token("kommun", "municipality", "disputes:write", "1480")
        opened = asyncio.create_task(billing.post("/v1/disputes", debtor, body))
        await asyncio.sleep(0.5)
        await apply(work, [second.model_copy(update={"case_version": 2})])
    assert (await opened).status_code == 201
    assert await faults(billing) == ()
