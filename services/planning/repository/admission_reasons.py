"""Why patients were admitted, as their wards told."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from shared.db import Work

_ONE: Final = text("SELECT unit, reason, stated_by, stated_at FROM admission_reasons WHERE case_id = :case")
_PUT: Final = text(
    """
    INSERT INTO admission_reasons (case_id, unit, reason, stated_by, stated_at, client)
    VALUES (:case, :unit, :reason, :by, :at, :client)
    ON CONFLICT (case_id) DO UPDATE SET unit = excluded.unit, reason = excluded.reason, stated_by = excluded.stated_by,
        stated_at = excluded.stated_at, client = excluded.client
    """
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a patient was admitted, and who of which ward told it."""

    unit: str
    text: str
    stated_by: str


async def one(work: Work, case_id: UUID) -> Any | None:  # a row
    """The reason that was told last of a case."""
    return (await work.connection.execute(_ONE, {"case": case_id})).one_or_none()


async def put(work: Work, case_id: UUID, reason: Reason, *, client: str) -> None:
    """Keep why the patient was admitted; it takes the place of what was told before."""
    values = {"case": case_id, "unit": reason.unit, "reason": reason.text, "by": reason.stated_by, "at": work.at, "client": client}
    await work.connection.execute(_PUT, values)
