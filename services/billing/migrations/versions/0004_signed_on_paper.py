"""Signatures on paper: a debtor that reads no mailbox here can accept its month all the same."""

from alembic import op

from shared.streams.migration import make_append_only

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CREATE = (
    """
    CREATE TABLE paper_signatures (
        municipality TEXT NOT NULL,
        month DATE NOT NULL,
        version INTEGER NOT NULL,
        signed_by TEXT NOT NULL,
        signed_on DATE NOT NULL,
        reference TEXT NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (municipality, month, version),
        CONSTRAINT paper_signatures_calculation FOREIGN KEY(municipality, month, version)
            REFERENCES calculations (municipality, month, version)
    )
    """,
    "COMMENT ON TABLE paper_signatures IS 'append-only: on which paper a debtor that reads no mailbox here accepted a calculation'",
)


def upgrade() -> None:
    for statement in CREATE:
        op.execute(statement)
    make_append_only("paper_signatures")


def downgrade() -> None:
    raise NotImplementedError("money that was invoiced is never dropped: restore a backup instead")
