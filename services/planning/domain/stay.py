"""What billing needs to know of one stay: no person, no free text, only times and what the liability hangs on."""

from dataclasses import dataclass
from datetime import datetime

from services.planning.domain.case import CaseState, CaseStatus, ReadyPeriod
from services.planning.domain.events import CareType, Compulsory
from services.planning.domain.notices import ready_notice_sent_at
from services.planning.domain.parties import MUNICIPAL, Recipient
from shared.identifiers import provider_of


@dataclass(frozen=True, slots=True)
class ReadySnapshot:
    """One readiness as told to the municipality: when its ready notice (N5) was sent to it, and when it was withdrawn, if it was."""

    notice_sent_at: datetime
    ready_at: datetime
    withdrawn_at: datetime | None
    compulsory: Compulsory


@dataclass(frozen=True, slots=True)
class StaySnapshot:
    """The whole of one stay as billing needs it; the fields of the fact `stay.changed` besides case id and version."""

    provider: str
    ward: str
    care_type: CareType
    admitted_at: datetime | None
    municipality: str | None
    need_judged_at: datetime | None
    admission_notice_sent_at: datetime | None
    ready: tuple[ReadySnapshot, ...]
    sip_required: bool
    discharged_at: datetime | None
    deceased_at: datetime | None
    cancelled: bool
    findings: tuple[str, ...]
    last_sign_of_life_at: datetime | None


def stay_facts(state: CaseState) -> StaySnapshot | None:
    """What billing is told of a case; nothing while no admission is known, because nobody could be liable.

    The municipality is the registered one when municipal measures are needed. Where it cannot be notified (not in the directory) its
    admission notice is missing, which excludes the stay, and a ready notice counts as sent when the ward sent it.

    Source:
        Lag (2017:612) 5 kap. 2-3 §§.
    """
    about, admission = state.about, state.admission
    if about is None or admission is None or state.ward is None:
        return None
    municipality = None if MUNICIPAL.isdisjoint(about.needs) else about.registered_municipality
    party_since = {party.recipient: party.since for party in state.parties}
    since = None if municipality is None else party_since.get(Recipient("municipality", municipality))
    return StaySnapshot(
        provider=provider_of(state.ward),
        ward=state.ward,
        care_type=about.care_type,
        admitted_at=admission.time,
        municipality=municipality,
        need_judged_at=max(admission.time, about.judged_at or admission.time),
        admission_notice_sent_at=since,
        ready=tuple(_ready(state.ready, since)),
        sip_required=state.sip_required,
        discharged_at=None if state.discharge is None else state.discharge.time,
        deceased_at=None if state.death is None else state.death.time,
        cancelled=state.status is CaseStatus.CANCELLED,
        findings=tuple(sorted({finding.code.value for finding in state.findings})),
        last_sign_of_life_at=state.last_sign_of_life_at,
    )


def _ready(periods: tuple[ReadyPeriod, ...], since: datetime | None) -> list[ReadySnapshot]:
    """Every readiness that the municipality was told of, in the order it happened."""
    told = []
    for period in periods:
        sent_at = period.sent_at if since is None else ready_notice_sent_at(period, since)
        if sent_at is not None:
            told.append(ReadySnapshot(sent_at, period.ready_at, period.withdrawn_at, period.judgement.compulsory))
    return told
