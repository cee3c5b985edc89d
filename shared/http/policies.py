"""Whose things a route answers about: the policy that decides, beside scope and role, whether a caller gets them.

The route table names one for every route; the services decide by it in their use cases, and row-level security a second time.
"""

from enum import StrEnum
from typing import Final

REGION_OFFICES: Final = frozenset({"finance", "controller", "approver", "auditor"})
"""The roles of the region's own offices, the creditor in what billing does."""


class Policy(StrEnum):
    """Who may use a route, said of what it is about. Foreign and unknown look the same: 404, or an empty list."""

    def __new__(cls, value: str, meaning: str) -> "Policy":
        """A policy is its word, and carries its meaning for the documentation."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    meaning: str

    SENDER = "sender", "The ward that sends lies inside the caller's units; history only from a client that may import it."
    CASE = "case", "The case is the caller's: its ward, its party municipality, its party care unit, or a member of its party team."
    MAILBOX = "mailbox", "The notice stands in a mailbox of the caller's organisation that serves one of the caller's units."
    PLAN = "plan", "The plan belongs to a case of the caller's, or the caller's unit leads it or is invited to it."
    CONSENT = "consent", "The consent belongs to a case of the caller's; who asked the patient gives the answer, or takes it back."
    DEVIATION = "deviation", "The caller's unit reported the deviation, is the one it is about, or was given it."
    OUTAGE = "outage", "The outage is of a unit or mailbox inside the caller's units; the region's reviewers see all and confirm."
    FIGURES = "figures", "Everybody's figures of closed months, small groups left out; one's own also while a month runs."
    DIRECTORY_READ = "directory_read", "Units, mailboxes and addressing rules hold no person: whoever works with planning reads them."
    DIRECTORY_WRITE = "directory_write", "The entry belongs to the caller's organisation, or the caller keeps the directory."
    CAPABILITY = "capability", "Says what this address serves, and nothing about anybody."
    AUDIT = "audit", "Accesses by the auditor's own organisation's users, and accesses to cases its own units answered for."
    PERSON_REGISTER = "person_register", "What the caller's own organisation answers for of one person."
    MONTHS_OF_EVERYONE = "months_of_everyone", "The region's offices and municipalities; of others a municipality sees closed months only."
    TERMS = "terms", "Rule sets and prices hold for everybody: the region's offices and every municipality read them."
    DEBTOR_OR_CREDITOR = "debtor_or_creditor", "The municipality that owes, or the region's offices."
    CREDITOR = "creditor", "The region's offices and nobody else."
    DEBTOR = "debtor", "The municipality that owes and nobody else."
    OWN_SIMULATION = "own_simulation", "Whoever asked for it, municipality or the region's offices."
    OWN_SUBSCRIPTION = "own_subscription", "Made by the caller's organisation, for units that are all inside the caller's."
    STREAM = "stream", "What is told to the caller's organisation about the caller's units."
    OWN_CONTACT = "own_contact", "E-mail digests and contacts of the caller's organisation, for units inside the caller's."
    OWN_ESCALATION = "own_escalation", "What the caller's organisation was told and has not answered."


OF_THE_REGION: Final = frozenset(
    {
        Policy.FIGURES,
        Policy.MONTHS_OF_EVERYONE,
        Policy.TERMS,
        Policy.DEBTOR_OR_CREDITOR,
        Policy.CREDITOR,
        Policy.DEBTOR,
        Policy.OWN_SIMULATION,
    }
)
"""Where a role of `REGION_OFFICES` speaks for the creditor; elsewhere (log review) other organisations have the same offices."""
