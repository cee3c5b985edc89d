"""Whether what a case calls for came in time, and was checked before it left."""

from dataclasses import replace
from datetime import datetime

from services.planning.domain.case import CaseState
from services.planning.domain.events import CaseEvent, Discharge
from services.planning.domain.findings import Finding, FindingCode
from services.planning.domain.limits import Statute, admission_notice_is_late, discharge_notice_is_late


def judge_admission_notices(state: CaseState, statute: Statute) -> CaseState:
    """Add a finding for each party that its admission notice (N1) reached too late.

    Source:
        Lag (2017:612) 2 kap. 1 § and 3 §: within 24 hours after the admission, or after the judgement when that comes later.
    """
    admission, about = state.admission, state.about
    if admission is None or about is None:
        return state
    late = tuple(
        Finding(FindingCode.LATE_ADMISSION_NOTICE, admission.key, party.recipient.code)
        for party in state.parties
        if admission_notice_is_late(party.counts_from, admission.time, about.judged_at, statute)
    )
    return replace(state, findings=(*state.findings, *late)) if late else state


def judge_discharge_notice(state: CaseState, statute: Statute) -> CaseState:
    """Add a finding when the discharge notice (N6) left after the day of the discharge; where nobody is concerned none was to be sent.

    Source:
        Lag (2017:612) 3 kap. 2 §: the same day.
    """
    discharge = state.discharge
    if discharge is None or not state.parties or not discharge_notice_is_late(_counts_from(state, discharge), discharge.time, statute):
        return state
    return replace(state, findings=(*state.findings, Finding(FindingCode.LATE_DISCHARGE_NOTICE, discharge.key)))


def judge_secrecy(state: CaseState) -> CaseState:
    """Add a finding for each ready notice (N5) and discharge notice (N6) of which nothing says that secrecy was checked.

    The notice goes all the same: whether secrecy prevents it is the ward's to judge before it tells us.

    Source:
        Lag (2017:612) 3 kap. 1-2 §§: unless secrecy prevents.
    """
    unchecked = [period.key for period in state.ready if not period.judgement.secrecy_checked]
    discharge = state.discharge
    if discharge is not None and isinstance(discharge.data, Discharge) and not discharge.data.secrecy_checked:
        unchecked.append(discharge.key)
    if not unchecked or not state.parties:
        return state
    return replace(state, findings=(*state.findings, *(Finding(FindingCode.SECRECY_NOT_CHECKED, key) for key in unchecked)))


def _counts_from(state: CaseState, event: CaseEvent) -> datetime:
    """When the notice of an event counts as sent: really, or on paper during an outage."""
    given = [
        paper.event.paper.given_at
        for paper in state.on_paper
        if paper.event.key == event.key and paper.mark == "counted" and paper.event.paper is not None
    ]
    return min((event.sent_at, *given))
