"""Alarms: mailboxes nobody polls, notices nobody takes on.

Revision: 0012, after 0011
"""

from alembic import op

from shared.streams.migration import grant_to_all, wall

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

CHANGES = (
    """
    CREATE TABLE mailbox_alarms (
        mailbox UUID NOT NULL,
        told_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (mailbox),
        FOREIGN KEY(mailbox) REFERENCES mailboxes (id)
    )
    """,
    "COMMENT ON TABLE mailbox_alarms IS 'when it was told last that nobody reads a mailbox; told again only after it was read since'",
)


def upgrade() -> None:
    for statement in CHANGES:
        op.execute(statement)
    grant_to_all("SELECT, INSERT, UPDATE", "mailbox_alarms")
    wall("mailbox_alarms", "false")


def downgrade() -> None:
    raise NotImplementedError("restore a backup")
