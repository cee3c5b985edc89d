"""The reason for admission over HTTP: told by the ward, shown with the case."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.planning import usecases
from services.planning.api.plans import HsaId
from services.planning.repository.admission_reasons import Reason
from shared.http.acting import acting_person
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, ShortText, Text

router = APIRouter(tags=["Cases"], route_class=StrictRoute)


class AdmissionReasonBody(Body):
    """Why the patient was admitted. It is in no notice; whoever may see the case reads it there while the patient consents."""

    model_config = with_example(
        {"unit": "SE2321000131-E000000000101", "reason": "Fallolycka i hemmet, höftfraktur.", "stated_by": "Anna Test"}
    )

    unit: HsaId = Field(description="the ward that holds the patient")
    reason: Text
    stated_by: ShortText | None = Field(
        default=None, description="name of the person who tells it; who signed in may leave it out", examples=["Anna Test"]
    )


class AdmissionReasonTold(Answer):
    """The reason was kept."""

    case_id: UUID
    case_version: int


@router.put("/v1/cases/{case_id}/admission-reason")
async def put_admission_reason(call: Checked, work: Working, case_id: UUID, body: AdmissionReasonBody) -> AdmissionReasonTold:
    """Tell why the patient was admitted; shown to other parties only with the patient's consent to `admission_reason`."""
    reason = Reason(body.unit, body.reason, acting_person(call.caller, body.stated_by, "/stated_by"))
    version = await usecases.state_admission_reason(work, call.caller, case_id, reason)
    return AdmissionReasonTold(case_id=case_id, case_version=version)
