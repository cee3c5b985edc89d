"""What the information to a patient is made of, in one statement each."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from shared.db import Work

_PLANS: Final = text(
    """
    SELECT p.state, p.kind, p.consent, coalesce(u.name, p.main_unit) AS main_responsibility,
           (SELECT e.body FROM plan_entries e WHERE e.plan_id = p.id AND e.what IN ('meeting', 'held')
            ORDER BY e.number DESC LIMIT 1) AS meeting,
           (SELECT e.body ->> 'follow_up_on' FROM plan_entries e WHERE e.plan_id = p.id AND e.what = 'measures'
            ORDER BY e.number DESC LIMIT 1) AS follow_up_on
    FROM plans p LEFT JOIN units u ON u.hsa_id = p.main_unit WHERE p.case_id = :case ORDER BY p.created_at, p.id
    """
)
_NAME: Final = text("SELECT name FROM units WHERE hsa_id = :unit")


async def plans_of(work: Work, case_id: UUID) -> Sequence[Any]:  # rows
    """The plans of a stay with their latest meeting and what they name."""
    return (await work.connection.execute(_PLANS, {"case": case_id})).all()


async def name_of(work: Work, unit: str) -> str:
    """What a unit is called; its HSA-id when the directory does not know it."""
    return str((await work.connection.execute(_NAME, {"unit": unit})).scalar_one_or_none() or unit)
