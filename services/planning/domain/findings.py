"""What does not fit together in a case: always visible, never a reason to refuse or lose what a ward stated."""

from enum import StrEnum
from typing import Final, NamedTuple

from services.planning.domain.events import EventKey


class FindingCode(StrEnum):
    """Every contradiction or gap that the fold can see."""

    TWO_ADMISSIONS = "two_admissions"
    READY_WITHOUT_ADMISSION = "ready_without_admission"
    WITHDRAWAL_WITHOUT_ADMISSION = "withdrawal_without_admission"
    PLANNED_DATE_WITHOUT_ADMISSION = "planned_date_without_admission"
    DISCHARGED_WITHOUT_ADMISSION = "discharged_without_admission"
    DECEASED_WITHOUT_ADMISSION = "deceased_without_admission"
    READY_BEFORE_ADMITTED = "ready_before_admitted"
    WITHDRAWAL_BEFORE_ADMITTED = "withdrawal_before_admitted"
    PLANNED_DATE_BEFORE_ADMITTED = "planned_date_before_admitted"
    DISCHARGED_BEFORE_ADMITTED = "discharged_before_admitted"
    DECEASED_BEFORE_ADMITTED = "deceased_before_admitted"
    TRANSFER_WITHOUT_ADMISSION = "transfer_without_admission"
    TRANSFER_BEFORE_ADMITTED = "transfer_before_admitted"
    TRANSFER_AFTER_DISCHARGE = "transfer_after_discharge"
    TRANSFER_AFTER_DEATH = "transfer_after_death"
    DISCHARGED_AFTER_TRANSFER = "discharged_after_transfer"
    TRANSFER_TO_OTHER_PERSON = "transfer_to_other_person"
    TRANSFER_NOT_BY_HOLDER = "transfer_not_by_holder"
    NOT_BY_HOLDER = "not_by_holder"
    PLANNED_DATE_NOT_BY_HOLDER = "planned_date_not_by_holder"
    LEAVE_NOT_BY_HOLDER = "leave_not_by_holder"
    PERSON_CHANGE_NOT_BY_HOLDER = "person_change_not_by_holder"
    LEAVE_WITHOUT_ADMISSION = "leave_without_admission"
    LEAVE_BEFORE_ADMITTED = "leave_before_admitted"
    LEAVE_AFTER_DISCHARGE = "leave_after_discharge"
    LEAVE_AFTER_DEATH = "leave_after_death"
    LEAVE_TWICE = "leave_twice"
    LEAVE_NOT_STARTED = "leave_not_started"
    BLOCK_WITHOUT_ADMISSION = "block_without_admission"
    BLOCK_BEFORE_ADMITTED = "block_before_admitted"
    BLOCK_AFTER_DISCHARGE = "block_after_discharge"
    BLOCK_AFTER_DEATH = "block_after_death"
    BLOCK_TWICE = "block_twice"
    BLOCK_NOT_STARTED = "block_not_started"
    BLOCK_CONTESTED = "block_contested"
    PERSON_CHANGE_WITHOUT_ADMISSION = "person_change_without_admission"
    PLACEMENT_DISPUTED = "placement_disputed"
    PLACED_MUNICIPALITY_UNKNOWN = "placed_municipality_unknown"
    READY_TWICE = "ready_twice"
    WITHDRAWAL_WITHOUT_READY = "withdrawal_without_ready"
    READY_AFTER_DISCHARGE = "ready_after_discharge"
    WITHDRAWAL_AFTER_DISCHARGE = "withdrawal_after_discharge"
    PLANNED_DATE_AFTER_DISCHARGE = "planned_date_after_discharge"
    DECEASED_AFTER_DISCHARGE = "deceased_after_discharge"
    TWO_DISCHARGES = "two_discharges"
    READY_AFTER_DEATH = "ready_after_death"
    WITHDRAWAL_AFTER_DEATH = "withdrawal_after_death"
    PLANNED_DATE_AFTER_DEATH = "planned_date_after_death"
    DISCHARGED_AFTER_DEATH = "discharged_after_death"
    TWO_DEATHS = "two_deaths"
    HAPPENED_AFTER_SENT = "happened_after_sent"
    PLANNED_DATE_MISSING = "planned_date_missing"
    NEEDS_MISSING = "needs_missing"
    LATE_ADMISSION_NOTICE = "late_admission_notice"
    LATE_DISCHARGE_NOTICE = "late_discharge_notice"
    SECRECY_NOT_CHECKED = "secrecy_not_checked"
    MUNICIPALITY_MISSING = "municipality_missing"
    MUNICIPALITY_UNKNOWN = "municipality_unknown"
    OUTPATIENT_UNIT_MISSING = "outpatient_unit_missing"
    OUTPATIENT_UNIT_UNKNOWN = "outpatient_unit_unknown"
    WRONGLY_ADDRESSED = "wrongly_addressed"
    CORRECTION_WAITS = "correction_waits"
    CORRECTION_IN_CIRCLE = "correction_in_circle"
    CORRECTION_TYPE_DIFFERS = "correction_type_differs"
    CANCELLATION_WAITS = "cancellation_waits"
    PAPER_TIME_UNCONFIRMED = "paper_time_unconfirmed"
    SIP_REQUIREMENT_CONTESTED = "sip_requirement_contested"


class Finding(NamedTuple):
    """One thing that does not fit: what, which event shows it, and, where one party is concerned, which."""

    code: FindingCode
    event: EventKey
    about: str = ""


EXPLANATIONS: Final = {
    FindingCode.TWO_ADMISSIONS: "The stay has more than one admission; the one sent first stands. Correct or cancel instead.",
    FindingCode.READY_WITHOUT_ADMISSION: "Ready for discharge, but no admission is known.",
    FindingCode.WITHDRAWAL_WITHOUT_ADMISSION: "Readiness withdrawn, but no admission is known.",
    FindingCode.PLANNED_DATE_WITHOUT_ADMISSION: "The planned discharge date changed, but no admission is known.",
    FindingCode.DISCHARGED_WITHOUT_ADMISSION: "Discharged, but no admission is known.",
    FindingCode.DECEASED_WITHOUT_ADMISSION: "Deceased, but no admission is known.",
    FindingCode.READY_BEFORE_ADMITTED: "Ready for discharge at a time before the admission.",
    FindingCode.WITHDRAWAL_BEFORE_ADMITTED: "Readiness withdrawn at a time before the admission.",
    FindingCode.PLANNED_DATE_BEFORE_ADMITTED: "The planned discharge date changed at a time before the admission.",
    FindingCode.DISCHARGED_BEFORE_ADMITTED: "Discharged at a time before the admission.",
    FindingCode.DECEASED_BEFORE_ADMITTED: "Deceased at a time before the admission.",
    FindingCode.TRANSFER_WITHOUT_ADMISSION: "Transferred, but no admission is known.",
    FindingCode.TRANSFER_BEFORE_ADMITTED: "Transferred at a time before the admission.",
    FindingCode.TRANSFER_AFTER_DISCHARGE: "Transferred after the discharge.",
    FindingCode.TRANSFER_AFTER_DEATH: "Transferred after death.",
    FindingCode.DISCHARGED_AFTER_TRANSFER: "Discharged by a ward that the patient was transferred from; the stay goes on.",
    FindingCode.TRANSFER_NOT_BY_HOLDER: "Not stated by the ward that held the patient then; only who has the patient moves her on.",
    FindingCode.NOT_BY_HOLDER: "Stated by a ward that did not hold the patient then, under an id that no stay space says the wards share.",
    FindingCode.PLANNED_DATE_NOT_BY_HOLDER: "The planned discharge date was changed by a ward that did not hold the patient then.",
    FindingCode.LEAVE_NOT_BY_HOLDER: "Leave or the return from it was stated by a ward that did not hold the patient then.",
    FindingCode.PERSON_CHANGE_NOT_BY_HOLDER: "A ward that never held the patient names another person, which does not count.",
    FindingCode.TRANSFER_TO_OTHER_PERSON: "Nothing says that the stay it leads to is the same patient's, so the two are kept apart.",
    FindingCode.LEAVE_WITHOUT_ADMISSION: "On leave or back from it, but no admission is known.",
    FindingCode.LEAVE_BEFORE_ADMITTED: "On leave or back from it at a time before the admission.",
    FindingCode.LEAVE_AFTER_DISCHARGE: "On leave or back from it after the discharge.",
    FindingCode.LEAVE_AFTER_DEATH: "On leave or back from it after death.",
    FindingCode.LEAVE_TWICE: "On leave while already on leave; the statement sent first stands.",
    FindingCode.LEAVE_NOT_STARTED: "Back from leave, but the patient was not on leave.",
    FindingCode.BLOCK_WITHOUT_ADMISSION: "Outpatient care is said to hold a discharge up, but no admission is known.",
    FindingCode.BLOCK_BEFORE_ADMITTED: "Outpatient care is said to hold the discharge up at a time before the admission.",
    FindingCode.BLOCK_AFTER_DISCHARGE: "Outpatient care is said to hold the discharge up after the discharge.",
    FindingCode.BLOCK_AFTER_DEATH: "Outpatient care is said to hold the discharge up after death.",
    FindingCode.BLOCK_TWICE: "The same sender stated a block while its earlier one lasted; the statement sent first stands.",
    FindingCode.BLOCK_NOT_STARTED: "The end of a block that nobody had stated.",
    FindingCode.BLOCK_CONTESTED: "The region holds that outpatient care did not hold the discharge up; a person must decide.",
    FindingCode.PERSON_CHANGE_WITHOUT_ADMISSION: "What is known of the person changed, but no admission is known.",
    FindingCode.PLACEMENT_DISPUTED: "The municipalities do not agree who placed the patient; a person must decide.",
    FindingCode.PLACED_MUNICIPALITY_UNKNOWN: "The municipality that placed the patient does not take part here, so it was not notified.",
    FindingCode.READY_TWICE: "Ready for discharge while already ready; the notice sent first stands.",
    FindingCode.WITHDRAWAL_WITHOUT_READY: "Readiness withdrawn, but the patient was not ready.",
    FindingCode.READY_AFTER_DISCHARGE: "Ready for discharge, or the notice of it sent, after the discharge.",
    FindingCode.WITHDRAWAL_AFTER_DISCHARGE: "Readiness withdrawn after the discharge.",
    FindingCode.PLANNED_DATE_AFTER_DISCHARGE: "The planned discharge date changed after the discharge.",
    FindingCode.DECEASED_AFTER_DISCHARGE: "Deceased after the discharge.",
    FindingCode.TWO_DISCHARGES: "The stay has more than one discharge; the one sent first stands. Correct or cancel instead.",
    FindingCode.READY_AFTER_DEATH: "Ready for discharge after death.",
    FindingCode.WITHDRAWAL_AFTER_DEATH: "Readiness withdrawn after death.",
    FindingCode.PLANNED_DATE_AFTER_DEATH: "The planned discharge date changed after death.",
    FindingCode.DISCHARGED_AFTER_DEATH: "Discharged after death.",
    FindingCode.TWO_DEATHS: "The death was stated more than once; the statement sent first stands.",
    FindingCode.HAPPENED_AFTER_SENT: "The event says that it happened after it was sent.",
    FindingCode.PLANNED_DATE_MISSING: "No planned discharge date is known; the admission notice is to carry one.",
    FindingCode.NEEDS_MISSING: "No need is stated, so nobody was notified.",
    FindingCode.LATE_ADMISSION_NOTICE: "The admission notice reached this party more than 24 hours after the need was judged.",
    FindingCode.LATE_DISCHARGE_NOTICE: "The discharge notice was sent after the day of the discharge.",
    FindingCode.SECRECY_NOT_CHECKED: "Nothing says that the ward checked that secrecy does not prevent the notice.",
    FindingCode.MUNICIPALITY_MISSING: "Municipal measures are needed, but no registered municipality is stated.",
    FindingCode.MUNICIPALITY_UNKNOWN: "The registered municipality does not take part here, so it was not notified.",
    FindingCode.OUTPATIENT_UNIT_MISSING: "Outpatient care is concerned, but no outpatient unit is stated.",
    FindingCode.OUTPATIENT_UNIT_UNKNOWN: "The outpatient unit is not in the directory, so it was not notified.",
    FindingCode.WRONGLY_ADDRESSED: "This party returned the notice as wrongly addressed: correct the registration or cancel the admission.",
    FindingCode.CORRECTION_WAITS: "The correction waits for the event it corrects.",
    FindingCode.CORRECTION_IN_CIRCLE: "The corrections correct each other and have no effect.",
    FindingCode.CORRECTION_TYPE_DIFFERS: "A correction must have the type of the event it corrects; this one has no effect.",
    FindingCode.CANCELLATION_WAITS: "The cancellation waits for the event it cancels.",
    FindingCode.PAPER_TIME_UNCONFIRMED: "No recorded or confirmed outage explains the time on paper; the notice counts as really sent.",
    FindingCode.SIP_REQUIREMENT_CONTESTED: "Ward or municipality contests whether a SIP is required; a person decides where it matters.",
}
"""What each finding means, for the answer to the sender and the list of findings."""
