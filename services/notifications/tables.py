"""The tables of notifications: subscriptions, deliveries, attempts, and what every service has."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from shared.http.tables import add_idempotency_table
from shared.streams.due import add_due_table
from shared.streams.tables import add_stream_tables

metadata: Final = MetaData()
add_stream_tables(metadata)
add_idempotency_table(metadata)
add_due_table(metadata)
due_work: Final = metadata.tables["due_work"]

SUBSCRIPTION_STATES: Final = ("active", "disabled", "deleted")
DELIVERY_STATES: Final = ("pending", "delivered", "exhausted", "cancelled")

subscriptions: Final = Table(
    "subscriptions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation", Text, nullable=False),
    Column("unit_prefixes", ARRAY(Text), nullable=False),
    Column("client", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("types", ARRAY(Text), nullable=False),
    Column("units", ARRAY(Text), nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("state IN ('active', 'disabled', 'deleted')", name="subscriptions_state"),
    Column("secret_since", DateTime(timezone=True), nullable=False),
    Column("former_secret", LargeBinary),
    Column("former_until", DateTime(timezone=True)),
    Column("last_number", BigInteger, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("resting_since", DateTime(timezone=True)),
    Column("rests_until", DateTime(timezone=True)),
    Column("at_once", Integer),
    Index("subscriptions_one", "organisation", "unit_prefixes", "url", unique=True, postgresql_where=text("state <> 'deleted'")),
    comment="who is told by webhook of what stands in its mailboxes; the secret is encrypted",
)

deliveries: Final = Table(
    "deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subscription_id", Uuid, ForeignKey("subscriptions.id"), nullable=False),
    Column("source", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("state IN ('pending', 'delivered', 'exhausted', 'cancelled')", name="deliveries_state"),
    Column("number", BigInteger, nullable=False),
    Column("attempts_before", Integer, nullable=False, server_default="0"),
    Column("tried_since", DateTime(timezone=True)),
    Column("planned_at", DateTime(timezone=True)),
    UniqueConstraint("subscription_id", "source", name="deliveries_source"),
    Index("deliveries_number", "subscription_id", "number", unique=True),
    Index("deliveries_exhausted", "subscription_id", postgresql_where=text("state = 'exhausted'")),
    comment="one webhook message for one subscription; its id is the webhook-id of every attempt, its body the bytes that are signed",
)

delivery_attempts: Final = Table(
    "delivery_attempts",
    metadata,
    Column("delivery_id", Uuid, ForeignKey("deliveries.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("status", SmallInteger),
    Column("error", Text),
    Column("accepted", Boolean, nullable=False),
    comment="what each attempt met: the receiver's status, or a code of ours",
)

waiting_notices: Final = Table(
    "waiting_notices",
    metadata,
    Column("notice_id", Uuid, primary_key=True),
    Column("source", Uuid, nullable=False),
    Column("organisation", Text, primary_key=True),
    Column("mailbox", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("sent_at", DateTime(timezone=True), nullable=False),
    Column("acknowledge_by", DateTime(timezone=True), nullable=False),
    Column("readers", ARRAY(Text), nullable=False),
    Index("waiting_notices_organisation", "organisation"),
    comment="notices that a person is expected to take on and nobody has, for each organisation with units that read them; no persons",
)

digests: Final = Table(
    "digests",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation", Text, nullable=False),
    Column("unit_prefixes", ARRAY(Text), nullable=False),
    Column("client", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("clock", Time, nullable=False),
    Column("days", ARRAY(Text), nullable=False),
    Column("types", ARRAY(Text), nullable=False),
    Column("units", ARRAY(Text), nullable=False),
    Column("language", Text, nullable=False),
    Column("empty", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("last_error", Text),
    Column("last_sent_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("state IN ('active', 'failing', 'deleted')", name="digests_state"),
    CheckConstraint("language IN ('sv', 'en')", name="digests_language"),
    Index("digests_organisation", "organisation"),
    comment="who gets an e-mail of counts at which time of day; position = how far the push feed was counted",
)

contacts: Final = Table(
    "contacts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation", Text, nullable=False),
    Column("unit_prefixes", ARRAY(Text), nullable=False),
    Column("client", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("mailbox", Text),
    Column("email", Text, nullable=False),
    Column("from_step", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("from_step IN ('contact', 'on_call', 'operator')", name="contacts_step"),
    CheckConstraint("language IN ('sv', 'en')", name="contacts_language"),
    Index("contacts_organisation", "organisation", "place"),
    comment="whom to write to when something escalates, in their order; mailbox null = all of those units",
)

escalations: Final = Table(
    "escalations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Uuid, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("units", ARRAY(Text), nullable=False),
    Column("mailbox", Text),
    Column("notice_type", Text),
    Column("step", Text, nullable=False),
    Column("delivered", Boolean, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    Column("closed_by", Text),
    CheckConstraint(
        "kind IN ('notice.unacknowledged', 'mailbox.silent', 'webhook.exhausted', 'webhook.disabled')", name="escalations_kind"
    ),
    CheckConstraint("step IN ('contact', 'on_call', 'operator')", name="escalations_step"),
    Index("escalations_open", "kind", "subject", "organisation", unique=True, postgresql_where=text("closed_at IS NULL")),
    Index("escalations_organisation", "organisation", "id", postgresql_where=text("closed_at IS NULL")),
    comment="what nobody did or read in time, and how far that has come; open until it was done",
)

mails: Final = Table(
    "mails",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("source", Text, nullable=False),
    Column("digest_id", Uuid, ForeignKey("digests.id")),
    Column("recipient", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("last_error", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("state IN ('pending', 'sent', 'failed')", name="mails_state"),
    UniqueConstraint("source", "recipient", name="mails_source"),
    comment="e-mails of counts, units and types; source = what it is about, so that nothing is written twice",
)
