"""The table in which every service keeps its first answers; apart from the code that uses it, so that a worker loads no web framework."""

from sqlalchemy import Column, DateTime, LargeBinary, MetaData, SmallInteger, Table, Text, func


def add_idempotency_table(metadata: MetaData) -> None:
    """Declare the table in a service's metadata."""
    Table(
        "idempotency_keys",
        metadata,
        Column("client", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("status", SmallInteger, nullable=False),
        Column("body", Text, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), index=True),
        comment="first answers to requests with an Idempotency-Key, kept 90 days",
    )
