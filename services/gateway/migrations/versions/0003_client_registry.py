"""Clients: keys by address, credentials with an overlap, tokens not before, certificates, names at other issuers.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.streams.migration import grant_to_all

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clients", sa.Column("jwks_url", sa.Text))
    op.add_column("clients", sa.Column("tokens_not_before", sa.DateTime(timezone=True)))
    op.add_column("clients", sa.Column("certificate_thumbprints", ARRAY(sa.Text), nullable=False, server_default="{}"))
    op.add_column("clients", sa.Column("registered_by", sa.Text, nullable=False, server_default=""))
    op.add_column("clients", sa.Column("issuer", sa.Text))
    op.add_column("clients", sa.Column("subject", sa.Text))
    op.create_check_constraint("ck_clients_one_source_of_keys", "clients", "public_keys IS NULL OR jwks_url IS NULL")
    op.create_check_constraint("ck_clients_issuer_and_subject", "clients", "(issuer IS NULL) = (subject IS NULL)")
    op.create_unique_constraint("uq_clients_issuer", "clients", ["issuer", "subject"])
    op.create_table(
        "former_credentials",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("secret_hash", sa.Text),
        sa.Column("public_keys", JSONB),
        sa.Column("jwks_url", sa.Text),
        sa.PrimaryKeyConstraint("client_id", "replaced_at", name="pk_former_credentials"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.client_id"], name="fk_former_credentials_client_id", ondelete="CASCADE"),
    )
    grant_to_all("SELECT, INSERT, DELETE", "former_credentials")


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
