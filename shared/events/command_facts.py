"""Facts of commands that no other service acts on yet; each stands by itself, in any order. No name, reason or free text."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.fact import Fact


class PlanOpened(Fact):
    """A need for a plan was judged. What the patient answered, if she was asked, is told beside it."""

    kind: ClassVar[str] = "plan.opened"
    plan_id: UUID
    case_id: UUID | None = None
    plan_kind: Literal["sip", "care_plan"]
    unit: str = Field(description="HSA-id of the unit that leads it")
    opened_at: AwareDatetime


class PlanMeetingSet(Fact):
    """When the plan is made was set, or set anew; the latest `set_at` of a plan stands."""

    kind: ClassVar[str] = "plan.meeting_set"
    plan_id: UUID
    case_id: UUID | None = None
    meeting_at: AwareDatetime
    by_video: bool
    set_at: AwareDatetime


class MessageSent(Fact):
    """A unit asked another one something in a case, or answered. The text, if there is any, stays in planning."""

    kind: ClassVar[str] = "message.sent"
    message_id: UUID
    case_id: UUID
    answers: UUID | None = Field(default=None, description="the question, in an answer")
    sender: str = Field(description="HSA-id")
    recipient: str = Field(description="HSA-id")
    topic: str
    sent_at: AwareDatetime


class NoticeAcknowledged(Fact):
    """A named person at the recipient took a notice on; who it was stays in planning."""

    kind: ClassVar[str] = "notice.acknowledged"
    notice_id: UUID
    notice_type: str
    case_id: UUID | None = None
    recipient: str = Field(description="as notices are addressed: municipality:CODE or unit:HSA-id")
    acknowledged_at: AwareDatetime


class NoticeReturned(Fact):
    """A recipient returned a notice as wrongly addressed; why stays between it and the ward."""

    kind: ClassVar[str] = "notice.returned"
    notice_id: UUID
    notice_type: str
    case_id: UUID
    recipient: str = Field(description="as notices are addressed: municipality:CODE or unit:HSA-id")
    returned_at: AwareDatetime


class NoticeErased(Fact):
    """Nobody need take a notice on any more that waited for a person: whom it told of was erased."""

    kind: ClassVar[str] = "notice.erased"
    notice_id: UUID
    notice_type: str
    case_id: UUID | None = Field(default=None, description="null for a plan without a stay")
    erased_at: AwareDatetime


class NoticeForwarded(Fact):
    """A recipient sent a notice on to another mailbox of its own organisation."""

    kind: ClassVar[str] = "notice.forwarded"
    notice_id: UUID
    notice_type: str
    case_id: UUID | None = None
    recipient: str = Field(description="as notices are addressed: municipality:CODE or unit:HSA-id")
    forwarded_as: UUID = Field(description="the copy")
    mailbox: UUID = Field(description="where the copy stands")
    forwarded_at: AwareDatetime


COMMAND_FACTS: tuple[type[Fact], ...] = (
    PlanOpened,
    PlanMeetingSet,
    MessageSent,
    NoticeAcknowledged,
    NoticeReturned,
    NoticeErased,
    NoticeForwarded,
)
