"""What stands in a team's mailbox (mobile local care): who reads it as a member of the team is told by every way, and nobody else."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.dates import now
from shared.events.alarm_facts import MailboxSilent
from shared.events.command_facts import NoticeAcknowledged
from shared.events.facts import NoticeSent
from shared.events.team_member import TeamMember
from shared.identifiers import uuid7
from tests.integration.notifications.parts import ORGANISATION, a_notice, a_subscription, rows, tell
from tests.integration.notifications.test_escalations import sees
from tests.integration.notifications.told import ADDRESS, BOX, OTHER_UNIT, UNIT, Telling, escalated, mails

REGION, STRANGER = "2321000131", "2120001363"
TEAM, CENTRE = f"SE{REGION}-T1", f"SE{REGION}-C1"
MEMBERS = (TeamMember(organisation=REGION, unit=CENTRE), TeamMember(organisation=ORGANISATION, unit=UNIT))
WEBHOOK = "http://127.0.0.1:9/"


def to_the_team(hours: float = 24, **changed: Any) -> NoticeSent:
    values = {"organisation": REGION, "unit": TEAM, "mailbox": BOX, "members": MEMBERS, "acknowledge_by": now() + timedelta(hours=hours)}
    return a_notice(**(values | changed))


async def streamed(telling: Telling, who: dict[str, str], **query: str) -> list[str]:
    answer = await telling.http.get("/v1/stream", params={"after": "0", "seconds": "0"} | query, headers=who)
    assert answer.status_code == 200, answer.text
    data = [json.loads(line.removeprefix("data:")) for line in answer.text.splitlines() if line.startswith("data:")]
    return [one["data"]["notice_id"] for one in data if "data" in one]


async def test_members_hear_of_a_notice_to_their_team_by_webhook_once(telling: Telling) -> None:
    for organisation, url in ((ORGANISATION, WEBHOOK), (REGION, WEBHOOK), (STRANGER, WEBHOOK)):
        await a_subscription(telling.database, url, organisation)
    await a_subscription(telling.database, f"{WEBHOOK}own", units=(UNIT,))
    await a_subscription(telling.database, f"{WEBHOOK}other", units=(OTHER_UNIT,))
    notice = to_the_team()
    await tell(telling.database, notice)
    told = await rows(
        telling.database,
        "SELECT s.organisation, s.url, d.body FROM deliveries d JOIN subscriptions s ON s.id = subscription_id ORDER BY 1, 2",
    )
    assert [(one.organisation, one.url) for one in told] == [(ORGANISATION, WEBHOOK), (ORGANISATION, f"{WEBHOOK}own"), (REGION, WEBHOOK)]
    assert {one.body for one in told} == {told[0].body}
    assert json.loads(told[0].body)["data"]["notice_id"] == str(notice.notice_id)


async def test_members_read_it_in_their_stream_and_other_units_of_theirs_do_not(telling: Telling) -> None:
    notice = to_the_team()
    await telling.hear(notice)
    expected = [str(notice.notice_id)]
    assert await streamed(telling, telling.who(UNIT)) == await streamed(telling, telling.who(), unit=UNIT) == expected
    assert await streamed(telling, telling.who()) == expected, "who speaks for the whole municipality speaks for the member, too"
    assert await streamed(telling, telling.who(CENTRE, organisation=REGION, client="centre")) == expected
    assert await streamed(telling, telling.who(TEAM, organisation=REGION, client="team")) == expected
    assert await streamed(telling, telling.who(organisation=REGION, client="region")) == expected, "once, however many units it speaks for"
    assert await streamed(telling, telling.who(OTHER_UNIT)) == await streamed(telling, telling.who(), unit=OTHER_UNIT) == []
    assert await streamed(telling, telling.who(f"SE{REGION}-C2", organisation=REGION, client="other-centre")) == []
    assert await streamed(telling, telling.who(organisation=STRANGER, client="stranger")) == []


async def test_a_members_digest_counts_what_came_to_the_team_and_what_waits_there(telling: Telling) -> None:
    for unit, email in ((UNIT, ADDRESS), (OTHER_UNIT, "another@kommun.se")):
        body = {"email": email, "at": "07:30", "language": "en", "empty": True}
        assert (await telling.http.post("/v1/digests", headers=telling.who(unit, client=unit), json=body)).status_code == 201
    late = to_the_team(-1)
    await telling.hear(late, to_the_team())
    assert await telling.digests() == 2
    written = {mail.recipient: mail for mail in await mails(telling.database)}
    assert written[ADDRESS].subject == "Dirigent: 2 new notices, 1 overdue acknowledgements"
    assert f"Mailbox {TEAM} ({BOX})" in written[ADDRESS].body
    assert written["another@kommun.se"].subject == "Dirigent: 0 new notices, 0 overdue acknowledgements"
    taken_on = NoticeAcknowledged(notice_id=late.notice_id, notice_type=late.notice_type, recipient=f"unit:{TEAM}", acknowledged_at=now())
    await telling.hear(taken_on)
    left = await rows(telling.database, "SELECT notice_id FROM waiting_notices")
    assert late.notice_id not in {row.notice_id for row in left}, "for nobody who reads the mailbox"
    assert len(left) == 2


async def test_a_digest_has_one_line_for_a_mailbox_though_the_team_has_changed_since(telling: Telling) -> None:
    body = {"email": ADDRESS, "at": "07:30", "language": "en"}
    await telling.http.post("/v1/digests", headers=telling.who(UNIT), json=body)
    joined = TeamMember(organisation=ORGANISATION, unit=OTHER_UNIT)
    await telling.hear(to_the_team(), to_the_team(members=(*MEMBERS, joined)))
    await telling.digests()
    (mail,) = await mails(telling.database)
    assert "2 admission notices" in mail.body


async def test_contacts_of_members_are_written_to_when_nobody_takes_it_on_and_see_it_open(telling: Telling) -> None:
    theirs, another = telling.who(UNIT), telling.who(OTHER_UNIT, client="another")
    await telling.contacts(theirs, {"email": ADDRESS})
    await telling.contacts(another, {"email": "another@kommun.se"})
    await telling.contacts(telling.who(TEAM, organisation=REGION, client="team"), {"email": "team@region.se"})
    notice = to_the_team()
    await telling.hear(notice, escalated(notice, "contact", members=MEMBERS), escalated(notice, "contact", members=MEMBERS))
    assert sorted(mail.recipient for mail in await mails(telling.database)) == [ADDRESS, "team@region.se"]
    for who, count in ((theirs, 1), (telling.who(), 1), (another, 0), (telling.who(organisation=STRANGER, client="stranger"), 0)):
        assert len(await telling.open(who)) == count
    ended = NoticeAcknowledged(notice_id=notice.notice_id, notice_type=notice.notice_type, recipient=f"unit:{TEAM}", acknowledged_at=now())
    await telling.hear(ended)
    assert await telling.open(theirs) == []
    assert await rows(telling.database, "SELECT id FROM escalations WHERE closed_at IS NULL") == []


async def test_members_of_the_team_that_is_on_call_hear_of_it_in_its_step(telling: Telling) -> None:
    on_call = str(uuid7())
    await telling.contacts(telling.who(UNIT), {"email": ADDRESS, "mailbox": on_call, "from_step": "on_call"})
    notice = to_the_team(members=(), unit=CENTRE)
    await telling.hear(notice, escalated(notice, "contact"))
    assert await telling.open(telling.who(UNIT)) == []
    await telling.hear(escalated(notice, "on_call", told=on_call, told_unit=TEAM, told_members=MEMBERS[1:]))
    assert [mail.recipient for mail in await mails(telling.database)] == [ADDRESS]
    (shown,) = await telling.open(telling.who(UNIT))
    assert (shown["mailbox"], shown["step"]) == (on_call, "on_call")


async def test_a_team_mailbox_that_nobody_reads_is_told_to_its_members(telling: Telling) -> None:
    await telling.contacts(telling.who(UNIT), {"email": ADDRESS})
    silent = MailboxSilent(mailbox=BOX, organisation=REGION, unit=TEAM, since=now(), waiting=1, members=MEMBERS, told_at=now())
    await telling.hear(silent, silent)
    assert [mail.recipient for mail in await mails(telling.database)] == [ADDRESS]
    assert [one["about"] for one in await telling.open(telling.who(UNIT))] == [BOX]


@pytest.mark.parametrize("table", ["escalations", "waiting_notices", "feed_entries"])
async def test_the_database_itself_shows_members_what_their_team_is_told_and_others_not(telling: Telling, table: str) -> None:
    notice = to_the_team()
    await telling.hear(notice, escalated(notice, "contact", members=MEMBERS))
    assert await sees(telling.database, table, [UNIT]) == 1
    assert await sees(telling.database, table, [f"SE{ORGANISATION}-"]) == 1
    assert await sees(telling.database, table, [CENTRE], REGION) == 1
    assert await sees(telling.database, table, [OTHER_UNIT]) == 0
    assert await sees(telling.database, table, [f"SE{REGION}-C2"], REGION) == 0
    assert await sees(telling.database, table, [UNIT], STRANGER) == 0
