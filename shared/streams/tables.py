"""The five tables that every service's database has: what is staged, what is numbered, and how far a consumer has come."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, LargeBinary, MetaData, SmallInteger, Table, Text, Uuid, func


def add_stream_tables(metadata: MetaData) -> None:
    """Declare the tables in a service's metadata; the first migration of each service creates them."""
    Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(always=True, cache=1), primary_key=True),
        Column("feed", Text, nullable=False),
        Column("entry_id", Uuid, nullable=False),
        Column("kind", Text, nullable=False),
        Column("subject", Uuid),
        Column("body", Text, nullable=False),
        comment="facts staged in the transaction that made them, waiting for a position",
    )
    Table(
        "sequencer",
        metadata,
        Column("id", SmallInteger, primary_key=True, autoincrement=False),
        Column("epoch", Integer, nullable=False),
        comment="one row: whoever holds its lock may number; the epoch is raised when a backup was restored",
    )
    Table(
        "feed_heads",
        metadata,
        Column("feed", Text, primary_key=True),
        Column("position", BigInteger, nullable=False),
        Column("hash", LargeBinary, nullable=False),
        comment="last position and running hash of each feed",
    )
    Table(
        "feed_entries",
        metadata,
        Column("feed", Text, primary_key=True),
        Column("position", BigInteger, primary_key=True, autoincrement=False),
        Column("entry_id", Uuid, nullable=False),
        Column("kind", Text, nullable=False),
        Column("subject", Uuid),
        Column("body", Text, nullable=False),
        Column("hash", LargeBinary, nullable=False),
        Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
        Index("feed_entries_entry", "entry_id"),
        comment="append-only, dense 1..n per feed: the service's stream, mailboxes, invoice feeds",
    )
    Table(
        "stream_cursors",
        metadata,
        Column("stream", Text, primary_key=True),
        Column("epoch", Integer, nullable=False),
        Column("position", BigInteger, nullable=False),
        Column("delivered", BigInteger, nullable=False, server_default="0"),
        Column("repaired", BigInteger, nullable=False, server_default="0"),
        Column("moved_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        comment="how far this service has applied each stream it consumes; by queue, or repaired over HTTP",
    )
