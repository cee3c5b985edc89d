"""What the gathering is for: events that come together are committed together, and each is still answered for itself."""

import asyncio

from sqlalchemy import text

from tests.builders import a_ward_event
from tests.integration.planning.conftest import BOTH_WAYS, Planning

pytestmark = BOTH_WAYS
TOGETHER = 40


async def _transactions(planning: Planning) -> int:
    async with planning.database.transaction() as work:
        return int((await work.connection.execute(text("SELECT count(DISTINCT xmin::text) FROM events"))).scalar_one())


async def test_events_that_come_together_share_a_few_commits(planning: Planning, gathered: bool) -> None:
    events = [a_ward_event(subject=f"stay-{number}", id=f"SU-{number}") for number in range(TOGETHER)]
    answers = await asyncio.gather(*(planning.tell(event) for event in events))
    assert {answer.status_code for answer in answers} == {201}
    assert [answer.json()["event_id"] for answer in answers] == [event["id"] for event in events]
    transactions = await _transactions(planning)
    assert transactions <= TOGETHER // 8 if gathered else transactions == TOGETHER


async def test_new_and_known_stays_in_one_batch_are_told_apart(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    events = [
        a_ward_event("stay.ready", id="SU-2", time="2026-11-05T10:00:00+01:00"),
        a_ward_event(id="SU-3", subject="another-stay"),
        a_ward_event("stay.ready", id="SU-4", subject="another-stay", time="2026-11-05T11:00:00+01:00"),
    ]
    outcomes = (await planning.http.post("/v1/events/batch", json=events, headers=planning.ward)).json()["outcomes"]
    versions = {outcome["accepted"]["event_id"]: outcome["accepted"]["case_version"] for outcome in outcomes}
    assert versions == {"SU-2": 2, "SU-3": 1, "SU-4": 2}
    async with planning.database.transaction() as work:
        states = (await work.connection.execute(text("SELECT state, version FROM cases ORDER BY subject"))).all()
    assert [tuple(state) for state in states] == [("ready", 2), ("ready", 2)]


async def test_a_statement_prepared_on_an_empty_table_still_finds_its_rows_by_key(planning: Planning) -> None:
    async with planning.database.transaction() as work:
        plan = (
            (await work.connection.execute(text("EXPLAIN SELECT * FROM notices WHERE case_id = ANY(CAST('{}' AS uuid[]))"))).scalars().all()
        )
    assert not [line for line in plan if "Seq Scan" in line], plan
