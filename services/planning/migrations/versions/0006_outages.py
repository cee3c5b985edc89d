"""The paper routine: outages that were recorded or stated, what was said of them, and the beats that the service is up."""

from alembic import op

from shared.streams.migration import grant, make_append_only

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CHANGES = (
    """
    CREATE TABLE outages (
        id UUID NOT NULL,
        since TIMESTAMP WITH TIME ZONE NOT NULL,
        until TIMESTAMP WITH TIME ZONE,
        scope TEXT NOT NULL,
        origin TEXT NOT NULL,
        cause TEXT NOT NULL,
        organisation TEXT,
        stated_by TEXT NOT NULL,
        stated_at TIMESTAMP WITH TIME ZONE NOT NULL,
        confirmed_by TEXT,
        confirmed_at TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (id),
        CONSTRAINT outages_ends_after_it_began CHECK (until > since),
        CONSTRAINT outages_origin CHECK (origin IN ('recorded', 'stated')),
        CONSTRAINT outages_cause CHECK (cause IN ('service', 'network', 'record_system', 'other')),
        CONSTRAINT outages_confirmed
            CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL) AND (until IS NOT NULL OR confirmed_at IS NULL)),
        CONSTRAINT outages_recorded CHECK (origin = 'stated' OR (until IS NOT NULL AND scope = '' AND confirmed_by IS NULL))
    )
    """,
    """
    COMMENT ON TABLE outages IS
    'when notices could not be sent: recorded by the service, or stated and then confirmed by the region; scope = '''' for all'
    """,
    "CREATE INDEX outages_since ON outages (since)",
    """
    CREATE TABLE outage_entries (
        outage_id UUID NOT NULL,
        number INTEGER NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        client TEXT NOT NULL,
        person TEXT NOT NULL,
        what TEXT NOT NULL,
        body JSONB NOT NULL,
        PRIMARY KEY (outage_id, number),
        CONSTRAINT outage_entries_what CHECK (what IN ('recorded', 'stated', 'ended', 'confirmed')),
        FOREIGN KEY(outage_id) REFERENCES outages (id)
    )
    """,
    "COMMENT ON TABLE outage_entries IS 'what was recorded, stated, ended and confirmed of an outage, by whom; append-only'",
    """
    CREATE TABLE service_beats (
        service TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (service)
    )
    """,
    """
    COMMENT ON TABLE service_beats IS
    'when the service was last up, by the clock of the database; a gap is an outage that nobody need state'
    """,
    "CREATE INDEX cases_on_paper ON cases (id) WHERE (view -> 'on_paper') IS NOT NULL",
)


def upgrade() -> None:
    for statement in CHANGES:
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE", "outages")
    make_append_only("outage_entries")
    grant("SELECT, INSERT, UPDATE", "service_beats")
