"""Messages on cases, and the units they can go to."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from services.planning.domain.addressing import CATCH_ALL
from services.planning.repository.directory import Mailbox
from shared.db import Work

# The units of a case's parties and its ward, each with the one mailbox that takes all, where it has several.
_CONCERNED: Final = text(
    """
    SELECT DISTINCT ON (m.unit) m.id, m.recipient, m.organisation, m.unit, m.function, m.district
    FROM cases c JOIN mailboxes m ON m.unit = c.ward OR jsonb_exists(c.parties, m.recipient)
    WHERE c.id = :case
    ORDER BY m.unit, m.function = ANY(CAST(:first AS text[])) DESC, m.function, m.district
    """
)
_WARD: Final = text("SELECT ward FROM cases WHERE id = :case")
_ADD: Final = text(
    """
    INSERT INTO messages (id, case_id, answers, state, sender, recipient, topic, body, written_by, sent_at, client)
    VALUES (:id, :case, :answers, :state, :sender, :recipient, :topic, :body, :by, :at, :client)
    """
)
_COLUMNS: Final = "id, case_id, answers, state, sender, recipient, topic, body, written_by, sent_at"
_ONE: Final = text(f"SELECT {_COLUMNS} FROM messages WHERE id = :id")  # noqa: S608  # constant text
_OF_CASE: Final = text(f"SELECT {_COLUMNS} FROM messages WHERE case_id = :case ORDER BY id")  # noqa: S608  # constant text
_MOVE: Final = text("UPDATE messages SET state = :state WHERE id = :id")


async def concerned(work: Work, case_id: UUID) -> dict[str, Mailbox | None]:
    """The units concerned in a case, its ward included, each with its mailbox; a ward may have none."""
    found: dict[str, Mailbox | None] = {}
    ward = (await work.connection.execute(_WARD, {"case": case_id})).scalar_one_or_none()
    if ward is not None:
        found[ward] = None
    for row in await work.connection.execute(_CONCERNED, {"case": case_id, "first": list(CATCH_ALL)}):
        found[row.unit] = Mailbox(row.id, row.recipient, row.organisation, row.unit, row.function, row.district)
    return found


async def add(  # noqa: PLR0913  # the columns of one row
    work: Work,
    message_id: UUID,
    case_id: UUID,
    *,
    answers: UUID | None,
    state: str,
    sender: str,
    recipient: str,
    topic: str,
    body: str | None,
    by: str,
    client: str,
) -> None:
    """Write a message."""
    values = {"id": message_id, "case": case_id, "answers": answers, "state": state, "sender": sender, "recipient": recipient}
    await work.connection.execute(_ADD, values | {"topic": topic, "body": body, "by": by, "at": work.at, "client": client})


async def one(work: Work, message_id: UUID) -> Any | None:  # a row
    """One message."""
    return (await work.connection.execute(_ONE, {"id": message_id})).one_or_none()


async def of_case(work: Work, case_id: UUID) -> Sequence[Any]:
    """The messages of a case, oldest first."""
    return (await work.connection.execute(_OF_CASE, {"case": case_id})).all()


async def move(work: Work, message_id: UUID, state: str) -> None:
    """Keep where a question stands."""
    await work.connection.execute(_MOVE, {"id": message_id, "state": state})
