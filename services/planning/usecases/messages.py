"""Questions and answers on a case. The text never travels: the addressee is told that there is a message, and reads it here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from services.planning.domain.access import Action
from services.planning.domain.messages import MessageStatus, Topic, answered, check_text
from services.planning.repository import messages as rows
from services.planning.repository.directory import Mailbox
from services.planning.usecases import accesses
from services.planning.usecases.authorising import callers_case, locked_case, require_step
from services.planning.usecases.consents import may_share
from services.planning.usecases.folding import tell_case
from services.planning.usecases.mailing import Letter, Post
from shared.db import Work
from shared.errors import FieldError, Malformed, NotFound
from shared.events.command_facts import MessageSent
from shared.http.auth import Caller
from shared.identifiers import uuid7
from shared.streams.outbox import stage_facts

MESSAGE: Final = "notice.message"


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A question to a unit, or an answer to a question, which goes to the unit that asked."""

    unit: str
    topic: Topic
    written_by: str
    to: str | None = None
    answers: UUID | None = None
    text: str | None = None


async def send_message(work: Work, caller: Caller, case_id: UUID, new: NewMessage) -> Any:  # a row
    """Ask a unit of the case something, or answer it.

    Raises:
        NotFound: The case or the question is unknown or not the caller's.
        HttpProblem: 403, the unit is not the caller's, or not concerned in the case.
        Malformed: It names both or neither of addressee and question, or the addressee is not concerned in the case.
        Refused: 409, free text without the patient's consent, or the answer to an answer.

    Source:
        Domain rule 2: consent is checked before anything beyond the statutory content leaves.
    """
    if (new.to is None) == (new.answers is None):
        raise Malformed("request.malformed", errors=(FieldError("/to", "missing" if new.to is None else "not_with_answers"),))
    case = await locked_case(work, caller, case_id, Action.SEND_MESSAGE)
    case_id = case.id  # after a transfer several ids mean it
    concerned = await rows.concerned(work, case_id)
    require_step(caller, Action.SEND_MESSAGE, case, concerned=frozenset(concerned), unit=new.unit)
    check_text(new.text, consented=await may_share(work, case_id, "free_text"))
    recipient = await _asked_by(work, case_id, new) if new.answers is not None else str(new.to)
    if recipient not in concerned:
        raise Malformed("case.unit_not_concerned", errors=(FieldError("/to", "unit_not_concerned"),))
    message_id = uuid7()
    await rows.add(
        work,
        message_id,
        case_id,
        answers=new.answers,
        state=(MessageStatus.OPEN if new.answers is None else MessageStatus.ANSWER).value,
        sender=new.unit,
        recipient=recipient,
        topic=new.topic,
        body=new.text,
        by=new.written_by,
        client=caller.client_id,
    )
    await _tell(work, case_id, message_id, new, concerned[recipient])
    sent = MessageSent(
        message_id=message_id,
        case_id=case_id,
        answers=new.answers,
        sender=new.unit,
        recipient=recipient,
        topic=new.topic,
        sent_at=work.at,
    )
    await stage_facts(work, [(sent, case_id)])
    about = {"message_id": str(message_id), "from": new.unit, "to": recipient, "topic": new.topic}
    await tell_case(work, case_id, client=caller.client_id, what="message.sent", about=about)
    return await rows.one(work, message_id)


async def _asked_by(work: Work, case_id: UUID, new: NewMessage) -> str:
    """The unit that asked; its question is answered now."""
    question = None if new.answers is None else await rows.one(work, new.answers)
    if question is None or question.case_id != case_id or question.recipient != new.unit:
        raise NotFound
    await rows.move(work, question.id, answered(MessageStatus(question.state)).value)
    return str(question.sender)


async def _tell(work: Work, case_id: UUID, message_id: UUID, new: NewMessage, mailbox: Mailbox | None) -> None:
    if mailbox is None:
        return
    post = Post()
    post.put(
        Letter(
            mailbox=mailbox,
            type=MESSAGE,
            sender=new.unit,
            sent_at=work.at,
            origin=f"{MESSAGE}/{message_id}",
            case_id=case_id,
            about={"message_id": str(message_id)} | ({} if new.answers is None else {"answers": str(new.answers)}),
        )
    )
    await post.write(work)


@dataclass(frozen=True, slots=True)
class MessageRead:
    """A message as its reader may see it: `withheld` when its text is kept back."""

    row: Any
    text: str | None
    withheld: bool


async def read_messages(work: Work, caller: Caller, case_id: UUID, *, request_id: str) -> Sequence[MessageRead]:
    """The messages between the caller's units and others on a case; the others' text only while the patient consents.

    Raises:
        NotFound: The case is unknown or not the caller's.

    Source:
        Domain rule 2: consent is checked before anything beyond the statutory content leaves.
    """
    case = await callers_case(work, caller, case_id, Action.READ_MESSAGES)
    case_id = case.id
    consented = await may_share(work, case_id, "free_text")
    found = []
    for row in await rows.of_case(work, case_id):
        if caller.acts_for(row.sender) or caller.acts_for(row.recipient):
            withheld = row.body is not None and not consented and not caller.acts_for(row.sender)
            found.append(MessageRead(row, None if withheld else row.body, withheld))
    if any(one.text is not None for one in found):
        await accesses.note(work, caller, "messages.read", [case_id], request_id=request_id, unit=accesses.unit_in(caller, case))
    return found
