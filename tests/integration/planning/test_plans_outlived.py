"""A plan without a stay that came to its end keeps who it was for no longer than a stay would."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.planning import usecases
from services.planning.usecases import Outlived
from tests.builders import a_ward_event
from tests.integration.planning.conftest import GOTEBORG_UNIT, Planning
from tests.integration.planning.plan_calls import ADULT, care, done, get, municipality, post
from tests.integration.planning.test_audit_and_person_rights import SOUGHT, a_stay

NONE = Outlived(0, 0)


async def a_plan(planning: Planning, **about: Any) -> str:
    told = {"person": ADULT, "kind": "sip", "consent": "given"} | about
    return str((await done(post(planning, care(planning), "/v1/plans", told)))["id"])


async def ended(planning: Planning, plan: str, state: str = "closed") -> None:
    async with planning.database.transaction() as work:
        await work.connection.execute(text("UPDATE plans SET state = :state WHERE id = CAST(:id AS uuid)"), {"state": state, "id": plan})


async def outlived(planning: Planning, **ago: float) -> tuple[Outlived, int]:
    """How much would be erased of what was not touched for so long, and how much then is."""
    async with planning.database.transaction() as work:
        before = work.at - timedelta(**ago) if ago else work.at + timedelta(seconds=1)
        counted = await usecases.count_outlived(work, before)
        return counted, await usecases.erase_outlived(work, before, basis="retention", limit=10)


async def person_of(planning: Planning, plan: str) -> dict[str, Any]:
    shown = await get(planning, care(planning), f"/v1/plans/{plan}")
    return dict(shown["person"])


@pytest.mark.parametrize("state", ["closed", "refused", "withdrawn"])
async def test_a_plan_without_a_stay_that_is_over_for_long_enough_forgets_whose_it_was(planning: Planning, state: str) -> None:
    plan = await a_plan(planning)
    await done(post(planning, care(planning), f"/v1/plans/{plan}/invitations", {"units": [GOTEBORG_UNIT]}))
    await planning.number()
    assert await outlived(planning) == (NONE, 0), "it is open"
    await ended(planning, plan, state)
    assert await outlived(planning, hours=1) == (NONE, 0), "it was touched since"
    assert (await person_of(planning, plan))["id"] == ADULT["id"]
    assert await outlived(planning) == (Outlived(0, 1), 1)
    assert await person_of(planning, plan) == {"type": None, "id": None, "name": None}
    (called,) = (await get(planning, municipality(planning), "/v1/notices"))["entries"]
    assert called["personal"]["withheld"] == "erased", "nor does the mailbox of whoever was called say it"
    assert await outlived(planning) == (NONE, 0), "once"
    async with planning.database.transaction() as work:
        kept = (await work.connection.execute(text("SELECT person_id FROM plans"))).scalars().all()
    assert kept == [None]


async def test_what_was_said_in_a_plan_later_keeps_it_longer(planning: Planning) -> None:
    plan = await a_plan(planning)
    await ended(planning, plan)
    async with planning.database.transaction() as work:
        await work.connection.execute(text("UPDATE plans SET created_at = created_at - interval '2 hours'"))
    assert await outlived(planning, hours=1) == (NONE, 0), "it was opened long ago, and spoken of just now"
    assert await outlived(planning) == (Outlived(0, 1), 1)


async def test_a_plan_is_kept_while_another_of_hers_is_open(planning: Planning) -> None:
    plan, other = await a_plan(planning), await a_plan(planning)
    await ended(planning, plan)
    assert await outlived(planning) == (NONE, 0)
    await ended(planning, other)
    assert await outlived(planning) == (Outlived(0, 2), 2)


async def test_a_plan_is_kept_while_she_is_cared_for(planning: Planning) -> None:
    plan = await a_plan(planning)
    await ended(planning, plan)
    await a_stay(planning, over=False)
    assert await outlived(planning) == (NONE, 0)
    left = await planning.tell(a_ward_event("stay.discharged", {}, id="SU-9", time="2026-11-09T10:00:00+01:00"))
    assert left.status_code == 201, left.text
    assert await outlived(planning) == (Outlived(1, 1), 2)
    assert (await planning.http.post("/v1/cases/search", json=SOUGHT, headers=planning.ward)).json() == {"cases": []}


async def test_no_more_is_erased_at_once_than_was_asked_for(planning: Planning) -> None:
    for plan in [await a_plan(planning) for _ in range(3)]:
        await ended(planning, plan)
    await a_stay(planning)
    erased = []
    for _ in range(3):
        async with planning.database.transaction() as work:
            erased.append(await usecases.erase_outlived(work, work.at + timedelta(seconds=1), basis="retention", limit=2))
    assert erased == [2, 2, 0]
