"""The tables of notifications: subscriptions, deliveries, attempts, and what every service has."""

from typing import Final

from sqlalchemy import (
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
    Index("subscriptions_one", "organisation", "unit_prefixes", unique=True, postgresql_where=text("state <> 'deleted'")),
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
    UniqueConstraint("subscription_id", "source", name="deliveries_source"),
    Index("deliveries_log", "subscription_id", "id"),
    comment="one webhook message for one subscription; its id is the webhook-id of every attempt, its body the bytes that are signed",
)

delivery_attempts: Final = Table(
    "delivery_attempts",
    metadata,
    Column("delivery_id", Uuid, ForeignKey("deliveries.id"), primary_key=True),
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("status", SmallInteger),
    Column("error", Text),
    Column("accepted", Boolean, nullable=False),
    comment="what each attempt met: the receiver's status, or a code of ours",
)
