"""The roles beside the app role, and who reads, for row-level security.

Revision: 0002, after 0001
"""

from alembic import op

from shared.streams.migration import WHO_READS_V1, share_rights

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    share_rights()
    for statement in WHO_READS_V1:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
