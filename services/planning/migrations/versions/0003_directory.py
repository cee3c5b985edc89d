"""The directory whole: several mailboxes for each recipient, addressing, teams, duty calendars; notices returned and sent on."""

from alembic import op

from shared.streams.migration import grant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CHANGES = (
    "ALTER TABLE organisations ADD COLUMN sub_region TEXT, ADD COLUMN valid_from DATE, ADD COLUMN valid_to DATE",
    """
    ALTER TABLE units ADD COLUMN owner TEXT REFERENCES organisations (number), ADD COLUMN municipality TEXT, ADD COLUMN sub_region TEXT,
        ADD COLUMN valid_from DATE, ADD COLUMN valid_to DATE
    """,
    "ALTER TABLE units DROP CONSTRAINT units_kind",
    "ALTER TABLE units ADD CONSTRAINT units_kind CHECK (kind IN ('ward', 'care_centre', 'municipal', 'team'))",
    "ALTER TABLE mailboxes ADD COLUMN district TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE mailboxes DROP CONSTRAINT mailboxes_recipient, DROP CONSTRAINT mailboxes_function",
    """
    ALTER TABLE mailboxes ADD CONSTRAINT mailboxes_recipient UNIQUE (recipient, function, district),
        ADD CONSTRAINT mailboxes_function CHECK (function IN ('municipality', 'social_services', 'health_care', 'on_call', 'district',
            'controller', 'care_unit', 'ward', 'team'))
    """,
    """
    CREATE TABLE addressing (
        id UUID NOT NULL,
        recipient TEXT NOT NULL,
        need TEXT,
        care_type TEXT,
        postal_code TEXT DEFAULT '' NOT NULL,
        mailbox UUID NOT NULL,
        valid_from DATE NOT NULL,
        valid_to DATE,
        PRIMARY KEY (id),
        CONSTRAINT addressing_need CHECK (need IN ('municipal_social', 'municipal_health', 'outpatient')),
        CONSTRAINT addressing_care_type CHECK (care_type IN ('somatic', 'psychiatric')),
        FOREIGN KEY(mailbox) REFERENCES mailboxes (id)
    )
    """,
    "COMMENT ON TABLE addressing IS 'which mailbox of a recipient takes which notices, by need, care type, place and date'",
    "CREATE INDEX addressing_mailbox ON addressing (mailbox)",
    "CREATE INDEX addressing_recipient ON addressing (recipient)",
    """
    CREATE TABLE team_members (
        team TEXT NOT NULL,
        unit TEXT NOT NULL,
        valid_from DATE NOT NULL,
        valid_to DATE,
        PRIMARY KEY (team, unit, valid_from),
        FOREIGN KEY(team) REFERENCES units (hsa_id),
        FOREIGN KEY(unit) REFERENCES units (hsa_id)
    )
    """,
    "COMMENT ON TABLE team_members IS 'a team (mobile local care) is a unit whose members belong to units of several organisations'",
    "CREATE INDEX team_members_unit ON team_members (unit)",
    """
    CREATE TABLE duty_calendars (
        mailbox UUID NOT NULL,
        weekly JSONB NOT NULL,
        closed JSONB DEFAULT '[]' NOT NULL,
        holidays_closed BOOLEAN NOT NULL,
        outside UUID,
        PRIMARY KEY (mailbox),
        FOREIGN KEY(mailbox) REFERENCES mailboxes (id),
        FOREIGN KEY(outside) REFERENCES mailboxes (id)
    )
    """,
    "COMMENT ON TABLE duty_calendars IS 'when somebody reads a mailbox, by local time; outside = who takes over; no calendar: always'",
    """
    ALTER TABLE notices ADD COLUMN returned_at TIMESTAMP WITH TIME ZONE, ADD COLUMN returned_by TEXT, ADD COLUMN return_reason TEXT,
        ADD COLUMN returned_client TEXT, ADD COLUMN forwarded_to UUID REFERENCES mailboxes (id), ADD COLUMN forwarded_as UUID,
        ADD COLUMN forwarded_at TIMESTAMP WITH TIME ZONE, ADD COLUMN forwarded_by TEXT, ADD COLUMN forwarded_client TEXT,
        ADD COLUMN withheld TEXT CONSTRAINT notices_withheld CHECK (withheld IN ('erased', 'protected', 'returned')),
        ADD COLUMN withheld_at TIMESTAMP WITH TIME ZONE, ADD COLUMN withheld_basis TEXT
    """,
)


def upgrade() -> None:
    for statement in CHANGES:
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE, DELETE", "addressing")
    grant("SELECT, INSERT, UPDATE, DELETE", "team_members")
    grant("SELECT, INSERT, UPDATE, DELETE", "duty_calendars")
