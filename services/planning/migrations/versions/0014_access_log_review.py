"""The access log is reviewed by index: of every access who may review it, and what it is found by.

A term is who may review it (the organisation whose people read, and those that answered for what was read when it was read), that together
with the month, the client or the user, each case, and each patient's pseudonym. It takes the place of the index over the whole entries,
which found everything but in no order. Positions are given by the sequencer alone, so the terms are written with them.

Revision: 0014, after 0013
"""

from alembic import op

from shared.streams.migration import grant_to_all, make_append_only, wall

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE TABLE access_terms (term TEXT NOT NULL, position BIGINT NOT NULL, PRIMARY KEY (term, position))",
    "COMMENT ON TABLE access_terms IS 'append-only index of the access log: by whom an access is reviewed, and what it is found by'",
    """
    CREATE FUNCTION terms_of_access(told jsonb) RETURNS SETOF text LANGUAGE plpgsql STABLE AS $$ BEGIN
        RETURN QUERY
            WITH about AS (SELECT read.id FROM jsonb_array_elements_text(told -> 'cases') AS read (id)),
            reviewing AS (
                SELECT told ->> 'organisation' AS organisation
                UNION SELECT c.provider FROM about JOIN cases c ON c.id = CAST(about.id AS uuid)
                UNION SELECT p.organisation FROM about JOIN plans p ON p.id = CAST(about.id AS uuid))
            SELECT 'organisation:' || r.organisation || more.term FROM reviewing r CROSS JOIN LATERAL (VALUES
                (''), ('/month:' || left(told ->> 'at', 7)), ('/client:' || (told ->> 'client')), ('/user:' || (told ->> 'user'))
            ) AS more (term) WHERE r.organisation || more.term IS NOT NULL
            UNION SELECT 'case:' || about.id FROM about
            UNION SELECT 'patient:' || patient.id FROM jsonb_array_elements_text(told -> 'patients') AS patient (id);
    END $$
    """,
    """
    CREATE FUNCTION index_access() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO access_terms (term, position) SELECT t.term, NEW.position FROM terms_of_access(CAST(NEW.body AS jsonb)) AS t (term);
        RETURN NULL;
    END $$
    """,
    # First the trigger, which waits for whoever is numbering and holds up who begins: what they number would stand in no term otherwise.
    """
    CREATE TRIGGER feed_entries_index_access AFTER INSERT ON feed_entries FOR EACH ROW WHEN (NEW.feed = 'access')
    EXECUTE FUNCTION index_access()
    """,
    """
    INSERT INTO access_terms (term, position)
    SELECT t.term, e.position FROM feed_entries e CROSS JOIN LATERAL terms_of_access(CAST(e.body AS jsonb)) AS t (term)
    WHERE e.feed = 'access'
    """,
    "DROP INDEX feed_entries_access",
    "CREATE INDEX plans_alone ON plans (created_at) WHERE case_id IS NULL AND state IN ('closed', 'refused', 'withdrawn')",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    make_append_only("access_terms")
    grant_to_all("SELECT, INSERT", "access_terms")
    wall("access_terms", "false")


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
