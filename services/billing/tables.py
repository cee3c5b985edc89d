"""Billing's tables. Pseudonymous throughout: a case id, times and codes, never a person."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from shared.http.tables import add_idempotency_table
from shared.streams.tables import add_stream_tables

metadata = MetaData()
add_stream_tables(metadata)
add_idempotency_table(metadata)

INSTANT = DateTime(timezone=True)

stay_versions = Table(
    "stay_versions",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("case_version", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    comment="append-only: every version of every stay as planning told it",
)

stays = Table(
    "stays",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("case_version", Integer, nullable=False),
    Column("municipality", Text),
    Column("touches_from", Date),
    Column("touches_to", Date),
    Column("body", Text, nullable=False),
    Column("joined_cases", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    Index("stays_municipality", "municipality", "touches_to", "touches_from"),
    Index("stays_joined_cases", "joined_cases", postgresql_using="gin", postgresql_where=text("joined_cases <> '{}'")),
    comment="the newest version of each stay; local dates of its readiness and end, null from = never ready",
)

invitations = Table(
    "invitations",
    metadata,
    Column("invitation_id", Uuid, primary_key=True),
    Column("plan_id", Uuid, nullable=False),
    Column("case_id", Uuid),
    Column("invited_at", INSTANT, nullable=False),
    Column("invited_by", Text, nullable=False),
    Column("called", ARRAY(Text), nullable=False),
    Index("invitations_case", "case_id"),
    comment="append-only: every call to a SIP (N8), and who was called",
)

plan_consents = Table(
    "plan_consents",
    metadata,
    Column("plan_id", Uuid, primary_key=True),
    Column("changed_at", INSTANT, primary_key=True),
    Column("consent", Text, primary_key=True),
    Column("case_id", Uuid),
    Index("plan_consents_case", "case_id"),
    comment="append-only: every answer about consent to a SIP",
)

declined_measures = Table(
    "declined_measures",
    metadata,
    Column("decline_id", Uuid, primary_key=True),
    Column("case_id", Uuid, nullable=False),
    Column("measures", ARRAY(Text), nullable=False),
    Column("declined_at", INSTANT, nullable=False),
    Index("declined_measures_case", "case_id"),
    comment="append-only: every statement that the patient declined measures that were needed",
)

stay_months = Table(
    "stay_months",
    metadata,
    Column("case_id", Uuid, ForeignKey("stays.case_id"), primary_key=True),
    Column("month", Date, primary_key=True),
    Column("municipality", Text, nullable=False),
    Column("counted_as", Text, nullable=False),
    Column("ended", Boolean, nullable=False),
    Column("days", Integer, nullable=False),
    Column("individual_days", Integer, nullable=False),
    Column("amount_ore", BigInteger),
    Index("stay_months_month", "municipality", "month"),
    CheckConstraint(
        "counted_as IN ('average', 'long', 'individual', 'excluded', 'review', 'open')",
        name="stay_months_counted_as",
    ),
    comment="derived: how each stay counts in each month it touches; amount null = a price is missing",
)

averages = Table(
    "averages",
    metadata,
    Column("municipality", Text, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("complete", Boolean, nullable=False),
    Column("stays", Integer, nullable=False),
    Column("in_average", Integer, nullable=False),
    Column("sum_days", Integer, nullable=False),
    Column("excess_days", Numeric(12, 6), nullable=False),
    Column("long_stays", Integer, nullable=False),
    Column("individual_days", Integer, nullable=False),
    Column("open_stays", Integer, nullable=False),
    Column("amount_ore", BigInteger),
    Column("counted_at", INSTANT, nullable=False),
    Index("averages_month", "month"),
    comment="derived: the month of each municipality; complete = counted after the month was over",
)

review_decisions = Table(
    "review_decisions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, nullable=False),
    Column("reason", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("explanation", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("decided_at", INSTANT, nullable=False),
    Index("review_decisions_case", "case_id"),
    CheckConstraint("outcome IN ('accept', 'exclude')", name="review_decisions_outcome"),
    comment="append-only: decided reviews; the latest for a stay, reason and facts counts",
)

tariff_proposals = Table(
    "tariff_proposals",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("price_ore", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("proposed_at", INSTANT, nullable=False),
    CheckConstraint("last_day >= first_day", name="tariff_proposals_period"),
    CheckConstraint("price_ore > 0", name="tariff_proposals_price"),
    comment="append-only: prices per care day that the region proposes",
)

tariff_approvals = Table(
    "tariff_approvals",
    metadata,
    Column("tariff_id", Uuid, ForeignKey("tariff_proposals.id"), primary_key=True),
    Column("client", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("approved_at", INSTANT, nullable=False),
    comment="append-only: the second person's yes; only an approved price counts",
)

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
    CheckConstraint(
        "state IN ('open', 'prepared', 'published', 'accepted', 'approved', 'issued', 'settled')",
        name="months_state",
    ),
    CheckConstraint("accepted IN ('signed', 'silent')", name="months_accepted"),
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

invoice_series = Table(
    "invoice_series",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("year", SmallInteger, primary_key=True, autoincrement=False),
    Column("last_number", Integer, nullable=False),
    comment="the last number given per issuer and year; locked by the transaction that issues",
)

invoices = Table(
    "invoices",
    metadata,
    Column("number", Text, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("serial", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("municipality", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Column("amount_ore", BigInteger, nullable=False),
    Column("issued_at", INSTANT, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("issuer", "year", "serial", name="invoices_serial"),
    UniqueConstraint("municipality", "month", "version", name="invoices_calculation"),
    CheckConstraint("kind IN ('invoice')", name="invoices_kind"),
    CheckConstraint("amount_ore > 0", name="invoices_amount"),
    ForeignKeyConstraint(
        ["municipality", "month", "version"],
        ["calculations.municipality", "calculations.month", "calculations.version"],
        name="invoices_basis",
    ),
    comment="append-only: issued invoices, whole and unchangeable; corrected by another document only",
)

debtors = Table(
    "debtors",
    metadata,
    Column("municipality", Text, primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("last_day", Date),
    Column("name", Text, nullable=False),
    Column("organisation", Text, nullable=False),
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
