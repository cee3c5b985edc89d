"""The ledger: entries are kept and put into the feed `ledger`, whose running hash is the chain that checkpoints are taken of."""

from collections.abc import Mapping, Sequence
from typing import Final

from services.billing.domain.identity import canonical_json
from services.billing.repository import postings
from services.billing.repository.postings import EntryRow
from shared.dates import format_instant
from shared.db import Work
from shared.streams.outbox import Staged, stage

LEDGER_FEED: Final = "ledger"


async def post(work: Work, rows: Sequence[EntryRow], digests: Mapping[str, str]) -> None:
    """Keep entries and put them into the chain.

    Args:
        work: The transaction.
        rows: The entries.
        digests: SHA-256 of each document that the entries are of: the chain holds the documents too.
    """
    await postings.keep(work, rows)
    await stage(work, [Staged(LEDGER_FEED, row.id, row.entry.kind.value, None, ledger_text(row, digests[row.document])) for row in rows])


def ledger_text(row: EntryRow, sha256: str) -> str:
    """An entry as the feed `ledger` has it: canonical JSON with everything the tables hold of it."""
    return canonical_json(
        {
            "entry": str(row.id),
            "kind": row.entry.kind.value,
            "document": row.document,
            "document_sha256": sha256,
            "municipality": row.municipality,
            "month": str(row.month),
            "booked_on": row.booked_on.isoformat(),
            "recorded_at": format_instant(row.recorded_at),
            "status": None if row.status_id is None else str(row.status_id),
            "postings": [{"account": one.account, "amount": str(one.amount), "currency": "SEK"} for one in row.entry.postings],
        }
    )
