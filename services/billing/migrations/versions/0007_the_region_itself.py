"""An office of the region is one of the region itself: its role alone, which other organisations have too, shows nothing.

Revision: 0007, after 0006
"""

from typing import Final

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# The service states the number of its region with every caller, from its settings; where none is stated nobody is of the region.
CHANGES: Final = (
    """
    CREATE FUNCTION the_region() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('dirigent.region', true), '') $$
    """,
    "COMMENT ON FUNCTION the_region() IS 'the organisation number of the region that the service serves, by its settings'",
    """
    CREATE OR REPLACE FUNCTION is_region() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
        SELECT coalesce(caller_role() IN ('finance', 'controller', 'approver', 'auditor') AND caller_organisation() = the_region()
                        AND caller_municipality() IS NULL, false)
    $$
    """,
    "COMMENT ON FUNCTION is_region() IS 'whether an office of the region itself calls: it reads what everybody owes'",
)


def upgrade() -> None:
    for statement in CHANGES:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
