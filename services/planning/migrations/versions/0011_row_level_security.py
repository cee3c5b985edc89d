"""Row-level security: the second wall around cases, mailboxes and plans.

The app role sees what the caller of its transaction may see, and nothing without one. What the caller may see is said here once more,
in SQL and by rows alone; a test compares it with the decision table of the domain and with what the use cases ask for.

`(SELECT ...)` around a function lets it be computed once for a statement, not for each row; `^@` is starts_with as an operator.

Revision: 0011, after 0010
"""

from typing import Final

from alembic import op

from shared.streams.migration import app_role, role_beside, wall, wall_outbox

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# The ward that holds the patient, of the caller's organisation; the municipality; the care unit, or the team it is a member of.
CASE: Final = """
    parties @> (SELECT to_jsonb('municipality:' || caller_municipality()))
    OR (ward ^@ ANY (CAST((SELECT caller_units()) AS text[])) AND substr(ward, 3, 10) = (SELECT caller_organisation()))
    OR outpatient_unit ^@ ANY (CAST((SELECT caller_units()) AS text[]))
    OR outpatient_unit = ANY (CAST((SELECT caller_teams()) AS text[]))
"""
OF_A_CASE: Final = "EXISTS (SELECT FROM cases AS c WHERE c.id = {table}.case_id)"
OF_A_PLAN: Final = "EXISTS (SELECT FROM plans AS p WHERE p.id = {table}.plan_id)"
OWN_UNIT: Final = "{column} ^@ ANY (CAST((SELECT caller_units()) AS text[]))"
OWN_MAILBOX: Final = "{column} = ANY (CAST((SELECT caller_mailboxes()) AS uuid[]))"
OWN_FEED: Final = "feed = ANY (CAST((SELECT caller_feeds()) AS text[]))"

_TODAY: Final = "CAST(now() AT TIME ZONE 'Europe/Stockholm' AS date)"
_MEMBERS: Final = f"SELECT tm.unit FROM team_members tm WHERE daterange(tm.valid_from, tm.valid_to, '[]') @> {_TODAY} AND tm.team ="  # noqa: S608
_STANDS: Final = f"(c.outpatient_unit = p.unit OR jsonb_exists(c.parties, 'unit:' || p.unit) OR p.unit IN ({_MEMBERS} c.outpatient_unit))"
_LEAD: Final = f"CASE WHEN c.outpatient_unit IS NULL OR {_STANDS} THEN p.unit ELSE c.outpatient_unit END"
_WAS_TOLD: Final = """
    EXISTS (SELECT FROM mailboxes m JOIN notices n ON n.recipient = m.recipient
            WHERE m.unit = {unit} AND n.case_id = c.id AND n.type = 'notice.admission')
"""
_VOID: Final = """
    (c.state = 'cancelled' AND NOT EXISTS (
        SELECT FROM notices n WHERE n.case_id = c.id AND n.type = 'notice.admission' AND starts_with(n.recipient, 'unit:')
        AND n.recipient <> 'unit:' || p.unit))
"""
_CONCERNED: Final = f"""
    (c.id IS NULL
     OR EXISTS (SELECT FROM mailboxes m WHERE m.unit = t.unit AND jsonb_exists(c.parties, m.recipient))
     OR (NOT {_WAS_TOLD.format(unit="t.unit")} AND EXISTS (
         SELECT FROM mailboxes m WHERE jsonb_exists(c.parties, m.recipient)
         AND (m.unit = coalesce(t.team, t.unit) OR m.unit IN ({_MEMBERS} coalesce(t.team, t.unit))))))
"""  # noqa: S608  # constant text

# In plpgsql, which keeps its plans for a session: they are asked in every statement.
WHO: Final = (
    f"""
    CREATE FUNCTION caller_teams() RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$ BEGIN
        RETURN (SELECT coalesce(array_agg(DISTINCT t.team), '{{}}') FROM team_members t JOIN units u ON u.hsa_id = t.unit
        WHERE t.unit ^@ ANY (CAST((SELECT caller_units()) AS text[])) AND u.organisation = (SELECT caller_organisation())
          AND daterange(t.valid_from, t.valid_to, '[]') @> {_TODAY});
    END $$
    """,  # noqa: S608  # constant text
    """
    CREATE FUNCTION caller_mailboxes() RETURNS uuid[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$ BEGIN
        RETURN (SELECT coalesce(array_agg(m.id), '{}') FROM mailboxes m
        WHERE (m.organisation = (SELECT caller_organisation()) AND m.unit ^@ ANY (CAST((SELECT caller_units()) AS text[])))
           OR m.unit = ANY (CAST((SELECT caller_teams()) AS text[])));
    END $$
    """,
    """
    CREATE FUNCTION caller_feeds() RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$ BEGIN
        RETURN (SELECT coalesce(array_agg('mailbox/' || id), '{}') FROM unnest(caller_mailboxes()) AS own (id));
    END $$
    """,
    # These look behind the wall, and say of one row whether it is the caller's.
    f"""
    CREATE FUNCTION case_of_caller(case_id uuid) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp
    AS $$ BEGIN RETURN EXISTS (SELECT FROM cases WHERE id = case_of_caller.case_id AND ({CASE})); END $$
    """,  # constant text
    f"""
    CREATE FUNCTION plan_of_caller(plan_id uuid) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER COST 1000
    SET search_path = public, pg_temp AS $$ BEGIN
        RETURN EXISTS (
            SELECT FROM plans p LEFT JOIN cases c ON c.id = p.case_id CROSS JOIN LATERAL (SELECT {_LEAD} AS unit) AS lead
            WHERE p.id = plan_of_caller.plan_id AND (
                (c.id IS NULL AND p.unit ^@ ANY (caller_units()))
                OR case_of_caller(c.id)
                OR (c.id IS NOT NULL AND caller_municipality() IS NULL
                    AND (lead.unit ^@ ANY (caller_units())
                         OR EXISTS (SELECT FROM ({_MEMBERS} lead.unit) AS member (unit) WHERE member.unit ^@ ANY (caller_units())))
                    AND NOT (c.outpatient_unit IS NULL AND NOT {_VOID} AND {_WAS_TOLD.format(unit="p.unit")}))
                OR (caller_role() = 'history' AND p.unit ^@ ANY (caller_units()))
                OR EXISTS (SELECT FROM plan_parties t WHERE t.plan_id = p.id AND t.unit ^@ ANY (caller_units()) AND {_CONCERNED})));
    END $$
    """,  # noqa: S608  # constant text
    # Who reads its mailbox need not be a party any more: the log still says of whom she read.
    f"""
    CREATE FUNCTION patients_in_mailboxes(asked uuid[]) RETURNS TABLE (person_id text, kind text) LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
        SELECT c.person_id, c.person ->> 'type' FROM cases c WHERE c.id = ANY(asked) AND (
            EXISTS (SELECT FROM notices n WHERE n.case_id = c.id AND {OWN_MAILBOX.format(column="n.mailbox")})
            OR EXISTS (SELECT FROM cases m JOIN notices n ON n.case_id = m.id
                       WHERE m.joined_to = c.id AND {OWN_MAILBOX.format(column="n.mailbox")}))
        UNION SELECT coalesce(p.person_id, p.person ->> 'id'), p.person ->> 'type' FROM plans p WHERE p.id = ANY(asked) AND EXISTS (
            SELECT FROM plan_notices o JOIN notices n ON n.id = o.notice_id
            WHERE o.plan_id = p.id AND {OWN_MAILBOX.format(column="n.mailbox")})
    $$
    """,  # noqa: S608  # constant text
    # One case that had two numbers names the person together, whosever case it is; only the caller's own are told.
    """
    CREATE FUNCTION cases_of_person(numbers text[]) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
        WITH names AS (
            SELECT to_jsonb(n.number) AS name FROM unnest(cases_of_person.numbers) AS n (number)
            UNION SELECT jsonb_array_elements(o.person_ids)
            FROM unnest(cases_of_person.numbers) AS n (number) JOIN cases o ON o.person_ids @> to_jsonb(n.number))
        SELECT DISTINCT o.id FROM names n JOIN cases o ON o.person_ids @> n.name WHERE case_of_caller(o.id)
    $$
    """,
)
WALLS: Final = {
    # A case that is part of another one, after a transfer, says nothing itself: it is whose that one is.
    "cases": f"({CASE}) OR (joined_to <> id AND case_of_caller(joined_to))",
    "case_history": OF_A_CASE,
    "events": "EXISTS (SELECT FROM cases AS c WHERE c.space = events.space AND c.subject = events.subject)",
    "planning_statuses": OF_A_CASE,
    "care_contacts": OF_A_CASE,
    "declined_measures": OF_A_CASE,
    "admission_reasons": OF_A_CASE,
    "consents": OF_A_CASE,
    "messages": f"({OWN_UNIT.format(column='sender')} OR {OWN_UNIT.format(column='recipient')}) AND {OF_A_CASE}",
    "deviations": f"{OWN_UNIT.format(column='reporter')} OR {OWN_UNIT.format(column='assigned_to')}",
    "deviation_entries": "EXISTS (SELECT FROM deviations AS d WHERE d.id = deviation_entries.deviation_id)",
    "plans": "plan_of_caller(id)",
    "plan_parties": OF_A_PLAN,
    "plan_invitations": OF_A_PLAN,
    "plan_entries": OF_A_PLAN,
    "plan_notices": OF_A_PLAN,
    "plan_answers": "EXISTS (SELECT FROM plan_invitations AS i WHERE i.id = plan_answers.invitation_id)",
    "notices": OWN_MAILBOX.format(column="mailbox"),
    "duty_reminders": OWN_MAILBOX.format(column="told"),
    "feed_entries": OWN_FEED,
    "feed_heads": OWN_FEED,
    "idempotency_keys": "client = (SELECT caller_client())",
    # What everybody's figures are made of, case by case: read for a caller only where that was decided, by another role.
    "stay_measures": "false",
    "closed_stay_measures": "false",
}
# What is written after a decision carries who asked for it; a batch that was gathered from many callers names none of them.
ITSELF: Final = "dirigent"
BY_ITS_CALLER: Final = ("events", "case_history", "plan_entries", "plan_invitations", "declined_measures", "consents", "messages")


FINDINGS: Final = "CREATE INDEX cases_with_findings ON cases (id) WHERE jsonb_array_length(view -> 'findings') > 0"


def upgrade() -> None:
    op.execute(FINDINGS)
    for statement in WHO:
        op.execute(statement)
    for function in ("case_of_caller(uuid)", "plan_of_caller(uuid)", "cases_of_person(text[])", "patients_in_mailboxes(uuid[])"):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f'GRANT EXECUTE ON FUNCTION {function} TO "{app_role()}", "{role_beside("intake")}", "{role_beside("worker")}"')
    for table, sees in WALLS.items():
        wall(table, sees.replace("{table}", table))
    wall_outbox()
    for table in BY_ITS_CALLER:
        op.execute(
            f'CREATE POLICY by_its_caller ON {table} AS RESTRICTIVE FOR INSERT TO "{role_beside("intake")}" '
            f"WITH CHECK (caller_client() IS NULL OR client IN (caller_client(), '{ITSELF}'))"
        )


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
