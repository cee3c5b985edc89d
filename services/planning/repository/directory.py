"""Who can be reached: organisations, units and mailboxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Row, text

from shared.db import Work
from shared.http.auth import Caller

BY_RECIPIENT: Final = text(
    "SELECT id, recipient, organisation, unit, function FROM mailboxes WHERE recipient = ANY(CAST(:recipients AS text[]))"
)
_OF_CALLER: Final = text(
    """
    SELECT m.id, m.recipient, m.organisation, m.unit, m.function, o.municipality, u.name, m.last_polled_at
    FROM mailboxes m JOIN organisations o ON o.number = m.organisation JOIN units u ON u.hsa_id = m.unit
    WHERE m.organisation = :organisation AND EXISTS (
        SELECT FROM unnest(CAST(:prefixes AS text[])) AS p (prefix) WHERE starts_with(m.unit, p.prefix))
    ORDER BY m.unit, m.function
    """
)
_PUT_ORGANISATIONS: Final = text(
    """
    INSERT INTO organisations (number, name, municipality)
    SELECT * FROM unnest(CAST(:numbers AS text[]), CAST(:names AS text[]), CAST(:municipalities AS text[]))
    ON CONFLICT (number) DO UPDATE SET name = excluded.name, municipality = excluded.municipality
    """
)
_PUT_UNITS: Final = text(
    """
    INSERT INTO units (hsa_id, organisation, name, kind, stay_space)
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:organisations AS text[]), CAST(:names AS text[]), CAST(:kinds AS text[]),
                         CAST(:spaces AS text[]))
    ON CONFLICT (hsa_id) DO UPDATE SET organisation = excluded.organisation, name = excluded.name, kind = excluded.kind
    """
)
_PUT_MAILBOXES: Final = text(
    """
    INSERT INTO mailboxes (id, organisation, unit, function, recipient)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:organisations AS text[]), CAST(:units AS text[]), CAST(:functions AS text[]),
                         CAST(:recipients AS text[]))
    ON CONFLICT (recipient, function) DO UPDATE SET organisation = excluded.organisation, unit = excluded.unit
    """
)
_POLLED: Final = text(
    """
    UPDATE mailboxes SET last_polled_at = :at WHERE id = :id AND (last_polled_at IS NULL OR last_polled_at < :noted_before) RETURNING id
    """
)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox: what it is addressed as, and who owns it."""

    id: UUID
    recipient: str
    organisation: str
    unit: str
    function: str

    @property
    def feed(self) -> str:
        """The name of its feed."""
        return f"mailbox/{self.id}"

    @property
    def municipality(self) -> str | None:
        """The SCB code when it is a municipality's."""
        kind, _, code = self.recipient.partition(":")
        return code if kind == "municipality" else None


def _mailbox(row: Row[tuple[object, ...]]) -> Mailbox:
    return Mailbox(row.id, row.recipient, row.organisation, row.unit, row.function)


async def mailboxes_for(work: Work, recipients: Sequence[str]) -> dict[str, Mailbox]:
    """The mailboxes of those recipients that can be reached."""
    found = await work.connection.execute(BY_RECIPIENT, {"recipients": list(recipients)})
    return {row.recipient: _mailbox(row) for row in found}


async def mailboxes_of(work: Work, caller: Caller) -> list[Mailbox]:
    """The mailboxes a caller may read: of its organisation, at units inside its prefixes."""
    found = await work.connection.execute(_OF_CALLER, {"organisation": caller.organisation, "prefixes": list(caller.unit_prefixes)})
    return [_mailbox(row) for row in found]


async def note_poll(work: Work, mailbox: Mailbox, every: timedelta) -> bool:
    """Note that a mailbox was read by its owner; False when that was noted within the last `every`."""
    found = await work.connection.execute(_POLLED, {"id": mailbox.id, "at": work.at, "noted_before": work.at - every})
    return found.one_or_none() is not None


async def put_organisations(work: Work, rows: Sequence[tuple[str, str, str | None]]) -> None:
    """Enter organisations: number, name, municipality code."""
    await work.connection.execute(
        _PUT_ORGANISATIONS,
        {"numbers": [row[0] for row in rows], "names": [row[1] for row in rows], "municipalities": [row[2] for row in rows]},
    )


async def put_units(work: Work, rows: Sequence[tuple[str, str, str, str, str | None]]) -> None:
    """Enter units: HSA-id, organisation, name, kind, stay space. A unit that is there keeps its stay space: stays hang on it."""
    await work.connection.execute(
        _PUT_UNITS,
        {
            "ids": [row[0] for row in rows],
            "organisations": [row[1] for row in rows],
            "names": [row[2] for row in rows],
            "kinds": [row[3] for row in rows],
            "spaces": [row[4] for row in rows],
        },
    )


async def put_mailboxes(work: Work, rows: Sequence[Mailbox]) -> None:
    """Enter mailboxes; one that exists keeps its id, and so its feed."""
    await work.connection.execute(
        _PUT_MAILBOXES,
        {
            "ids": [row.id for row in rows],
            "organisations": [row.organisation for row in rows],
            "units": [row.unit for row in rows],
            "functions": [row.function for row in rows],
            "recipients": [row.recipient for row in rows],
        },
    )
