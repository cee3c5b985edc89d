"""From planning's facts to the stay that the law of payment liability sees."""

from collections.abc import Iterable
from datetime import UTC, datetime

from services.billing.domain.stay import CareType, Compulsory, Readiness, Stay
from shared.events.facts import StayChanged


def stay_of(fact: StayChanged, invited_at: Iterable[datetime] = ()) -> Stay:
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
        tuple(sorted(instant.astimezone(UTC) for instant in invited_at)),
        _utc(fact.discharged_at),
        _utc(fact.deceased_at),
        fact.cancelled,
        fact.findings,
        _utc(fact.last_sign_of_life_at),
    )


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)
