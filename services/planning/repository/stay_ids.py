"""Which case a ward means by its own id of a stay."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import text

from shared.db import Work

# A ward's ids are unique within its record system; whoever asks may know that, or only the care provider.
_CASES: Final = text(
    """
    SELECT DISTINCT asked.provider, asked.subject, coalesce(c.joined_to, c.id) AS case_id
    FROM unnest(CAST(:providers AS text[]), CAST(:subjects AS text[])) AS asked (provider, subject)
    JOIN cases c ON c.subject = asked.subject AND asked.provider IN (c.provider, c.space)
    WHERE c.version > 0
    """
)


async def cases_of(work: Work, stays: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[UUID]]:
    """The cases of stays that are named by care provider (or record system) and the ward's own id."""
    asked = sorted(stays)
    values = {"providers": [provider for provider, _ in asked], "subjects": [subject for _, subject in asked]}
    found: dict[tuple[str, str], list[UUID]] = {}
    for row in await work.connection.execute(_CASES, values):
        found.setdefault((row.provider, row.subject), []).append(row.case_id)
    return found
