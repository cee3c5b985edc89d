"""Endpoints belong to exactly the units that made them, and what a receiver had no room for uses nothing of a message's schedule.

Revision: 0005, after 0004
"""

from alembic import op

from shared.streams.migration import app_role

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# As for digests and contacts: whose client made it, or for exactly the caller's units. Messages and attempts are seen through it.
_EXACTLY_OWN = """
    organisation = caller_organisation()
    AND (client = caller_client() OR (unit_prefixes @> caller_units() AND unit_prefixes <@ caller_units()))
"""


def upgrade() -> None:
    op.execute("DROP POLICY caller_sees ON subscriptions")
    op.execute(f'CREATE POLICY caller_sees ON subscriptions TO "{app_role()}" USING ({_EXACTLY_OWN})')
    op.execute("ALTER TABLE subscriptions ADD COLUMN at_once integer")
    # Messages under way begin the time they may take with their next attempt.
    op.execute("ALTER TABLE deliveries ADD COLUMN tried_since timestamptz, ADD COLUMN planned_at timestamptz")


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
