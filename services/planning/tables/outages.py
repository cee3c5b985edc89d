"""When the service or the network was down, as recorded by the service itself or stated, and the beats that it is up."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from services.planning.tables.metadata import INSTANT, metadata

outages = Table(
    "outages",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("since", INSTANT, nullable=False),
    Column("until", INSTANT),
    Column("scope", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("organisation", Text),
    Column("stated_by", Text, nullable=False),
    Column("stated_at", INSTANT, nullable=False),
    Column("confirmed_by", Text),
    Column("confirmed_at", INSTANT),
    Index("outages_since", "since"),
    CheckConstraint("until > since", name="outages_ends_after_it_began"),
    CheckConstraint("origin IN ('recorded', 'stated')", name="outages_origin"),
    CheckConstraint("cause IN ('service', 'network', 'record_system', 'other')", name="outages_cause"),
    CheckConstraint(
        "(confirmed_by IS NULL) = (confirmed_at IS NULL) AND (until IS NOT NULL OR confirmed_at IS NULL)", name="outages_confirmed"
    ),
    CheckConstraint("origin = 'stated' OR (until IS NOT NULL AND scope = '' AND confirmed_by IS NULL)", name="outages_recorded"),
    comment="when notices could not be sent: recorded by the service, or stated and then confirmed by the region; scope = '' for all",
)

outage_entries = Table(
    "outage_entries",
    metadata,
    Column("outage_id", Uuid, ForeignKey("outages.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", INSTANT, nullable=False),
    Column("client", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    CheckConstraint("what IN ('recorded', 'stated', 'ended', 'confirmed')", name="outage_entries_what"),
    comment="what was recorded, stated, ended and confirmed of an outage, by whom; append-only",
)

service_beats = Table(
    "service_beats",
    metadata,
    Column("service", Text, primary_key=True),
    Column("at", INSTANT, nullable=False),
    comment="when the service was last up, by the clock of the database; a gap is an outage that nobody need state",
)
