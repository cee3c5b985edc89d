"""What a sender stated of one stay, for adapters whose messages are snapshots: they must know what is new in one."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import text

from shared.db import Work
from shared.http.auth import Caller

# Within the record systems of the caller's units, else their care provider; of stays that one of its wards has to do with.
_OF_STAY: Final = text(
    """
    WITH spaces AS (
        SELECT CAST(:organisation AS text) AS space
        UNION SELECT u.stay_space FROM units u JOIN unnest(CAST(:prefixes AS text[])) AS own (prefix) ON starts_with(u.hsa_id, own.prefix)
        WHERE u.stay_space IS NOT NULL),
    stated AS (
        SELECT e.id, e.space, e.event_id, e.source, e.sent_at, e.body FROM events e JOIN spaces s ON s.space = e.space
        WHERE e.subject = :subject),
    theirs AS (
        SELECT DISTINCT t.space FROM stated t JOIN unnest(CAST(:prefixes AS text[])) AS own (prefix)
        ON starts_with(t.source, 'urn:hsa:' || own.prefix) OR starts_with(CAST(t.body AS jsonb) #>> '{data,to_unit}', own.prefix))
    SELECT t.space, t.event_id, t.source, t.sent_at, t.body FROM stated t JOIN theirs USING (space) ORDER BY t.space, t.id
    """
)


async def of_stay(work: Work, caller: Caller, subject: str) -> Sequence[Any]:
    """Every event of the stay that the caller calls so, in the order they came."""
    asked = {"organisation": caller.organisation, "prefixes": list(caller.unit_prefixes), "subject": subject}
    return (await work.connection.execute(_OF_STAY, asked)).all()
