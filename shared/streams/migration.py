"""The definition of the shared tables as the services' first migrations create it: frozen text, so that history never changes."""

import os
import re
from typing import Final

from alembic import op

_ROLE: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)

CREATE_V1: Final = (
    """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
        feed text NOT NULL, entry_id uuid NOT NULL, kind text NOT NULL, subject uuid, body text NOT NULL
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)
    """,
    "COMMENT ON TABLE outbox IS 'facts staged in the transaction that made them, waiting for a position'",
    "CREATE TABLE sequencer (id smallint PRIMARY KEY, epoch integer NOT NULL)",
    "COMMENT ON TABLE sequencer IS 'one row: whoever holds its lock may number; the epoch is raised when a backup was restored'",
    "INSERT INTO sequencer (id, epoch) VALUES (1, 1)",
    "CREATE TABLE feed_heads (feed text PRIMARY KEY, position bigint NOT NULL, hash bytea NOT NULL)",
    "COMMENT ON TABLE feed_heads IS 'last position and running hash of each feed'",
    """
    CREATE TABLE feed_entries (
        feed text NOT NULL, position bigint NOT NULL, entry_id uuid NOT NULL, kind text NOT NULL, subject uuid,
        body text NOT NULL, hash bytea NOT NULL, recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (feed, position)
    )
    """,
    "CREATE INDEX feed_entries_entry ON feed_entries (entry_id)",
    "COMMENT ON TABLE feed_entries IS 'append-only, dense 1..n per feed: the service''s stream, mailboxes, invoice feeds'",
    """
    CREATE TABLE stream_cursors (
        stream text PRIMARY KEY, epoch integer NOT NULL, position bigint NOT NULL,
        delivered bigint NOT NULL DEFAULT 0, repaired bigint NOT NULL DEFAULT 0, moved_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "COMMENT ON TABLE stream_cursors IS 'how far this service has applied each stream it consumes; by queue, or repaired over HTTP'",
    """
    CREATE TABLE idempotency_keys (
        client text NOT NULL, key text NOT NULL, fingerprint bytea NOT NULL, status smallint NOT NULL, body text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (client, key)
    )
    """,
    "CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)",
    "COMMENT ON TABLE idempotency_keys IS 'first answers to requests with an Idempotency-Key, kept 90 days'",
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% on % is refused: what was written here stands', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $$
    """,
)


def app_role() -> str:
    """The role that the service's processes use, as the migrating program names it.

    Raises:
        ValueError: It is not a plain role name.
    """
    role = os.environ.get("DIRIGENT_APP_ROLE", "dirigent_app")
    if not _ROLE.fullmatch(role):
        raise ValueError("DIRIGENT_APP_ROLE must be a plain lower-case role name")
    return role


def role_beside(name: str) -> str:
    """The role `intake`, `worker` or `auditor` beside the app role."""
    return f"{app_role().removesuffix('_app')}_{name}"


def share_rights() -> None:
    """Give the roles beside the app role what it has on every table so far: all of it to intake and worker, reading to the auditor."""
    intake, worker, auditor = map(role_beside, ("intake", "worker", "auditor"))
    op.execute(
        f"""
        DO $$ DECLARE given record; BEGIN
            FOR given IN SELECT table_name, privilege_type FROM information_schema.role_table_grants
                         WHERE grantee = '{app_role()}' AND table_schema = 'public' LOOP
                EXECUTE format('GRANT %s ON %I TO "{intake}", "{worker}"', given.privilege_type, given.table_name);
                EXECUTE format('GRANT SELECT ON %I TO "{auditor}"', given.table_name);
            END LOOP;
        END $$
        """  # noqa: S608  # plain role names, checked
    )


def grant_to_all(rights: str, table: str) -> None:
    """Give the app role, intake and worker rights on a table of ours, and let the auditor read it."""
    grant(rights, table)
    op.execute(f'GRANT {rights} ON {table} TO "{role_beside("intake")}", "{role_beside("worker")}"')
    op.execute(f'GRANT SELECT ON {table} TO "{role_beside("auditor")}"')


WHO_READS_V1: Final = (
    """
    CREATE FUNCTION caller_client() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('dirigent.client', true), '') $$
    """,
    """
    CREATE FUNCTION caller_organisation() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('dirigent.organisation', true), '') $$
    """,
    """
    CREATE FUNCTION caller_units() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT CAST(NULLIF(current_setting('dirigent.units', true), '') AS text[]) $$
    """,
    """
    CREATE FUNCTION caller_municipality() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('dirigent.municipality', true), '') $$
    """,
    """
    CREATE FUNCTION caller_role() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('dirigent.role', true), '') $$
    """,
)


def wall(table: str, sees: str) -> None:
    """Put row-level security on a table: the app role sees rows for which `sees` holds; intake, worker and owner all, the auditor too.

    Whoever writes as the app role writes rows it sees, and may write no others.
    """
    app, intake, worker, auditor = app_role(), *map(role_beside, ("intake", "worker", "auditor"))
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f'CREATE POLICY caller_sees ON {table} TO "{app}" USING ({sees})')
    op.execute(f'CREATE POLICY works_for_all ON {table} TO "{intake}", "{worker}", CURRENT_USER USING (true)')
    op.execute(f'CREATE POLICY audits_all ON {table} FOR SELECT TO "{auditor}" USING (true)')


def wall_outbox() -> None:
    """Whoever calls may stage, for every feed; what waits there for a position is no caller's to read or to remove."""
    op.execute("ALTER TABLE outbox ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE outbox FORCE ROW LEVEL SECURITY")
    op.execute(f'CREATE POLICY caller_stages ON outbox FOR INSERT TO "{app_role()}" WITH CHECK (true)')
    all_of_it = f'"{role_beside("intake")}", "{role_beside("worker")}", CURRENT_USER'
    op.execute(f"CREATE POLICY works_for_all ON outbox TO {all_of_it} USING (true)")
    op.execute(f'CREATE POLICY audits_all ON outbox FOR SELECT TO "{role_beside("auditor")}" USING (true)')


def create_shared_tables_v1() -> None:
    """Create what every service's database has, and give the app role what it needs of it and no more."""
    for statement in CREATE_V1:
        op.execute(statement)
    make_append_only("feed_entries")
    grant("SELECT, INSERT, DELETE", "outbox")
    grant("SELECT, UPDATE", "sequencer")
    grant("SELECT, INSERT, UPDATE", "feed_heads")
    grant("SELECT, INSERT, UPDATE", "stream_cursors")
    grant("SELECT, INSERT, DELETE", "idempotency_keys")


def make_append_only(table: str) -> None:
    """Let nobody, the owner included, change or remove a row; the app role may read and add."""
    op.execute(
        f"CREATE TRIGGER {table}_stands BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    grant("SELECT, INSERT", table)


def grant(rights: str, table: str) -> None:
    """Give the app role rights on a table of ours."""
    op.execute(f'GRANT {rights} ON {table} TO "{app_role()}"')
