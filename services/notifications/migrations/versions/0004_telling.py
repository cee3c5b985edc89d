"""The push feed, digests, contacts and escalations.

Revision: 0004, after 0003
"""

from alembic import op

from shared.streams.migration import grant_to_all, wall, wall_outbox

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CREATE = (
    """
    CREATE TABLE waiting_notices (
        notice_id uuid PRIMARY KEY, source uuid NOT NULL, organisation text NOT NULL, unit text, mailbox text NOT NULL,
        type text NOT NULL, sent_at timestamptz NOT NULL, acknowledge_by timestamptz NOT NULL
    )
    """,
    "CREATE INDEX waiting_notices_organisation ON waiting_notices (organisation, unit)",
    "COMMENT ON TABLE waiting_notices IS 'notices that a person is expected to take on and nobody has; as planning told, without persons'",
    """
    CREATE TABLE digests (
        id uuid PRIMARY KEY, organisation text NOT NULL, unit_prefixes text[] NOT NULL, client text NOT NULL, email text NOT NULL,
        clock time NOT NULL, days text[] NOT NULL, types text[] NOT NULL, units text[] NOT NULL, language text NOT NULL,
        empty boolean NOT NULL, state text NOT NULL, position bigint NOT NULL, last_error text, last_sent_at timestamptz,
        created_at timestamptz NOT NULL, changed_at timestamptz NOT NULL,
        CONSTRAINT digests_state CHECK (state IN ('active', 'failing', 'deleted')),
        CONSTRAINT digests_language CHECK (language IN ('sv', 'en'))
    )
    """,
    "CREATE INDEX digests_organisation ON digests (organisation)",
    "COMMENT ON TABLE digests IS 'who gets an e-mail of counts at which time of day; position = how far the push feed was counted'",
    """
    CREATE TABLE contacts (
        id uuid PRIMARY KEY, organisation text NOT NULL, unit_prefixes text[] NOT NULL, client text NOT NULL, place integer NOT NULL,
        mailbox text, email text NOT NULL, from_step text NOT NULL, language text NOT NULL, created_at timestamptz NOT NULL,
        CONSTRAINT contacts_step CHECK (from_step IN ('contact', 'on_call', 'operator')),
        CONSTRAINT contacts_language CHECK (language IN ('sv', 'en'))
    )
    """,
    "CREATE INDEX contacts_organisation ON contacts (organisation, place)",
    "COMMENT ON TABLE contacts IS 'whom to write to when something escalates, in their order; mailbox null = all of those units'",
    """
    CREATE TABLE escalations (
        id uuid PRIMARY KEY, kind text NOT NULL, subject uuid NOT NULL, organisation text NOT NULL, units text[] NOT NULL,
        mailbox text, notice_type text, step text NOT NULL, delivered boolean NOT NULL, since timestamptz NOT NULL,
        opened_at timestamptz NOT NULL, changed_at timestamptz NOT NULL, closed_at timestamptz, closed_by text,
        CONSTRAINT escalations_kind CHECK
            (kind IN ('notice.unacknowledged', 'mailbox.silent', 'webhook.exhausted', 'webhook.disabled')),
        CONSTRAINT escalations_step CHECK (step IN ('contact', 'on_call', 'operator'))
    )
    """,
    "CREATE UNIQUE INDEX escalations_open ON escalations (kind, subject) WHERE closed_at IS NULL",
    "CREATE INDEX escalations_organisation ON escalations (organisation, id) WHERE closed_at IS NULL",
    "COMMENT ON TABLE escalations IS 'what nobody did or read in time, and how far that has come; open until it was done'",
    """
    CREATE TABLE mails (
        id uuid PRIMARY KEY, source text NOT NULL, digest_id uuid REFERENCES digests (id), recipient text NOT NULL, language text NOT NULL,
        subject text NOT NULL, body text NOT NULL, state text NOT NULL, attempts integer NOT NULL DEFAULT 0, last_error text,
        created_at timestamptz NOT NULL, changed_at timestamptz NOT NULL,
        CONSTRAINT mails_state CHECK (state IN ('pending', 'sent', 'failed')),
        CONSTRAINT mails_source UNIQUE (source, recipient)
    )
    """,
    "COMMENT ON TABLE mails IS 'e-mails of counts, units and types; source = what it is about, so that nothing is written twice'",
    "CREATE INDEX deliveries_exhausted ON deliveries (subscription_id) WHERE state = 'exhausted'",
)
_OWN = "organisation = caller_organisation()"
_EXACTLY_OWN = f"{_OWN} AND (client = caller_client() OR (unit_prefixes @> caller_units() AND unit_prefixes <@ caller_units()))"
_INSIDE = """
    {own} AND EXISTS (SELECT FROM unnest(caller_units()) AS own (prefix)
                      WHERE starts_with(coalesce({unit}, 'SE' || caller_organisation() || '-'), own.prefix))
"""


def upgrade() -> None:
    for statement in _CREATE:
        op.execute(statement)
    grant_to_all("SELECT, INSERT, UPDATE, DELETE", "waiting_notices")
    grant_to_all("SELECT, INSERT, UPDATE", "digests")
    grant_to_all("SELECT, INSERT, DELETE", "contacts")
    grant_to_all("SELECT, INSERT, UPDATE", "escalations")
    grant_to_all("SELECT, INSERT, UPDATE, DELETE", "mails")
    wall("waiting_notices", _INSIDE.format(own=_OWN, unit="unit"))
    wall("digests", _EXACTLY_OWN)
    wall("contacts", _EXACTLY_OWN)
    wall(
        "escalations",
        f"""
        {_OWN} AND NOT EXISTS (
            SELECT FROM unnest(CASE WHEN units = '{{}}' THEN ARRAY['SE' || caller_organisation() || '-'] ELSE units END) AS its (unit)
            WHERE NOT EXISTS (SELECT FROM unnest(caller_units()) AS own (prefix) WHERE starts_with(its.unit, own.prefix)))
        """,  # noqa: S608  # constant text
    )
    wall("mails", "false")
    own_feed = "feed = 'push:' || caller_organisation()"
    wall("feed_entries", _INSIDE.format(own=own_feed, unit="CAST(body AS jsonb) -> 'data' ->> 'unit'"))
    wall("feed_heads", own_feed)
    wall("idempotency_keys", "client = (SELECT caller_client())")
    wall_outbox()


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
