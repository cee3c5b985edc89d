"""The stay ledger, calculations, months, invoices, prices and debtors."""

from alembic import op

from shared.streams.migration import create_shared_tables_v1, grant, make_append_only

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CREATE = (
    """
    CREATE TABLE averages (
        municipality TEXT NOT NULL,
        month DATE NOT NULL,
        complete BOOLEAN NOT NULL,
        stays INTEGER NOT NULL,
        in_average INTEGER NOT NULL,
        sum_days INTEGER NOT NULL,
        excess_days NUMERIC(12, 6) NOT NULL,
        long_stays INTEGER NOT NULL,
        individual_days INTEGER NOT NULL,
        open_stays INTEGER NOT NULL,
        amount_ore BIGINT,
        counted_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (municipality, month)
    )
    """,
    "COMMENT ON TABLE averages IS 'derived: the month of each municipality; complete = counted after the month was over'",
    "CREATE INDEX averages_month ON averages (month)",
    """
    CREATE TABLE calculations (
        municipality TEXT NOT NULL,
        month DATE NOT NULL,
        version INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        agreement TEXT NOT NULL,
        amount_ore BIGINT,
        body TEXT NOT NULL,
        prepared_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (municipality, month, version)
    )
    """,
    "COMMENT ON TABLE calculations IS 'append-only: every calculation that was prepared, in its canonical form'",
    """
    CREATE TABLE debtors (
        municipality TEXT NOT NULL,
        first_day DATE NOT NULL,
        last_day DATE,
        name TEXT NOT NULL,
        organisation TEXT NOT NULL,
        PRIMARY KEY (municipality, first_day)
    )
    """,
    "COMMENT ON TABLE debtors IS 'who pays for a municipality, dated'",
    """
    CREATE TABLE invitations (
        invitation_id UUID NOT NULL,
        plan_id UUID NOT NULL,
        case_id UUID,
        invited_at TIMESTAMP WITH TIME ZONE NOT NULL,
        invited_by TEXT NOT NULL,
        called TEXT[] NOT NULL,
        PRIMARY KEY (invitation_id)
    )
    """,
    "COMMENT ON TABLE invitations IS 'append-only: every call to a SIP (N8), and who was called'",
    "CREATE INDEX invitations_case ON invitations (case_id)",
    """
    CREATE TABLE invoice_series (
        issuer TEXT NOT NULL,
        year SMALLINT NOT NULL,
        last_number INTEGER NOT NULL,
        PRIMARY KEY (issuer, year)
    )
    """,
    "COMMENT ON TABLE invoice_series IS 'the last number given per issuer and year; locked by the transaction that issues'",
    """
    CREATE TABLE mailbox_polls (
        mailbox TEXT NOT NULL,
        municipality TEXT,
        polled_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (mailbox)
    )
    """,
    "COMMENT ON TABLE mailbox_polls IS 'when each mailbox was last read by its owner, so that silence can be judged'",
    """
    CREATE TABLE month_actions (
        id UUID NOT NULL,
        municipality TEXT NOT NULL,
        month DATE NOT NULL,
        action TEXT NOT NULL,
        version INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        client TEXT NOT NULL,
        person TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    "COMMENT ON TABLE month_actions IS 'append-only: who did what with which calculation'",
    "CREATE INDEX month_actions_month ON month_actions (municipality, month)",
    """
    CREATE TABLE review_decisions (
        id UUID NOT NULL,
        case_id UUID NOT NULL,
        reason TEXT NOT NULL,
        outcome TEXT NOT NULL,
        facts TEXT NOT NULL,
        explanation TEXT NOT NULL,
        client TEXT NOT NULL,
        person TEXT NOT NULL,
        decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT review_decisions_outcome CHECK (outcome IN ('accept', 'exclude'))
    )
    """,
    "COMMENT ON TABLE review_decisions IS 'append-only: decided reviews; the latest for a stay, reason and facts counts'",
    "CREATE INDEX review_decisions_case ON review_decisions (case_id)",
    """
    CREATE TABLE stay_versions (
        case_id UUID NOT NULL,
        case_version INTEGER NOT NULL,
        body TEXT NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (case_id, case_version)
    )
    """,
    "COMMENT ON TABLE stay_versions IS 'append-only: every version of every stay as planning told it'",
    """
    CREATE TABLE stays (
        case_id UUID NOT NULL,
        case_version INTEGER NOT NULL,
        municipality TEXT,
        touches_from DATE,
        touches_to DATE,
        body TEXT NOT NULL,
        PRIMARY KEY (case_id)
    )
    """,
    "COMMENT ON TABLE stays IS 'the newest version of each stay; local dates of its readiness and end, null from = never ready'",
    "CREATE INDEX stays_municipality ON stays (municipality, touches_to, touches_from)",
    """
    CREATE TABLE tariff_proposals (
        id UUID NOT NULL,
        first_day DATE NOT NULL,
        last_day DATE NOT NULL,
        price_ore BIGINT NOT NULL,
        source TEXT NOT NULL,
        client TEXT NOT NULL,
        person TEXT NOT NULL,
        proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT tariff_proposals_period CHECK (last_day >= first_day),
        CONSTRAINT tariff_proposals_price CHECK (price_ore > 0)
    )
    """,
    "COMMENT ON TABLE tariff_proposals IS 'append-only: prices per care day that the region proposes'",
    """
    CREATE TABLE invoices (
        number TEXT NOT NULL,
        issuer TEXT NOT NULL,
        year SMALLINT NOT NULL,
        serial INTEGER NOT NULL,
        kind TEXT NOT NULL,
        municipality TEXT NOT NULL,
        month DATE NOT NULL,
        version INTEGER NOT NULL,
        amount_ore BIGINT NOT NULL,
        issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
        sha256 TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (number),
        CONSTRAINT invoices_serial UNIQUE (issuer, year, serial),
        CONSTRAINT invoices_calculation UNIQUE (municipality, month, version),
        CONSTRAINT invoices_kind CHECK (kind IN ('invoice')),
        CONSTRAINT invoices_amount CHECK (amount_ore > 0),
        CONSTRAINT invoices_basis FOREIGN KEY(municipality, month, version) REFERENCES calculations (municipality, month, version)
    )
    """,
    "COMMENT ON TABLE invoices IS 'append-only: issued invoices, whole and unchangeable; corrected by another document only'",
    """
    CREATE TABLE months (
        municipality TEXT NOT NULL,
        month DATE NOT NULL,
        state TEXT NOT NULL,
        version INTEGER,
        sha256 TEXT,
        amount_ore BIGINT,
        accepted TEXT,
        approved_by TEXT,
        published_at TIMESTAMP WITH TIME ZONE,
        notice_mailbox TEXT,
        notice_entered_at TIMESTAMP WITH TIME ZONE,
        invoice_number TEXT,
        PRIMARY KEY (municipality, month),
        CONSTRAINT months_state CHECK (state IN ('open', 'prepared', 'published', 'accepted', 'approved', 'issued', 'settled')),
        CONSTRAINT months_accepted CHECK (accepted IN ('signed', 'silent')),
        CONSTRAINT months_calculation FOREIGN KEY(municipality, month, version) REFERENCES calculations (municipality, month, version)
    )
    """,
    "COMMENT ON TABLE months IS 'where each municipality''s month stands on its way to money, and on which calculation'",
    """
    CREATE TABLE stay_months (
        case_id UUID NOT NULL,
        month DATE NOT NULL,
        municipality TEXT NOT NULL,
        counted_as TEXT NOT NULL,
        ended BOOLEAN NOT NULL,
        days INTEGER NOT NULL,
        individual_days INTEGER NOT NULL,
        amount_ore BIGINT,
        PRIMARY KEY (case_id, month),
        CONSTRAINT stay_months_counted_as CHECK (counted_as IN ('average', 'long', 'individual', 'excluded', 'review', 'open')),
        FOREIGN KEY(case_id) REFERENCES stays (case_id)
    )
    """,
    "COMMENT ON TABLE stay_months IS 'derived: how each stay counts in each month it touches; amount null = a price is missing'",
    "CREATE INDEX stay_months_month ON stay_months (municipality, month)",
    """
    CREATE TABLE tariff_approvals (
        tariff_id UUID NOT NULL,
        client TEXT NOT NULL,
        person TEXT NOT NULL,
        approved_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (tariff_id),
        FOREIGN KEY(tariff_id) REFERENCES tariff_proposals (id)
    )
    """,
    "COMMENT ON TABLE tariff_approvals IS 'append-only: the second person''s yes; only an approved price counts'",
)

APPEND_ONLY = (
    "stay_versions",
    "invitations",
    "review_decisions",
    "tariff_proposals",
    "tariff_approvals",
    "calculations",
    "month_actions",
    "invoices",
)
REPLACED = ("stay_months",)
MOVED_ON = ("stays", "averages", "months", "invoice_series", "debtors", "mailbox_polls")


def upgrade() -> None:
    create_shared_tables_v1()
    for statement in CREATE:
        op.execute(statement)
    for table in APPEND_ONLY:
        make_append_only(table)
    for table in REPLACED:
        grant("SELECT, INSERT, UPDATE, DELETE", table)
    for table in MOVED_ON:
        grant("SELECT, INSERT, UPDATE", table)


def downgrade() -> None:
    raise NotImplementedError("money that was invoiced is never dropped: restore a backup instead")
