"""What stands beside the envelopes in the mailboxes: personal parts, delivery and acknowledgement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from services.planning.repository.sealing import Opened, notice_of, sealed_json
from shared.db import Work

INSERT_NOTICES: Final = text(
    """
    INSERT INTO notices (id, mailbox, case_id, recipient, type, origin, fingerprint, revision, state, sent_at, supersedes, envelope,
                         personal)
    SELECT id, mailbox, case_id, recipient, type, origin, fingerprint, revision, 'sent', sent_at, supersedes, envelope,
           CAST(personal AS jsonb)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:mailboxes AS uuid[]), CAST(:cases AS uuid[]), CAST(:recipients AS text[]),
                CAST(:types AS text[]), CAST(:origins AS text[]), CAST(:fingerprints AS text[]), CAST(:revisions AS integer[]),
                CAST(:sent AS timestamptz[]), CAST(:supersedes AS uuid[]), CAST(:envelopes AS text[]), CAST(:personals AS text[]))
         AS n (id, mailbox, case_id, recipient, type, origin, fingerprint, revision, sent_at, supersedes, envelope, personal)
    """
)
_END_NOTICES: Final = text(
    """
    UPDATE notices AS n SET state = e.state
    FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[])) AS e (id, state) WHERE n.id = e.id
    """
)
_OF_CASES: Final = text(
    """
    SELECT id, case_id, mailbox, recipient, type, origin, fingerprint, revision, state, acknowledged_at,
           returned_at, forwarded_to, withheld, personal ->> 'protected' AS protected,
           type = 'notice.admission' AND EXISTS (
               SELECT FROM planning_statuses s
               WHERE s.case_id = asked.case_id AND s.recipient = notices.recipient AND s.status <> 'received') AS planning
    FROM unnest(CAST(:cases AS uuid[])) AS asked (case_id) JOIN notices USING (case_id) ORDER BY id
    """
)
# What is withheld never leaves the database: in its place stands why, since when, and on what basis.
_SHOWN: Final = """
    jsonb_build_array('notice:' || id, CASE WHEN withheld IS NULL THEN personal
         ELSE jsonb_build_object('withheld', withheld, 'at', to_char(withheld_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                                 'basis', withheld_basis)
    END) AS personal
"""
# What it is about for the access log: its case, or the plan without a stay that its envelope names.
_SUBJECT: Final = "coalesce(case_id, CAST(CAST(envelope AS jsonb) #>> '{about,plan_id}' AS uuid), id) AS subject"
_PERSONAL: Final = text(
    f"SELECT id, case_id, {_SUBJECT}, sent_at, withheld, acknowledged_by, {_SHOWN} FROM notices WHERE id = ANY(CAST(:ids AS uuid[]))"  # noqa: S608
).columns(personal=Opened)
_FETCHED: Final = text("UPDATE notices SET state = 'delivered', delivered_at = :at WHERE id = ANY(CAST(:ids AS uuid[])) AND state = 'sent'")
_ONE: Final = text(
    f"""
    SELECT id, mailbox, case_id, {_SUBJECT}, recipient, type, origin, fingerprint, revision, envelope, state, sent_at, withheld, {_SHOWN},
           delivered_at, acknowledged_at, acknowledged_by, returned_at, returned_by, return_reason,
           forwarded_to, forwarded_as, forwarded_at, forwarded_by
    FROM notices WHERE id = :id AND mailbox = ANY(CAST(:mailboxes AS uuid[]))
    """  # noqa: S608  # constant text
).columns(personal=Opened)
_WITHHOLD: Final = text(
    """
    UPDATE notices SET withheld = :why, withheld_at = :at, withheld_basis = :basis
    WHERE id = ANY(CAST(:ids AS uuid[])) AND withheld IS NULL AND personal IS NOT NULL
    """
)
_RETURN: Final = text(
    """
    UPDATE notices SET state = :state, returned_at = :at, returned_by = :by, return_reason = :reason, returned_client = :client
    WHERE id = :id
    """
)
_FORWARD: Final = text(
    """
    UPDATE notices SET forwarded_to = :mailbox, forwarded_as = :copy, forwarded_at = :at, forwarded_by = :by, forwarded_client = :client
    WHERE id = :id
    """
)
_LOCK: Final = text("SELECT id FROM notices WHERE id = :id FOR UPDATE")
_ACKNOWLEDGE: Final = text(
    "UPDATE notices SET state = :state, acknowledged_at = :at, acknowledged_by = :by, acknowledged_client = :client WHERE id = :id"
)


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One notice as it is written: the envelope that the mailbox carries, and the personal part beside it."""

    id: UUID
    mailbox: UUID
    case_id: UUID | None
    recipient: str
    type: str
    origin: str
    fingerprint: str
    revision: int
    sent_at: datetime
    supersedes: UUID | None
    envelope: str
    personal: Mapping[str, Any] | None


async def write(work: Work, rows: Sequence[NoticeRow], ended: Sequence[tuple[UUID, str]]) -> None:
    """Add notices, and note which earlier ones are superseded or cancelled by them."""
    if rows:
        await work.connection.execute(
            INSERT_NOTICES,
            {
                "ids": [row.id for row in rows],
                "mailboxes": [row.mailbox for row in rows],
                "cases": [row.case_id for row in rows],
                "recipients": [row.recipient for row in rows],
                "types": [row.type for row in rows],
                "origins": [row.origin for row in rows],
                "fingerprints": [row.fingerprint for row in rows],
                "revisions": [row.revision for row in rows],
                "sent": [row.sent_at for row in rows],
                "supersedes": [row.supersedes for row in rows],
                "envelopes": [row.envelope for row in rows],
                "personals": [None if row.personal is None else sealed_json(row.personal, of=notice_of(row.id)) for row in rows],
            },
        )
    if ended:
        await work.connection.execute(_END_NOTICES, {"ids": [end[0] for end in ended], "states": [end[1] for end in ended]})


async def of_cases(work: Work, cases: Sequence[UUID]) -> Sequence[Any]:
    """Every notice of these cases in the order they were made."""
    return (await work.connection.execute(_OF_CASES, {"cases": list(cases)})).all()


async def personal_parts(work: Work, ids: Sequence[UUID]) -> dict[UUID, Any]:
    """The personal parts of notices: rows of id, case_id, subject, personal, lost (its recipient is a party no longer), changed_at."""
    found = await work.connection.execute(_PERSONAL, {"ids": list(ids)})
    return {row.id: row for row in found}


async def note_delivered(work: Work, ids: Sequence[UUID]) -> None:
    """A system of the recipient fetched these notices; only the first time counts."""
    await work.connection.execute(_FETCHED, {"ids": list(ids), "at": work.at})


async def one(work: Work, notice_id: UUID, mailboxes: Sequence[UUID]) -> Any | None:  # a row
    """One notice, if it stands in one of these mailboxes."""
    return (await work.connection.execute(_ONE, {"id": notice_id, "mailboxes": list(mailboxes)})).one_or_none()


async def lock(work: Work, notice_id: UUID) -> None:
    """Lock one notice; its case is locked before."""
    await work.connection.execute(_LOCK, {"id": notice_id})


async def acknowledge(work: Work, notice_id: UUID, *, state: str, by: str, at: datetime, client: str) -> None:
    """Keep who took the notice on, and when."""
    await work.connection.execute(_ACKNOWLEDGE, {"id": notice_id, "state": state, "by": by, "at": at, "client": client})


async def withhold(work: Work, ids: Sequence[UUID], *, why: str, basis: str) -> None:
    """Withhold the personal parts of notices from now on; their envelopes stand, and so does the chain over them."""
    await work.connection.execute(_WITHHOLD, {"ids": list(ids), "why": why, "at": work.at, "basis": basis})


async def give_back(work: Work, notice_id: UUID, *, state: str, by: str, reason: str, client: str) -> None:
    """Keep who returned the notice as wrongly addressed, when and why."""
    await work.connection.execute(_RETURN, {"id": notice_id, "state": state, "at": work.at, "by": by, "reason": reason, "client": client})


async def send_on(work: Work, notice_id: UUID, *, mailbox: UUID, copy: UUID, by: str, client: str) -> None:
    """Keep where the notice was sent on to, as which notice, by whom and when."""
    await work.connection.execute(_FORWARD, {"id": notice_id, "mailbox": mailbox, "copy": copy, "at": work.at, "by": by, "client": client})
