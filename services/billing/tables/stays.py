"""What planning told: stays, calls to a SIP, answers, and how each stay counts."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    Uuid,
    text,
)

from services.billing.tables.ground import INSTANT, metadata

stay_versions = Table(
    "stay_versions",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("case_version", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("municipality", Text),
    Column("touches_from", Date),
    Column("touches_to", Date),
    Index("stay_versions_municipality", "municipality", "touches_from"),
    Index("stay_versions_recorded", "recorded_at"),
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
    Column("recorded_at", INSTANT, nullable=False),
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
    Column("recorded_at", INSTANT, nullable=False),
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
    Column("recorded_at", INSTANT, nullable=False),
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

average_alerts = Table(
    "average_alerts",
    metadata,
    Column("municipality", Text, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("threshold", Numeric(6, 3), primary_key=True),
    Column("average", Numeric(12, 6), nullable=False),
    Column("stays", Integer, nullable=False),
    Column("passed_at", INSTANT, nullable=False),
    comment="append-only: when a running average first passed a threshold in a month; told once",
)
