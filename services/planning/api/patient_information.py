"""The information that a ward prints for the patient who goes home (N7)."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.planning import usecases
from shared.http.call import Checked, StrictRoute, Working

router = APIRouter(tags=["Cases"], route_class=StrictRoute)


@router.get("/v1/cases/{case_id}/patient-information", response_class=HTMLResponse)
async def get_patient_information(call: Checked, work: Working, case_id: UUID) -> HTMLResponse:
    """The information to the patient at the discharge (3 kap. 3 §), to print: intended measures, care contact, time of SIP, plans."""
    page = await usecases.information_for_patient(work, call.caller, case_id, request_id=call.request_id)
    return HTMLResponse(
        page, headers={"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    )
