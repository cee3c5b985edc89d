"""Whether a plan is the caller's is found by keys alone: it read all cases, because one small table in it could only be read whole.

The planner of planning's services is told never to read a table whole (`by_key`); where it must, everything else costs nothing to it.

Revision: 0018, after 0017
"""

from typing import Final

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

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
# As before but for the last line, which was an OR of a column and a list, and no index helps with that.
_CONCERNED: Final = f"""
    (c.id IS NULL
     OR EXISTS (SELECT FROM mailboxes m WHERE m.unit = t.unit AND jsonb_exists(c.parties, m.recipient))
     OR (NOT {_WAS_TOLD.format(unit="t.unit")} AND EXISTS (
         SELECT FROM mailboxes m WHERE jsonb_exists(c.parties, m.recipient)
         AND m.unit IN (SELECT coalesce(t.team, t.unit) UNION ALL {_MEMBERS} coalesce(t.team, t.unit)))))
"""  # noqa: S608  # constant text
PLAN_OF_CALLER: Final = f"""
    CREATE OR REPLACE FUNCTION plan_of_caller(plan_id uuid) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER COST 1000
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
"""  # noqa: S608  # constant text


def upgrade() -> None:
    op.execute(PLAN_OF_CALLER)


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
