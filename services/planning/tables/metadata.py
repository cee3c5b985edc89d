"""What every table of planning belongs to, with the tables that all services share."""

from sqlalchemy import DateTime, MetaData

from shared.http.tables import add_idempotency_table
from shared.streams.due import add_due_table
from shared.streams.tables import add_stream_tables

metadata = MetaData()
add_stream_tables(metadata)
add_idempotency_table(metadata)
add_due_table(metadata)

INSTANT = DateTime(timezone=True)
