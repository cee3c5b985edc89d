"""Staff: sessions and sign-in under way.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.streams.migration import grant_to_all

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("state_hash", sa.LargeBinary, nullable=False),
        sa.Column("browser_hash", sa.LargeBinary, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("verifier", sa.Text, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name="pk_sign_ins"),
    )
    op.create_index("ix_sign_ins_expires_at", "sign_ins", ["expires_at"])
    op.create_table(
        "staff_sessions",
        sa.Column("session_hash", sa.LargeBinary, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("commissions", JSONB, nullable=False),
        sa.Column("chosen", sa.SmallInteger),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("session_hash", name="pk_staff_sessions"),
        sa.CheckConstraint("chosen >= 0 AND chosen < jsonb_array_length(commissions)", name="ck_staff_sessions_chosen"),
    )
    for column in ("user_id", "seen_at", "expires_at"):
        op.create_index(f"ix_staff_sessions_{column}", "staff_sessions", [column])
    op.create_table(
        "staff_cuts",
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("tokens_not_before", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_staff_cuts"),
    )
    grant_to_all("SELECT, INSERT, UPDATE, DELETE", "sign_ins")
    grant_to_all("SELECT, INSERT, UPDATE", "staff_cuts")
    grant_to_all("SELECT, INSERT, UPDATE, DELETE", "staff_sessions")


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
