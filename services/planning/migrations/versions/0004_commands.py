"""What the parties decide together: plans whole, consents, messages, deviations."""

from alembic import op

from shared.streams.migration import grant, make_append_only

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CHANGES = (
    "ALTER TABLE plans DROP CONSTRAINT plans_consent",
    "ALTER TABLE plans ALTER COLUMN consent DROP NOT NULL",
    "ALTER TABLE plans ADD CONSTRAINT plans_consent CHECK (consent IN ('given', 'refused', 'withdrawn'))",
    """
    ALTER TABLE plans ADD COLUMN kind TEXT DEFAULT 'sip' NOT NULL CONSTRAINT plans_kind CHECK (kind IN ('sip', 'care_plan')),
        ADD COLUMN child BOOLEAN DEFAULT false NOT NULL, ADD COLUMN person JSONB, ADD COLUMN main_unit TEXT
    """,
    "COMMENT ON TABLE plans IS 'co-ordinated individual plans (SIP) and care plans; the person only of a plan without a stay'",
    """
    CREATE TABLE plan_entries (
        plan_id UUID NOT NULL,
        number INTEGER NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        client TEXT NOT NULL,
        what TEXT NOT NULL,
        body JSONB NOT NULL,
        PRIMARY KEY (plan_id, number),
        FOREIGN KEY(plan_id) REFERENCES plans (id)
    )
    """,
    "COMMENT ON TABLE plan_entries IS 'what was said in a plan, append-only: consents, meetings, measures, follow-ups; the latest stands'",
    """
    CREATE TABLE plan_parties (
        plan_id UUID NOT NULL,
        unit TEXT NOT NULL,
        team TEXT,
        PRIMARY KEY (plan_id, unit),
        FOREIGN KEY(plan_id) REFERENCES plans (id)
    )
    """,
    "COMMENT ON TABLE plan_parties IS 'the units that take part in a plan; team = the team through which'",
    """
    CREATE TABLE plan_answers (
        invitation_id UUID NOT NULL,
        unit TEXT NOT NULL,
        answer TEXT NOT NULL,
        proposed_at TIMESTAMP WITH TIME ZONE,
        answered_by TEXT NOT NULL,
        answered_at TIMESTAMP WITH TIME ZONE NOT NULL,
        client TEXT NOT NULL,
        PRIMARY KEY (invitation_id, unit),
        CONSTRAINT plan_answers_answer CHECK (answer IN ('accepted', 'declined')),
        FOREIGN KEY(invitation_id) REFERENCES plan_invitations (id)
    )
    """,
    "COMMENT ON TABLE plan_answers IS 'what each unit that was called last answered'",
    """
    CREATE TABLE plan_notices (
        plan_id UUID NOT NULL,
        notice_id UUID NOT NULL,
        PRIMARY KEY (plan_id, notice_id),
        FOREIGN KEY(plan_id) REFERENCES plans (id),
        FOREIGN KEY(notice_id) REFERENCES notices (id)
    )
    """,
    "COMMENT ON TABLE plan_notices IS 'the notices of a plan, to be withheld when the consent is withdrawn'",
    "ALTER TABLE notices DROP CONSTRAINT notices_withheld",
    """
    ALTER TABLE notices ADD CONSTRAINT notices_withheld CHECK (withheld IN ('erased', 'protected', 'returned', 'consent_withdrawn'))
    """,
    """
    CREATE TABLE consents (
        id UUID NOT NULL,
        case_id UUID NOT NULL,
        answer TEXT NOT NULL,
        purposes JSONB NOT NULL,
        given_by TEXT NOT NULL,
        valid_until DATE,
        unit TEXT NOT NULL,
        asked_by TEXT NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        client TEXT NOT NULL,
        withdrawn_at TIMESTAMP WITH TIME ZONE,
        withdrawn_by TEXT,
        withdrawn_client TEXT,
        PRIMARY KEY (id),
        CONSTRAINT consents_answer CHECK (answer IN ('given', 'refused')),
        FOREIGN KEY(case_id) REFERENCES cases (id)
    )
    """,
    "COMMENT ON TABLE consents IS 'what a patient said when asked whether more than the statute tells may be shared in a case'",
    "CREATE INDEX consents_case ON consents (case_id)",
    """
    CREATE TABLE messages (
        id UUID NOT NULL,
        case_id UUID NOT NULL,
        answers UUID,
        state TEXT NOT NULL,
        sender TEXT NOT NULL,
        recipient TEXT NOT NULL,
        topic TEXT NOT NULL,
        body TEXT,
        written_by TEXT NOT NULL,
        sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
        client TEXT NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT messages_state CHECK (state IN ('open', 'answered', 'answer')),
        FOREIGN KEY(case_id) REFERENCES cases (id),
        FOREIGN KEY(answers) REFERENCES messages (id)
    )
    """,
    "COMMENT ON TABLE messages IS 'questions and answers on a case; the text is shown to the other side only with consent'",
    "CREATE INDEX messages_case ON messages (case_id, id)",
    """
    CREATE TABLE deviations (
        id UUID NOT NULL,
        case_id UUID NOT NULL,
        notice_id UUID,
        state TEXT NOT NULL,
        category TEXT NOT NULL,
        step TEXT NOT NULL,
        reporter TEXT NOT NULL,
        assigned_to TEXT,
        reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
        assigned_at TIMESTAMP WITH TIME ZONE,
        answered_at TIMESTAMP WITH TIME ZONE,
        closed_at TIMESTAMP WITH TIME ZONE,
        due_at TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (id),
        CONSTRAINT deviations_state CHECK (state IN ('reported', 'assigned', 'answered', 'closed')),
        FOREIGN KEY(case_id) REFERENCES cases (id)
    )
    """,
    "COMMENT ON TABLE deviations IS 'faults in the co-operation: reported, assigned to the counterpart, answered with measures, closed'",
    "CREATE INDEX deviations_assigned_to ON deviations (assigned_to)",
    "CREATE INDEX deviations_case ON deviations (case_id)",
    "CREATE INDEX deviations_reporter ON deviations (reporter)",
    """
    CREATE TABLE deviation_entries (
        deviation_id UUID NOT NULL,
        number INTEGER NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        client TEXT NOT NULL,
        unit TEXT NOT NULL,
        what TEXT NOT NULL,
        body JSONB NOT NULL,
        PRIMARY KEY (deviation_id, number),
        FOREIGN KEY(deviation_id) REFERENCES deviations (id)
    )
    """,
    "COMMENT ON TABLE deviation_entries IS 'what was said about a deviation, by whom, append-only'",
)


def upgrade() -> None:
    for statement in CHANGES:
        op.execute(statement)
    for table in ("plan_entries", "plan_notices", "deviation_entries"):
        make_append_only(table)
    grant("SELECT, INSERT", "plan_parties")
    for table in ("plan_answers", "consents", "messages", "deviations"):
        grant("SELECT, INSERT, UPDATE", table)
