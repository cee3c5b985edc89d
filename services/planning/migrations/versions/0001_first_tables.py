"""Planning's first tables: directory, events, cases, notices, plans."""

from alembic import op

from shared.streams.migration import create_shared_tables_v1, grant, make_append_only

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CREATE = (
    """
    CREATE TABLE cases (
        id UUID NOT NULL,
        space TEXT NOT NULL,
        subject TEXT NOT NULL,
        provider TEXT NOT NULL,
        version INTEGER DEFAULT '0' NOT NULL,
        state TEXT,
        ward TEXT,
        care_type TEXT,
        municipality TEXT,
        outpatient_unit TEXT,
        parties JSONB DEFAULT '[]' NOT NULL,
        view JSONB,
        person JSONB,
        person_id TEXT,
        changed_at TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (id),
        CONSTRAINT cases_stay UNIQUE (space, subject)
    )
    """,
    "COMMENT ON TABLE cases IS 'the fold of each stay''s events as last computed; the person only here, for search and for the parties'",
    "CREATE INDEX cases_municipality ON cases (municipality, id)",
    "CREATE INDEX cases_outpatient_unit ON cases (outpatient_unit, id)",
    "CREATE INDEX cases_person ON cases (person_id)",
    "CREATE INDEX cases_ward ON cases (ward, id)",
    """
    CREATE TABLE events (
        id BIGINT GENERATED ALWAYS AS IDENTITY (CACHE 1),
        source TEXT NOT NULL,
        event_id TEXT NOT NULL,
        space TEXT NOT NULL,
        subject TEXT NOT NULL,
        sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
        received_at TIMESTAMP WITH TIME ZONE NOT NULL,
        history BOOLEAN NOT NULL,
        client TEXT NOT NULL,
        fingerprint BYTEA NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT events_key UNIQUE (source, event_id)
    )
    """,
    "COMMENT ON TABLE events IS 'every event ever accepted, as sent (canonical JSON); two clocks: sent_at and the time inside the body'",
    "CREATE INDEX events_stay ON events (space, subject)",
    """
    CREATE TABLE organisations (
        number TEXT NOT NULL,
        name TEXT NOT NULL,
        municipality TEXT,
        PRIMARY KEY (number),
        UNIQUE (municipality)
    )
    """,
    "COMMENT ON TABLE organisations IS 'region and municipalities; municipality = SCB code'",
    """
    CREATE TABLE case_history (
        case_id UUID NOT NULL,
        version INTEGER NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        client TEXT NOT NULL,
        what TEXT NOT NULL,
        event_row BIGINT,
        answer TEXT NOT NULL,
        PRIMARY KEY (case_id, version),
        FOREIGN KEY(case_id) REFERENCES cases (id),
        UNIQUE (event_row),
        FOREIGN KEY(event_row) REFERENCES events (id)
    )
    """,
    "COMMENT ON TABLE case_history IS 'who did what when, append-only; answer = the first answer, given again to a repetition'",
    """
    CREATE TABLE plans (
        id UUID NOT NULL,
        case_id UUID,
        organisation TEXT NOT NULL,
        unit TEXT NOT NULL,
        state TEXT NOT NULL,
        consent TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        created_by TEXT NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT plans_consent CHECK (consent IN ('given', 'refused')),
        FOREIGN KEY(case_id) REFERENCES cases (id)
    )
    """,
    "COMMENT ON TABLE plans IS 'co-ordinated individual plans (SIP); so far what money needs of them'",
    "CREATE INDEX plans_case ON plans (case_id)",
    """
    CREATE TABLE units (
        hsa_id TEXT NOT NULL,
        organisation TEXT NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        stay_space TEXT,
        PRIMARY KEY (hsa_id),
        CONSTRAINT units_kind CHECK (kind IN ('ward', 'care_centre', 'municipal')),
        FOREIGN KEY(organisation) REFERENCES organisations (number)
    )
    """,
    "COMMENT ON TABLE units IS 'stay_space = within what a ward''s stay ids are unique, its record system; none = the care provider'",
    """
    CREATE TABLE mailboxes (
        id UUID NOT NULL,
        organisation TEXT NOT NULL,
        unit TEXT NOT NULL,
        function TEXT NOT NULL,
        recipient TEXT NOT NULL,
        last_polled_at TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (id),
        CONSTRAINT mailboxes_recipient UNIQUE (recipient, function),
        CONSTRAINT mailboxes_function CHECK (function IN ('municipality', 'care_unit')),
        FOREIGN KEY(organisation) REFERENCES organisations (number),
        FOREIGN KEY(unit) REFERENCES units (hsa_id)
    )
    """,
    "COMMENT ON TABLE mailboxes IS 'one dense feed each; recipient = municipality:CODE or unit:HSA-id, as notices are addressed'",
    "CREATE INDEX mailboxes_unit ON mailboxes (unit)",
    """
    CREATE TABLE plan_invitations (
        id UUID NOT NULL,
        plan_id UUID NOT NULL,
        sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        units JSONB NOT NULL,
        meeting JSONB,
        client TEXT NOT NULL,
        PRIMARY KEY (id),
        FOREIGN KEY(plan_id) REFERENCES plans (id)
    )
    """,
    "COMMENT ON TABLE plan_invitations IS 'N8: who was called to a plan, when, by whom'",
    "CREATE INDEX plan_invitations_plan ON plan_invitations (plan_id)",
    """
    CREATE TABLE notices (
        id UUID NOT NULL,
        mailbox UUID NOT NULL,
        case_id UUID,
        recipient TEXT NOT NULL,
        type TEXT NOT NULL,
        origin TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        revision INTEGER NOT NULL,
        state TEXT NOT NULL,
        sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
        supersedes UUID,
        envelope TEXT NOT NULL,
        personal JSONB,
        delivered_at TIMESTAMP WITH TIME ZONE,
        acknowledged_at TIMESTAMP WITH TIME ZONE,
        acknowledged_by TEXT,
        acknowledged_client TEXT,
        PRIMARY KEY (id),
        CONSTRAINT notices_state CHECK (state IN ('sent', 'delivered', 'acknowledged', 'returned', 'superseded', 'cancelled')),
        FOREIGN KEY(mailbox) REFERENCES mailboxes (id),
        FOREIGN KEY(case_id) REFERENCES cases (id)
    )
    """,
    "COMMENT ON TABLE notices IS 'what stands beside the envelope in a mailbox: the personal part, and what became of the notice'",
    "CREATE INDEX notices_case ON notices (case_id)",
)


def upgrade() -> None:
    create_shared_tables_v1()
    for statement in CREATE:
        op.execute(statement)

    make_append_only("events")
    make_append_only("case_history")
    for table in ("organisations", "units", "mailboxes", "cases", "notices", "plans", "plan_invitations"):
        grant("SELECT, INSERT, UPDATE", table)
