"""Putting notices into mailboxes: the row, the envelope that the feed carries, and the fact that tells the other services."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

from services.planning.domain.limits import acknowledgement_due
from services.planning.repository import directory
from services.planning.repository import notices as rows
from services.planning.repository.directory import Mailbox
from services.planning.statute import load_statute
from shared.dates import format_instant
from shared.db import Work
from shared.events.notice_facts import NoticeSent
from shared.events.notice_types import NOTICE_TYPES, TO_TAKE_ON
from shared.events.team_member import TeamMember
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
    `party`: whose notice it is, when it stands in a mailbox of another name. Its type says whether a named person is to take it on.
    """

    mailbox: Mailbox
    type: str
    sender: str | None
    sent_at: datetime
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
    told: list["_Told"] = field(default_factory=list)

    def put(self, letter: Letter) -> UUID:
        """Make the notice for a letter; its id. One that a named person is to take on says until when: it reminds and escalates.

        Raises:
            ValueError: No list of types has this one, so that nobody could ask to be told of it.
        """
        if letter.type not in NOTICE_TYPES:
            raise ValueError(letter.type)
        notice_id = uuid7()
        personal = None if letter.personal is None else {"salt": secrets.token_hex(_SALT_BYTES), **letter.personal}
        by = acknowledgement_due(letter.sent_at, load_statute()) if letter.type in TO_TAKE_ON else None
        envelope = _envelope(notice_id, letter, by, None if personal is None else canonical_plain(personal))
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
        told = _Told(len(self.staged), notice_id, letter, by)
        self.told.append(told)
        self.staged.append(_notice_sent(told, ()))
        return notice_id

    async def write(self, work: Work) -> None:
        """Write the notices, then stage what was collected."""
        await rows.write(work, self.notices, self.ended)
        if self.withheld:
            await rows.withhold(work, self.withheld, why="returned", basis=WITHHELD_BASIS)
        if self.protected:
            await rows.withhold(work, self.protected, why="protected", basis=PROTECTED_BASIS)
        await self._tell_members(work)
        await stage(work, self.staged)

    async def _tell_members(self, work: Work) -> None:
        """Name those who read a team's mailbox as its members beside what came into it; where no team is told nothing is asked."""
        members = await directory.members_of(work, {one.letter.mailbox.unit for one in self.told if one.letter.mailbox.of_care_unit})
        for one in self.told:
            if one.letter.mailbox.unit in members:
                self.staged[one.place] = _notice_sent(one, members[one.letter.mailbox.unit])


class _Told(NamedTuple):
    """Where among the staged entries the fact of a notice stands, and until when somebody is to take the notice on."""

    place: int
    notice: UUID
    letter: Letter
    acknowledge_by: datetime | None


def _envelope(notice_id: UUID, letter: Letter, by: datetime | None, personal: str | None) -> str:
    """The part of a notice that never changes and is hashed: canonical JSON without any personal datum."""
    envelope: dict[str, object] = {
        "id": notice_id,
        "type": letter.type,
        "case_id": letter.case_id,
        "case_version": letter.case_version,
        "sender": letter.sender,
        "recipient": letter.mailbox.recipient,
        "sent_at": format_instant(letter.sent_at),
        "acknowledge_by": None if by is None else format_instant(by),
        "legal_basis": letter.legal_basis,
        "supersedes": letter.supersedes,
        "personal_sha256": None if personal is None else sha256(personal.encode()).hexdigest(),
    }
    if letter.about:
        envelope["about"] = dict(letter.about)
    return canonical_plain(envelope)


def _notice_sent(told: _Told, members: Sequence[TeamMember]) -> Staged:
    """The fact `NoticeSent`."""
    letter = told.letter
    said: dict[str, object] = {
        "notice_id": told.notice,
        "notice_type": letter.type,
        "mailbox": letter.mailbox.id,
        "organisation": letter.mailbox.organisation,
        "unit": letter.mailbox.unit,
        "case_id": letter.case_id,
        "municipality": letter.mailbox.municipality,
        "sent_at": letter.sent_at,
        "history": letter.history,
        "about": letter.about,
        "acknowledge_by": told.acknowledge_by,
        "supersedes": letter.supersedes,
        "members": [member.model_dump() for member in members],
    }
    return staged_members(NoticeSent, said, letter.case_id)
