"""Everything between an agreement and a paid invoice: disputes, corrections, postings, statuses, simulations, comparisons."""

from alembic import op

from shared.streams.migration import grant, make_append_only

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# What was told before this migration was known when it was told; nothing earlier is kept of it.
TOLD = (("invitations", "invited_at"), ("plan_consents", "changed_at"), ("declined_measures", "declined_at"))

CREATE = (
    "ALTER TABLE stay_versions ADD COLUMN municipality TEXT",
    "ALTER TABLE stay_versions ADD COLUMN touches_from DATE",
    "ALTER TABLE stay_versions ADD COLUMN touches_to DATE",
    # More than it touches, never less: a month as known then leaves out what does not belong to it.
    "ALTER TABLE stay_versions DISABLE TRIGGER stay_versions_stands",
    "UPDATE stay_versions SET municipality = CAST(body AS jsonb) ->> 'municipality', touches_from = DATE '1900-01-01'",
    "ALTER TABLE stay_versions ENABLE TRIGGER stay_versions_stands",
    "CREATE INDEX stay_versions_municipality ON stay_versions (municipality, touches_from)",
    "CREATE INDEX stay_versions_recorded ON stay_versions (recorded_at)",
    """
    CREATE TABLE disputes (
        id UUID NOT NULL,
        municipality TEXT NOT NULL,
        month DATE NOT NULL,
        case_id UUID NOT NULL,
        days DATE[],
        reason TEXT NOT NULL,
        explanation TEXT NOT NULL,
        client TEXT NOT NULL,
        person TEXT NOT NULL,
        opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    "COMMENT ON TABLE disputes IS 'append-only: what a debtor contests, a whole stay (days null) or some of its days'",
    "CREATE INDEX disputes_month ON disputes (municipality, month)",
    "CREATE INDEX disputes_case ON disputes (case_id)",
    """
    CREATE TABLE dispute_events (
        id UUID NOT NULL,
        dispute_id UUID NOT NULL,
        kind TEXT NOT NULL,
        outcome TEXT,
        days DATE[],
        explanation TEXT NOT NULL,
        reference TEXT,
        client TEXT NOT NULL,
        person TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT dispute_events_kind CHECK (kind IN ('decided', 'escalated', 'in_court')),
        CONSTRAINT dispute_events_outcome CHECK (outcome IN ('upheld', 'partly', 'rejected')),
        FOREIGN KEY(dispute_id) REFERENCES disputes (id)
    )
    """,
    "COMMENT ON TABLE dispute_events IS 'append-only: decisions on disputes, escalations, court; where one stands follows from them'",
    "CREATE INDEX dispute_events_dispute ON dispute_events (dispute_id)",
    """
    CREATE TABLE agreement_proposals (
        id UUID NOT NULL,
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        body TEXT NOT NULL,
        source TEXT NOT NULL,
        client TEXT NOT NULL,
        person TEXT NOT NULL,
        proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT agreement_proposals_version UNIQUE (name, version)
    )
    """,
    "COMMENT ON TABLE agreement_proposals IS 'append-only: rule sets the region enters, version by version, beside those shipped'",
    """
    CREATE TABLE agreement_approvals (
        agreement_id UUID NOT NULL,
        client TEXT NOT NULL,
        person TEXT NOT NULL,
        approved_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (agreement_id),
        FOREIGN KEY(agreement_id) REFERENCES agreement_proposals (id)
    )
    """,
    "COMMENT ON TABLE agreement_approvals IS 'append-only: the second person''s yes; only an approved rule set counts'",
    "ALTER TABLE calculations ADD COLUMN inputs TEXT",
    "ALTER TABLE months ADD COLUMN issued_version INTEGER",
    "ALTER TABLE months ADD COLUMN billed_ore BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE months ADD COLUMN corrects BOOLEAN NOT NULL DEFAULT false",
    "ALTER TABLE months DROP CONSTRAINT months_accepted",
    "ALTER TABLE months ADD CONSTRAINT months_accepted CHECK (accepted IN ('signed', 'silent', 'credit'))",
    "UPDATE months SET issued_version = version WHERE state IN ('issued', 'settled')",
    "UPDATE months SET billed_ore = coalesce(amount_ore, 0) WHERE invoice_number IS NOT NULL",
    "ALTER TABLE invoices ADD COLUMN refers_to TEXT REFERENCES invoices (number)",
    "ALTER TABLE invoices ADD COLUMN due_on DATE",
    "ALTER TABLE invoices DISABLE TRIGGER invoices_stands",
    "UPDATE invoices SET due_on = CAST(CAST(body AS jsonb) ->> 'due_on' AS date)",
    "ALTER TABLE invoices ENABLE TRIGGER invoices_stands",
    "ALTER TABLE invoices ALTER COLUMN due_on SET NOT NULL",
    "ALTER TABLE invoices DROP CONSTRAINT invoices_kind",
    "ALTER TABLE invoices ADD CONSTRAINT invoices_kind CHECK (kind IN ('invoice', 'supplementary', 'credit_note'))",
    "ALTER TABLE invoices ADD CONSTRAINT invoices_refers CHECK ((kind = 'invoice') = (refers_to IS NULL))",
    "ALTER TABLE invoices DROP CONSTRAINT invoices_calculation",
    # One correction may have to credit several documents, each up to its own rest.
    "ALTER TABLE invoices ADD CONSTRAINT invoices_calculation UNIQUE NULLS NOT DISTINCT (municipality, month, version, refers_to)",
    "CREATE INDEX invoices_refers_to ON invoices (refers_to)",
    "CREATE INDEX invoices_due ON invoices (municipality, due_on)",
    """
    CREATE FUNCTION refuse_credit_above_rest() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        rest bigint;
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtextextended(NEW.refers_to, 0));
        SELECT original.amount_ore INTO rest FROM invoices original
        WHERE original.number = NEW.refers_to AND original.kind <> 'credit_note';
        SELECT rest - coalesce(sum(credit.amount_ore), 0) INTO rest FROM invoices credit
        WHERE credit.refers_to = NEW.refers_to AND credit.kind = 'credit_note';
        IF rest IS NULL OR NEW.amount_ore > rest THEN
            RAISE EXCEPTION 'a credit note above the rest of its invoice is refused' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER invoices_credit BEFORE INSERT ON invoices FOR EACH ROW WHEN (NEW.kind = 'credit_note')
    EXECUTE FUNCTION refuse_credit_above_rest()
    """,
    """
    CREATE TABLE invoice_statuses (
        id UUID NOT NULL,
        number TEXT NOT NULL,
        status TEXT NOT NULL,
        amount_ore BIGINT,
        paid_on DATE,
        reference TEXT,
        reason TEXT,
        client TEXT NOT NULL,
        person TEXT NOT NULL,
        reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT invoice_statuses_status CHECK (status IN ('booked', 'rejected', 'paid')),
        CONSTRAINT invoice_statuses_amount CHECK ((status = 'paid') = (amount_ore IS NOT NULL) AND coalesce(amount_ore, 1) > 0),
        FOREIGN KEY(number) REFERENCES invoices (number)
    )
    """,
    "COMMENT ON TABLE invoice_statuses IS 'append-only: what finance reported of a document: booked, rejected with reason, paid in parts'",
    "CREATE INDEX invoice_statuses_number ON invoice_statuses (number)",
    """
    CREATE TABLE ledger_entries (
        id UUID NOT NULL,
        kind TEXT NOT NULL,
        document TEXT NOT NULL,
        municipality TEXT NOT NULL,
        month DATE NOT NULL,
        booked_on DATE NOT NULL,
        status_id UUID,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT ledger_entries_kind CHECK (kind IN ('invoiced', 'credited', 'paid')),
        FOREIGN KEY(document) REFERENCES invoices (number),
        FOREIGN KEY(status_id) REFERENCES invoice_statuses (id)
    )
    """,
    "COMMENT ON TABLE ledger_entries IS 'append-only: one entry for each document and each payment; hashed in the feed ledger'",
    "CREATE INDEX ledger_entries_document ON ledger_entries (document)",
    "CREATE INDEX ledger_entries_booked ON ledger_entries (booked_on)",
    """
    CREATE TABLE ledger_postings (
        entry_id UUID NOT NULL,
        line SMALLINT NOT NULL,
        account TEXT NOT NULL,
        amount_ore BIGINT NOT NULL,
        PRIMARY KEY (entry_id, line),
        CONSTRAINT ledger_postings_amount CHECK (amount_ore <> 0),
        FOREIGN KEY(entry_id) REFERENCES ledger_entries (id)
    )
    """,
    "COMMENT ON TABLE ledger_postings IS 'append-only: debit above 0, credit below; the postings of an entry add up to 0'",
    """
    CREATE FUNCTION refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT sum(amount_ore) FROM ledger_postings WHERE entry_id = NEW.entry_id) <> 0 THEN
            RAISE EXCEPTION 'postings that do not balance are refused' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER ledger_postings_balance AFTER INSERT ON ledger_postings DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse_unbalanced()
    """,
    "ALTER TABLE debtors ADD COLUMN peppol_id TEXT",
    "ALTER TABLE debtors ADD COLUMN gln TEXT",
    "ALTER TABLE debtors ADD COLUMN buyer_reference TEXT",
    "ALTER TABLE debtors ADD COLUMN payment_days SMALLINT",
    "ALTER TABLE debtors ADD COLUMN receivable_account TEXT",
    "ALTER TABLE debtors ADD COLUMN revenue_account TEXT",
    "ALTER TABLE debtors ADD COLUMN street TEXT",
    "ALTER TABLE debtors ADD COLUMN postal_code TEXT",
    "ALTER TABLE debtors ADD COLUMN city TEXT",
    "ALTER TABLE debtors ADD COLUMN entered_by TEXT",
    "ALTER TABLE debtors ADD COLUMN entered_at TIMESTAMP WITH TIME ZONE",
    """
    CREATE TABLE average_alerts (
        municipality TEXT NOT NULL,
        month DATE NOT NULL,
        threshold NUMERIC(6, 3) NOT NULL,
        average NUMERIC(12, 6) NOT NULL,
        stays INTEGER NOT NULL,
        passed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (municipality, month, threshold)
    )
    """,
    "COMMENT ON TABLE average_alerts IS 'append-only: when a running average first passed a threshold in a month; told once'",
    """
    CREATE TABLE simulations (
        id UUID NOT NULL,
        request TEXT NOT NULL,
        client TEXT NOT NULL,
        person TEXT NOT NULL,
        municipality TEXT,
        state TEXT NOT NULL,
        total INTEGER NOT NULL,
        done INTEGER NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        finished_at TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (id),
        CONSTRAINT simulations_state CHECK (state IN ('queued', 'running', 'done', 'cancelled', 'failed'))
    )
    """,
    "COMMENT ON TABLE simulations IS 'jobs that compare rule sets on real months; municipality = the only one its owner may see'",
    "CREATE INDEX simulations_open ON simulations (created_at) WHERE state IN ('queued', 'running')",
    """
    CREATE TABLE simulation_parts (
        simulation_id UUID NOT NULL,
        profile TEXT NOT NULL,
        municipality TEXT NOT NULL,
        month DATE NOT NULL,
        stays INTEGER NOT NULL,
        in_average INTEGER NOT NULL,
        sum_days INTEGER NOT NULL,
        excess_days NUMERIC(12, 6) NOT NULL,
        individual_days INTEGER NOT NULL,
        amount_ore BIGINT,
        PRIMARY KEY (simulation_id, profile, municipality, month),
        FOREIGN KEY(simulation_id) REFERENCES simulations (id)
    )
    """,
    "COMMENT ON TABLE simulation_parts IS 'what each rule set would have given; amount null = a price is missing'",
    """
    CREATE TABLE comparisons (
        id UUID NOT NULL,
        month DATE NOT NULL,
        file_sha256 TEXT NOT NULL,
        rows INTEGER NOT NULL,
        differing INTEGER NOT NULL,
        body TEXT NOT NULL,
        compared_by TEXT NOT NULL,
        compared_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    "COMMENT ON TABLE comparisons IS 'append-only: a month of the service of today held against ours, with every difference'",
    """
    CREATE TABLE comparison_signatures (
        comparison_id UUID NOT NULL,
        explanation TEXT NOT NULL,
        client TEXT NOT NULL,
        person TEXT NOT NULL,
        signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (comparison_id),
        FOREIGN KEY(comparison_id) REFERENCES comparisons (id)
    )
    """,
    "COMMENT ON TABLE comparison_signatures IS 'append-only: a named person signed; where required, nothing is issued before'",
)

APPEND_ONLY = (
    "disputes",
    "dispute_events",
    "agreement_proposals",
    "agreement_approvals",
    "invoice_statuses",
    "ledger_entries",
    "ledger_postings",
    "average_alerts",
    "comparisons",
    "comparison_signatures",
)


def upgrade() -> None:
    for table, told_at in TOLD:
        known = f"UPDATE {table} SET recorded_at = {told_at}"  # noqa: S608  # names of ours
        op.execute(f"ALTER TABLE {table} ADD COLUMN recorded_at TIMESTAMP WITH TIME ZONE")
        op.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_stands")
        op.execute(known)
        op.execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_stands")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN recorded_at SET NOT NULL")
    for statement in CREATE:
        op.execute(statement)
    for table in APPEND_ONLY:
        make_append_only(table)
    grant("SELECT, INSERT, UPDATE", "simulations")
    grant("SELECT, INSERT", "simulation_parts")


def downgrade() -> None:
    raise NotImplementedError("money that was invoiced is never dropped: restore a backup instead")
