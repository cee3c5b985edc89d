"""Contacts and escalations: who is written to, what is open, and when it is over."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from services.notifications import usecases
from shared.dates import now
from shared.db import Database
from shared.events.alarm_facts import MailboxSilent
from shared.events.command_facts import NoticeAcknowledged, NoticeErased, NoticeReturned
from shared.events.facts import MailboxPolled
from shared.identifiers import uuid7
from tests.integration.notifications.parts import ORGANISATION, a_notice, a_subscription, change, rows
from tests.integration.notifications.told import ADDRESS, BOX, OTHER_UNIT, UNIT, Telling, escalated, mails, waiting


async def test_an_escalation_is_open_goes_up_writes_to_its_contacts_and_ends(telling: Telling) -> None:
    who = telling.who()
    stated = await telling.contacts(
        who, {"email": "first@kommun.se"}, {"email": "boss@kommun.se", "from_step": "operator", "language": "en"}
    )
    assert [one["email"] for one in stated.json()["contacts"]] == ["first@kommun.se", "boss@kommun.se"]
    notice = waiting()
    before = REGISTRY.get_sample_value("dirigent_operator_events_total", {"what": "notice.escalated_to_operator"}) or 0
    await telling.hear(notice, escalated(notice, "contact"), escalated(notice, "contact"))
    (shown,) = await telling.open(who)
    assert (shown["kind"], shown["about"], shown["step"], shown["delivered"]) == (
        "notice.unacknowledged",
        str(notice.notice_id),
        "contact",
        False,
    )
    await telling.hear(escalated(notice, "operator", fetched=True), escalated(notice, "on_call"))
    (raised,) = await telling.open(who)
    assert (raised["id"], raised["step"], raised["delivered"]) == (shown["id"], "operator", True)
    written = await mails(telling.database)
    assert [mail.recipient for mail in written] == ["first@kommun.se", "first@kommun.se", "boss@kommun.se"]
    assert str(notice.case_id) not in str(written)
    assert (REGISTRY.get_sample_value("dirigent_operator_events_total", {"what": "notice.escalated_to_operator"}) or 0) == before + 1
    acknowledged = NoticeAcknowledged(
        notice_id=notice.notice_id, notice_type=notice.notice_type, recipient="municipality:1480", acknowledged_at=now()
    )
    await telling.hear(acknowledged)
    assert await telling.open(who) == []
    assert await rows(telling.database, "SELECT * FROM waiting_notices") == []


@pytest.mark.parametrize("ending", ["returned", "superseded", "erased"])
async def test_what_was_returned_superseded_or_erased_is_over_as_well(telling: Telling, ending: str) -> None:
    notice = waiting()
    await telling.hear(notice, escalated(notice, "contact"))
    returned = NoticeReturned(
        notice_id=notice.notice_id, notice_type=notice.notice_type, case_id=uuid7(), recipient="municipality:1480", returned_at=now()
    )
    erased = NoticeErased(notice_id=notice.notice_id, notice_type=notice.notice_type, case_id=None, erased_at=now())
    superseding = waiting(supersedes=notice.notice_id, history=True)
    await telling.hear({"returned": returned, "superseded": superseding, "erased": erased}[ending])
    assert await telling.open(telling.who()) == []
    (closed,) = await rows(telling.database, "SELECT closed_by FROM escalations")
    assert closed.closed_by == ending


async def test_whether_a_webhook_has_it_counts_as_delivered(telling: Telling) -> None:
    await a_subscription(telling.database, "http://127.0.0.1:9/")
    notice = waiting()
    await telling.hear(notice)
    await change(telling.database, "UPDATE deliveries SET state = 'delivered'")
    await telling.hear(escalated(notice, "contact"))
    (shown,) = await telling.open(telling.who())
    assert shown["delivered"] is True


async def test_contacts_of_the_mailbox_on_call_are_written_to_in_its_step(telling: Telling) -> None:
    on_call = str(uuid7())
    narrow = telling.who(OTHER_UNIT, client="on-call")
    await telling.contacts(narrow, {"email": ADDRESS, "mailbox": on_call, "from_step": "on_call"})
    notice = waiting()
    await telling.hear(notice, escalated(notice, "contact"))
    assert await mails(telling.database) == []
    await telling.hear(escalated(notice, "on_call", told=on_call, told_unit=OTHER_UNIT))
    assert [mail.recipient for mail in await mails(telling.database)] == [ADDRESS]


async def test_escalations_and_contacts_are_their_units_own(telling: Telling) -> None:
    narrow, other, wide = telling.who(UNIT, client="narrow"), telling.who(OTHER_UNIT, client="other"), telling.who(client="wide")
    elsewhere = telling.who(organisation="2120001363", client="else")
    for who, email in ((narrow, "n@kommun.se"), (other, "o@kommun.se"), (elsewhere, "e@kommun.se")):
        assert (await telling.contacts(who, {"email": email})).status_code == 200
    notice = waiting()
    await telling.hear(notice, escalated(notice, "contact"))
    assert [len(await telling.open(who)) for who in (narrow, wide, other, elsewhere)] == [1, 1, 0, 0]
    assert [mail.recipient for mail in await mails(telling.database)] == ["n@kommun.se"]
    assert (await telling.http.get("/v1/contacts", headers=wide)).json() == {"contacts": []}
    assert (await telling.contacts(narrow)).json() == {"contacts": []}
    assert len((await telling.http.get("/v1/contacts", headers=other)).json()["contacts"]) == 1


async def test_a_long_list_of_escalations_is_read_page_by_page(telling: Telling) -> None:
    notices = [waiting() for _ in range(3)]
    await telling.hear(*notices, *(escalated(notice, "contact") for notice in notices))
    first = await telling.http.get("/v1/escalations?limit=2", headers=telling.who())
    path = first.headers["link"].partition(">")[0].removeprefix("<")
    second = await telling.http.get(path, headers=telling.who())
    found = first.json()["escalations"] + second.json()["escalations"]
    assert [one["about"] for one in found] == [str(notice.notice_id) for notice in notices]
    assert "link" not in second.headers


async def test_a_silent_mailbox_is_an_escalation_until_it_is_read(telling: Telling) -> None:
    who = telling.who()
    await telling.contacts(who, {"email": ADDRESS, "mailbox": BOX}, {"email": "x@kommun.se", "mailbox": str(uuid7())})
    silent = MailboxSilent(mailbox=BOX, organisation=ORGANISATION, unit=UNIT, since=now(), waiting=2, told_at=now())
    await telling.hear(silent, silent)
    (shown,) = await telling.open(who)
    assert (shown["kind"], shown["mailbox"]) == ("mailbox.silent", BOX)
    assert [mail.recipient for mail in await mails(telling.database)] == [ADDRESS]
    await telling.hear(MailboxPolled(mailbox=BOX, organisation=ORGANISATION, polled_at=now()))
    assert await telling.open(who) == []


async def troubles(telling: Telling) -> int:
    async with telling.database.transaction() as work:
        return await usecases.watch_webhooks(work)


async def test_a_webhook_that_was_given_up_or_ended_is_an_escalation_until_it_is_well(telling: Telling) -> None:
    row, _ = await a_subscription(telling.database, "http://127.0.0.1:9/")
    await telling.contacts(telling.who(), {"email": ADDRESS})
    await telling.hear(a_notice(unit=UNIT, mailbox=BOX))
    assert await troubles(telling) == 0
    await change(telling.database, "UPDATE deliveries SET state = 'exhausted'")
    assert [await troubles(telling), await troubles(telling)] == [1, 0]
    (shown,) = await telling.open(telling.who())
    assert (shown["kind"], UUID(shown["about"])) == ("webhook.exhausted", row["id"])
    assert await telling.open(telling.who(UNIT, client="narrow")) == []
    await change(telling.database, "UPDATE subscriptions SET state = 'disabled'")
    await troubles(telling)
    assert [one["kind"] for one in await telling.open(telling.who())] == ["webhook.disabled"]
    await change(telling.database, "UPDATE subscriptions SET state = 'active'")
    await change(telling.database, "UPDATE deliveries SET state = 'delivered'")
    await troubles(telling)
    assert await telling.open(telling.who()) == []
    assert len(await mails(telling.database)) == 2


async def sees(database: Database, table: str, units: Sequence[str], organisation: str = ORGANISATION) -> int:
    """How many rows of a table the app role sees for a caller of these units."""
    async with database.transaction() as work:
        for name, value in (("organisation", organisation), ("units", "{" + ",".join(units) + "}"), ("client", "somebody")):
            await work.connection.execute(text("SELECT set_config(:name, :value, true)"), {"name": f"dirigent.{name}", "value": value})
        await work.connection.execute(text("SELECT set_config('role', session_user, true)"))
        return int((await work.connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())  # noqa: S608  # names of ours


async def test_the_database_itself_shows_each_caller_its_own_rows_only(telling: Telling) -> None:
    await telling.http.post("/v1/digests", headers=telling.who(UNIT, client="narrow"), json={"email": ADDRESS, "at": "07:30"})
    await telling.contacts(telling.who(UNIT, client="narrow"), {"email": ADDRESS})
    notice = waiting()
    await telling.hear(notice, escalated(notice, "contact"))
    for table in ("digests", "contacts", "escalations", "waiting_notices", "feed_entries"):
        assert await sees(telling.database, table, [UNIT]) == 1, table
        assert await sees(telling.database, table, [OTHER_UNIT]) == 0, table
        assert await sees(telling.database, table, ["SE2120001363-"], "2120001363") == 0, table
    assert await sees(telling.database, "mails", [UNIT]) == 0
