"""What can be done with planning: one function for each use case, each within one transaction that its caller opened."""

from services.planning.usecases.billing_facts import tell_invoices, tell_months
from services.planning.usecases.cases import list_cases, read_case, read_history, search_cases
from services.planning.usecases.directory import DirectoryEntries, MailboxAt, Organisation, Unit, load_directory
from services.planning.usecases.intake import Accepted, Statement, accept, statement
from services.planning.usecases.notices import acknowledge, attach_personal, mailbox_of, read_notice
from services.planning.usecases.plans import read_plan, send_invitation, start_plan

__all__ = [
    "Accepted",
    "DirectoryEntries",
    "MailboxAt",
    "Organisation",
    "Statement",
    "Unit",
    "accept",
    "acknowledge",
    "attach_personal",
    "list_cases",
    "load_directory",
    "mailbox_of",
    "read_case",
    "read_history",
    "read_notice",
    "read_plan",
    "search_cases",
    "send_invitation",
    "start_plan",
    "statement",
    "tell_invoices",
    "tell_months",
]
