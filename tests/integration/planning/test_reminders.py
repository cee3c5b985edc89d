"""Deadlines that pass: who is reminded when, who is on call, and what history never does."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.planning import usecases
from services.planning.usecases import DirectoryEntries, MailboxAt, load_directory
from shared.dates import parse_instant
from shared.db import Database
from shared.http.auth import Caller
from shared.streams import due
from shared.streams.due import LeaseLost
from tests.builders import GOTEBORG, WARD, a_ward_event
from tests.integration.planning.conftest import GOTEBORG_NUMBER, GOTEBORG_UNIT, Planning
from tests.integration.planning.test_parties import municipality
from tests.services import REGION

CALLER = Caller("ward-su", REGION, (WARD,), frozenset({"events:write"}), "ward")
OFFICE = '{"start": "08:00", "end": "16:30"}'
WEEKLY = "{" + ", ".join(f'"{day}": [{OFFICE}]' for day in ("mon", "tue", "wed", "thu", "fri")) + ', "sat": [], "sun": []}'
MONDAY, FRIDAY_EVENING = parse_instant("2026-11-02T10:00:00+01:00"), parse_instant("2026-11-06T18:00:00+01:00")


async def tell(planning: Planning, kind: str, at: datetime, *, imported: datetime | None = None, **other: Any) -> None:
    """A ward states something at a moment of the test's own."""
    event = a_ward_event(kind, time=(imported or at).isoformat(), **other)
    async with planning.database.transaction(at) as work:
        await usecases.accept(work, [usecases.statement(event, CALLER, at, imported)])


async def look(planning: Planning, at: datetime) -> int:
    """What the worker does at a moment of the test's own: number, watch, and look at every case that has an appointment at all."""
    await planning.number()
    async with planning.database.transaction(at) as work:
        while await usecases.watch_deadlines(work):
            pass
        await work.connection.execute(text("UPDATE due_work SET due_at = clock_timestamp()"))
        appointed = await due.claim(work, usecases.DEADLINES, limit=100)
        for one in appointed:
            await usecases.remind(work, one)
        return len(appointed)


async def claims(database: Database) -> list[due.Claim]:
    async with database.transaction() as work:
        return await due.claim(work, usecases.DEADLINES, limit=5)


async def reminders(planning: Planning, mailbox: UUID | None = None) -> list[tuple[str, str]]:
    parameters = {} if mailbox is None else {"mailbox": str(mailbox)}
    entries = (await planning.mailbox(municipality(planning), **parameters))["entries"]
    return [(entry["about"]["rule"], entry["about"]["step"]) for entry in entries if entry["type"] == "notice.reminder"]


async def with_on_call(planning: Planning) -> tuple[UUID, UUID]:
    """Office hours for the municipality's mailbox, and an on-call mailbox outside them; both ids."""
    async with planning.database.transaction() as work:
        recipient = f"municipality:{GOTEBORG}"
        await load_directory(work, DirectoryEntries([], [], [MailboxAt(GOTEBORG_UNIT, GOTEBORG_NUMBER, recipient, "on_call")]))
        found = await work.connection.execute(text("SELECT function, id FROM mailboxes WHERE recipient = :who"), {"who": recipient})
        boxes = {row.function: row.id for row in found}
        await work.connection.execute(
            text("INSERT INTO duty_calendars (mailbox, weekly, holidays_closed, outside) VALUES (:box, CAST(:weekly AS jsonb), true, :o)"),
            {"box": boxes["municipality"], "weekly": WEEKLY, "o": boxes["on_call"]},
        )
    return boxes["municipality"], boxes["on_call"]


async def overdue(planning: Planning) -> list[dict[str, Any]]:
    await planning.number()
    statement = "SELECT CAST(body AS jsonb) AS body FROM feed_entries WHERE feed = 'facts' AND kind = 'duty.overdue' ORDER BY position"
    async with planning.database.transaction() as work:
        return list((await work.connection.execute(text(statement))).scalars())


async def test_a_notice_that_nobody_takes_on_is_reminded_of_before_and_after_its_time_and_then_never_again(planning: Planning) -> None:
    await tell(planning, "stay.admitted", MONDAY)
    await look(planning, MONDAY + timedelta(hours=1))
    assert await reminders(planning) == []
    await look(planning, MONDAY + timedelta(hours=20))
    assert await reminders(planning) == [("acknowledge", "soon_due")]
    for late in (24, 25, 48):
        await look(planning, MONDAY + timedelta(hours=late))
    assert await reminders(planning) == [("acknowledge", "soon_due"), ("acknowledge", "overdue")]
    late_units = {fact["unit"] for fact in await overdue(planning)}
    assert GOTEBORG_UNIT in late_units
    assert len(await overdue(planning)) == len(late_units)


async def test_what_was_done_in_time_reminds_nobody(planning: Planning) -> None:
    await tell(planning, "stay.admitted", MONDAY)
    who = municipality(planning)
    (notice,) = (await planning.mailbox(who))["entries"]
    await look(planning, MONDAY + timedelta(hours=1))
    await planning.http.post(f"/v1/notices/{notice['id']}/acknowledgement", headers=who, json={"acknowledged_by": "Anna Test"})
    await look(planning, MONDAY + timedelta(hours=30))
    assert await reminders(planning) == []


async def test_a_ready_notice_on_friday_evening_reaches_whoever_is_on_call_at_once(planning: Planning) -> None:
    own, on_call = await with_on_call(planning)
    await tell(planning, "stay.admitted", MONDAY)
    await tell(planning, "stay.ready", FRIDAY_EVENING, id="SU-2")
    await look(planning, FRIDAY_EVENING)
    assert ("acknowledge", "came_in") in await reminders(planning, on_call)
    entries = (await planning.mailbox(municipality(planning), mailbox=str(on_call)))["entries"]
    (told,) = [entry for entry in entries if entry["about"]["step"] == "came_in"]
    assert told["personal"]["person"]["name"] == {"given": "Test", "family": "Testsson"}
    assert ("acknowledge", "came_in") not in await reminders(planning, own)


async def test_a_deadline_stands_whoever_is_on_duty(planning: Planning) -> None:
    _own, on_call = await with_on_call(planning)
    await tell(planning, "stay.admitted", MONDAY)
    await tell(planning, "stay.ready", FRIDAY_EVENING, id="SU-2")
    saturday_evening = FRIDAY_EVENING + timedelta(hours=24)
    await look(planning, saturday_evening)
    assert ("answer_ward", "overdue") in await reminders(planning, on_call)
    answers = [fact for fact in await overdue(planning) if fact["rule"] == "answer_ward" and fact["unit"] == GOTEBORG_UNIT]
    assert [parse_instant(fact["due_at"]) for fact in answers] == [saturday_evening]
    assert answers[0]["told"] == str(on_call)


async def test_a_ready_notice_in_office_hours_bothers_nobody_on_call(planning: Planning) -> None:
    own, on_call = await with_on_call(planning)
    await tell(planning, "stay.admitted", MONDAY)
    await tell(planning, "stay.ready", MONDAY + timedelta(hours=1), id="SU-2")
    await look(planning, MONDAY + timedelta(hours=1))
    assert await reminders(planning, own) == await reminders(planning, on_call) == []


async def test_imported_history_reminds_nobody(planning: Planning) -> None:
    at = MONDAY + timedelta(days=3)
    await tell(planning, "stay.admitted", at, imported=MONDAY)
    await tell(planning, "stay.ready", at, imported=MONDAY + timedelta(hours=3), id="SU-2")
    assert await look(planning, at + timedelta(days=10)) == 0
    assert await reminders(planning) == []
    assert await overdue(planning) == []


async def test_what_happens_after_an_import_reminds_like_anything_else(planning: Planning) -> None:
    at = MONDAY + timedelta(days=3)
    await tell(planning, "stay.admitted", at, imported=MONDAY)
    await tell(planning, "stay.ready", at, id="SU-2")
    await look(planning, at + timedelta(hours=25))
    assert {rule for rule, _ in await reminders(planning)} == {"acknowledge", "answer_ward"}
    assert len([one for one in await reminders(planning) if one[0] == "acknowledge"]) == 1


async def test_a_worker_whose_lease_was_taken_over_reminds_nobody(planning: Planning) -> None:
    await tell(planning, "stay.admitted", MONDAY)
    await planning.number()
    async with planning.database.transaction(MONDAY) as work:
        await usecases.watch_deadlines(work)
        await work.connection.execute(text("UPDATE due_work SET due_at = clock_timestamp()"))
    (zombie,) = await claims(planning.database)
    async with planning.database.transaction() as work:
        await work.connection.execute(text("UPDATE due_work SET leased_until = clock_timestamp() - interval '1 ms'"))
    assert len(await claims(planning.database)) == 1
    with pytest.raises(LeaseLost):
        async with planning.database.transaction(MONDAY + timedelta(hours=30)) as work:
            await usecases.remind(work, zombie)
    assert await reminders(planning) == []


async def test_a_reminder_says_what_to_do_and_no_person(planning: Planning) -> None:
    await tell(planning, "stay.admitted", MONDAY)
    await look(planning, MONDAY + timedelta(hours=24))
    entries = (await planning.mailbox(municipality(planning)))["entries"]
    reminder = entries[-1]
    assert reminder["about"]["fulfilled_by"] == f"POST /v1/notices/{entries[0]['id']}/acknowledgement"
    assert (reminder["personal"], reminder["acknowledge_by"]) == (None, None)
    assert reminder["legal_basis"] == "lag (2017:612) 2 kap. 6 §"
