"""The gateway's own tables: who may ask for tokens, with what, and which assertions were used."""

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
    sa.Column("jwks_url", sa.Text),
    sa.Column("tokens_not_before", sa.DateTime(timezone=True)),
    sa.Column("certificate_thumbprints", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("registered_by", sa.Text, nullable=False, server_default=""),
    sa.Column("issuer", sa.Text),
    sa.Column("subject", sa.Text),
    sa.CheckConstraint("organisation ~ '^[0-9]{10}$'", name="organisation"),
    sa.CheckConstraint("municipality ~ '^[0-9]{4}$'", name="municipality"),
    sa.CheckConstraint("role IN ('" + "', '".join(ROLES) + "')", name="role"),
    sa.CheckConstraint("public_keys IS NULL OR jwks_url IS NULL", name="one_source_of_keys"),
    sa.CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name="issuer_and_subject"),
    sa.UniqueConstraint("issuer", "subject"),
)

former_credentials: Final = sa.Table(
    "former_credentials",
    metadata,
    sa.Column("client_id", sa.Text, sa.ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("replaced_at", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
    sa.Column("secret_hash", sa.Text),
    sa.Column("public_keys", JSONB(none_as_null=True)),
    sa.Column("jwks_url", sa.Text),
)

used_assertions: Final = sa.Table(
    "used_assertions",
    metadata,
    sa.Column("client_id", sa.Text, sa.ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("jti", sa.Text, primary_key=True),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
)

sign_ins: Final = sa.Table(
    "sign_ins",
    metadata,
    sa.Column("state_hash", sa.LargeBinary, primary_key=True),
    sa.Column("browser_hash", sa.LargeBinary, nullable=False),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("verifier", sa.Text, nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
)

staff_sessions: Final = sa.Table(
    "staff_sessions",
    metadata,
    sa.Column("session_hash", sa.LargeBinary, primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("commissions", JSONB, nullable=False),
    sa.Column("chosen", sa.SmallInteger),
    sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("former_hash", sa.LargeBinary, index=True),
    sa.Column("renewed_at", sa.DateTime(timezone=True)),
    sa.CheckConstraint("chosen >= 0 AND chosen < jsonb_array_length(commissions)", name="chosen"),
)

staff_cuts: Final = sa.Table(
    "staff_cuts",
    metadata,
    sa.Column("user_id", sa.Text, primary_key=True),
    sa.Column("tokens_not_before", sa.DateTime(timezone=True), nullable=False),
)
