"""Merges of two numbers (ADT A40) that may come before the admission they are about.

Revision: 0017, after 0016
"""

from alembic import op

from shared.streams.migration import grant_to_all, role_beside, wall

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# `(SELECT ...)` around a function lets it be computed once for a statement.
ITS_OWN = "client = (SELECT caller_client())"
STATEMENTS = (
    """
    CREATE TABLE waiting_merges (
        id uuid PRIMARY KEY, client text NOT NULL, organisation text NOT NULL, message text NOT NULL,
        merged text NOT NULL, merged_into text NOT NULL, person jsonb NOT NULL,
        happened_at timestamptz NOT NULL, received_at timestamptz NOT NULL,
        CONSTRAINT waiting_merges_message UNIQUE (client, message)
    )
    """,
    "CREATE INDEX waiting_merges_merged ON waiting_merges (merged)",
    (
        "COMMENT ON TABLE waiting_merges IS 'that a number is another person''s now, as a client said it, for stays it tells of later;"
        " the person sealed, both numbers as keyed hashes; kept some days'"
    ),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant_to_all("SELECT, INSERT", "waiting_merges")
    # Erasing a person, forgetting and sealing anew are no caller's.
    op.execute(f'GRANT UPDATE, DELETE ON waiting_merges TO "{role_beside("intake")}", "{role_beside("worker")}"')
    wall("waiting_merges", ITS_OWN)
    op.execute(
        f'CREATE POLICY by_its_caller ON waiting_merges AS RESTRICTIVE FOR INSERT TO "{role_beside("intake")}" WITH CHECK ({ITS_OWN})'
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
