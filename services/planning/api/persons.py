"""What a registered person may ask for: everything that is kept of her, and its erasure."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.planning import usecases
from shared.dates import format_instant
from shared.errors import FieldError, Malformed
from shared.http.acting import acting_person
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, ShortText
from shared.http.idempotency import once
from shared.identifiers import PersonIdType, parse_person_id

router = APIRouter(tags=["Access log and persons"], route_class=StrictRoute)


class PersonNamed(Body):
    """A person's number; never in a URL."""

    type: PersonIdType
    id: str = Field(max_length=12)


class ExportBody(Body):
    """Of whom everything is asked for."""

    model_config = with_example({"person": {"type": "personnummer", "id": "189001019802"}})

    person: PersonNamed


class ErasureBody(Body):
    """Who is to be erased, why, and who decided it. `basis` stands wherever something is missing from then on: name nobody in it."""

    model_config = with_example(
        {"person": {"type": "personnummer", "id": "189001019802"}, "basis": "beslut IVO 2026-17", "acted_by": "Maja Test"}
    )

    person: PersonNamed
    basis: ShortText = Field(description="the decision or rule it rests on", examples=["beslut IVO 2026-17"])
    acted_by: ShortText | None = Field(default=None, description="name of the person who acts; who signed in may leave it out")


class PersonExported(Answer):
    """Everything that is kept of one person and that the caller's organisation answers for, as the tables hold it."""

    exported_at: str
    cases: list[dict[str, Any]]
    events: list[dict[str, Any]] = Field(description="as the wards sent them")
    notices: list[dict[str, Any]]
    plans: list[dict[str, Any]]
    merges: list[dict[str, Any]] = Field(description="that a number became hers, as a ward system said it, for stays told of later")
    history: list[dict[str, Any]]
    consents: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    deviations: list[dict[str, Any]]
    planning_statuses: list[dict[str, Any]]
    care_contacts: list[dict[str, Any]]
    declined_measures: list[dict[str, Any]]
    admission_reasons: list[dict[str, Any]]
    accesses: list[dict[str, Any]] = Field(description="who read of her: when, what, at which organisation and unit")


class PersonErased(Answer):
    """What the erasure concerned. Envelopes, days and sums stand; who the person was does not any more."""

    erased_at: str
    cases: int
    events: int
    notices: int
    plans: int = Field(description="plans without a stay")


def number_of(person: PersonNamed) -> str:
    """The number, checked.

    Raises:
        Malformed: It is no number of its kind.
    """
    try:
        return parse_person_id(person.type, person.id)
    except ValueError as error:
        raise Malformed("request.malformed", errors=(FieldError("/person/id", str(error)),)) from None


@router.post("/v1/persons/export")
async def export_person(call: Checked, work: Working, body: ExportBody) -> PersonExported:
    """Everything that is kept of one person, for that person herself; the reading is logged."""
    found = await usecases.export_person(work, call.caller, body.person.type, number_of(body.person), request_id=call.request_id)
    return PersonExported(exported_at=format_instant(work.at), **found)


@router.post("/v1/persons/erasure", status_code=HTTPStatus.CREATED, response_model=PersonErased)
async def erase_person(call: Checked, work: Working, request: Request, body: ErasureBody) -> Response:
    """Erase who a person was from everything that the caller's organisation answers for. It cannot be undone."""
    number, by = number_of(body.person), acting_person(call.caller, body.acted_by, "/acted_by")

    async def act() -> PersonErased:
        done = await usecases.erase_person(work, call.caller, body.person.type, number, basis=body.basis, by=by, request_id=call.request_id)
        return PersonErased(erased_at=format_instant(done.at), cases=done.cases, events=done.events, notices=done.notices, plans=done.plans)

    return await once(work, call, request, act)
