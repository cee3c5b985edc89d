"""What can be done with planning: one function for each use case, each within one transaction that its caller opened."""

from services.planning.usecases.admission_reasons import state_admission_reason
from services.planning.usecases.adt import translate_adt
from services.planning.usecases.alarms import tell_of_silence
from services.planning.usecases.audit import Access, Sought, accesses_of_person, list_accesses
from services.planning.usecases.billing_facts import (
    tell_averages,
    tell_corrections,
    tell_disputes,
    tell_invoices,
    tell_months,
    tell_opened_disputes,
)
from services.planning.usecases.cases import list_cases, read_case, read_history, search_cases
from services.planning.usecases.consents import read_consents, register_consent, withdraw_consent
from services.planning.usecases.deviations import (
    answer_deviation,
    assign_deviation,
    close_deviation,
    deviation_statistics,
    list_deviations,
    read_deviation,
    report_deviation,
)
from services.planning.usecases.directory import (
    DirectoryEntries,
    MailboxAt,
    Organisation,
    Unit,
    addressing_of,
    calendar_of,
    list_organisations,
    list_units,
    load_directory,
    put_addressing,
    put_calendar,
    put_organisation,
    put_unit,
)
from services.planning.usecases.indicators import close_month, follow_up
from services.planning.usecases.intake import Accepted, Statement, accept, statement
from services.planning.usecases.measuring import measures_that_differ, watch_measures
from services.planning.usecases.messages import read_messages, send_message
from services.planning.usecases.notices import acknowledge, attach_personal, mailbox_of, read_notice
from services.planning.usecases.outages import (
    PAPER_TIMES,
    OutageStated,
    beat,
    confirm_outage,
    end_outage,
    judge_paper_times,
    list_outages,
    state_outage,
)
from services.planning.usecases.paper import paper_list, paper_pages
from services.planning.usecases.parties import (
    CaseWhole,
    Declined,
    decline_measures,
    read_whole_case,
    set_care_contact,
    state_planning_status,
)
from services.planning.usecases.passing_on import forward_notice, return_notice
from services.planning.usecases.patient_information import information_for_patient
from services.planning.usecases.person_rights import Erased, erase_outlived, erase_person, export_person
from services.planning.usecases.plan_steps import (
    answer_invitation,
    close_plan,
    record_follow_up,
    send_invitation,
    set_measures,
    set_meeting,
)
from services.planning.usecases.plans import change_consent, read_plan, start_plan
from services.planning.usecases.reminding import DEADLINES, remind, watch_deadlines
from services.planning.usecases.resealing import (
    PLACES,
    KeyUse,
    count_outlived,
    kept_since,
    key_use,
    look_again,
    persons_that_do_not_open,
    seal_some,
)
from services.planning.usecases.statements import contest_sip, withdraw_statement
from services.planning.usecases.stating import BlockStated, PlacementStated, Stated, state_outpatient_block, state_placement
from services.planning.usecases.worklist import list_findings, work_list

__all__ = [
    "DEADLINES",
    "PAPER_TIMES",
    "PLACES",
    "Accepted",
    "Access",
    "BlockStated",
    "CaseWhole",
    "Declined",
    "DirectoryEntries",
    "Erased",
    "KeyUse",
    "MailboxAt",
    "Organisation",
    "OutageStated",
    "PlacementStated",
    "Sought",
    "Stated",
    "Statement",
    "Unit",
    "accept",
    "accesses_of_person",
    "acknowledge",
    "addressing_of",
    "answer_deviation",
    "answer_invitation",
    "assign_deviation",
    "attach_personal",
    "beat",
    "calendar_of",
    "change_consent",
    "close_deviation",
    "close_month",
    "close_plan",
    "confirm_outage",
    "contest_sip",
    "count_outlived",
    "decline_measures",
    "deviation_statistics",
    "end_outage",
    "erase_outlived",
    "erase_person",
    "export_person",
    "follow_up",
    "forward_notice",
    "information_for_patient",
    "judge_paper_times",
    "kept_since",
    "key_use",
    "list_accesses",
    "list_cases",
    "list_deviations",
    "list_findings",
    "list_organisations",
    "list_outages",
    "list_units",
    "load_directory",
    "look_again",
    "mailbox_of",
    "measures_that_differ",
    "paper_list",
    "paper_pages",
    "persons_that_do_not_open",
    "put_addressing",
    "put_calendar",
    "put_organisation",
    "put_unit",
    "read_case",
    "read_consents",
    "read_deviation",
    "read_history",
    "read_messages",
    "read_notice",
    "read_plan",
    "read_whole_case",
    "record_follow_up",
    "register_consent",
    "remind",
    "report_deviation",
    "return_notice",
    "seal_some",
    "search_cases",
    "send_invitation",
    "send_message",
    "set_care_contact",
    "set_measures",
    "set_meeting",
    "start_plan",
    "state_admission_reason",
    "state_outage",
    "state_outpatient_block",
    "state_placement",
    "state_planning_status",
    "statement",
    "tell_averages",
    "tell_corrections",
    "tell_disputes",
    "tell_invoices",
    "tell_months",
    "tell_of_silence",
    "tell_opened_disputes",
    "translate_adt",
    "watch_deadlines",
    "watch_measures",
    "withdraw_consent",
    "withdraw_statement",
    "work_list",
]
