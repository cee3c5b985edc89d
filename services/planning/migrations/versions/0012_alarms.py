"""Alarms: mailboxes nobody polls, notices nobody takes on.

Revision: 0012, after 0011
"""

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
