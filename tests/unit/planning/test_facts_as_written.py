"""The intake writes its facts without building their models; what it writes is nevertheless exactly what the models would."""

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from services.planning.domain.events import CaseEvent
from services.planning.domain.fold import fold
from services.planning.repository.directory import Mailbox
from services.planning.translation import stay_changed
from services.planning.usecases.mailing import Letter, Post
from shared.events.facts import Fact, NoticeSent, StayChanged
from shared.identifiers import uuid7
from shared.streams.canonical import canonical_plain
from shared.streams.outbox import Staged, staged_fact, staged_members
from tests.builders import (
    DIRECTORY,
    GOTEBORG,
    HARRYDA,
    admitted,
    block_ended,
    block_started,
    cancelled,
    deceased,
    declined,
    discharged,
    hours,
    leave_ended,
    leave_started,
    person_changed,
    placed,
    ready,
    sip_contested,
    transferred,
    withdrawn,
)

MAILBOX = Mailbox(uuid7(), f"municipality:{GOTEBORG}", "2120001355", "SE2120001355-E1", "municipality")
FINE = timedelta(microseconds=120)


def as_model_writes(kind: type[Fact], staged: Staged) -> str:
    return staged_fact(kind.model_validate_json(staged.body)).body


@pytest.mark.parametrize(
    "story",
    [
        [admitted()],
        [admitted(judged_at=3.5, municipality=None)],
        [admitted(), ready(), withdrawn(), ready("ready-again", 70), discharged()],
        [admitted(), ready(compulsory="orv"), deceased()],
        [admitted(), cancelled("admitted")],
        [admitted(needs=()), ready("first"), ready("second", 41)],
        [
            admitted(),
            transferred(),
            leave_started(),
            leave_ended(),
            block_started(),
            block_ended(contested=True),
            leave_started("again", 80),
        ],
        [admitted(), declined(), declined("no"), cancelled("no"), sip_contested()],
        [admitted(), person_changed(moved=True), placed(), placed("no", 36, municipality=GOTEBORG, stated_by=HARRYDA)],
    ],
)
def test_a_stay_is_written_as_its_model_writes_it(story: list[CaseEvent]) -> None:
    members = stay_changed(uuid7(), 3, fold(story, DIRECTORY), [uuid7()])
    assert members is not None
    assert set(members) == set(StayChanged.model_fields)
    staged = staged_members(StayChanged, members, None)
    assert (staged.kind, staged.feed) == ("stay.changed", "facts")
    assert staged.body == as_model_writes(StayChanged, staged)


@pytest.mark.parametrize(
    "letter",
    [
        Letter(MAILBOX, "notice.admission", "SE2321000131-E1", hours(1), "origin", case_id=uuid7(), case_version=1),
        Letter(MAILBOX, "notice.admission", None, hours(1) + FINE, "origin", case_id=uuid7(), history=True),
        Letter(MAILBOX, "notice.month_published", None, hours(0), "origin", about={"month": "2026-10", "amount": "1.00"}),
    ],
)
def test_a_sent_notice_is_written_as_its_model_writes_it(letter: Letter) -> None:
    post = Post()
    post.put(letter)
    staged = post.staged[1]
    assert (staged.kind, staged.feed) == (NoticeSent.kind, "facts")
    assert set(msgspec.json.decode(staged.body)) == set(NoticeSent.model_fields)
    assert staged.body == as_model_writes(NoticeSent, staged)


def test_an_envelope_holds_ids_and_instants_as_text() -> None:
    post, case_id, old = Post(), uuid7(), uuid7()
    notice_id = post.put(Letter(MAILBOX, "notice.ready", None, hours(1), "origin", case_id=case_id, supersedes=old))
    envelope = msgspec.json.decode(post.notices[0].envelope)
    assert (UUID(envelope["id"]), UUID(envelope["case_id"]), UUID(envelope["supersedes"])) == (notice_id, case_id, old)
    assert envelope["sent_at"] == "2026-11-03T14:05:00.000000Z"
    assert post.notices[0].envelope == canonical_plain(envelope)
