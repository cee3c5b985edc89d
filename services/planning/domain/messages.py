"""Messages on a case: a question, and its answers."""

from enum import StrEnum
from typing import Final, Literal

from shared.errors import Refused

Topic = Literal["planned_discharge", "readiness", "needs", "care_contact", "plan", "medication", "aids", "transport", "receipt", "other"]


class MessageStatus(StrEnum):
    """A question that is open or answered, or an answer."""

    OPEN = "open"
    ANSWERED = "answered"
    ANSWER = "answer"


class MessageTrigger(StrEnum):
    """What can be done with a message."""

    ANSWER = "answer"


MESSAGE_TRANSITIONS: Final[dict[tuple[MessageStatus, MessageTrigger], MessageStatus]] = {
    (MessageStatus.OPEN, MessageTrigger.ANSWER): MessageStatus.ANSWERED,
    (MessageStatus.ANSWERED, MessageTrigger.ANSWER): MessageStatus.ANSWERED,
}
"""What is not here is refused."""


def answered(status: MessageStatus) -> MessageStatus:
    """The status of a question after an answer to it; further answers may follow.

    Raises:
        Refused: `message.not_a_question`.

    Source:
        Domain rule 5: question and answer on a case.
    """
    after = MESSAGE_TRANSITIONS.get((status, MessageTrigger.ANSWER))
    if after is None:
        raise Refused("message.not_a_question", "An answer is not answered; ask a question of your own.")
    return after


def check_text(text: str | None, *, consented: bool) -> None:
    """Free text leaves only with the patient's consent; a topic says nothing about her and needs none.

    Raises:
        Refused: `consent.missing`.

    Source:
        Domain rule 2: consent is checked before anything beyond the statutory content leaves.
    """
    if text is not None and not consented:
        raise Refused("consent.missing", "Free text is shared only with the patient's consent; the topic alone may be sent.")
