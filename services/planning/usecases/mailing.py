"""Putting notices into mailboxes: the row, the envelope that the feed carries, and the fact that tells the other services."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from services.planning.repository import notices as rows
from services.planning.repository.directory import Mailbox
from shared.dates import format_instant
from shared.db import Work
from shared.events.facts import NoticeSent
from shared.identifiers import uuid7
from shared.streams.canonical import canonical_plain
from shared.streams.outbox import Staged, stage, staged_members

PROTECTED_BASIS: Final = "offentlighets- och sekretesslagen (2009:400) 21 kap. 3 a §"
"""Why nothing that was told before stands open any more: the person's identity is protected now."""
WITHHELD_BASIS: Final = "offentlighets- och sekretesslagen (2009:400) 25 kap. 1 §"
"""Why a personal part is withheld from one who is not, or no longer, concerned: secrecy in health care."""
_SALT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Letter:
    """One notice to be put into one mailbox.

    `personal` (person and content) stands beside the envelope, bound to it by a salted hash, so that it can be withheld later;
    `about` names what a notice is about that no case says, e.g. a month of billing. `history`: made of imported events, never pushed.
    `party`: whose notice it is, when it stands in a mailbox of another name.
    """

    mailbox: Mailbox
    type: str
    sender: str | None
    sent_at: datetime
    acknowledge_by: datetime | None
    origin: str
    case_id: UUID | None = None
    case_version: int | None = None
    legal_basis: str | None = None
    supersedes: UUID | None = None
    fingerprint: str = ""
    revision: int = 1
    personal: Mapping[str, object] | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    history: bool = False
    party: str | None = None


@dataclass(slots=True)
class Post:
    """What one transaction has to write of notices, collected over its cases."""

    notices: list[rows.NoticeRow] = field(default_factory=list)
    ended: list[tuple[UUID, str]] = field(default_factory=list)
    withheld: list[UUID] = field(default_factory=list)
    protected: list[UUID] = field(default_factory=list)
    staged: list[Staged] = field(default_factory=list)

    def put(self, letter: Letter) -> UUID:
        """Make the notice for a letter; its id."""
        notice_id = uuid7()
        personal = None if letter.personal is None else {"salt": secrets.token_hex(_SALT_BYTES), **letter.personal}
        envelope = _envelope(notice_id, letter, None if personal is None else canonical_plain(personal))
        self.notices.append(
            rows.NoticeRow(
                id=notice_id,
                mailbox=letter.mailbox.id,
                case_id=letter.case_id,
                recipient=letter.party or letter.mailbox.recipient,
                type=letter.type,
                origin=letter.origin,
                fingerprint=letter.fingerprint,
                revision=letter.revision,
                sent_at=letter.sent_at,
                supersedes=letter.supersedes,
                envelope=envelope,
                personal=personal,
            )
        )
        self.staged.append(Staged(letter.mailbox.feed, notice_id, letter.type, letter.case_id, envelope))
        self.staged.append(staged_members(NoticeSent, _notice_sent(notice_id, letter), letter.case_id))
        return notice_id

    async def write(self, work: Work) -> None:
        """Write the notices, then stage what was collected."""
        await rows.write(work, self.notices, self.ended)
        if self.withheld:
            await rows.withhold(work, self.withheld, why="returned", basis=WITHHELD_BASIS)
        if self.protected:
            await rows.withhold(work, self.protected, why="protected", basis=PROTECTED_BASIS)
        await stage(work, self.staged)


def _envelope(notice_id: UUID, letter: Letter, personal: str | None) -> str:
    """The part of a notice that never changes and is hashed: canonical JSON without any personal datum."""
    envelope: dict[str, object] = {
        "id": notice_id,
        "type": letter.type,
        "case_id": letter.case_id,
        "case_version": letter.case_version,
        "sender": letter.sender,
        "recipient": letter.mailbox.recipient,
        "sent_at": format_instant(letter.sent_at),
        "acknowledge_by": None if letter.acknowledge_by is None else format_instant(letter.acknowledge_by),
        "legal_basis": letter.legal_basis,
        "supersedes": letter.supersedes,
        "personal_sha256": None if personal is None else sha256(personal.encode()).hexdigest(),
    }
    if letter.about:
        envelope["about"] = dict(letter.about)
    return canonical_plain(envelope)


def _notice_sent(notice_id: UUID, letter: Letter) -> dict[str, object]:
    """The members of the fact `NoticeSent`."""
    return {
        "notice_id": notice_id,
        "notice_type": letter.type,
        "mailbox": letter.mailbox.id,
        "organisation": letter.mailbox.organisation,
        "unit": letter.mailbox.unit,
        "case_id": letter.case_id,
        "municipality": letter.mailbox.municipality,
        "sent_at": letter.sent_at,
        "history": letter.history,
        "about": letter.about,
        "acknowledge_by": letter.acknowledge_by,
        "supersedes": letter.supersedes,
    }
