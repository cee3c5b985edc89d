"""The follow-up: what each stay contributes, and what others were shown of it."""

from alembic import op

from shared.streams.migration import grant, make_append_only

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CHANGES = (
    """
    CREATE TABLE stay_measures (
        case_id UUID NOT NULL,
        case_version INTEGER NOT NULL,
        stay TEXT NOT NULL,
        next_case UUID,
        care_type TEXT NOT NULL,
        municipality TEXT,
        ward TEXT NOT NULL,
        outpatient_unit TEXT,
        month DATE,
        waiting TEXT NOT NULL,
        admission_notice TEXT,
        notice_order TEXT,
        care_contact TEXT,
        sip_called TEXT,
        sip_held TEXT,
        ready_from TEXT,
        planned TEXT,
        outcome TEXT,
        days INTEGER,
        called_after_days INTEGER,
        planned_days INTEGER,
        days_before INTEGER,
        days_after INTEGER,
        municipal_notices TEXT,
        municipal_minutes INTEGER[] NOT NULL,
        municipal_late INTEGER NOT NULL,
        municipal_open_since TIMESTAMP WITH TIME ZONE[] NOT NULL,
        outpatient_notices TEXT,
        outpatient_minutes INTEGER[] NOT NULL,
        outpatient_late INTEGER NOT NULL,
        outpatient_open_since TIMESTAMP WITH TIME ZONE[] NOT NULL,
        deviations JSONB NOT NULL,
        measured_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (case_id)
    )
    """,
    "COMMENT ON TABLE stay_measures IS 'derived: each stay in the follow-up; stay = what was told of it, next_case = the readmission'",
    "CREATE INDEX stay_measures_month ON stay_measures (month, municipality)",
    "CREATE INDEX stay_measures_municipality ON stay_measures (municipality, month)",
    "CREATE INDEX stay_measures_next_case ON stay_measures (next_case) WHERE next_case IS NOT NULL",
    "CREATE INDEX stay_measures_open ON stay_measures (municipality) WHERE month IS NULL",
    """
    CREATE TABLE closed_stay_measures (
        case_id UUID NOT NULL,
        closed_month DATE NOT NULL,
        care_type TEXT NOT NULL,
        municipality TEXT,
        ward TEXT NOT NULL,
        outpatient_unit TEXT,
        month DATE,
        waiting TEXT NOT NULL,
        admission_notice TEXT,
        notice_order TEXT,
        care_contact TEXT,
        sip_called TEXT,
        sip_held TEXT,
        ready_from TEXT,
        planned TEXT,
        outcome TEXT,
        days INTEGER,
        called_after_days INTEGER,
        planned_days INTEGER,
        days_before INTEGER,
        days_after INTEGER,
        municipal_notices TEXT,
        municipal_minutes INTEGER[] NOT NULL,
        municipal_late INTEGER NOT NULL,
        municipal_open_since TIMESTAMP WITH TIME ZONE[] NOT NULL,
        outpatient_notices TEXT,
        outpatient_minutes INTEGER[] NOT NULL,
        outpatient_late INTEGER NOT NULL,
        outpatient_open_since TIMESTAMP WITH TIME ZONE[] NOT NULL,
        deviations JSONB NOT NULL,
        PRIMARY KEY (case_id, closed_month)
    )
    """,
    "COMMENT ON TABLE closed_stay_measures IS 'each stay as it was when its month was closed: all that others ever see of it; append-only'",
    "CREATE INDEX closed_stay_measures_municipality ON closed_stay_measures (municipality, closed_month)",
    """
    CREATE TABLE closed_months (
        month DATE NOT NULL,
        closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (month)
    )
    """,
    "COMMENT ON TABLE closed_months IS 'the months that others may see; append-only'",
    """
    CREATE TABLE shown_blocks (
        municipality TEXT NOT NULL,
        first_month DATE NOT NULL,
        last_month DATE NOT NULL,
        PRIMARY KEY (municipality, first_month)
    )
    """,
    "COMMENT ON TABLE shown_blocks IS 'closed months of a municipality that others see together, so that no group is small; append-only'",
)


def upgrade() -> None:
    for statement in CHANGES:
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE, DELETE", "stay_measures")
    make_append_only("closed_stay_measures")
    make_append_only("closed_months")
    make_append_only("shown_blocks")
