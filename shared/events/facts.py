"""Facts that the services publish to each other on their streams. Pseudonymous: no person number, name or free text.

A fact is a frozen, strict pydantic model; its `kind` is the name on the stream. Later versions only add optional fields.
"""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

CareType = Literal["somatic", "psychiatric"]
Compulsory = Literal["none", "opt", "orv"]


class Fact(BaseModel):
    """What every fact shares: it cannot be changed, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_timedelta="iso8601")
    kind: ClassVar[str]


class ReadyNotice(BaseModel):
    """One readiness of a stay: the N5 of one ready notice, and what became of it.

    `notice_sent_at` is when N5 was sent to *this municipality* (lag 2017:612 3 kap. 1 §); `ready_at` when the doctor judged so;
    `withdrawn_at` when the readiness was withdrawn, null while it stands; `withdrawn_at` is a time of happening.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    notice_sent_at: AwareDatetime
    ready_at: AwareDatetime
    withdrawn_at: AwareDatetime | None = None
    compulsory: Compulsory = "none"


class StayChanged(Fact):
    """The whole of one stay as billing needs it, after any event; the highest `case_version` wins.

    One fact for the party that is (or may be) liable: `municipality` is null when the patient has no registered municipality
    or needs nothing from one. Times are instants; billing derives local dates.
    """

    kind: ClassVar[str] = "stay.changed"
    case_id: UUID
    case_version: int = Field(ge=1)
    provider: str = Field(description="organisation number of the care provider")
    ward: str = Field(description="HSA-id of the ward that holds the patient")
    care_type: CareType
    admitted_at: AwareDatetime | None = None
    municipality: str | None = Field(default=None, description="SCB code of the party the notices went to")
    need_judged_at: AwareDatetime | None = Field(default=None, description="admission, or the later judgement: the 24 h run from here")
    admission_notice_sent_at: AwareDatetime | None = Field(default=None, description="N1 to the municipality; null = never sent")
    ready: tuple[ReadyNotice, ...] = Field(default=(), description="every readiness in the order it happened")
    sip_required: bool = False
    discharged_at: AwareDatetime | None = None
    deceased_at: AwareDatetime | None = None
    cancelled: bool = Field(default=False, description="the admission was cancelled: there was no such stay")
    findings: tuple[str, ...] = ()
    last_sign_of_life_at: AwareDatetime | None = Field(default=None, description="latest time any effective event of the stay happened")


class PlanInvited(Fact):
    """N8: the permanent care contact called the units to a SIP (lag 2017:612 4 kap. 3 §). `case_id` null = a plan without a stay."""

    kind: ClassVar[str] = "plan.invited"
    plan_id: UUID
    case_id: UUID | None = None
    invitation_id: UUID
    invited_at: AwareDatetime = Field(description="when N8 was sent: receipt, or as stated by a history client")
    invited_by: str = Field(description="HSA-id of the care centre")
    called: tuple[str, ...] = Field(default=(), description="who was called, as notices are addressed: municipality:CODE, unit:HSA-id")


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


class MailboxPolled(Fact):
    """A mailbox was read by its owner; published at most once an hour and mailbox, so that silence can be judged (domain 3.8)."""

    kind: ClassVar[str] = "mailbox.polled"
    mailbox: str
    organisation: str
    municipality: str | None = None
    polled_at: AwareDatetime


class MonthPublished(Fact):
    """Billing published the basis of one municipality and month; planning puts `notice.month_published` into its mailbox."""

    kind: ClassVar[str] = "month.published"
    municipality: str
    month: str
    calculation: str = Field(description="SHA-256 of the calculation")
    version: int
    amount: str = Field(description="kronor with two decimals")
    published_at: AwareDatetime


class InvoiceIssued(Fact):
    """Billing issued an invoice; planning puts `notice.invoice_issued` into the debtor's mailbox."""

    kind: ClassVar[str] = "invoice.issued"
    number: str
    municipality: str
    month: str
    amount: str
    issued_at: AwareDatetime


FACTS: dict[str, type[Fact]] = {
    fact.kind: fact for fact in (StayChanged, PlanInvited, NoticeSent, MailboxPolled, MonthPublished, InvoiceIssued)
}
