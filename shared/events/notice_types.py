"""Every type of notice that can stand in a mailbox: what planning sends, and what may be asked for by whoever wants to be told of it."""

from typing import Final

TO_TAKE_ON: Final = frozenset(
    f"notice.{name}"
    for name in (
        "admission",
        "planned_discharge_changed",
        "ready",
        "ready_withdrawn",
        "discharged",
        "deceased",
        "cancelled",
        "transferred",
        "leave",
        "outpatient_block",
        "sip_invitation",
        # The patient waits until the ward has named somebody else.
        "returned",
    )
)
"""The notices that a named person is expected to take on, and that escalate when nobody does; the others only inform.

A question waits for its answer, which is a duty of its own; an answer, like a reminder, asks for nothing.
"""
NOTICE_TYPES: Final = TO_TAKE_ON | frozenset(
    f"notice.{name}"
    for name in (
        "sip_changed",
        "care_contact",
        "planning_status",
        "declined",
        "message",
        "deviation",
        "reminder",
        "month_published",
        "month_accepted",
        "month_corrected",
        "average_passed",
        "dispute_opened",
        "dispute_escalated",
        "dispute_decided",
        "invoice_issued",
        "invoice_rejected",
        "agreement_approved",
        "tariff_approved",
    )
)
