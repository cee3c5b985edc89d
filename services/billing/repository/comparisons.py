"""Comparisons with the service of today, and who signed them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Row, text

from shared.dates import Month
from shared.db import Work

_KEEP: Final = text(
    """
    INSERT INTO comparisons (id, month, file_sha256, rows, differing, body, compared_by, compared_at)
    VALUES (:id, :month, :sha256, :rows, :differing, :body, :by, :at)
    """
)
_COLUMNS: Final = """
    SELECT id, month, file_sha256, rows, differing, body, compared_by, compared_at, explanation, signed_by, signed_at FROM comparisons_seen
"""
_ONE: Final = text(_COLUMNS + " WHERE id = :id")
_LATEST: Final = text(_COLUMNS + " WHERE CAST(:before AS uuid) IS NULL OR id < :before ORDER BY id DESC LIMIT :limit")
_SIGN: Final = text(
    """
    INSERT INTO comparison_signatures (comparison_id, explanation, client, person, signed_at)
    VALUES (:id, :explanation, :client, :person, :at) ON CONFLICT DO NOTHING RETURNING comparison_id
    """
)
_ANY_SIGNED: Final = text("SELECT EXISTS (SELECT FROM comparison_signatures)")


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One comparison as it was kept, and its signature if there is one."""

    id: UUID
    month: Month
    file_sha256: str
    rows: int
    differing: int
    body: str
    compared_by: str
    compared_at: datetime
    explanation: str | None = None
    signed_by: str | None = None
    signed_at: datetime | None = None


async def keep(work: Work, row: ComparisonRow) -> None:
    """Keep a comparison."""
    await work.connection.execute(
        _KEEP,
        {
            "id": row.id,
            "month": row.month.first,
            "sha256": row.file_sha256,
            "rows": row.rows,
            "differing": row.differing,
            "body": row.body,
            "by": row.compared_by,
            "at": row.compared_at,
        },
    )


async def find(work: Work, comparison: UUID) -> ComparisonRow | None:
    """One comparison."""
    row = (await work.connection.execute(_ONE, {"id": comparison})).one_or_none()
    return None if row is None else _comparison(row)


async def latest(work: Work, before: UUID | None, limit: int) -> list[ComparisonRow]:
    """Comparisons, the newest first."""
    return [_comparison(row) for row in await work.connection.execute(_LATEST, {"before": before, "limit": limit})]


async def sign(work: Work, comparison: UUID, explanation: str, client: str, person: str) -> bool:
    """Keep a signature; False when there is one already."""
    values = {"id": comparison, "explanation": explanation, "client": client, "person": person, "at": work.at}
    return (await work.connection.execute(_SIGN, values)).one_or_none() is not None


async def any_signed(work: Work) -> bool:
    """Whether some comparison was signed."""
    return bool((await work.connection.execute(_ANY_SIGNED)).scalar_one())


def _comparison(row: Row[tuple[object, ...]]) -> ComparisonRow:
    return ComparisonRow(
        row.id,
        Month.of(row.month),
        row.file_sha256,
        row.rows,
        row.differing,
        row.body,
        row.compared_by,
        row.compared_at,
        row.explanation,
        row.signed_by,
        row.signed_at,
    )
