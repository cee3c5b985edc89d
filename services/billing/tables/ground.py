"""What all tables of billing share."""

from sqlalchemy import DateTime, MetaData

from shared.http.tables import add_idempotency_table
from shared.streams.tables import add_stream_tables

metadata = MetaData()
add_stream_tables(metadata)
add_idempotency_table(metadata)

INSTANT = DateTime(timezone=True)
