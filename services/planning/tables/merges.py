"""What was said of a person's numbers before any stay of hers was told of."""

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from services.planning.tables.metadata import INSTANT, metadata

waiting_merges = Table(
    "waiting_merges",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("client", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("merged", Text, nullable=False),
    Column("merged_into", Text, nullable=False),
    Column("person", JSONB, nullable=False),
    Column("happened_at", INSTANT, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    UniqueConstraint("client", "message", name="waiting_merges_message"),
    Index("waiting_merges_merged", "merged"),
    comment="that a number is another person's now, as a client said it, for stays it tells of later;"
    " the person sealed, both numbers as keyed hashes; kept some days",
)
