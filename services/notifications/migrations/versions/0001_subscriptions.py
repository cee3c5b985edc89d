"""Subscriptions, deliveries, attempts, due work.

Revision: 0001, the first
"""

from alembic import op

from shared.streams import due
from shared.streams.migration import create_shared_tables_v1, grant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_CREATE = (
    """
    CREATE TABLE subscriptions (
        id uuid PRIMARY KEY, organisation text NOT NULL, unit_prefixes text[] NOT NULL, client text NOT NULL, url text NOT NULL,
        types text[] NOT NULL, units text[] NOT NULL, secret bytea NOT NULL, state text NOT NULL,
        created_at timestamptz NOT NULL, changed_at timestamptz NOT NULL,
        CONSTRAINT subscriptions_state CHECK (state IN ('active', 'disabled', 'deleted'))
    )
    """,
    "CREATE UNIQUE INDEX subscriptions_one ON subscriptions (organisation, unit_prefixes) WHERE state <> 'deleted'",
    "COMMENT ON TABLE subscriptions IS 'who is told by webhook of what stands in its mailboxes; the secret is encrypted'",
    """
    CREATE TABLE deliveries (
        id uuid PRIMARY KEY, subscription_id uuid NOT NULL REFERENCES subscriptions (id), source uuid NOT NULL, type text NOT NULL,
        body text NOT NULL, state text NOT NULL, attempts integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL, changed_at timestamptz NOT NULL,
        CONSTRAINT deliveries_state CHECK (state IN ('pending', 'delivered', 'exhausted', 'cancelled')),
        CONSTRAINT deliveries_source UNIQUE (subscription_id, source)
    )
    """,
    "CREATE INDEX deliveries_log ON deliveries (subscription_id, id)",
    """
    COMMENT ON TABLE deliveries IS
    'one webhook message for one subscription; its id is the webhook-id of every attempt, its body the bytes that are signed'
    """,
    """
    CREATE TABLE delivery_attempts (
        delivery_id uuid NOT NULL REFERENCES deliveries (id), number smallint NOT NULL, at timestamptz NOT NULL,
        milliseconds integer NOT NULL, status smallint, error text, accepted boolean NOT NULL, PRIMARY KEY (delivery_id, number)
    )
    """,
    "COMMENT ON TABLE delivery_attempts IS 'what each attempt met: the receiver''s status, or a code of ours'",
)


def upgrade() -> None:
    create_shared_tables_v1()
    for statement in (*_CREATE, *due.CREATE_V1):
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE", "subscriptions")
    grant("SELECT, INSERT, UPDATE", "deliveries")
    grant("SELECT, INSERT", "delivery_attempts")
    grant("SELECT, INSERT, UPDATE, DELETE", "due_work")


def downgrade() -> None:
    for table in ("delivery_attempts", "deliveries", "subscriptions", "due_work"):
        op.execute(f"DROP TABLE {table}")
