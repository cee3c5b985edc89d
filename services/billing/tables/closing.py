"""Months on their way to money: calculations, steps, disputes, and the debtors with their mailboxes."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from services.billing.tables.ground import INSTANT, metadata

calculations = Table(
    "calculations",
    metadata,
    Column("municipality", Text, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("sha256", Text, nullable=False),
    Column("agreement", Text, nullable=False),
    Column("amount_ore", BigInteger),
    Column("body", Text, nullable=False),
    Column("prepared_at", INSTANT, nullable=False),
    Column("inputs", Text),
    comment="append-only: every calculation that was prepared, in its canonical form",
)

months = Table(
    "months",
    metadata,
    Column("municipality", Text, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("state", Text, nullable=False),
    Column("version", Integer),
    Column("sha256", Text),
    Column("amount_ore", BigInteger),
    Column("accepted", Text),
    Column("approved_by", Text),
    Column("published_at", INSTANT),
    Column("notice_mailbox", Text),
    Column("notice_entered_at", INSTANT),
    Column("invoice_number", Text),
    Column("issued_version", Integer),
    Column("billed_ore", BigInteger, nullable=False, server_default=text("0")),
    Column("corrects", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint(
        "state IN ('open', 'prepared', 'published', 'accepted', 'approved', 'issued', 'settled')",
        name="months_state",
    ),
    CheckConstraint("accepted IN ('signed', 'silent', 'credit')", name="months_accepted"),
    ForeignKeyConstraint(
        ["municipality", "month", "version"],
        ["calculations.municipality", "calculations.month", "calculations.version"],
        name="months_calculation",
    ),
    comment="where each municipality's month stands on its way to money, and on which calculation",
)

month_actions = Table(
    "month_actions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("municipality", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("action", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Index("month_actions_month", "municipality", "month"),
    comment="append-only: who did what with which calculation",
)

paper_signatures = Table(
    "paper_signatures",
    metadata,
    Column("municipality", Text, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("signed_by", Text, nullable=False),
    Column("signed_on", Date, nullable=False),
    Column("reference", Text, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    ForeignKeyConstraint(
        ["municipality", "month", "version"],
        ["calculations.municipality", "calculations.month", "calculations.version"],
        name="paper_signatures_calculation",
    ),
    comment="append-only: on which paper a debtor that reads no mailbox here accepted a calculation",
)

disputes = Table(
    "disputes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("municipality", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("case_id", Uuid, nullable=False),
    Column("days", ARRAY(Date)),
    Column("reason", Text, nullable=False),
    Column("explanation", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("opened_at", INSTANT, nullable=False),
    Index("disputes_month", "municipality", "month"),
    Index("disputes_case", "case_id"),
    comment="append-only: what a debtor contests, a whole stay (days null) or some of its days",
)

dispute_events = Table(
    "dispute_events",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dispute_id", Uuid, ForeignKey("disputes.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("outcome", Text),
    Column("days", ARRAY(Date)),
    Column("explanation", Text, nullable=False),
    Column("reference", Text),
    Column("client", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Index("dispute_events_dispute", "dispute_id"),
    CheckConstraint("kind IN ('decided', 'escalated', 'in_court')", name="dispute_events_kind"),
    CheckConstraint("outcome IN ('upheld', 'partly', 'rejected')", name="dispute_events_outcome"),
    comment="append-only: decisions on disputes, escalations, court; where one stands follows from them",
)

debtors = Table(
    "debtors",
    metadata,
    Column("municipality", Text, primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("last_day", Date),
    Column("name", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("peppol_id", Text),
    Column("gln", Text),
    Column("buyer_reference", Text),
    Column("payment_days", SmallInteger),
    Column("receivable_account", Text),
    Column("revenue_account", Text),
    Column("street", Text),
    Column("postal_code", Text),
    Column("city", Text),
    Column("entered_by", Text),
    Column("entered_at", INSTANT),
    comment="who pays for a municipality, dated",
)

mailbox_polls = Table(
    "mailbox_polls",
    metadata,
    Column("mailbox", Text, primary_key=True),
    Column("municipality", Text),
    Column("polled_at", INSTANT, nullable=False),
    comment="when each mailbox was last read by its owner, so that silence can be judged",
)
