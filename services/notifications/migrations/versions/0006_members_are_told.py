"""What members of a team are told.

What stands in a team's mailbox waits, escalates and is fed once for each organisation that has units among those who read it.

Revision: 0006, after 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CHANGE = (
    "ALTER TABLE waiting_notices ADD COLUMN readers text[] NOT NULL DEFAULT '{}'",
    "UPDATE waiting_notices SET readers = ARRAY[unit] WHERE unit IS NOT NULL",
    # A question waits for its answer, an answer for nothing: neither is taken on any more.
    "DELETE FROM waiting_notices WHERE type = 'notice.message'",
    "ALTER TABLE waiting_notices ALTER COLUMN readers DROP DEFAULT",
    "ALTER TABLE waiting_notices DROP CONSTRAINT waiting_notices_pkey, ADD PRIMARY KEY (notice_id, organisation)",
    """
    COMMENT ON TABLE waiting_notices IS
    'notices that a person is expected to take on and nobody has, for each organisation with units that read them; no persons'
    """,
    "DROP INDEX escalations_open",
    "CREATE UNIQUE INDEX escalations_open ON escalations (kind, subject, organisation) WHERE closed_at IS NULL",
)
_OWN = "organisation = caller_organisation()"
_WHOLE = "'SE' || caller_organisation() || '-'"
_INSIDE = "EXISTS (SELECT FROM unnest(caller_units()) AS own (prefix) WHERE starts_with(its.unit, own.prefix))"
_READS = f"""
    {_OWN} AND EXISTS (
        SELECT FROM unnest(CASE WHEN readers = '{{}}' THEN ARRAY[{_WHOLE}] ELSE readers END) AS its (unit) WHERE {_INSIDE})
"""
# A webhook is whose every unit it may tell of is; a notice or a mailbox concerns whoever reads it for one of its units.
_CONCERNS = f"""
    {_OWN} AND CASE WHEN kind LIKE 'webhook.%' OR units = '{{}}' THEN NOT EXISTS (
        SELECT FROM unnest(CASE WHEN units = '{{}}' THEN ARRAY[{_WHOLE}] ELSE units END) AS its (unit) WHERE NOT {_INSIDE})
    ELSE EXISTS (SELECT FROM unnest(units) AS its (unit) WHERE {_INSIDE}) END
"""  # noqa: S608  # constant text
_FED = f"""
    feed = 'push:' || caller_organisation() AND EXISTS (
        SELECT FROM (SELECT CAST(body AS jsonb) -> 'data' AS data) AS told
        CROSS JOIN LATERAL jsonb_array_elements_text(
            coalesce(told.data -> 'readers', jsonb_build_array(coalesce(told.data ->> 'unit', {_WHOLE})))) AS its (unit)
        WHERE {_INSIDE})
"""


def upgrade() -> None:
    for statement in _CHANGE:
        op.execute(statement)
    op.execute(f"ALTER POLICY caller_sees ON waiting_notices USING ({_READS})")
    op.execute("DROP INDEX waiting_notices_organisation")
    op.execute("ALTER TABLE waiting_notices DROP COLUMN unit")
    op.execute("CREATE INDEX waiting_notices_organisation ON waiting_notices (organisation)")
    op.execute(f"ALTER POLICY caller_sees ON escalations USING ({_CONCERNS})")
    op.execute(f"ALTER POLICY caller_sees ON feed_entries USING ({_FED})")


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
