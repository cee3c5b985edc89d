"""Why the patient was admitted: beyond what the statute tells, so it stands beside the case and is shown only with her consent."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.planning.domain.access import Action
from services.planning.domain.case import CaseStatus
from services.planning.domain.consents import check_reason, may_read_reason
from services.planning.repository import admission_reasons as rows
from services.planning.repository.admission_reasons import Reason
from services.planning.usecases.authorising import locked_case, require_step
from services.planning.usecases.consents import may_share
from services.planning.usecases.folding import tell_case
from shared.db import Work
from shared.events.facts import AdmissionReasonStated
from shared.http.auth import Caller
from shared.streams.outbox import stage_facts


@dataclass(frozen=True, slots=True)
class ReasonRead:
    """Why the patient was admitted, as a reader of the case may see it; `text` is none where it is withheld."""

    unit: str
    stated_at: Any
    text: str | None


async def state_admission_reason(work: Work, caller: Caller, case_id: UUID, reason: Reason) -> int:
    """The ward tells why the patient was admitted; telling the same again changes nothing. The case's version after it.

    Raises:
        NotFound: The case is unknown or not the caller's.
        HttpProblem: 403, only the ward that holds the patient tells it.
        Refused: 409, there was no such stay.

    Source:
        Lag (2017:612) 2 kap. 3 §; domain rule 2: consent is checked before anything beyond the statutory content leaves.
    """
    case = await locked_case(work, caller, case_id, Action.STATE_REASON)
    require_step(caller, Action.STATE_REASON, case, unit=reason.unit)
    check_reason(CaseStatus(case.view["state"]))
    before = await rows.one(work, case.id)
    if before is not None and (before.unit, before.reason, before.stated_by) == (reason.unit, reason.text, reason.stated_by):
        return int(case.version)
    await rows.put(work, case.id, reason, client=caller.client_id)
    fact = AdmissionReasonStated(case_id=case.id, case_version=case.version + 1, unit=reason.unit, stated_at=work.at)
    await stage_facts(work, [(fact, case.id)])
    told = await tell_case(work, case.id, client=caller.client_id, what="case.admission_reason_stated", about={"unit": reason.unit})
    return told.version


async def admission_reason(work: Work, caller: Caller, case_id: UUID) -> ReasonRead | None:
    """Why the patient was admitted, for one who may see the case and whose reading of it is logged.

    Source:
        Domain rule 2: consent is checked before anything beyond the statutory content leaves.
    """
    row = await rows.one(work, case_id)
    if row is None:
        return None
    readable = may_read_reason(own=caller.acts_for(row.unit), consented=await may_share(work, case_id, "admission_reason"))
    return ReasonRead(row.unit, row.stated_at, row.reason if readable else None)
