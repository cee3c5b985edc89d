"""The gateway's own tables: who may ask for tokens, and which assertions were used."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

ROLES: Final = ("ward", "history", "municipality", "care", "finance", "controller", "approver", "auditor")

metadata: Final = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(column_0_label)s",
    }
)

clients: Final = sa.Table(
    "clients",
    metadata,
    sa.Column("client_id", sa.Text, primary_key=True),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("unit_prefixes", ARRAY(sa.Text), nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("municipality", sa.Text),
    sa.Column("secret_hash", sa.Text),
    sa.Column("public_keys", JSONB(none_as_null=True)),
    sa.Column("demo", sa.Boolean, nullable=False),
    sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("disabled_at", sa.DateTime(timezone=True)),
    sa.CheckConstraint("organisation ~ '^[0-9]{10}$'", name="organisation"),
    sa.CheckConstraint("municipality ~ '^[0-9]{4}$'", name="municipality"),
    sa.CheckConstraint("role IN ('" + "', '".join(ROLES) + "')", name="role"),
)

used_assertions: Final = sa.Table(
    "used_assertions",
    metadata,
    sa.Column("client_id", sa.Text, sa.ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("jti", sa.Text, primary_key=True),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
)
