"""Row-level security: the second wall around months, disputes and invoices.

The first one is in the use cases. This one holds where they forget: whoever reads as the app role sees what its municipality owes, or as an
office of the region everything, and without a caller nothing of anybody.

Revision: 0006, after 0005
"""

from alembic import op

from shared.streams.migration import app_role, grant_to_all, wall, wall_outbox

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Stable functions are asked once a statement when they stand in a select of their own, else once a row.
REGION = "(SELECT is_region())"
DEBTOR = "(SELECT debtor())"
OWN = f"{REGION} OR municipality = {DEBTOR}"

WHO = (
    """
    CREATE FUNCTION is_region() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT coalesce(caller_role() IN ('finance', 'controller', 'approver', 'auditor'), false) $$
    """,
    "COMMENT ON FUNCTION is_region() IS 'whether an office of the region calls: it reads what everybody owes'",
    """
    CREATE FUNCTION debtor() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN caller_role() = 'municipality' THEN caller_municipality() END $$
    """,
    "COMMENT ON FUNCTION debtor() IS 'the municipality that calls, null when somebody else does'",
    # As the owner, who sees every stay: a policy that asked the walled table could use no index for the joined cases.
    """
    CREATE FUNCTION debtor_owes_for(asked uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public
    AS $$
        SELECT EXISTS (SELECT FROM stays WHERE case_id = asked AND municipality = debtor())
            OR EXISTS (SELECT FROM stays WHERE joined_cases && ARRAY[asked] AND joined_cases <> '{}' AND municipality = debtor())
            OR EXISTS (SELECT FROM stay_versions WHERE case_id = asked AND municipality = debtor())
    $$
    """,
    "COMMENT ON FUNCTION debtor_owes_for(uuid) IS 'whether a case is, was, or is joined into a stay of the municipality that calls'",
)
# A comparison stands whole in one row: what of it concerns a municipality is picked out for it, by the owner of the view.
PARTS = (
    """
    CREATE FUNCTION part_of_debtor(told jsonb, name text) RETURNS jsonb LANGUAGE sql STABLE
    AS $$
        SELECT coalesce(jsonb_agg(one ORDER BY place), '[]')
        FROM jsonb_array_elements(told -> name) WITH ORDINALITY AS listed (one, place) WHERE one ->> 'municipality' = debtor()
    $$
    """,
    "COMMENT ON FUNCTION part_of_debtor(jsonb, text) IS 'those of a list that are of the municipality that calls'",
    """
    CREATE VIEW comparisons_seen WITH (security_barrier) AS
    SELECT c.id, c.month, c.file_sha256, c.rows, c.differing,
           CASE WHEN who.sees_all THEN c.body
                ELSE CAST(CAST(c.body AS jsonb) || jsonb_build_object(
                    'differing_stays', part_of_debtor(CAST(c.body AS jsonb), 'differing_stays'),
                    'differing_months', part_of_debtor(CAST(c.body AS jsonb), 'differing_months')) AS text)
           END AS body,
           c.compared_by, c.compared_at, CASE WHEN who.sees_all THEN s.explanation END AS explanation, s.person AS signed_by, s.signed_at
    FROM (SELECT is_region() OR current_user <> '{app}' AS sees_all) who
    CROSS JOIN comparisons c LEFT JOIN comparison_signatures s ON s.comparison_id = c.id
    WHERE who.sees_all OR debtor() IS NOT NULL
    """,
    "COMMENT ON VIEW comparisons_seen IS 'comparisons as whoever asks may see them: the region whole, a municipality its part'",
)
BY_MUNICIPALITY = (
    "months",
    "calculations",
    "month_actions",
    "paper_signatures",
    "disputes",
    "invoices",
    "ledger_entries",
    "debtors",
    "stays",
    "stay_months",
    "averages",
    "average_alerts",
    "mailbox_polls",
)
BY_CASE = ("invitations", "plan_consents", "declined_measures", "review_decisions")
OF_A_PARENT = (
    ("dispute_events", "SELECT FROM disputes WHERE disputes.id = dispute_events.dispute_id"),
    ("invoice_statuses", "SELECT FROM invoices WHERE invoices.number = invoice_statuses.number"),
    ("ledger_postings", "SELECT FROM ledger_entries WHERE ledger_entries.id = ledger_postings.entry_id"),
    ("simulation_parts", "SELECT FROM simulations WHERE simulations.id = simulation_parts.simulation_id"),
)
OWN_FEED = f"CASE WHEN {REGION} THEN feed IN ('invoices/issuer', 'ledger') ELSE feed = 'invoices/debtor/' || {DEBTOR} END"


def upgrade() -> None:
    for statement in WHO:
        op.execute(statement)
    for table in BY_MUNICIPALITY:
        wall(table, OWN)
    wall("stay_versions", f"{OWN} OR debtor_owes_for(case_id)")
    for table in BY_CASE:
        wall(table, f"{REGION} OR debtor_owes_for(case_id)")
    # A simulation is its owner's: the region does not read what a municipality tries out.
    wall("simulations", f"CASE WHEN {REGION} THEN municipality IS NULL ELSE municipality = {DEBTOR} END")
    for table, parent in OF_A_PARENT:
        wall(table, f"EXISTS ({parent})")
    for table in ("comparisons", "comparison_signatures"):
        wall(table, REGION)
    for statement in PARTS:
        op.execute(statement.replace("{app}", app_role()))
    grant_to_all("SELECT", "comparisons_seen")
    for table in ("feed_entries", "feed_heads"):
        wall(table, OWN_FEED)
    wall("idempotency_keys", "client = (SELECT caller_client())")
    wall_outbox()


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
