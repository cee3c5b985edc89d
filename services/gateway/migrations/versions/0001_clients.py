"""Clients and used assertions.

Revision: 0001, the first
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.streams.migration import grant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clients",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("unit_prefixes", ARRAY(sa.Text), nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("municipality", sa.Text),
        sa.Column("secret_hash", sa.Text),
        sa.Column("public_keys", JSONB),
        sa.Column("demo", sa.Boolean, nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("client_id", name="pk_clients"),
        sa.CheckConstraint("organisation ~ '^[0-9]{10}$'", name="ck_clients_organisation"),
        sa.CheckConstraint("municipality ~ '^[0-9]{4}$'", name="ck_clients_municipality"),
        sa.CheckConstraint(
            "role IN ('ward', 'history', 'municipality', 'care', 'finance', 'controller', 'approver', 'auditor')", name="ck_clients_role"
        ),
    )
    op.create_table(
        "used_assertions",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("jti", sa.Text, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "jti", name="pk_used_assertions"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.client_id"], name="fk_used_assertions_client_id", ondelete="CASCADE"),
    )
    op.create_index("ix_used_assertions_expires_at", "used_assertions", ["expires_at"])
    grant("SELECT, INSERT, UPDATE", "clients")
    grant("SELECT, INSERT, UPDATE, DELETE", "used_assertions")


def downgrade() -> None:
    op.drop_table("used_assertions")
    op.drop_table("clients")
