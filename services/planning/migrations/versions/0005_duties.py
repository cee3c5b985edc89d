"""What parties tell (planning status, care contact, declined measures), due work, and the reminders that were sent."""

from alembic import op

from shared.streams.due import CREATE_V1
from shared.streams.migration import grant, make_append_only

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CHANGES = (
    """
    CREATE TABLE planning_statuses (
        case_id UUID NOT NULL,
        unit TEXT NOT NULL,
        recipient TEXT NOT NULL,
        status TEXT NOT NULL,
        ready_from TIMESTAMP WITH TIME ZONE,
        needs JSONB DEFAULT '[]' NOT NULL,
        stated_at TIMESTAMP WITH TIME ZONE NOT NULL,
        answered_at TIMESTAMP WITH TIME ZONE,
        client TEXT NOT NULL,
        PRIMARY KEY (case_id, unit),
        CONSTRAINT planning_statuses_status CHECK (status IN ('received', 'assessing', 'ready_from', 'needs', 'no_measures')),
        FOREIGN KEY(case_id) REFERENCES cases (id)
    )
    """,
    "COMMENT ON TABLE planning_statuses IS 'what each unit last told the ward of its planning; answered_at = when it first answered'",
    """
    CREATE TABLE care_contacts (
        case_id UUID NOT NULL,
        unit TEXT NOT NULL,
        name TEXT NOT NULL,
        role TEXT,
        phone TEXT,
        appointed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        client TEXT NOT NULL,
        PRIMARY KEY (case_id),
        FOREIGN KEY(case_id) REFERENCES cases (id)
    )
    """,
    "COMMENT ON TABLE care_contacts IS 'N3: the permanent care contact; appointed_at = when the first one was appointed'",
    """
    CREATE TABLE declined_measures (
        id UUID NOT NULL,
        case_id UUID NOT NULL,
        unit TEXT NOT NULL,
        measures JSONB NOT NULL,
        declined_at TIMESTAMP WITH TIME ZONE NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        recorded_by TEXT NOT NULL,
        client TEXT NOT NULL,
        PRIMARY KEY (id),
        FOREIGN KEY(case_id) REFERENCES cases (id)
    )
    """,
    "COMMENT ON TABLE declined_measures IS 'what the patient declined, and who told us; append-only'",
    "CREATE INDEX declined_measures_case ON declined_measures (case_id)",
    """
    CREATE TABLE duty_reminders (
        case_id UUID NOT NULL,
        duty TEXT NOT NULL,
        step TEXT NOT NULL,
        told UUID NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (case_id, duty, step),
        FOREIGN KEY(case_id) REFERENCES cases (id),
        FOREIGN KEY(told) REFERENCES mailboxes (id)
    )
    """,
    "COMMENT ON TABLE duty_reminders IS 'each step of each duty that somebody was reminded of, and in which mailbox; once for ever'",
    "CREATE INDEX cases_open_parties ON cases USING gin (parties jsonb_path_ops) WHERE state IN ('admitted', 'planning', 'ready')",
    "CREATE INDEX cases_open_outpatient_unit ON cases (outpatient_unit, id) WHERE state IN ('admitted', 'planning', 'ready')",
    "CREATE INDEX cases_open_ward ON cases (ward, id) WHERE state IN ('admitted', 'planning', 'ready')",
    "CREATE INDEX notices_open ON notices (mailbox, case_id) WHERE state IN ('sent', 'delivered')",
)


def upgrade() -> None:
    for statement in (*CHANGES, *CREATE_V1):
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE", "planning_statuses")
    grant("SELECT, INSERT, UPDATE", "care_contacts")
    make_append_only("declined_measures")
    make_append_only("duty_reminders")
    grant("SELECT, INSERT, UPDATE, DELETE", "due_work")
