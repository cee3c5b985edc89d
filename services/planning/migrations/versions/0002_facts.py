"""Stays that a transfer joins to one case, and every number a person had."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CHANGES = (
    "ALTER TABLE cases ADD COLUMN joined_to UUID REFERENCES cases (id), ADD COLUMN person_ids JSONB DEFAULT '[]' NOT NULL",
    "UPDATE cases SET person_ids = jsonb_build_array((person ->> 'type') || ':' || (person ->> 'id')) WHERE person IS NOT NULL",
    "CREATE INDEX cases_joined_to ON cases (joined_to) WHERE joined_to IS NOT NULL",
    "CREATE INDEX cases_parties ON cases USING gin (parties jsonb_path_ops)",
    "CREATE INDEX cases_person_ids ON cases USING gin (person_ids jsonb_path_ops)",
)


def upgrade() -> None:
    for statement in CHANGES:
        op.execute(statement)
