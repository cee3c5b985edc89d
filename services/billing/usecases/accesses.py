"""The one way in which billing notes that somebody was shown stays: in its own log, and to planning, where the log is reviewed."""

from collections.abc import Iterable
from uuid import UUID

from shared.db import Work
from shared.events.access_facts import AccessLogged
from shared.http.auth import Caller
from shared.streams import access_log
from shared.streams.outbox import stage_facts


async def record(work: Work, caller: Caller, action: str, cases: Iterable[UUID], *, request_id: str) -> None:
    """Log that a caller was shown some stays, and tell planning; nothing is logged when there were none.

    Billing knows no patients: planning, which does, adds them and keeps the entry beside its own for whoever reviews.

    Args:
        work: The transaction that reads.
        caller: Who reads.
        action: What was done.
        cases: The ids of the stays.
        request_id: The request's id.

    Source:
        HSLF-FS (2016:40) 4 kap. 9 §: the log says what was done, when, by whom and about whom.
    """
    entry = await access_log.record(work, caller, action, cases, request_id=request_id)
    if entry is not None:
        told = {name: value for name, value in entry.told.items() if name != "patients"}
        await stage_facts(work, [(AccessLogged.model_validate({"access_id": entry.id, **told}, strict=False), None)])
