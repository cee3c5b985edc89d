"""From planning's facts to the stay that the law of payment liability sees."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from services.billing.agreements import load_agreements
from services.billing.domain.liability import Notified, Registration, liable
from services.billing.domain.month import RuleBook
from services.billing.domain.stay import (
    CareType,
    Compulsory,
    ConsentAnswer,
    Declined,
    Invitation,
    Leave,
    OutpatientBlock,
    Readiness,
    Stay,
)
from services.billing.domain.terms import Agreement, ChangedRegistration, NoRuleInForce, agreement_for
from shared.dates import local_date
from shared.events.facts import StayChanged
from shared.events.stay_parts import OtherMunicipality, ReadyNotice

_MUNICIPALITY: Final = "municipality:"
_UNCONFIRMED: Final = "unconfirmed"
Rules = RuleBook | None


def invitation_of(sent_at: datetime, called: Collection[str]) -> Invitation:
    """A call to a SIP, from its sent time and its recipients as notices are addressed (`municipality:CODE`, `unit:HSA-id`)."""
    codes = frozenset(recipient.removeprefix(_MUNICIPALITY) for recipient in called if recipient.startswith(_MUNICIPALITY))
    return Invitation(sent_at.astimezone(UTC), codes)


def stay_of(
    fact: StayChanged,
    invitations: Iterable[Invitation] = (),
    consents: Iterable[ConsentAnswer] = (),
    declined: Iterable[Declined] = (),
    *,
    rules: Rules = None,
) -> Stay:
    """The stay of a fact, together with what was told of its case beside it: SIP invitations, answers about consent, declined measures.

    `rules` decide who pays when the patient moved during the stay; None = those shipped.
    """
    party = party_of(fact, load_agreements() if rules is None else rules.agreements, None if rules is None else rules.region)
    return Stay(
        fact.case_id,
        CareType(fact.care_type),
        party.municipality,
        fact.ward,
        _utc(fact.need_judged_at or fact.admitted_at),
        party.admission_notice_sent_at,
        party.ready,
        fact.sip_required,
        tuple(invitations),
        _utc(fact.discharged_at),
        _utc(fact.deceased_at),
        fact.cancelled,
        fact.findings,
        _utc(fact.last_sign_of_life_at),
        tuple(OutpatientBlock(block.started_at.astimezone(UTC), _utc(block.ended_at), block.contested) for block in fact.outpatient_blocks),
        tuple(consents),
        _declined(fact, declined),
        tuple(Leave(leave.started_at.astimezone(UTC), _utc(leave.ended_at)) for leave in fact.leaves),
        tuple(transfer.transferred_at.astimezone(UTC) for transfer in fact.transfers),
        frozenset(placement.municipality for placement in fact.placements),
        frozenset(fact.municipal_needs),
        party.admission_notice_claimed_at,
        fact.sip_contested,
    )


def consent_of(plan: UUID, consent: str, changed_at: datetime) -> ConsentAnswer:
    """What the patient answered about one plan; consent that is withdrawn is given no more."""
    return ConsentAnswer(plan, consent == "given", changed_at.astimezone(UTC))


def declined_of(measures: Iterable[str], declined_at: datetime, decline_id: UUID | None = None) -> Declined:
    """Measures the patient declined."""
    return Declined(frozenset(measures), declined_at.astimezone(UTC), decline_id)


def _declined(fact: StayChanged, beside: Iterable[Declined]) -> tuple[Declined, ...]:
    """Of each statement what the stay tells of it, which is more, and later, than what was told beside it; nothing that was withdrawn."""
    known = {one.decline_id for one in fact.declined}
    told = [
        Declined(frozenset(one.measures), one.declined_at.astimezone(UTC), one.decline_id, one.stated_at.astimezone(UTC), one.municipality)
        for one in fact.declined
        if not one.withdrawn
    ]
    return (*told, *(one for one in beside if one.id not in known))


def party_of(fact: StayChanged, agreements: Iterable[Agreement], region: str | None = None) -> Notified:
    """Who pays if anybody does. Planning tells the municipality at the ready notice; whether a later move counts is our switch.

    `region` is the creditor's organisation number, None = whoever it is.
    """
    claimed = (
        (fact.admission_notice_given_on_paper_at or fact.admission_notice_sent_at) if fact.admission_notice_paper == _UNCONFIRMED else None
    )
    told = Notified(fact.municipality, _utc(fact.admission_notice_sent_at), _ready(fact.ready), _utc(claimed))
    if not fact.residences[1:] or not (fact.municipal_needs or fact.municipality):
        return told
    ends = [at.astimezone(UTC) for at in (fact.discharged_at, fact.deceased_at) if at is not None]
    return liable(
        told,
        [_notified(other) for other in fact.other_municipalities],
        [Registration(one.municipality, _utc(one.since)) for one in fact.residences],
        placed_by=frozenset(placement.municipality for placement in fact.placements),
        ended_at=min(ends, default=None),
        rule=_switch(fact, agreements, region),
    )


def _switch(fact: StayChanged, agreements: Iterable[Agreement], region: str | None) -> ChangedRegistration:
    """The switch in the rule set of the municipality that planning tells, when the stay ended, or by its latest sign of life."""
    ended = fact.discharged_at or fact.deceased_at or fact.last_sign_of_life_at or fact.admitted_at
    if ended is None:
        return ChangedRegistration.AT_READY_NOTICE
    day = local_date(ended.astimezone(UTC))
    try:
        found = agreement_for(agreements, region, fact.municipality or "", day, CareType(fact.care_type))
        return found.switches_on(day).changed_registration
    except NoRuleInForce:
        return ChangedRegistration.AT_READY_NOTICE


def _notified(other: OtherMunicipality) -> Notified:
    sent = other.admission_notice_sent_at.astimezone(UTC)
    return Notified(other.municipality, sent, _ready(other.ready), sent if other.admission_notice_paper == _UNCONFIRMED else None)


def _ready(notices: Iterable[ReadyNotice]) -> tuple[Readiness, ...]:
    return tuple(
        Readiness(
            notice.notice_sent_at.astimezone(UTC),
            _utc(notice.withdrawn_at),
            Compulsory(notice.compulsory),
            _utc(notice.given_on_paper_at or notice.notice_sent_at) if notice.paper == _UNCONFIRMED else None,
        )
        for notice in notices
    )


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)
