"""Who came to be concerned in a case, and who is no longer, as facts for the other services."""

from collections.abc import Set
from datetime import datetime
from uuid import UUID

from services.planning.domain.case import CaseState
from shared.events.facts import CasePartyChanged
from shared.streams.outbox import Staged, staged_fact


def party_changes(case_id: UUID, version: int, before: Set[str], state: CaseState, at: datetime, *, history: bool) -> list[Staged]:
    """A fact for each recipient that joined or left since the case was written last; none when nobody did."""
    since = {str(party.recipient): party.since for party in state.parties}
    if since.keys() == before:
        return []
    return [
        staged_fact(
            CasePartyChanged(
                case_id=case_id,
                case_version=version,
                recipient=recipient,
                change="joined" if recipient in since else "left",
                since=since.get(recipient),
                changed_at=at,
                history=history,
            ),
            case_id,
        )
        for recipient in sorted(since.keys() ^ before)
    ]
