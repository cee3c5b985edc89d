"""Planning's tables. Person data lives in `events.body`, `cases.person` and `notices.personal`, and nowhere else in the product."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.http.tables import add_idempotency_table
from shared.streams.tables import add_stream_tables

metadata = MetaData()
add_stream_tables(metadata)
add_idempotency_table(metadata)

INSTANT = DateTime(timezone=True)

organisations = Table(
    "organisations",
    metadata,
    Column("number", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("municipality", Text, unique=True),
    comment="region and municipalities; municipality = SCB code",
)

units = Table(
    "units",
    metadata,
    Column("hsa_id", Text, primary_key=True),
    Column("organisation", Text, ForeignKey("organisations.number"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("stay_space", Text),
    CheckConstraint("kind IN ('ward', 'care_centre', 'municipal')", name="units_kind"),
    comment="stay_space = within what a ward's stay ids are unique, its record system; none = the care provider",
)

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation", Text, ForeignKey("organisations.number"), nullable=False),
    Column("unit", Text, ForeignKey("units.hsa_id"), nullable=False),
    Column("function", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("last_polled_at", INSTANT),
    UniqueConstraint("recipient", "function", name="mailboxes_recipient"),
    CheckConstraint("function IN ('municipality', 'care_unit')", name="mailboxes_function"),
    Index("mailboxes_unit", "unit"),
    comment="one dense feed each; recipient = municipality:CODE or unit:HSA-id, as notices are addressed",
)

events = Table(
    "events",
    metadata,
    Column("id", BigInteger, Identity(always=True, cache=1), primary_key=True),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("space", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("sent_at", INSTANT, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("history", Boolean, nullable=False),
    Column("client", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("source", "event_id", name="events_key"),
    Index("events_stay", "space", "subject"),
    comment="every event ever accepted, as sent (canonical JSON); two clocks: sent_at and the time inside the body",
)

cases = Table(
    "cases",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("space", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("state", Text),
    Column("ward", Text),
    Column("care_type", Text),
    Column("municipality", Text),
    Column("outpatient_unit", Text),
    Column("parties", JSONB, nullable=False, server_default="[]"),
    Column("view", JSONB),
    Column("person", JSONB),
    Column("person_id", Text),
    Column("changed_at", INSTANT),
    UniqueConstraint("space", "subject", name="cases_stay"),
    Index("cases_municipality", "municipality", "id"),
    Index("cases_outpatient_unit", "outpatient_unit", "id"),
    Index("cases_ward", "ward", "id"),
    Index("cases_person", "person_id"),
    comment="the fold of each stay's events as last computed; the person only here, for search and for the parties",
)

case_history = Table(
    "case_history",
    metadata,
    Column("case_id", Uuid, ForeignKey("cases.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", INSTANT, nullable=False),
    Column("client", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("event_row", BigInteger, ForeignKey("events.id"), unique=True),
    Column("answer", Text, nullable=False),
    comment="who did what when, append-only; answer = the first answer, given again to a repetition",
)

notices = Table(
    "notices",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("mailbox", Uuid, ForeignKey("mailboxes.id"), nullable=False),
    Column("case_id", Uuid, ForeignKey("cases.id")),
    Column("recipient", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("sent_at", INSTANT, nullable=False),
    Column("supersedes", Uuid),
    Column("envelope", Text, nullable=False),
    Column("personal", JSONB),
    Column("delivered_at", INSTANT),
    Column("acknowledged_at", INSTANT),
    Column("acknowledged_by", Text),
    Column("acknowledged_client", Text),
    Index("notices_case", "case_id"),
    CheckConstraint("state IN ('sent', 'delivered', 'acknowledged', 'returned', 'superseded', 'cancelled')", name="notices_state"),
    comment="what stands beside the envelope in a mailbox: the personal part, and what became of the notice",
)

plans = Table(
    "plans",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey("cases.id")),
    Column("organisation", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("consent", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("created_by", Text, nullable=False),
    Index("plans_case", "case_id"),
    CheckConstraint("consent IN ('given', 'refused')", name="plans_consent"),
    comment="co-ordinated individual plans (SIP); so far what money needs of them",
)

plan_invitations = Table(
    "plan_invitations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("plan_id", Uuid, ForeignKey("plans.id"), nullable=False),
    Column("sent_at", INSTANT, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("units", JSONB, nullable=False),
    Column("meeting", JSONB),
    Column("client", Text, nullable=False),
    Index("plan_invitations_plan", "plan_id"),
    comment="N8: who was called to a plan, when, by whom",
)
