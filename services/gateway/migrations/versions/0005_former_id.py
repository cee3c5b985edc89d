"""Staff: the id that a session had until its role was chosen, good for another choice within seconds.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff_sessions", sa.Column("former_hash", sa.LargeBinary))
    op.add_column("staff_sessions", sa.Column("renewed_at", sa.DateTime(timezone=True)))
    op.create_index("ix_staff_sessions_former_hash", "staff_sessions", ["former_hash"])


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
