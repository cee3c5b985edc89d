"""The tables of planning as ORM entities, the way a tutorial declares them; only the columns that the intake touches."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSONB, list[str]: JSONB}  # noqa: RUF012  # SQLAlchemy's way


class Mailbox(Base):
    __tablename__ = "mailboxes"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation: Mapped[str]
    unit: Mapped[str]
    function: Mapped[str]
    recipient: Mapped[str]


class Event(Base):
    __tablename__ = "events"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    source: Mapped[str]
    event_id: Mapped[str]
    space: Mapped[str]
    subject: Mapped[str]
    sent_at: Mapped[datetime]
    received_at: Mapped[datetime]
    history: Mapped[bool]
    client: Mapped[str]
    fingerprint: Mapped[bytes]
    body: Mapped[str]


class Case(Base):
    __tablename__ = "cases"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    space: Mapped[str]
    provider: Mapped[str]
    subject: Mapped[str]
    version: Mapped[int]
    state: Mapped[str | None]
    ward: Mapped[str | None]
    care_type: Mapped[str | None]
    municipality: Mapped[str | None]
    outpatient_unit: Mapped[str | None]
    parties: Mapped[list[str]]
    view: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    person: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    person_id: Mapped[str | None]
    person_ids: Mapped[list[str]]
    changed_at: Mapped[datetime | None]


class CaseHistory(Base):
    __tablename__ = "case_history"
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    client: Mapped[str]
    what: Mapped[str]
    event_row: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("events.id"))
    answer: Mapped[str]
    case: Mapped[Case] = relationship()
    event: Mapped[Event] = relationship()


class Notice(Base):
    __tablename__ = "notices"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    mailbox: Mapped[UUID] = mapped_column(ForeignKey("mailboxes.id"))
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("cases.id"))
    recipient: Mapped[str]
    type: Mapped[str]
    origin: Mapped[str]
    fingerprint: Mapped[str]
    revision: Mapped[int]
    state: Mapped[str]
    sent_at: Mapped[datetime]
    supersedes: Mapped[UUID | None]
    envelope: Mapped[str]
    personal: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    acknowledged_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]
    forwarded_to: Mapped[UUID | None]
    withheld: Mapped[str | None]
    withheld_at: Mapped[datetime | None]
    withheld_basis: Mapped[str | None]

    @property
    def protected(self) -> str | None:
        """As the product's statement reads it out of the personal part."""
        return None if self.personal is None else str(self.personal["protected"]).lower()

    @property
    def planning(self) -> bool:
        """Nobody tells a planning status in the stays that are measured: the baseline does not even ask."""
        return False


class Outbox(Base):
    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    feed: Mapped[str]
    entry_id: Mapped[UUID]
    kind: Mapped[str]
    subject: Mapped[UUID | None]
    body: Mapped[str]
