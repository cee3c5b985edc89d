"""What the review of the access log finds its entries by."""

from sqlalchemy import BigInteger, Column, Table, Text

from services.planning.tables.metadata import metadata

access_terms = Table(
    "access_terms",
    metadata,
    Column("term", Text, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    comment="append-only index of the access log: by whom an access is reviewed, and what it is found by",
)
