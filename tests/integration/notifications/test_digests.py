"""Digests: who is written to, when, and what stands in it."""

from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from services.notifications import usecases
from services.notifications.domain.mails import SCHEDULE
from services.notifications.mail_channels import FileMail, Mail, MailFailed, SmtpMail
from shared.dates import now
from shared.db import Database
from shared.identifiers import uuid7
from tests.integration.notifications.parts import a_notice, change, rows
from tests.integration.notifications.told import ADDRESS, BOX, OTHER_UNIT, UNIT, Post, Telling, mailing, mails, post_office, waiting
from tests.patience import until
from tests.services import PUBLIC_URL


async def _are_sent(database: Database) -> bool:
    return {mail.state for mail in await mails(database)} == {"sent"}


async def test_a_digest_counts_what_came_since_the_last_one_and_what_waits(telling: Telling, notifications_database: str) -> None:
    made = await telling.http.post("/v1/digests", headers=telling.who(), json={"email": ADDRESS, "at": "07:30", "language": "en"})
    assert (made.status_code, made.json()["state"]) == (201, "active")
    late = waiting(-1)
    await telling.hear(late, waiting(), a_notice(unit=UNIT, mailbox=BOX, notice_type="notice.ready"), waiting(history=True))
    assert await telling.digests() == 1
    post = Post()
    async with post_office(post) as url, mailing(telling.database, notifications_database, SmtpMail(url, "dirigent@vgr.example")):
        await until(lambda: _are_sent(telling.database))
    sender, recipients, message = post.taken[0]
    told = message.get_content()
    assert (sender, recipients, message["Auto-Submitted"]) == ("dirigent@vgr.example", [ADDRESS], "auto-generated")
    assert message["Subject"] == "Dirigent: 3 new notices, 1 overdue acknowledgements"
    assert ("2 admission notices" in told, "1 ready notices" in told) == (True, True)
    assert ("Waiting to be acknowledged: 2" in told, "Of these overdue: 1" in told, PUBLIC_URL in told) == (True, True, True)
    assert str(late.notice_id) not in told
    assert str(late.case_id) not in told
    (shown,) = (await telling.http.get("/v1/digests", headers=telling.who())).json()["digests"]
    assert (shown["state"], shown["last_sent_at"] is not None, shown["at"]) == ("active", True, "07:30")
    (again,) = await rows(telling.database, "SELECT due_at > clock_timestamp() AS later FROM due_work WHERE kind = 'digest'")
    assert again.later


async def test_what_was_counted_is_not_counted_again_and_an_empty_day_writes_nothing(telling: Telling) -> None:
    for empty in (False, True):
        body = {"email": f"{empty}@kommun.se", "at": "07:30", "empty": empty}
        assert (await telling.http.post("/v1/digests", headers=telling.who(), json=body)).status_code == 201
    assert await telling.digests() == 1
    yesterday = "UPDATE mails SET source = source || '/yesterday'"
    await change(telling.database, yesterday)
    await telling.hear(a_notice(unit=UNIT, mailbox=BOX))
    assert await telling.digests() == 2
    await change(telling.database, yesterday)
    assert await telling.digests() == 1
    assert [mail.recipient for mail in await mails(telling.database)] == [
        "True@kommun.se",
        "False@kommun.se",
        "True@kommun.se",
        "True@kommun.se",
    ]
    assert ["Inget nytt." in mail.body for mail in await mails(telling.database)] == [True, False, False, True]


async def test_a_digest_is_written_once_a_day_however_often_it_is_looked_at(telling: Telling) -> None:
    await telling.http.post("/v1/digests", headers=telling.who(), json={"email": ADDRESS, "at": "07:30", "empty": True})
    await telling.digests()
    await telling.hear(a_notice(unit=UNIT, mailbox=BOX))
    await telling.digests()
    assert len(await mails(telling.database)) == 1
    await change(telling.database, "UPDATE mails SET source = source || '/yesterday'")
    await telling.digests()
    assert (await mails(telling.database))[1].subject.startswith("Dirigent: 1 nya")


async def test_a_digest_of_some_units_and_types_counts_those(telling: Telling) -> None:
    body = {"email": ADDRESS, "at": "07:30", "units": [UNIT], "types": ["notice.ready"], "language": "en"}
    await telling.http.post("/v1/digests", headers=telling.who(), json=body)
    await telling.hear(
        a_notice(unit=UNIT, mailbox=BOX, notice_type="notice.ready"),
        a_notice(unit=UNIT, mailbox=BOX),
        a_notice(unit=OTHER_UNIT, notice_type="notice.ready"),
        waiting(notice_type="notice.admission"),
    )
    await telling.digests()
    (mail,) = await mails(telling.database)
    assert mail.subject == "Dirigent: 1 new notices, 0 overdue acknowledgements"


async def test_a_digest_is_its_units_own_and_ends_when_it_is_deleted(telling: Telling) -> None:
    narrow, other = telling.who(UNIT, client="narrow"), telling.who(OTHER_UNIT, client="other")
    made = (await telling.http.post("/v1/digests", headers=narrow, json={"email": ADDRESS, "at": "23:59", "days": ["sun"]})).json()
    for stranger in (other, telling.who(client="wide"), telling.who(organisation="2120001363", client="else")):
        assert (await telling.http.get("/v1/digests", headers=stranger)).json() == {"digests": []}
        assert (await telling.http.delete(f"/v1/digests/{made['id']}", headers=stranger)).status_code == 404
    assert (await telling.http.delete(f"/v1/digests/{made['id']}", headers=narrow)).status_code == 204
    assert (await telling.http.get("/v1/digests", headers=narrow)).json() == {"digests": []}
    assert await rows(telling.database, "SELECT * FROM due_work") == []


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"email": "a@kommun.se\r\nBcc: b@kommun.se"}, "/email", "email_malformed"),
        ({"email": "å@kommun.se"}, "/email", "email_malformed"),
        ({"at": "24:00"}, "/at", "format"),
        ({"at": "07:30\n"}, "/at", "format"),
        ({"days": ["someday"]}, "/days/0", "day_unknown"),
        ({"types": ["notice.nothing"]}, "/types/0", "type_unknown"),
        ({"units": ["SE2120001363-E1"]}, "/units/0", "unit_not_yours"),
        ({"units": ["SE2120001355-E1", "SE2120001355-"]}, "/units/1", "unit_malformed"),
    ],
)
async def test_what_cannot_be_written_to_or_counted_is_refused(telling: Telling, body: dict[str, Any], pointer: str, code: str) -> None:
    answer = await telling.http.post("/v1/digests", headers=telling.who(), json={"email": ADDRESS, "at": "07:30"} | body)
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": pointer, "code": code}])


async def test_a_bounce_is_tried_again_under_the_same_id_and_visibly_given_up(telling: Telling, notifications_database: str) -> None:
    await telling.http.post("/v1/digests", headers=telling.who(), json={"email": ADDRESS, "at": "07:30", "empty": True})
    await telling.digests()
    attempts = len(SCHEDULE) + 1
    post = Post(*["550 no such mailbox"] * attempts)

    async def tried(count: int) -> bool:
        (mail,) = await mails(telling.database)
        return bool(mail.attempts == count)

    async with post_office(post) as url, mailing(telling.database, notifications_database, SmtpMail(url, "dirigent@vgr.example")):
        for attempt in range(1, attempts + 1):
            await until(lambda count=attempt: tried(count))  # type: ignore[misc]
            await change(telling.database, "UPDATE due_work SET due_at = clock_timestamp() WHERE kind = 'mail'")
            await change(telling.database, "SELECT pg_notify('due', 'mail')")
    (mail,) = await mails(telling.database)
    assert (mail.state, mail.last_error) == ("failed", "refused")
    (shown,) = (await telling.http.get("/v1/digests", headers=telling.who())).json()["digests"]
    assert (shown["state"], shown["last_error"]) == ("failing", "refused")


async def test_what_waits_of_a_digest_that_was_deleted_is_not_sent_any_more(telling: Telling, notifications_database: str) -> None:
    who = telling.who()
    asked = {"email": ADDRESS, "at": "07:30", "empty": True}
    made = (await telling.http.post("/v1/digests", headers=who, json=asked)).json()
    kept = {"email": "chef@kommun.se", "at": "07:30", "empty": True}
    await telling.http.post("/v1/digests", headers=telling.who(), json=kept)
    assert await telling.digests() == 2
    await telling.http.delete(f"/v1/digests/{made['id']}", headers=who)
    post = Post()
    async with post_office(post) as url, mailing(telling.database, notifications_database, SmtpMail(url, "dirigent@region.se")):

        async def nothing_waits() -> bool:
            return {row.state for row in await mails(telling.database)} == {"sent", "failed"}

        await until(nothing_waits, within=10)
    assert [recipients for _, recipients, _ in post.taken] == [["chef@kommun.se"]]


async def test_without_a_mail_server_each_mail_is_a_whole_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    mail = Mail(uuid7(), ADDRESS, "sv", "Dirigent: försenade", "Väntar på kvittens: 1\n")
    channel = FileMail(folder, "dirigent@vgr.example")
    await channel.send(mail)
    await channel.send(mail)
    (written,) = folder.iterdir()
    read = message_from_bytes(written.read_bytes(), policy=default)
    assert (written.name, written.stat().st_mode & 0o077, folder.stat().st_mode & 0o077) == (f"{mail.id}.eml", 0, 0)
    assert (read["To"], read["Subject"], str(mail.id) in read["Message-ID"]) == (ADDRESS, "Dirigent: försenade", True)


async def test_a_server_that_is_away_or_in_clear_beyond_this_machine_gets_nothing() -> None:
    mail = Mail(uuid7(), ADDRESS, "sv", "x", "y")
    with pytest.raises(MailFailed, match="not_reachable"):
        await SmtpMail("smtp://127.0.0.1:1", "dirigent@vgr.example").send(mail)
    post = Post()
    async with post_office(post) as url:
        demanding = SmtpMail(url, "dirigent@vgr.example")
        demanding._start_tls = True  # as for every host that is not this machine
        with pytest.raises(MailFailed):
            await demanding.send(mail)
    assert post.taken == []


async def test_more_digests_than_the_same_units_may_have_are_refused(telling: Telling) -> None:
    answers = [
        (await telling.http.post("/v1/digests", headers=telling.who(), json={"email": ADDRESS, "at": "07:30"})).status_code
        for _ in range(21)
    ]
    assert answers == [201] * 20 + [409]


async def test_mails_are_kept_for_ninety_days_and_those_that_wait_until_they_leave(telling: Telling) -> None:
    for address in ("a@kommun.se", "b@kommun.se"):
        await telling.http.post("/v1/digests", headers=telling.who(), json={"email": address, "at": "07:30", "empty": True})
    await telling.digests()
    await change(telling.database, "UPDATE mails SET state = 'sent' WHERE recipient = 'a@kommun.se'")
    for days, left in ((89, 2), (91, 1)):
        async with telling.database.transaction(now() + timedelta(days=days)) as work:
            await usecases.forget_mails(work)
        assert len(await mails(telling.database)) == left
