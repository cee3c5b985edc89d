"""What planning makes known when nobody does anything: notices that nobody takes on, mailboxes that nobody reads."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.planning import usecases
from shared.dates import now, parse_instant
from tests.builders import GOTEBORG, a_ward_event
from tests.integration.planning.conftest import GOTEBORG_NUMBER, GOTEBORG_UNIT, Planning
from tests.integration.planning.test_audit_and_person_rights import erase
from tests.integration.planning.test_parties import municipality
from tests.integration.planning.test_reminders import CALLER, MONDAY, look, reminders, tell, with_on_call

A_DAY = timedelta(hours=24)


async def facts(planning: Planning, kind: str) -> list[dict[str, Any]]:
    await planning.number()
    statement = "SELECT CAST(body AS jsonb) AS body FROM feed_entries WHERE feed = 'facts' AND kind = :kind ORDER BY position"
    async with planning.database.transaction() as work:
        return list((await work.connection.execute(text(statement), {"kind": kind})).scalars())


async def escalated(planning: Planning, unit: str = GOTEBORG_UNIT) -> list[dict[str, Any]]:
    return [fact for fact in await facts(planning, "notice.escalated") if fact["unit"] == unit]


async def test_a_notice_that_nobody_takes_on_is_escalated_step_by_step_each_once(planning: Planning) -> None:
    await tell(planning, "stay.admitted", MONDAY)
    await look(planning, MONDAY + timedelta(hours=23))
    assert await escalated(planning) == []
    for late, steps in ((24, ["contact"]), (27, ["contact"]), (28, ["contact", "on_call"]), (48, ["contact", "on_call", "operator"])):
        await look(planning, MONDAY + timedelta(hours=late))
        assert [fact["step"] for fact in await escalated(planning)] == steps
    await look(planning, MONDAY + timedelta(hours=100))
    found = await escalated(planning)
    assert [fact["step"] for fact in found] == ["contact", "on_call", "operator"]
    assert {fact["notice_type"] for fact in found} == {"notice.admission"}
    assert {(fact["organisation"], fact["fetched"], fact["told"]) for fact in found} == {(GOTEBORG_NUMBER, False, None)}
    assert {parse_instant(fact["due_at"]) for fact in found} == {MONDAY + A_DAY}
    assert "Test" not in str(found)


async def test_whoever_is_on_call_gets_it_in_its_own_mailbox_whatever_the_hour(planning: Planning) -> None:
    own, on_call = await with_on_call(planning)
    await tell(planning, "stay.admitted", MONDAY)
    await look(planning, MONDAY + timedelta(hours=28))
    assert [(fact["step"], fact["told"]) for fact in await escalated(planning)] == [("contact", None), ("on_call", str(on_call))]
    async with planning.database.transaction() as work:
        unit = (await work.connection.execute(text("SELECT unit FROM mailboxes WHERE id = :id"), {"id": on_call})).scalar_one()
    assert [fact["told_unit"] for fact in await escalated(planning)] == [None, unit]
    assert ("acknowledge", "escalated") in await reminders(planning, on_call)
    assert ("acknowledge", "escalated") not in await reminders(planning, own)


async def test_what_was_taken_on_returned_or_superseded_goes_no_further(planning: Planning) -> None:
    await tell(planning, "stay.admitted", MONDAY)
    who = municipality(planning)
    (notice,) = (await planning.mailbox(who))["entries"]
    await look(planning, MONDAY + timedelta(hours=24))
    assert [(fact["step"], fact["fetched"]) for fact in await escalated(planning)] == [("contact", True)]
    await planning.http.post(f"/v1/notices/{notice['id']}/acknowledgement", headers=who, json={"acknowledged_by": "Anna Test"})
    await look(planning, MONDAY + timedelta(hours=100))
    assert len(await escalated(planning)) == 1
    changed = {**a_ward_event("stay.admitted")["data"], "corrects": "SU-1"}
    await tell(planning, "stay.admitted", MONDAY + timedelta(hours=101), id="SU-9", data=changed)
    superseding = [fact for fact in await facts(planning, "notice.sent") if fact["supersedes"] == notice["id"]]
    assert all(fact["acknowledge_by"] for fact in superseding)


async def test_of_a_person_who_was_erased_nothing_goes_further_and_that_is_told(planning: Planning) -> None:
    await tell(planning, "stay.admitted", MONDAY)
    await look(planning, MONDAY + timedelta(hours=24))
    await tell(planning, "stay.discharged", MONDAY + timedelta(hours=25), id="SU-9", data={})
    who = municipality(planning)
    notices = (await planning.mailbox(who))["entries"]
    taken_on = next(notice["id"] for notice in notices if notice["type"] == "notice.discharged")
    await planning.http.post(f"/v1/notices/{taken_on}/acknowledgement", headers=who, json={"acknowledged_by": "Anna Test"})
    before = [fact["step"] for fact in await facts(planning, "notice.escalated")]
    assert (await erase(planning)).status_code == 201
    told = await facts(planning, "notice.erased")
    assert {fact["notice_id"] for fact in told} >= {notice["id"] for notice in notices if notice["type"] == "notice.admission"}
    assert taken_on not in {fact["notice_id"] for fact in told}
    assert {fact["case_id"] for fact in told} == {notices[0]["case_id"]}
    await look(planning, MONDAY + timedelta(hours=100))
    assert [fact["step"] for fact in await facts(planning, "notice.escalated")] == before == ["contact"] * len(before)


async def test_imported_history_is_never_escalated(planning: Planning) -> None:
    at = parse_instant("2026-11-02T10:00:00+01:00")
    event = a_ward_event("stay.admitted", time=at.isoformat())
    async with planning.database.transaction(at + timedelta(days=10)) as work:
        await usecases.accept(work, [usecases.statement(event, CALLER, at + timedelta(days=10), at)])
    await look(planning, at + timedelta(days=20))
    assert await facts(planning, "notice.escalated") == []


async def silence(planning: Planning, after: timedelta) -> list[dict[str, Any]]:
    """What the worker tells of mailboxes so long from now."""
    async with planning.database.transaction(now() + after) as work:
        await usecases.tell_of_silence(work, A_DAY)
    return await facts(planning, "mailbox.silent")


async def test_a_mailbox_that_nobody_reads_is_told_once_until_it_is_read_again(planning: Planning) -> None:
    await planning.tell(a_ward_event("stay.admitted"))
    assert await silence(planning, timedelta(hours=23)) == []
    found = await silence(planning, timedelta(hours=25))
    ours = [fact for fact in found if fact["organisation"] == GOTEBORG_NUMBER]
    assert [(fact["unit"], fact["municipality"], fact["waiting"]) for fact in ours] == [(GOTEBORG_UNIT, GOTEBORG, 1)]
    assert await silence(planning, timedelta(hours=26)) == found
    assert await silence(planning, timedelta(days=9)) == found
    await planning.mailbox(planning.municipality())
    async with planning.database.transaction() as work:
        await work.connection.execute(
            text("UPDATE mailboxes SET last_polled_at = last_polled_at + interval '10 days' WHERE last_polled_at IS NOT NULL")
        )
    assert len(await silence(planning, timedelta(days=10, hours=23))) == len(found)
    again = [fact for fact in await silence(planning, timedelta(days=11, hours=1)) if fact["organisation"] == GOTEBORG_NUMBER]
    assert [fact["waiting"] for fact in again] == [1, 0]
    assert UUID(again[1]["mailbox"]) == UUID(ours[0]["mailbox"])


async def test_two_workers_that_look_at_once_tell_of_a_silence_once(planning: Planning) -> None:
    await planning.tell(a_ward_event("stay.admitted"))

    async def look_late() -> int:
        async with planning.database.transaction(now() + timedelta(hours=25)) as work:
            told = await usecases.tell_of_silence(work, A_DAY)
            await asyncio.sleep(0.3)
            return told

    told = await asyncio.gather(look_late(), look_late())
    assert min(told) == 0
    assert len(await facts(planning, "mailbox.silent")) == max(told) > 0


async def test_a_mailbox_that_was_never_read_and_got_nothing_or_only_history_is_not_told_of(planning: Planning) -> None:
    at = now() - timedelta(days=20)
    event = a_ward_event("stay.admitted", time=at.isoformat())
    async with planning.database.transaction() as work:
        await usecases.accept(work, [usecases.statement(event, CALLER, work.at, at)])
    assert await silence(planning, timedelta(days=5)) == []
