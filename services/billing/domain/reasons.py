"""Why a stay is not charged, is held, or is counted although something was missing: reasons are values, never log lines."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID


class Reason(StrEnum):
    """The reasons a stay can carry; each stands for one rule in one source."""

    NO_REGISTERED_MUNICIPALITY = "no_registered_municipality"
    AGREEMENT_NOT_IN_FORCE = "agreement_not_in_force"
    READY_WITHDRAWN = "ready_withdrawn"
    READY_AFTER_DISCHARGE = "ready_after_discharge"
    DECEASED_WHILE_READY = "deceased_while_ready"
    NO_ADMISSION_NOTICE = "no_admission_notice"
    LATE_ADMISSION_NOTICE = "late_admission_notice"
    NO_SIP_INVITATION = "no_sip_invitation"
    LATE_SIP_INVITATION = "late_sip_invitation"
    UNINVITED_SHORT_STAY = "uninvited_short_stay"
    SIP_REFUSED = "sip_refused"
    SIP_REQUIREMENT_CONTESTED = "sip_requirement_contested"
    OUTPATIENT_BLOCK = "outpatient_block"
    OUTPATIENT_BLOCK_CONTESTED = "outpatient_block_contested"
    MEASURES_DECLINED = "measures_declined"
    DECLINED_SAYS_DEBTOR = "declined_says_debtor"
    PLACEMENT_DISPUTED = "placement_disputed"
    PAPER_TIME_UNCONFIRMED = "paper_time_unconfirmed"
    LEAVE_DAYS_SKIPPED = "leave_days_skipped"
    TRANSFER_RESTARTS = "transfer_restarts"
    CONTRADICTORY_EVENTS = "contradictory_events"
    NO_SIGN_OF_LIFE = "no_sign_of_life"
    DISPUTE_UPHELD = "dispute_upheld"
    DISPUTED_DAYS = "disputed_days"
    DISPUTE_UNDECIDED = "dispute_undecided"


SOURCES: Final = {
    Reason.NO_REGISTERED_MUNICIPALITY: "Lag (2017:612) 5 kap. 1–2 §§",
    Reason.AGREEMENT_NOT_IN_FORCE: "The agreement's own time of validity",
    Reason.READY_WITHDRAWN: "Lag (2017:612) 1 kap. 3 §; 5 kap. 3 §",
    Reason.READY_AFTER_DISCHARGE: "Lag (2017:612) 3 kap. 1 §; 5 kap. 3 §",
    Reason.DECEASED_WHILE_READY: "Switch death_while_ready",
    Reason.NO_ADMISSION_NOTICE: "Lag (2017:612) 5 kap. 3 §",
    Reason.LATE_ADMISSION_NOTICE: "Lag (2017:612) 2 kap. 1–3 §§; 5 kap. 3 §; switch late_admission_notice",
    Reason.NO_SIP_INVITATION: "Lag (2017:612) 5 kap. 3 §",
    Reason.LATE_SIP_INVITATION: "Lag (2017:612) 4 kap. 3 §; 5 kap. 3 §; switch late_sip_invitation",
    Reason.UNINVITED_SHORT_STAY: "Lag (2017:612) 5 kap. 3 §; switch missing_sip_invitation",
    Reason.SIP_REFUSED: "Lag (2017:612) 4 kap. 2 §; 5 kap. 3 §; switch sip_refused",
    Reason.SIP_REQUIREMENT_CONTESTED: "Lag (2017:612) 4 kap. 1 §; 5 kap. 3 §",
    Reason.OUTPATIENT_BLOCK: "Lag (2017:612) 5 kap. 5 §; switch outpatient_block",
    Reason.OUTPATIENT_BLOCK_CONTESTED: "Lag (2017:612) 5 kap. 5 §",
    Reason.MEASURES_DECLINED: "Switch declined_measures",
    Reason.DECLINED_SAYS_DEBTOR: "Switch declined_measures; reviews (domain rule 3.8)",
    Reason.PLACEMENT_DISPUTED: "Lag (2017:612) 5 kap. 2 §",
    Reason.PAPER_TIME_UNCONFIRMED: "Lag (2017:612) 2 kap. 1 §; 3 kap. 1 §; paper routine (domain rule 5)",
    Reason.LEAVE_DAYS_SKIPPED: "Switch leave_days",
    Reason.TRANSFER_RESTARTS: "Switch transfer_clock",
    Reason.CONTRADICTORY_EVENTS: "Data-quality gate (domain rule 3.8)",
    Reason.NO_SIGN_OF_LIFE: "Data-quality gate (domain rule 3.8); switch silent_after_days",
    Reason.DISPUTE_UPHELD: "Dispute (domain rule 3.8)",
    Reason.DISPUTED_DAYS: "Dispute (domain rule 3.8)",
    Reason.DISPUTE_UNDECIDED: "Dispute (domain rule 3.8): the lower amount until it is decided",
}


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One stay and one reason with its source: excluded for it, held for review by it, or counted in spite of it.

    `facts` is what a person who may decide on it has before her; empty where nobody decides.
    """

    stay: UUID
    reason: Reason
    source: str
    facts: str = ""

    @classmethod
    def of(cls, stay: UUID, reason: Reason, facts: str = "") -> "Exclusion":
        """The reason with the source that belongs to it."""
        return cls(stay, reason, SOURCES[reason], facts)


class ReviewOutcome(StrEnum):
    """What a named person decided about a stay held for review."""

    ACCEPT = "accept"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    """A decided review: one stay, the reason it was held for, the outcome, and the facts it was taken on.

    A new reason needs a new decision, and so does an old one on other facts.
    """

    stay: UUID
    reason: Reason
    outcome: ReviewOutcome
    facts: str

    def is_on(self, ground: Exclusion) -> bool:
        """Whether it was taken on this reason and on the facts as they stand."""
        return (self.stay, self.reason, self.facts) == (ground.stay, ground.reason, ground.facts)
