"""What every table of planning belongs to, with the tables that all services share."""

from sqlalchemy import DateTime, Index, MetaData, text

from shared.http.tables import add_idempotency_table
from shared.streams.due import add_due_table
from shared.streams.tables import add_stream_tables

metadata = MetaData()
add_stream_tables(metadata)
Index(
    "feed_entries_access",
    text("((body)::jsonb)"),
    postgresql_using="gin",
    postgresql_where=text("feed = 'access'"),
    _table=metadata.tables["feed_entries"],
)
add_idempotency_table(metadata)
add_due_table(metadata)

INSTANT = DateTime(timezone=True)
