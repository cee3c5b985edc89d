"""The gathered intake says for whom it writes: the clients of its batch, each with its units, and the database compares them.

What a command writes carries the client that calls, as before; an event also a unit of the caller's. Whoever writes as intake and says
neither for whom it writes nor whom it gathered writes none of this.

Revision: 0015, after 0014
"""

from typing import Final

from alembic import op

from shared.streams.migration import app_role, role_beside

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Each entry is a client, a unit separator and one of its unit prefixes: a client's id is printable text, blanks included.
WHO: Final = (
    """
    CREATE FUNCTION gathered() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT CAST(NULLIF(current_setting('dirigent.gathered', true), '') AS text[]) $$
    """,
    "COMMENT ON FUNCTION gathered() IS 'for whom the gathered intake writes: client, unit separator (U+001F), unit prefix'",
    """
    CREATE FUNCTION gathered_clients() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT array_agg(DISTINCT split_part(one, chr(31), 1)) FROM unnest(gathered()) AS said (one) $$
    """,
    "COMMENT ON FUNCTION gathered_clients() IS 'the clients that the gathered intake writes for'",
)
# `(SELECT ...)` around a function lets it be computed once for a statement. The unit stands in an event's source after `urn:hsa:`.
EVENT: Final = """
    CASE WHEN (SELECT caller_client()) IS NULL
         THEN (client || chr(31) || substr(source, 9)) ^@ ANY (CAST((SELECT gathered()) AS text[]))
         ELSE client = (SELECT caller_client()) AND substr(source, 9) ^@ ANY (CAST((SELECT caller_units()) AS text[])) END
"""
ITSELF: Final = "dirigent"
# A line of the service's own: two stays that proved to be one.
LINE: Final = f"""
    CASE WHEN (SELECT caller_client()) IS NULL
         THEN (SELECT gathered()) IS NOT NULL AND (client = '{ITSELF}' OR client = ANY (CAST((SELECT gathered_clients()) AS text[])))
         ELSE client IN ((SELECT caller_client()), '{ITSELF}') END
"""
OF_A_COMMAND: Final = f"(SELECT caller_client()) IS NOT NULL AND client IN ((SELECT caller_client()), '{ITSELF}')"
COMPARED: Final = {
    "events": EVENT,
    "case_history": LINE,
    **dict.fromkeys(("plan_entries", "plan_invitations", "declined_measures", "consents", "messages"), OF_A_COMMAND),
}
COMPARED_FROM_NOW_ON: Final = ("planning_statuses", "care_contacts", "admission_reasons", "deviation_entries", "plan_answers")


def upgrade() -> None:
    for statement in WHO:
        op.execute(statement)
    for function in ("gathered()", "gathered_clients()"):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f'GRANT EXECUTE ON FUNCTION {function} TO "{app_role()}", "{role_beside("intake")}", "{role_beside("worker")}"')
    for table in COMPARED:
        op.execute(f"DROP POLICY by_its_caller ON {table}")
    for table, compared in (COMPARED | dict.fromkeys(COMPARED_FROM_NOW_ON, OF_A_COMMAND)).items():
        op.execute(f'CREATE POLICY by_its_caller ON {table} AS RESTRICTIVE FOR INSERT TO "{role_beside("intake")}" WITH CHECK ({compared})')


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
