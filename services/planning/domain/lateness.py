"""Whether what a case calls for came in time."""

from dataclasses import replace

from services.planning.domain.case import CaseState
from services.planning.domain.findings import Finding, FindingCode
from services.planning.domain.limits import Statute, admission_notice_due


def judge_admission_notices(state: CaseState, statute: Statute) -> CaseState:
    """Add a finding for each party that its admission notice (N1) reached too late.

    Source:
        Lag (2017:612) 2 kap. 1 § and 3 §: within 24 hours after the admission, or after the judgement when that comes later.
    """
    admission, about = state.admission, state.about
    if admission is None or about is None:
        return state
    limit = admission_notice_due(admission.time, about.judged_at, statute)
    late = tuple(
        Finding(FindingCode.LATE_ADMISSION_NOTICE, admission.key, party.recipient.code)
        for party in state.parties
        if party.counts_from > limit
    )
    return replace(state, findings=(*state.findings, *late)) if late else state
