"""The open cases with what stands on the paper list, and the cases in which something does not fit."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from services.planning.repository.cases import PERSON, VISIBLE, rights
from services.planning.repository.sealing import Opened
from shared.db import Work
from shared.http.auth import Caller

_OPEN: Final = f"""
    SELECT c.id, c.ward, c.state, {PERSON}, c.parties, c.view ->> 'planned_discharge_date' AS planned_discharge_date,
           c.view -> 'ready' -> -1 ->> 'notice_sent_at' AS ready_sent_at, c.view -> 'ready' -> -1 ->> 'withdrawn_at' AS withdrawn_at,
           t.name AS contact_name, t.phone AS contact_phone, u.name AS ward_name,
           (SELECT jsonb_agg(jsonb_build_object('unit', s.unit, 'recipient', s.recipient, 'status', s.status, 'ready_from', s.ready_from)
                             ORDER BY s.unit) FROM planning_statuses s
            WHERE s.case_id = c.id AND jsonb_exists(c.parties, s.recipient)) AS statuses
    FROM cases c LEFT JOIN care_contacts t ON t.case_id = c.id AND t.unit = c.outpatient_unit LEFT JOIN units u ON u.hsa_id = c.ward
    WHERE c.state IN ('admitted', 'planning', 'ready') AND c.ward IS NOT NULL
"""  # noqa: S608  # constant text
_OF_CALLER: Final = text(f"{_OPEN} AND {VISIBLE} ORDER BY c.ward, c.id LIMIT :limit").columns(person=Opened)
_OF_ALL: Final = text(f"{_OPEN} ORDER BY c.ward, c.id").columns(person=Opened)
_FINDINGS: Final = text(
    f"""
    SELECT c.id, c.ward, c.state, c.view -> 'findings' AS findings FROM cases c
    WHERE c.id > :after AND jsonb_array_length(c.view -> 'findings') > 0
      AND (CAST(:code AS text) IS NULL OR c.view -> 'findings' @> jsonb_build_array(jsonb_build_object('code', CAST(:code AS text))))
      AND (CAST(:unit AS text) IS NULL OR c.ward = :unit OR c.outpatient_unit = :unit
           OR EXISTS (SELECT FROM mailboxes m WHERE m.unit = :unit AND jsonb_exists(c.parties, m.recipient)))
      AND {VISIBLE} ORDER BY c.id LIMIT :limit
    """  # noqa: S608  # constant text
)


async def open_of_caller(work: Work, caller: Caller, limit: int) -> Sequence[Any]:
    """The caller's open cases, ward by ward."""
    return (await work.connection.execute(_OF_CALLER, rights(caller) | {"limit": limit})).all()


async def open_of_all(work: Work) -> Sequence[Any]:
    """Every open case, ward by ward."""
    return (await work.connection.execute(_OF_ALL)).all()


async def with_findings(work: Work, caller: Caller, *, after: UUID, limit: int, code: str | None, unit: str | None) -> Sequence[Any]:
    """The caller's cases in which something does not fit, by id."""
    asked = rights(caller) | {"after": after, "limit": limit, "code": code, "unit": unit}
    return (await work.connection.execute(_FINDINGS, asked)).all()
