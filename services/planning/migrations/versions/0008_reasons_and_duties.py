"""The reason for admission beside a case, reminders of plans without a stay, and what the work list looks up by unit."""

from alembic import op

from shared.streams.migration import grant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

CHANGES = (
    """
    CREATE TABLE admission_reasons (
        case_id UUID NOT NULL,
        unit TEXT NOT NULL,
        reason TEXT NOT NULL,
        stated_by TEXT NOT NULL,
        stated_at TIMESTAMP WITH TIME ZONE NOT NULL,
        client TEXT NOT NULL,
        PRIMARY KEY (case_id),
        FOREIGN KEY(case_id) REFERENCES cases (id)
    )
    """,
    "COMMENT ON TABLE admission_reasons IS 'why the patient was admitted, as the ward told; shown to others only with her consent'",
    "ALTER TABLE duty_reminders DROP CONSTRAINT duty_reminders_case_id_fkey",
    """
    COMMENT ON TABLE duty_reminders IS
    'each step of each duty that somebody was reminded of, once for ever; case_id = the case, or the plan without a stay'
    """,
    "CREATE INDEX plan_parties_unit ON plan_parties (unit)",
    "CREATE INDEX messages_open ON messages (recipient) WHERE state = 'open'",
)


def upgrade() -> None:
    for statement in CHANGES:
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE", "admission_reasons")
