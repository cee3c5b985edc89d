"""The consent register of cases."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text

from shared.db import Work

_ADD: Final = text(
    """
    INSERT INTO consents (id, case_id, answer, purposes, given_by, valid_until, unit, asked_by, recorded_at, client)
    VALUES (:id, :case, :answer, CAST(:purposes AS jsonb), :given_by, :valid_until, :unit, :asked_by, :at, :client)
    """
)
_COLUMNS: Final = "id, case_id, answer, purposes, given_by, valid_until, unit, asked_by, recorded_at, withdrawn_at, withdrawn_by"
_OF_CASE: Final = text(f"SELECT {_COLUMNS} FROM consents WHERE case_id = :case ORDER BY recorded_at, id")  # noqa: S608  # constant text
_ONE: Final = text(f"SELECT {_COLUMNS} FROM consents WHERE id = :id")  # noqa: S608  # constant text
_WITHDRAW: Final = text("UPDATE consents SET withdrawn_at = :at, withdrawn_by = :by, withdrawn_client = :client WHERE id = :id")


async def add(  # noqa: PLR0913  # the columns of one row
    work: Work,
    consent_id: UUID,
    case_id: UUID,
    *,
    answer: str,
    purposes: Sequence[str],
    given_by: str,
    valid_until: date | None,
    unit: str,
    asked_by: str,
    client: str,
) -> None:
    """Write what the patient answered."""
    await work.connection.execute(
        _ADD,
        {
            "id": consent_id,
            "case": case_id,
            "answer": answer,
            "purposes": msgspec.json.encode(list(purposes)).decode(),
            "given_by": given_by,
            "valid_until": valid_until,
            "unit": unit,
            "asked_by": asked_by,
            "at": work.at,
            "client": client,
        },
    )


async def of_case(work: Work, case_id: UUID) -> Sequence[Any]:
    """Every answer of a case, oldest first."""
    return (await work.connection.execute(_OF_CASE, {"case": case_id})).all()


async def one(work: Work, consent_id: UUID) -> Any | None:  # a row
    """One answer."""
    return (await work.connection.execute(_ONE, {"id": consent_id})).one_or_none()


async def withdraw(work: Work, consent_id: UUID, *, by: str, client: str) -> None:
    """Keep who told that the patient withdrew, and when."""
    await work.connection.execute(_WITHDRAW, {"id": consent_id, "at": work.at, "by": by, "client": client})
