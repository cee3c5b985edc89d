"""Facts that the services publish to each other on their streams. Pseudonymous: no person number, name or free text.

A fact is a frozen, strict pydantic model; its `kind` is the name on the stream. Later versions only add optional fields.
"""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.access_facts import ACCESS_FACTS
from shared.events.alarm_facts import ALARM_FACTS
from shared.events.command_facts import COMMAND_FACTS
from shared.events.creditor_facts import CREDITOR_FACTS
from shared.events.debtor_facts import DEBTOR_FACTS
from shared.events.fact import Fact as Fact  # noqa: PLC0414  # facts are taken from here
from shared.events.notice_facts import MailboxPolled as MailboxPolled  # noqa: PLC0414
from shared.events.notice_facts import NoticeSent as NoticeSent  # noqa: PLC0414
from shared.events.stay_parts import (
    CareType,
    DeclinedStated,
    OnLeave,
    OtherMunicipality,
    OutpatientBlock,
    Paper,
    Placed,
    ReadyNotice,
    Registered,
    Transferred,
)


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
    transfers: tuple[Transferred, ...] = ()
    leaves: tuple[OnLeave, ...] = ()
    outpatient_blocks: tuple[OutpatientBlock, ...] = ()
    residences: tuple[Registered, ...] = Field(default=(), description="oldest first; more than one only after a real move")
    placements: tuple[Placed, ...] = Field(
        default=(), description="the latest statement of each municipality; several that differ = dispute"
    )
    joined_cases: tuple[UUID, ...] = Field(
        default=(), description="cases that a transfer proved to be this one; each of them was cancelled"
    )
    municipal_needs: tuple[Literal["municipal_social", "municipal_health"], ...] = Field(
        default=(), description="the kinds of measures asked of the municipality"
    )
    other_municipalities: tuple[OtherMunicipality, ...] = Field(
        default=(), description="every other municipality that got notices of the stay; who is liable after a real move is billing's switch"
    )
    admission_notice_paper: Paper = Field(default="none", description="whether a time on paper moves N1, as in `ready`")
    admission_notice_given_on_paper_at: AwareDatetime | None = None
    declined: tuple[DeclinedStated, ...] = Field(default=(), description="what `case.declined` told of, and whether it was withdrawn since")
    sip_contested: bool = Field(default=False, description="ward or municipality contests whether a SIP is required")


class PlanInvited(Fact):
    """N8: the permanent care contact called the units to a SIP (lag 2017:612 4 kap. 3 §). `case_id` null = a plan without a stay."""

    kind: ClassVar[str] = "plan.invited"
    plan_id: UUID
    case_id: UUID | None = None
    invitation_id: UUID
    invited_at: AwareDatetime = Field(description="when N8 was sent: receipt, or as stated by a history client")
    invited_by: str = Field(description="HSA-id of the care centre")
    called: tuple[str, ...] = Field(default=(), description="who was called, as notices are addressed: municipality:CODE, unit:HSA-id")


class PlanningStatusSet(Fact):
    """A party told the ward where its planning stands; of one case and unit the highest `case_version` stands.

    `ready_from` splits the waiting time into before and after.
    """

    kind: ClassVar[str] = "case.planning_status_set"
    case_id: UUID
    case_version: int = Field(ge=1)
    unit: str = Field(description="HSA-id")
    recipient: str = Field(description="the party it belongs to: municipality:CODE or unit:HSA-id")
    status: Literal["received", "assessing", "ready_from", "needs", "no_measures"]
    ready_from: AwareDatetime | None = None
    needs: tuple[str, ...] = ()
    stated_at: AwareDatetime


class CareContactSet(Fact):
    """N3: outpatient care appointed or replaced the permanent care contact (lag 2017:612 2 kap. 5 §); the highest `case_version` stands."""

    kind: ClassVar[str] = "case.care_contact_set"
    case_id: UUID
    case_version: int = Field(ge=1)
    unit: str = Field(description="HSA-id of the care centre")
    set_at: AwareDatetime


class CasePartyChanged(Fact):
    """A municipality or care unit came to be concerned in a case, or is no longer; of one case and recipient the highest version stands.

    Whom a case concerned first is told by its admission notices (`notice.sent`).
    """

    kind: ClassVar[str] = "case.party_changed"
    case_id: UUID
    case_version: int = Field(ge=1)
    recipient: str = Field(description="as notices are addressed: municipality:CODE or unit:HSA-id")
    change: Literal["joined", "left"]
    since: AwareDatetime | None = Field(default=None, description="from when it has been concerned; null when it left")
    changed_at: AwareDatetime
    history: bool = Field(default=False, description="made from imported events")


class AdmissionReasonStated(Fact):
    """The ward told why the patient was admitted; the reason itself stays in planning, and is shown only with the patient's consent."""

    kind: ClassVar[str] = "case.admission_reason_stated"
    case_id: UUID
    case_version: int = Field(ge=1)
    unit: str = Field(description="HSA-id of the ward")
    stated_at: AwareDatetime


class MeasuresDeclined(Fact):
    """The patient declined measures that were needed; each statement stands by itself, unless `stay.changed` tells it was withdrawn."""

    kind: ClassVar[str] = "case.declined"
    case_id: UUID
    decline_id: UUID
    unit: str = Field(description="HSA-id of the unit that told it")
    measures: tuple[Literal["municipal_social", "municipal_health", "outpatient"], ...]
    declined_at: AwareDatetime
    recorded_at: AwareDatetime


class DutyOverdue(Fact):
    """A duty of a unit was not done in time and somebody was reminded of it; each duty at most once."""

    kind: ClassVar[str] = "duty.overdue"
    case_id: UUID | None = Field(default=None, description="null for a plan without a stay")
    plan_id: UUID | None = Field(default=None, description="the plan that the duty is of, if it is")
    rule: str
    unit: str = Field(description="HSA-id of the unit whose duty it is")
    due_at: AwareDatetime
    told: str = Field(description="the mailbox that was reminded: the unit's own, or that of whoever is on call")
    legal_basis: str


class PlanConsentChanged(Fact):
    """What the patient answered when asked for consent to a SIP (lag 2017:612 4 kap. 2 §); the latest `changed_at` of a plan stands."""

    kind: ClassVar[str] = "plan.consent_changed"
    plan_id: UUID
    case_id: UUID | None = None
    consent: Literal["given", "refused", "withdrawn"]
    changed_at: AwareDatetime


class PlanAnswered(Fact):
    """A unit that was called to a plan answered."""

    kind: ClassVar[str] = "plan.answered"
    plan_id: UUID
    case_id: UUID | None = None
    invitation_id: UUID
    unit: str
    answer: Literal["accepted", "declined"]
    answered_at: AwareDatetime


class PlanHeld(Fact):
    """The meeting of a plan took place."""

    kind: ClassVar[str] = "plan.held"
    plan_id: UUID
    case_id: UUID | None = None
    plan_kind: Literal["sip", "care_plan"]
    held_at: AwareDatetime
    by_video: bool


class PlanAgreed(Fact):
    """A plan names its measures, who has the main responsibility, and the day of the follow-up."""

    kind: ClassVar[str] = "plan.agreed"
    plan_id: UUID
    case_id: UUID | None = None
    main_responsibility: str = Field(description="HSA-id of the unit")
    follow_up_on: date
    agreed_at: AwareDatetime


class PlanFollowedUp(Fact):
    """A plan was followed up."""

    kind: ClassVar[str] = "plan.followed_up"
    plan_id: UUID
    case_id: UUID | None = None
    held_at: AwareDatetime
    outcome: Literal["goals_met", "partly_met", "not_met"]
    next_on: date | None = None


class PlanClosed(Fact):
    """A plan came to its end."""

    kind: ClassVar[str] = "plan.closed"
    plan_id: UUID
    case_id: UUID | None = None
    reason: str
    closed_at: AwareDatetime


class ConsentChanged(Fact):
    """What the patient answered when asked whether more than the statute tells may be shared in a case."""

    kind: ClassVar[str] = "consent.changed"
    consent_id: UUID
    case_id: UUID
    state: Literal["given", "refused", "withdrawn"]
    purposes: tuple[str, ...]
    changed_at: AwareDatetime


class DeviationChanged(Fact):
    """A fault in the co-operation was reported, assigned, answered or closed."""

    kind: ClassVar[str] = "deviation.changed"
    deviation_id: UUID
    case_id: UUID
    state: Literal["reported", "assigned", "answered", "closed"]
    category: str
    step: str
    reporter: str = Field(description="HSA-id of the unit that reported it")
    assigned_to: str | None = Field(default=None, description="HSA-id of the unit that answers")
    changed_at: AwareDatetime


class DirectoryChanged(Fact):
    """Something in the directory was entered, changed or removed: an organisation, unit, mailbox, member, rule or duty calendar."""

    kind: ClassVar[str] = "directory.changed"
    entry: Literal["organisation", "unit", "mailbox", "member", "addressing", "duty_calendar"]
    key: str = Field(description="organisation number, HSA-id, or recipient and function, as the directory names it")
    organisation: str = Field(description="organisation number it belongs to")
    change: Literal["added", "changed", "removed"]
    changed_at: AwareDatetime


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
    document: Literal["invoice", "supplementary", "credit_note"] = "invoice"
    refers_to: str | None = Field(default=None, description="the document that a supplementary invoice or credit note corrects")


class MonthCorrected(Fact):
    """Billing published a new calculation of a month that was invoiced already; planning puts `notice.month_corrected` into its mailbox."""

    kind: ClassVar[str] = "month.corrected"
    municipality: str
    month: str
    calculation: str = Field(description="SHA-256 of the new calculation")
    version: int
    amount: str = Field(description="kronor with two decimals: what the month costs by the new calculation")
    difference: str = Field(description="kronor with two decimals: what is still to be billed (above 0) or credited (below 0)")
    published_at: AwareDatetime


class DisputeDecided(Fact):
    """The creditor decided a dispute; planning puts `notice.dispute_decided` into the debtor's mailbox."""

    kind: ClassVar[str] = "dispute.decided"
    dispute_id: UUID
    municipality: str
    month: str
    case_id: UUID
    outcome: Literal["upheld", "partly", "rejected"]
    decided_at: AwareDatetime


class DisputeOpened(Fact):
    """A debtor contests something of a month; planning puts `notice.dispute_opened` into the creditor's mailbox, where there is one."""

    kind: ClassVar[str] = "dispute.opened"
    dispute_id: UUID
    municipality: str
    month: str
    case_id: UUID
    opened_at: AwareDatetime


class AveragePassed(Fact):
    """The running average of a municipality went above a threshold in a month; each threshold at most once a month."""

    kind: ClassVar[str] = "average.passed"
    municipality: str
    month: str
    threshold: str = Field(description="days, a decimal number")
    average: str = Field(description="days with six decimals")
    stays: int = Field(description="stays in the average")
    passed_at: AwareDatetime


FACTS: dict[str, type[Fact]] = {
    fact.kind: fact
    for fact in (
        StayChanged,
        PlanInvited,
        PlanConsentChanged,
        PlanAnswered,
        PlanHeld,
        PlanAgreed,
        PlanFollowedUp,
        PlanClosed,
        ConsentChanged,
        DeviationChanged,
        PlanningStatusSet,
        CareContactSet,
        CasePartyChanged,
        AdmissionReasonStated,
        MeasuresDeclined,
        DutyOverdue,
        NoticeSent,
        MailboxPolled,
        MonthPublished,
        InvoiceIssued,
        MonthCorrected,
        DisputeDecided,
        DisputeOpened,
        AveragePassed,
        DirectoryChanged,
    )
} | {fact.kind: fact for fact in (*COMMAND_FACTS, *ALARM_FACTS, *CREDITOR_FACTS, *DEBTOR_FACTS, *ACCESS_FACTS)}
