"""Persons encrypted in their columns, looked up by keyed hash; the access log can be searched.

The worker seals what was written before. Of an event nothing may change but how its person is kept,
and with what was written before there were keys what it is known again by.

Revision: 0010, after 0009
"""

from alembic import op

from shared.streams.migration import grant_to_all, role_beside

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE plans ADD COLUMN person_id TEXT",
    "COMMENT ON TABLE plans IS 'co-ordinated individual plans (SIP) and care plans; the person, sealed, only of a plan without a stay'",
    "COMMENT ON TABLE cases IS 'the fold of each stay''s events as last computed; the person sealed, its numbers as keyed hashes'",
    """
    COMMENT ON TABLE events IS
    'every event ever accepted, as sent (canonical JSON) but for the person, which is sealed; two clocks: sent_at and the time inside'
    """,
    "COMMENT ON TABLE notices IS 'what stands beside the envelope in a mailbox: the personal part, sealed, and what became of the notice'",
    "CREATE INDEX plans_person ON plans (person_id) WHERE person_id IS NOT NULL",
    "CREATE INDEX feed_entries_access ON feed_entries USING gin ((body::jsonb)) WHERE feed = 'access'",
    "DROP TRIGGER events_stands ON events",
    """
    CREATE TRIGGER events_stands BEFORE DELETE OR TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE FUNCTION only_how_a_person_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE was jsonb; is_now jsonb;
    BEGIN
        was := CAST(OLD.body AS jsonb);
        is_now := CAST(NEW.body AS jsonb);
        IF to_jsonb(NEW) - ARRAY['body', 'fingerprint'] IS DISTINCT FROM to_jsonb(OLD) - ARRAY['body', 'fingerprint']
           OR (NEW.fingerprint <> OLD.fingerprint AND jsonb_exists_any(was #> '{data,person}', ARRAY['sealed', 'withheld']))
           OR is_now #- '{data,person}' IS DISTINCT FROM was #- '{data,person}'
           OR jsonb_typeof(was #> '{data,person}') IS DISTINCT FROM 'object'
           OR jsonb_exists(was #> '{data,person}', 'withheld')
           OR NOT coalesce(jsonb_exists_any(is_now #> '{data,person}', ARRAY['sealed', 'withheld']), false) THEN
            RAISE EXCEPTION '% on % is refused: what was written here stands', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TABLE person_sealing (
        kept_in TEXT PRIMARY KEY, key TEXT NOT NULL, through TEXT, sealed BIGINT DEFAULT 0 NOT NULL, finished_at TIMESTAMPTZ
    )
    """,
    "COMMENT ON TABLE person_sealing IS 'how far the worker has come in sealing everything with the key that seals now'",
    "CREATE TRIGGER events_stay BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION only_how_a_person_is_kept()",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant_to_all("SELECT, INSERT, UPDATE", "person_sealing")
    op.execute(f'GRANT UPDATE (body, fingerprint) ON events TO "{role_beside("intake")}", "{role_beside("worker")}"')


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
