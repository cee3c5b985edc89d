"""Recognising stays by the ids that wards give them, for whoever compares our stays with another service's."""

from collections.abc import Collection
from uuid import UUID

from services.planning.repository import stay_ids
from shared.db import Work

StayId = tuple[str, str]


async def cases_of_stays(work: Work, stays: Collection[StayId]) -> tuple[dict[StayId, UUID], frozenset[StayId]]:
    """The case of each stay named by care provider (or record system) and the ward's own id.

    Returns:
        The cases found, and the names that fit several cases: a care provider's record systems may use one id twice.
    """
    found = await stay_ids.cases_of(work, stays)
    return {stay: cases[0] for stay, cases in found.items() if len(cases) == 1}, frozenset(
        stay for stay, cases in found.items() if len(cases) > 1
    )
