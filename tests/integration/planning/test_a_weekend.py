"""From Friday evening to Monday, told at chosen instants: who is reminded of what, and that neither deadlines nor billing notice it."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from shared.dates import parse_instant
from tests.integration.planning.conftest import Planning
from tests.integration.planning.test_parties import municipality
from tests.integration.planning.test_reminders import look, overdue, reminders, tell, with_on_call

MONDAY = parse_instant("2026-11-02T10:00:00+01:00")
FRIDAY_EVENING = parse_instant("2026-11-06T18:00:00+01:00")
SUNDAY_NOON = parse_instant("2026-11-08T12:00:00+01:00")
CHRISTMAS_DAY = parse_instant("2026-12-25T10:00:00+01:00")  # a Friday in office hours
CAME_IN: Final = [("acknowledge", "came_in")]
SOON: Final = [("acknowledge", "soon_due"), ("answer_ward", "soon_due")]
LATE: Final = [("acknowledge", "overdue"), ("answer_ward", "overdue")]
ESCALATED: Final = [("acknowledge", "escalated")]


async def ready(planning: Planning, at: datetime, *, subject: str = "SU-STAY-1") -> None:
    """A patient who was admitted and taken on in good time becomes ready."""
    await tell(planning, "stay.admitted", at - timedelta(days=3), id=f"{subject}-1", subject=subject)
    who = municipality(planning)
    newest = (await planning.mailbox(who, **await own_mailbox(planning)))["entries"][-1]
    taken = await planning.http.post(f"/v1/notices/{newest['id']}/acknowledgement", headers=who, json={"acknowledged_by": "Anna Test"})
    assert taken.status_code == 201, taken.text
    await tell(planning, "stay.ready", at, id=f"{subject}-2", subject=subject)


async def own_mailbox(planning: Planning) -> dict[str, str]:
    boxes = (await planning.http.get("/v1/mailboxes", headers=municipality(planning))).json()["mailboxes"]
    return {"mailbox": next(box["id"] for box in boxes if box["function"] == "municipality")}


async def brought(planning: Planning, at: datetime, *mailboxes: UUID) -> list[list[tuple[str, str]]]:
    """What each mailbox has been reminded of once the worker has looked at an instant."""
    await look(planning, at)
    return [sorted(await reminders(planning, mailbox)) for mailbox in mailboxes]


async def stays_told(planning: Planning) -> list[Any]:
    """What billing is told of stays, without what makes two stays different stays."""
    statement = "SELECT CAST(body AS jsonb) - 'case_id' - 'subject' AS body FROM feed_entries WHERE kind = 'stay.changed' ORDER BY position"
    async with planning.database.transaction() as work:
        return list((await work.connection.execute(text(statement))).scalars())


async def test_over_the_weekend_every_step_is_brought_to_whoever_is_on_call(planning: Planning) -> None:
    own, on_call = await with_on_call(planning)
    await ready(planning, FRIDAY_EVENING)
    for hours, told in ((0, CAME_IN), (20, CAME_IN + SOON), (24, CAME_IN + SOON + LATE), (40, CAME_IN + SOON + LATE + ESCALATED)):
        assert await brought(planning, FRIDAY_EVENING + timedelta(hours=hours), own, on_call) == [[], sorted(told)], hours


async def test_on_monday_the_office_is_reminded_again(planning: Planning) -> None:
    own, on_call = await with_on_call(planning)
    await ready(planning, SUNDAY_NOON)
    assert await brought(planning, SUNDAY_NOON, own, on_call) == [[], CAME_IN]
    assert await brought(planning, SUNDAY_NOON + timedelta(hours=20), own, on_call) == [SOON, CAME_IN], "Monday 08:00, the office opens"
    assert await brought(planning, SUNDAY_NOON + timedelta(hours=24), own, on_call) == [sorted(SOON + LATE), CAME_IN]


async def test_a_holiday_is_no_office_day_whatever_weekday_it_is(planning: Planning) -> None:
    own, on_call = await with_on_call(planning)
    await ready(planning, CHRISTMAS_DAY)
    assert await brought(planning, CHRISTMAS_DAY, own, on_call) == [[], CAME_IN]


async def test_a_weekend_moves_no_deadline_and_nothing_that_billing_hears(planning: Planning) -> None:
    """The same story twice, once read at all times and once in office hours only."""
    await ready(planning, FRIDAY_EVENING, subject="SU-STAY-1")
    await look(planning, FRIDAY_EVENING + timedelta(days=2))
    attended, told = await overdue(planning), await stays_told(planning)
    assert {parse_instant(fact["due_at"]) for fact in attended} >= {FRIDAY_EVENING + timedelta(hours=24)}
    _own, on_call = await with_on_call(planning)
    await ready(planning, FRIDAY_EVENING, subject="SU-STAY-2")
    await look(planning, FRIDAY_EVENING + timedelta(days=2))
    closed = (await overdue(planning))[len(attended) :]
    assert {fact["told"] for fact in closed if fact["rule"] == "answer_ward"} >= {str(on_call)}
    shape = [{(fact["rule"], fact["unit"], fact["due_at"]) for fact in facts} for facts in (attended, closed)]
    assert shape[0] == shape[1]
    assert (await stays_told(planning))[len(told) :] == told
