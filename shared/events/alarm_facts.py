"""Facts of what nobody has done or read in time. Pseudonymous as all facts are; who is told of them is for notifications to know."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.fact import Fact
from shared.events.team_member import TeamMember


class NoticeEscalated(Fact):
    """Nobody has taken a notice on in time, and the next one is told; each step of a notice at most once, never for imported history."""

    kind: ClassVar[str] = "notice.escalated"
    notice_id: UUID
    notice_type: str
    case_id: UUID | None = Field(default=None, description="null for a plan without a stay")
    mailbox: str
    organisation: str = Field(description="organisation number that owns the mailbox")
    unit: str = Field(description="HSA-id")
    step: Literal["contact", "on_call", "operator"]
    told: str | None = Field(default=None, description="the mailbox of whoever is on call, in the step `on_call`, where somebody is")
    told_unit: str | None = Field(default=None, description="HSA-id of the unit that has that mailbox")
    members: tuple[TeamMember, ...] = Field(default=(), description="of a team's mailbox: who reads it as a member of the team now")
    told_members: tuple[TeamMember, ...] = Field(default=(), description="the same of the mailbox in `told`")
    fetched: bool = Field(default=False, description="whether a system of the recipient has read the mailbox past it")
    sent_at: AwareDatetime
    due_at: AwareDatetime = Field(description="until when a person was expected to take it on")
    escalated_at: AwareDatetime


class MailboxSilent(Fact):
    """A mailbox was not read by anybody for too long; told once, until it is read again (`mailbox.polled`)."""

    kind: ClassVar[str] = "mailbox.silent"
    mailbox: str
    organisation: str
    unit: str = Field(description="HSA-id")
    municipality: str | None = None
    since: AwareDatetime = Field(description="when it was read last, or when its first notice came if it never was")
    waiting: int = Field(ge=0, description="notices that no system has fetched")
    members: tuple[TeamMember, ...] = Field(default=(), description="of a team's mailbox: who reads it as a member of the team now")
    told_at: AwareDatetime


ALARM_FACTS: tuple[type[Fact], ...] = (NoticeEscalated, MailboxSilent)
