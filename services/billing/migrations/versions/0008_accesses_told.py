"""Readings in billing are told to planning, where they are reviewed: those of before, too.

Planning knows an access again by its id; nothing is told twice that way.

Revision: 0008, after 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TELL = """
    INSERT INTO outbox (feed, entry_id, kind, subject, body)
    SELECT 'facts', gen_random_uuid(), 'access.logged', NULL,
           CAST((CAST(logged.body AS jsonb) - 'patients') || jsonb_build_object('access_id', logged.entry_id) AS text)
    FROM (SELECT entry_id, body, position AS number, 0 AS waits FROM feed_entries WHERE feed = 'access'
          UNION ALL SELECT entry_id, body, id, 1 FROM outbox WHERE feed = 'access') AS logged
    ORDER BY logged.waits, logged.number
"""


def upgrade() -> None:
    op.execute(TELL)


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
