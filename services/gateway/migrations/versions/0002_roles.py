"""The roles beside the app role.

Revision: 0002, after 0001
"""

from shared.streams.migration import share_rights

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    share_rights()


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
