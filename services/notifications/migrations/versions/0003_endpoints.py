"""Several endpoints, secrets that overlap, numbered messages, endpoints that rest, and the wall between organisations.

Revision: 0003, after 0002
"""

from alembic import op

from shared.streams.migration import wall

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_CHANGE = (
    "DROP INDEX subscriptions_one",
    "CREATE UNIQUE INDEX subscriptions_one ON subscriptions (organisation, unit_prefixes, url) WHERE state <> 'deleted'",
    """
    ALTER TABLE subscriptions
        ADD COLUMN secret_since timestamptz, ADD COLUMN former_secret bytea, ADD COLUMN former_until timestamptz,
        ADD COLUMN last_number bigint NOT NULL DEFAULT 0, ADD COLUMN failures integer NOT NULL DEFAULT 0,
        ADD COLUMN resting_since timestamptz, ADD COLUMN rests_until timestamptz
    """,
    "UPDATE subscriptions SET secret_since = created_at",
    "ALTER TABLE subscriptions ALTER COLUMN secret_since SET NOT NULL",
    "ALTER TABLE deliveries ADD COLUMN number bigint, ADD COLUMN attempts_before integer NOT NULL DEFAULT 0",
    """
    UPDATE deliveries SET number = counted.number
    FROM (SELECT id, row_number() OVER (PARTITION BY subscription_id ORDER BY id) AS number FROM deliveries) AS counted
    WHERE deliveries.id = counted.id
    """,
    """
    UPDATE subscriptions SET last_number = last.number
    FROM (SELECT subscription_id, max(number) AS number FROM deliveries GROUP BY subscription_id) AS last
    WHERE subscriptions.id = last.subscription_id
    """,
    "ALTER TABLE deliveries ALTER COLUMN number SET NOT NULL",
    "CREATE UNIQUE INDEX deliveries_number ON deliveries (subscription_id, number)",
    "DROP INDEX deliveries_log",
    "ALTER TABLE delivery_attempts ALTER COLUMN number TYPE integer",
)


def upgrade() -> None:
    for statement in _CHANGE:
        op.execute(statement)
    wall("subscriptions", "organisation = caller_organisation()")
    wall("deliveries", "EXISTS (SELECT FROM subscriptions WHERE subscriptions.id = deliveries.subscription_id)")
    wall("delivery_attempts", "EXISTS (SELECT FROM deliveries WHERE deliveries.id = delivery_attempts.delivery_id)")


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
