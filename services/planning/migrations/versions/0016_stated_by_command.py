"""Of every event is kept whether a party stated it with a command; until now that was guessed from how it was named.

Of what is there the answer tells: a command's names the unit that stated it, a sent event's the findings. Measures declined have no line
of their own; like all `case.…` they can only be stated with a command.

Revision: 0016, after 0015
"""

from typing import Final

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

STATEMENTS: Final = (
    "ALTER TABLE events ADD COLUMN by_command BOOLEAN DEFAULT false NOT NULL",
    (
        "COMMENT ON TABLE events IS 'every event ever accepted, as sent (canonical JSON) but for the person, which is sealed;"
        " two clocks: sent_at and the time inside; by_command = a party stated it with a command'"
    ),
    "ALTER TABLE events DISABLE TRIGGER events_stay",
    """
    UPDATE events AS e SET by_command = true WHERE CAST(e.body AS jsonb) ->> 'type' LIKE 'case.%'
    OR e.id IN (SELECT event_row FROM case_history WHERE event_row IS NOT NULL AND jsonb_exists(CAST(answer AS jsonb), 'unit')
                AND what IN ('stay.outpatient_block_started', 'stay.outpatient_block_ended', 'stay.event_cancelled'))
    """,
    "ALTER TABLE events ENABLE TRIGGER events_stay",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
