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
    MAILBOX = (
        "mailbox",
        "The notice stands in a mailbox of one of the caller's units in its organisation, or of a team that one of them is a member of.",
    )
    PLAN = "plan", "The plan belongs to a case of the caller's, or the caller's unit leads it or is invited to it."
    CONSENT = (
        "consent",
        "The consent belongs to a case of the caller's; one of the caller's units asked the patient; any party notes her withdrawal.",
    )
    DEVIATION = "deviation", "The caller's unit reported the deviation, of a case of its own if of any, or is to answer it."
    OUTAGE = (
        "outage",
        "Stated for the caller's units, of all by whoever sends notices; its organisation, payers and reviewers read; the region confirms.",
    )
    FIGURES = "figures", "Everybody's figures of closed months, small groups left out; one's own also while a month runs."
    DIRECTORY_READ = "directory_read", "Units, mailboxes and addressing rules hold no person: whoever works with planning reads them."
    DIRECTORY_WRITE = "directory_write", "The entry belongs to the caller's organisation; the region keeps all of them."
    CAPABILITY = "capability", "Says what this address serves, and nothing about anybody."
    AUDIT = (
        "audit",
        "Accesses by the users of the caller's organisation, and to cases its units answered for; its units are the whole organisation.",
    )
    PERSON_REGISTER = (
        "person_register",
        "What the caller's organisation answers for of one person; its units are the whole organisation.",
    )
    MONTHS_OF_EVERYONE = "months_of_everyone", "The region's offices and municipalities; of others a municipality sees closed months only."
    TERMS = "terms", "Rule sets and prices hold for everybody: the region's offices and every municipality read them."
    DEBTOR_OR_CREDITOR = "debtor_or_creditor", "The municipality that owes, or the region's offices."
    CREDITOR = "creditor", "The region's offices and nobody else."
    DEBTOR = "debtor", "The municipality that owes and nobody else."
    OWN_SIMULATION = "own_simulation", "Whoever asked for it, municipality or the region's offices."
    OWN_SUBSCRIPTION = (
        "own_subscription",
        "Made by the calling client, or in its organisation for exactly its units; changed only while it acts for all of them.",
    )
    STREAM = "stream", "What is told to the caller's organisation about the caller's units, and about the teams they are members of."
    OWN_CONTACT = (
        "own_contact",
        "Digests made by the calling client, or in its organisation for exactly its units; contacts for exactly those.",
    )
    OWN_ESCALATION = "own_escalation", "What the caller's organisation was told of the caller's units and has not answered."


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
