"""From planning's facts to the stay that the law of payment liability sees."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Final

from services.billing.domain.stay import CareType, Compulsory, Invitation, Readiness, Stay
from shared.events.facts import StayChanged

_MUNICIPALITY: Final = "municipality:"


def invitation_of(sent_at: datetime, called: Collection[str]) -> Invitation:
    """A call to a SIP, from its sent time and its recipients as notices are addressed (`municipality:CODE`, `unit:HSA-id`)."""
    codes = frozenset(recipient.removeprefix(_MUNICIPALITY) for recipient in called if recipient.startswith(_MUNICIPALITY))
    return Invitation(sent_at.astimezone(UTC), codes)


def stay_of(fact: StayChanged, invitations: Iterable[Invitation] = ()) -> Stay:
    """The stay of a fact, together with the SIP invitations of its case."""
    return Stay(
        fact.case_id,
        CareType(fact.care_type),
        fact.municipality,
        fact.ward,
        _utc(fact.need_judged_at or fact.admitted_at),
        _utc(fact.admission_notice_sent_at),
        tuple(
            Readiness(notice.notice_sent_at.astimezone(UTC), _utc(notice.withdrawn_at), Compulsory(notice.compulsory))
            for notice in fact.ready
        ),
        fact.sip_required,
        tuple(invitations),
        _utc(fact.discharged_at),
        _utc(fact.deceased_at),
        fact.cancelled,
        fact.findings,
        _utc(fact.last_sign_of_life_at),
    )


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)
