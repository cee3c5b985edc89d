"""Decided reviews, kept for ever; the latest for a stay, reason and facts counts."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from services.billing.domain.persons import Actor
from services.billing.domain.reasons import ReviewDecision
from shared.db import Work
from shared.identifiers import uuid7

_DECIDE: Final = text(
    """
    INSERT INTO review_decisions (id, case_id, reason, outcome, facts, explanation, client, person, decided_at)
    SELECT id, case_id, reason, outcome, facts, :explanation, :client, :person, :at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:cases AS uuid[]), CAST(:reasons AS text[]), CAST(:outcomes AS text[]),
                CAST(:facts AS text[]))
         AS decided (id, case_id, reason, outcome, facts)
    """
)


async def keep(work: Work, decisions: Sequence[ReviewDecision], explanation: str, actor: Actor) -> None:
    """Keep decisions with who took them and why."""
    await work.connection.execute(
        _DECIDE,
        {
            "ids": [uuid7() for _ in decisions],
            "cases": [decision.stay for decision in decisions],
            "reasons": [decision.reason.value for decision in decisions],
            "outcomes": [decision.outcome.value for decision in decisions],
            "facts": [decision.facts for decision in decisions],
            "explanation": explanation,
            "client": actor.client,
            "person": actor.person,
            "at": work.at,
        },
    )
