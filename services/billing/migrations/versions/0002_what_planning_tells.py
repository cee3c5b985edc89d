"""What planning tells beside the stay: answers about consent, declined measures, and the ids a stay was known by before."""

from alembic import op

from shared.streams.migration import make_append_only

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CREATE = (
    """
    CREATE TABLE plan_consents (
        plan_id UUID NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        consent TEXT NOT NULL,
        case_id UUID,
        PRIMARY KEY (plan_id, changed_at, consent)
    )
    """,
    "COMMENT ON TABLE plan_consents IS 'append-only: every answer about consent to a SIP'",
    "CREATE INDEX plan_consents_case ON plan_consents (case_id)",
    """
    CREATE TABLE declined_measures (
        decline_id UUID NOT NULL,
        case_id UUID NOT NULL,
        measures TEXT[] NOT NULL,
        declined_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (decline_id)
    )
    """,
    "COMMENT ON TABLE declined_measures IS 'append-only: every statement that the patient declined measures that were needed'",
    "CREATE INDEX declined_measures_case ON declined_measures (case_id)",
    "ALTER TABLE stays ADD COLUMN joined_cases UUID[] NOT NULL DEFAULT '{}'",
    # The stays of before have them in their bodies; the cast reads nothing that planning's own check has not let through.
    """
    UPDATE stays SET joined_cases = ARRAY(SELECT CAST(value AS uuid) FROM jsonb_array_elements_text(CAST(body AS jsonb) -> 'joined_cases'))
    WHERE CAST(body AS jsonb) ? 'joined_cases'
    """,
    "CREATE INDEX stays_joined_cases ON stays USING gin (joined_cases) WHERE joined_cases <> '{}'",
)

APPEND_ONLY = ("plan_consents", "declined_measures")


def upgrade() -> None:
    for statement in CREATE:
        op.execute(statement)
    for table in APPEND_ONLY:
        make_append_only(table)


def downgrade() -> None:
    raise NotImplementedError("money that was invoiced is never dropped: restore a backup instead")
