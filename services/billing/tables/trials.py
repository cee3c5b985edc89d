"""What is worked out beside the real months: simulations, and comparisons with the service of today."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, ForeignKey, Index, Integer, Numeric, Table, Text, Uuid, text

from services.billing.tables.ground import INSTANT, metadata

simulations = Table(
    "simulations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("request", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("municipality", Text),
    Column("state", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("finished_at", INSTANT),
    Index("simulations_open", "created_at", postgresql_where=text("state IN ('queued', 'running')")),
    CheckConstraint("state IN ('queued', 'running', 'done', 'cancelled', 'failed')", name="simulations_state"),
    comment="jobs that compare rule sets on real months; municipality = the only one its owner may see",
)

simulation_parts = Table(
    "simulation_parts",
    metadata,
    Column("simulation_id", Uuid, ForeignKey("simulations.id"), primary_key=True),
    Column("profile", Text, primary_key=True),
    Column("municipality", Text, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("stays", Integer, nullable=False),
    Column("in_average", Integer, nullable=False),
    Column("sum_days", Integer, nullable=False),
    Column("excess_days", Numeric(12, 6), nullable=False),
    Column("individual_days", Integer, nullable=False),
    Column("amount_ore", BigInteger),
    comment="what each rule set would have given; amount null = a price is missing",
)

comparisons = Table(
    "comparisons",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("month", Date, nullable=False),
    Column("file_sha256", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("differing", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("compared_by", Text, nullable=False),
    Column("compared_at", INSTANT, nullable=False),
    comment="append-only: a month of the service of today held against ours, with every difference",
)

comparison_signatures = Table(
    "comparison_signatures",
    metadata,
    Column("comparison_id", Uuid, ForeignKey("comparisons.id"), primary_key=True),
    Column("explanation", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("signed_at", INSTANT, nullable=False),
    comment="append-only: a named person signed; where required, nothing is issued before",
)
