"""The ledger of documents and payments: append-only entries whose postings balance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from services.billing.domain.postings import Entry, EntryKind, Posting
from shared.dates import Month
from shared.db import Work
from shared.money import Money

_KEEP: Final = text(
    """
    INSERT INTO ledger_entries (id, kind, document, municipality, month, booked_on, status_id, recorded_at)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:kinds AS text[]), CAST(:documents AS text[]), CAST(:municipalities AS text[]),
                         CAST(:months AS date[]), CAST(:booked AS date[]), CAST(:statuses AS uuid[]), CAST(:times AS timestamptz[]))
    """
)
_KEEP_POSTINGS: Final = text(
    """
    INSERT INTO ledger_postings (entry_id, line, account, amount_ore)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:lines AS smallint[]), CAST(:accounts AS text[]), CAST(:amounts AS bigint[]))
    """
)
_ENTRIES: Final = text(
    """
    SELECT e.id, e.kind, e.document, e.municipality, e.month, e.booked_on, e.status_id, e.recorded_at, p.account, p.amount_ore
    FROM ledger_entries e JOIN ledger_postings p ON p.entry_id = e.id
    WHERE e.booked_on BETWEEN :first AND :last ORDER BY e.booked_on, e.recorded_at, e.id, p.line
    """
)


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry with what it is of: a document, or a payment that `status_id` names."""

    id: UUID
    document: str
    municipality: str
    month: Month
    booked_on: date
    entry: Entry
    recorded_at: datetime
    status_id: UUID | None = None


async def keep(work: Work, rows: Sequence[EntryRow]) -> None:
    """Keep entries for ever."""
    await work.connection.execute(
        _KEEP,
        {
            "ids": [row.id for row in rows],
            "kinds": [row.entry.kind.value for row in rows],
            "documents": [row.document for row in rows],
            "municipalities": [row.municipality for row in rows],
            "months": [row.month.first for row in rows],
            "booked": [row.booked_on for row in rows],
            "statuses": [row.status_id for row in rows],
            "times": [row.recorded_at for row in rows],
        },
    )
    lines = [(row.id, line, posting) for row in rows for line, posting in enumerate(row.entry.postings, start=1)]
    await work.connection.execute(
        _KEEP_POSTINGS,
        {
            "ids": [one for one, _, _ in lines],
            "lines": [line for _, line, _ in lines],
            "accounts": [posting.account for _, _, posting in lines],
            "amounts": [posting.amount.ore for _, _, posting in lines],
        },
    )


async def entries_of(work: Work, first: date, last: date) -> list[EntryRow]:
    """The entries booked on these days, both included, in the order of booking."""
    rows = (await work.connection.execute(_ENTRIES, {"first": first, "last": last})).all()
    lines: dict[UUID, list[Posting]] = {}
    for row in rows:
        lines.setdefault(row.id, []).append(Posting(row.account, Money(row.amount_ore)))
    heads = {row.id: row for row in rows}
    return [
        EntryRow(
            entry_id,
            head.document,
            head.municipality,
            Month.of(head.month),
            head.booked_on,
            Entry(EntryKind(head.kind), tuple(lines[entry_id])),
            head.recorded_at,
            head.status_id,
        )
        for entry_id, head in heads.items()
    ]
