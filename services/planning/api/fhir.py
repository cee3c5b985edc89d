"""FHIR R4: messages of ward systems in, and single resources out (docs/fhir.md)."""

from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response

from services.planning import usecases
from services.planning.adapters.fhir.bundles import FATAL, OK, TRANSIENT, response
from services.planning.adapters.fhir.capabilities import capability_statement
from services.planning.adapters.fhir.message import read_message
from services.planning.adapters.fhir.outcomes import all_ok
from services.planning.adapters.fhir.resources import care_plan, encounter, patient, task
from services.planning.api.cases import shown_case
from services.planning.api.events import checked_statement
from services.planning.api.fhir_route import FhirRoute, answer, base_url, check_type, id_of, outcome
from services.planning.api.notices import shown_notice
from services.planning.api.plans import shown_plan
from services.planning.intake import Intake
from shared.dates import now
from shared.errors import BusinessError
from shared.http import strict_json
from shared.http.access import FHIR
from shared.http.call import Call, check
from shared.http.problems import HttpProblem, status_of

_SERVER_FAULT: Final = 500
EXAMPLE: Final[dict[str, Any]] = {
    "resourceType": "Bundle",
    "identifier": {"system": "urn:example:messages", "value": "SU-2026-11-03-000919"},
    "type": "message",
    "timestamp": "2026-11-03T14:06:12+01:00",
    "entry": [
        {
            "fullUrl": "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057",
            "resource": {
                "resourceType": "MessageHeader",
                "id": "01890a5d-ac96-774b-bcce-b302099a8057",
                "eventCoding": {"system": "urn:dirigent:event", "code": "stay.admitted"},
                "source": {"endpoint": "urn:hsa:SE2321000131-E000000000101"},
                "focus": [{"reference": "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8058"}],
            },
        },
        {
            "fullUrl": "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8058",
            "resource": {
                "resourceType": "Encounter",
                "identifier": [{"system": "urn:example:stays", "value": "SU-2026-000919"}],
                "status": "in-progress",
                "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
                "period": {"start": "2026-11-03T14:05:00+01:00"},
                "serviceProvider": {"identifier": {"system": "urn:oid:1.2.752.129.2.1.4.1", "value": "SE2321000131-E000000000101"}},
            },
        },
        {
            "fullUrl": "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8059",
            "resource": {
                "resourceType": "Patient",
                "extension": [{"url": "urn:dirigent:registered-municipality", "valueCode": "1480"}],
                "identifier": [{"system": "http://electronichealth.se/identifier/personnummer", "value": "189001019802"}],
                "name": [{"use": "official", "family": "Testsson", "given": ["Test"]}],
                "address": [{"use": "home", "line": ["Testgatan 1"], "postalCode": "411 01", "city": "Göteborg"}],
            },
        },
        {
            "resource": {
                "resourceType": "Parameters",
                "parameter": [
                    {"name": "care_type", "valueCode": "somatic"},
                    {"name": "planned_discharge_date", "valueDate": "2026-11-09"},
                    {"name": "need", "valueCode": "municipal_social"},
                    {"name": "need", "valueCode": "outpatient"},
                    {"name": "outpatient_unit", "valueString": "SE2321000131-E000000000901"},
                ],
            },
        },
    ],
}
_RESOURCE: Final = {"type": "object", "properties": {"resourceType": {"type": "string"}}, "required": ["resourceType"]}
_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_REFUSALS: Final = {
    400: "What was sent cannot be read.",
    401: "No valid token.",
    403: "The token lacks the scope, or may not state this.",
    404: "Unknown, or not yours: the two look the same.",
    413: "The body is larger than this path takes.",
    415: "Wrong content type, or a compressed body.",
    422: "Something in it is malformed: the issue says where.",
    429: "Too fast; wait as long as `Retry-After` says.",
    503: "Not available just now; try the same request again after `Retry-After` seconds.",
}
# What the gateway refuses before it knows what is asked is a problem, as everywhere.
_REFUSED: Final = {"application/fhir+json": {"schema": _RESOURCE}, "application/problem+json": {"schema": _PROBLEM}}
RESOURCE_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "A FHIR resource", "content": {"application/fhir+json": {"schema": _RESOURCE}}},
    **{status: {"description": text, "content": _REFUSED} for status, text in _REFUSALS.items()},
}
_MESSAGE: Final = {"requestBody": {"required": True, "content": {name: {"schema": _RESOURCE, "example": EXAMPLE} for name in FHIR}}}
_ID: Final = {"parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}]}
router = APIRouter(tags=["FHIR"], route_class=FhirRoute)


@router.post("/v1/fhir/$process-message", response_class=Response, responses=RESOURCE_ANSWER, openapi_extra=_MESSAGE)
async def process_message(request: Request) -> Response:
    """Take in one event of a ward as a FHIR message. Repeating is safe: the same message gets the same answer."""
    call = check(request)
    check_type(request)
    value = await strict_json.read(await request.body())
    message_id, event = read_message(value)
    return await _processed(request, call, message_id, event)


async def _processed(request: Request, call: Call, message_id: str, event: dict[str, Any]) -> Response:
    """The answer in the form of a message, whatever became of it."""
    intake: Intake = request.app.state.intake
    told, endpoint = event["type"], f"{base_url(request)}/$process-message"
    try:
        taken = await intake.take(checked_statement(event, call.caller))
        if isinstance(taken, HttpProblem):
            raise taken
    except BusinessError as refusal:
        status = status_of(refusal)
        code = TRANSIENT if status >= _SERVER_FAULT else FATAL
        bundle = response(told, message_id, code, outcome(request, refusal), endpoint=endpoint, at=now())
        return answer(bundle, status, refusal.headers if isinstance(refusal, HttpProblem) else None)
    found = msgspec.json.decode(taken.answer)["findings"]
    return answer(response(told, message_id, OK, all_ok(found), endpoint=endpoint, at=now()))


@router.get("/v1/fhir/metadata", response_class=Response, responses=RESOURCE_ANSWER)
async def get_metadata(request: Request) -> Response:
    """What is served of FHIR here."""
    check(request)
    return answer(capability_statement(base_url(request)))


@router.get("/v1/fhir/Encounter/{id}", response_class=Response, responses=RESOURCE_ANSWER, openapi_extra=_ID)
async def get_encounter(request: Request) -> Response:
    """One case as its stay."""
    call, case_id = check(request), id_of(request.path_params["id"])
    async with request.app.state.database.transaction(reader=call.caller.reader) as work:
        row = await usecases.read_case(work, call.caller, case_id, request_id=call.request_id)
    return answer(encounter(shown_case(row).model_dump(mode="json")))


@router.get("/v1/fhir/Patient/{id}", response_class=Response, responses=RESOURCE_ANSWER, openapi_extra=_ID)
async def get_patient(request: Request) -> Response:
    """The person of one case, by the id of the case."""
    call, case_id = check(request), id_of(request.path_params["id"])
    async with request.app.state.database.transaction(reader=call.caller.reader) as work:
        row = await usecases.read_case(work, call.caller, case_id, request_id=call.request_id)
    return answer(patient_of(shown_case(row).model_dump(mode="json")))


@router.get("/v1/fhir/Task/{id}", response_class=Response, responses=RESOURCE_ANSWER, openapi_extra=_ID)
async def get_task(request: Request) -> Response:
    """One notice as what its recipient has to take on."""
    call, notice_id = check(request), id_of(request.path_params["id"])
    async with request.app.state.database.transaction(reader=call.caller.reader) as work:
        found = await usecases.read_notice(work, call.caller, notice_id, request_id=call.request_id)
    return answer(task(shown_notice(found.read), found.row.state))


@router.get("/v1/fhir/CarePlan/{id}", response_class=Response, responses=RESOURCE_ANSWER, openapi_extra=_ID)
async def get_care_plan(request: Request) -> Response:
    """One plan, as far as its reader may know it."""
    call, plan_id = check(request), id_of(request.path_params["id"])
    async with request.app.state.database.transaction(reader=call.caller.reader) as work:
        found = await usecases.read_plan(work, call.caller, plan_id, request_id=call.request_id)
    return answer(care_plan(shown_plan(found).model_dump(mode="json")))


def patient_of(case: dict[str, Any]) -> dict[str, Any]:
    """The person of a case; where she lives is part of who she is."""
    meta = {"versionId": str(case["version"]), "lastUpdated": case["changed_at"]}
    return patient(str(case["id"]), case["person"], deceased_at=case["deceased_at"], meta=meta)
