"""Offices: units of the region that are neither ward nor care centre, where its controllers have their mailbox.

Revision: 0013, after 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CHANGES = (
    "ALTER TABLE units DROP CONSTRAINT units_kind",
    "ALTER TABLE units ADD CONSTRAINT units_kind CHECK (kind IN ('ward', 'care_centre', 'municipal', 'team', 'office'))",
)


def upgrade() -> None:
    for statement in CHANGES:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
