"""What the region enters: prices and agreements, each by two persons, and decided reviews."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, Uuid

from services.billing.tables.ground import INSTANT, metadata

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

agreement_proposals = Table(
    "agreement_proposals",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("proposed_at", INSTANT, nullable=False),
    UniqueConstraint("name", "version", name="agreement_proposals_version"),
    comment="append-only: rule sets the region enters, version by version, beside those shipped",
)

agreement_approvals = Table(
    "agreement_approvals",
    metadata,
    Column("agreement_id", Uuid, ForeignKey("agreement_proposals.id"), primary_key=True),
    Column("client", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("approved_at", INSTANT, nullable=False),
    comment="append-only: the second person's yes; only an approved rule set counts",
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
