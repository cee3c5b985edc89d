"""Issued documents, what finance reported of them, and the postings."""

from sqlalchemy import (
    BigInteger,
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
    UniqueConstraint,
    Uuid,
)

from services.billing.tables.ground import INSTANT, metadata

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
    Column("refers_to", Text, ForeignKey("invoices.number")),
    Column("due_on", Date, nullable=False),
    UniqueConstraint("issuer", "year", "serial", name="invoices_serial"),
    UniqueConstraint("municipality", "month", "version", "refers_to", name="invoices_calculation", postgresql_nulls_not_distinct=True),
    Index("invoices_refers_to", "refers_to"),
    Index("invoices_due", "municipality", "due_on"),
    CheckConstraint("kind IN ('invoice', 'supplementary', 'credit_note')", name="invoices_kind"),
    CheckConstraint("(kind = 'invoice') = (refers_to IS NULL)", name="invoices_refers"),
    CheckConstraint("amount_ore > 0", name="invoices_amount"),
    ForeignKeyConstraint(
        ["municipality", "month", "version"],
        ["calculations.municipality", "calculations.month", "calculations.version"],
        name="invoices_basis",
    ),
    comment="append-only: issued invoices, whole and unchangeable; corrected by another document only",
)

invoice_statuses = Table(
    "invoice_statuses",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", Text, ForeignKey("invoices.number"), nullable=False),
    Column("status", Text, nullable=False),
    Column("amount_ore", BigInteger),
    Column("paid_on", Date),
    Column("reference", Text),
    Column("reason", Text),
    Column("client", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("reported_at", INSTANT, nullable=False),
    Index("invoice_statuses_number", "number"),
    CheckConstraint("status IN ('booked', 'rejected', 'paid')", name="invoice_statuses_status"),
    CheckConstraint("(status = 'paid') = (amount_ore IS NOT NULL) AND coalesce(amount_ore, 1) > 0", name="invoice_statuses_amount"),
    comment="append-only: what finance reported of a document: booked, rejected with reason, paid in parts",
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("document", Text, ForeignKey("invoices.number"), nullable=False),
    Column("municipality", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("status_id", Uuid, ForeignKey("invoice_statuses.id")),
    Column("recorded_at", INSTANT, nullable=False),
    Index("ledger_entries_document", "document"),
    Index("ledger_entries_booked", "booked_on"),
    CheckConstraint("kind IN ('invoiced', 'credited', 'paid')", name="ledger_entries_kind"),
    comment="append-only: one entry for each document and each payment; hashed in the feed ledger",
)

ledger_postings = Table(
    "ledger_postings",
    metadata,
    Column("entry_id", Uuid, ForeignKey("ledger_entries.id"), primary_key=True),
    Column("line", SmallInteger, primary_key=True, autoincrement=False),
    Column("account", Text, nullable=False),
    Column("amount_ore", BigInteger, nullable=False),
    CheckConstraint("amount_ore <> 0", name="ledger_postings_amount"),
    comment="append-only: debit above 0, credit below; the postings of an entry add up to 0",
)
