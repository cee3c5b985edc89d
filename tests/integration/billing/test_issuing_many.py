"""One step for many months beside a step for one: no deadlock, and what the database breaks off is told and leaves nothing behind."""

import asyncio
from typing import Any

from sqlalchemy import text

from services.billing.repository.invoices import next_number
from shared.db import Role
from tests.integration.billing.parts import Billing, a_stay_fact
from tests.patience import until

ISSUER = "2321000131"
CODES = ("1480", "1481")
_BLOCKED = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' ORDER BY pid")


async def approved_months(billing: Billing) -> dict[str, Any]:
    """Two months ready to be issued, and the body that issues both."""
    await billing.price()
    for code in CODES:
        await billing.tell(a_stay_fact(12, municipality=code))
        for action, who in (
            ("prepare", billing.controller()),
            ("publish", billing.controller()),
            ("sign", billing.municipality(code)),
            ("approve", billing.approver()),
        ):
            assert (await billing.step(action, who, code=code)).status_code == 200
    items = [{"municipality": code, "calculation": billing.calculations[code]} for code in CODES]
    return {"action": "issue", "items": items}


async def blocked(billing: Billing) -> list[int]:
    async with billing.database.transaction(role=Role.APP) as work:
        return list((await work.connection.execute(_BLOCKED)).scalars())


async def wait_for_blocked(billing: Billing, number: int) -> None:
    async def are() -> bool:
        return len(await blocked(billing)) == number

    await until(are)


async def a_series(billing: Billing) -> None:
    """A series whose row is there already, so that it can be held."""
    async with billing.database.transaction(billing.at) as work:
        await next_number(work, ISSUER, billing.at.year)


async def test_issuing_many_and_issuing_one_of_them_do_not_wait_for_each_other_for_ever(billing: Billing) -> None:
    body = await approved_months(billing)
    await a_series(billing)
    async with billing.database.transaction(billing.at) as work:
        await next_number(work, ISSUER, billing.at.year)
        many = asyncio.create_task(billing.post("/v1/months/2026-03/actions", billing.approver(), body))
        await wait_for_blocked(billing, 1)
        one = asyncio.create_task(billing.step("issue", billing.finance(), code="1481"))
        await wait_for_blocked(billing, 2)
    first, second = await many, await one
    assert (first.status_code, [outcome["status"] for outcome in first.json()["outcomes"]]) == (200, ["done", "done"])
    assert (second.status_code, second.json()["code"]) == (409, "month.state")
    numbers = [outcome["month"]["invoice"][-6:] for outcome in first.json()["outcomes"]]
    assert numbers == ["000003", "000004"]


async def test_a_step_for_many_that_the_database_breaks_off_says_so_and_can_be_repeated_whole(billing: Billing) -> None:
    body = await approved_months(billing)
    await a_series(billing)
    async with billing.database.transaction(billing.at) as work:
        await next_number(work, ISSUER, billing.at.year)
        broken = asyncio.create_task(billing.post("/v1/months/2026-03/actions", billing.approver(), body, "issue-all"))
        await wait_for_blocked(billing, 1)
        (pid,) = await blocked(billing)
        async with billing.database.transaction(role=Role.APP) as canceller:
            await canceller.connection.execute(text("SELECT pg_cancel_backend(:pid)"), {"pid": pid})
        answer = await broken
    assert (answer.status_code, answer.json()["code"]) == (503, "service.unavailable")
    assert answer.headers["retry-after"]
    states = {row["municipality"]: row["state"] for row in (await billing.get("/v1/months/2026-03", billing.finance())).json()["months"]}
    assert [states[code] for code in CODES] == ["approved", "approved"]
    again = await billing.post("/v1/months/2026-03/actions", billing.approver(), body, "issue-all")
    assert [outcome["status"] for outcome in again.json()["outcomes"]] == ["done", "done"]


async def test_a_municipality_nobody_knows_gets_no_month(billing: Billing) -> None:
    items = [{"municipality": "9999"}]
    answer = await billing.post("/v1/months/2026-03/actions", billing.controller(), {"action": "prepare", "items": items})
    assert [outcome["code"] for outcome in answer.json()["outcomes"]] == ["not_found"]
    async with billing.database.transaction() as work:
        assert (await work.connection.execute(text("SELECT count(*) FROM months"))).scalar_one() == 0
