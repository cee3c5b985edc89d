"""Facts of mailboxes: what came into them, and that they were read."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.fact import Fact
from shared.events.team_member import TeamMember


class NoticeSent(Fact):
    """A notice stands in a mailbox; notifications makes its thin push from this, billing learns when a month reached its debtor."""

    kind: ClassVar[str] = "notice.sent"
    notice_id: UUID
    notice_type: str
    mailbox: str
    organisation: str = Field(description="organisation number that owns the mailbox")
    unit: str | None = None
    case_id: UUID | None = None
    municipality: str | None = None
    sent_at: AwareDatetime
    history: bool = Field(default=False, description="made from imported events: never pushed")
    about: dict[str, str] = Field(default_factory=dict, description="what a notice of billing is about, e.g. month, calculation, invoice")
    acknowledge_by: AwareDatetime | None = Field(default=None, description="until when a person is to take it on; null = informs only")
    supersedes: UUID | None = Field(
        default=None, description="the notice that it replaces or takes back: nobody need take that on any more"
    )
    members: tuple[TeamMember, ...] = Field(
        default=(), description="of a team's mailbox: who reads it as a member of the team when the notice is sent, and is told of it too"
    )


class MailboxPolled(Fact):
    """A mailbox was read by its owner; published at most once an hour and mailbox, so that silence can be judged (domain 3.8)."""

    kind: ClassVar[str] = "mailbox.polled"
    mailbox: str
    organisation: str
    municipality: str | None = None
    polled_at: AwareDatetime
