"""Searching FHIR resources: by POST only and with a form, so that no number of a person stands in an address or a log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.planning import usecases
from services.planning.adapters.fhir.bundles import found
from services.planning.adapters.fhir.capabilities import SEARCHED_BY
from services.planning.adapters.fhir.message import number_of
from services.planning.adapters.fhir.parts import Resource
from services.planning.adapters.fhir.resources import STATUSES, care_plan, cases_shown_as, encounter, notices_shown_as, task
from services.planning.api.cases import FIRST, shown_case
from services.planning.api.fhir import RESOURCE_ANSWER, patient_of
from services.planning.api.fhir_route import FhirRoute, answer, base_url, check_type, id_of
from services.planning.api.notices import shown_notice
from services.planning.api.plans import shown_plan
from services.planning.usecases.plans import PlanRead
from shared.db import Work
from shared.errors import FieldError, NotFound
from shared.http.access import FORM
from shared.http.call import Call, check
from shared.http.feed_query import FEED_ANSWERS
from shared.http.problems import HttpProblem
from shared.identifiers import PersonIdType, parse_person_id

_MOST_FIELDS: Final = 10
_PAGE: Final = 50
_MOST: Final = 200
_PAGING: Final = frozenset({"_count", "_cursor"})
_NAMES_ONE: Final = frozenset({"_id", "identifier", "patient.identifier"})
"""What is sought by one of these stands on one page."""
_NAMES: Final = _NAMES_ONE | {"encounter"}
_BY_ID: Final = frozenset({"_id", "encounter"})
_MORE_THAN_ONE_ID: Final = frozenset(",|")
"""What FHIR joins several values by, and a value with its system or version."""
router = APIRouter(tags=["FHIR"], route_class=FhirRoute)


@dataclass(frozen=True, slots=True)
class Asked:
    """A search: what for, how many at a time, and after what."""

    by: Mapping[str, str]
    count: int
    cursor: str

    @property
    def stated(self) -> str:
        """The parameters that were used, but for one that names a person, or might: what stands for an id and is none."""
        told = {name: value for name, value in self.by.items() if name == "status" or (name in _BY_ID and _ends_in_id(value))}
        return urlencode({**told, "_count": self.count} | ({"_cursor": self.cursor} if self.cursor else {}))

    def following(self, cursor: object) -> str:
        """The parameters of the next page; those that name a person never lead to one."""
        return urlencode({**self.by, "_count": self.count, "_cursor": str(cursor)})


def _documented(kind: str, example: dict[str, str]) -> dict[str, Any]:
    names = [*SEARCHED_BY[kind], *sorted(_PAGING)]
    properties: dict[str, Any] = {name: {"type": "string"} for name in names}
    if "status" in properties:
        properties["status"]["enum"] = list(STATUSES[kind])
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {"requestBody": {"required": True, "content": {FORM[0]: {"schema": schema, "example": example}}}}


_PERSON_EXAMPLE: Final = "http://electronichealth.se/identifier/personnummer|189001019802"
_ID_EXAMPLE: Final = {"_id": "01890a5d-ac96-774b-bcce-b302099a8057"}


@router.post(
    "/v1/fhir/Encounter/_search",
    response_class=Response,
    responses=RESOURCE_ANSWER,
    openapi_extra=_documented("Encounter", {"patient.identifier": _PERSON_EXAMPLE}),
)
async def search_encounters(request: Request) -> Response:
    """The caller's cases: all of them by pages, those of one person, or one by its id."""
    call = check(request)
    asked = await _asked(request, "Encounter")
    async with request.app.state.database.transaction(reader=call.caller.reader) as work:
        rows, following = await _cases(work, call, asked)
    resources = [encounter(shown_case(row).model_dump(mode="json")) for row in rows]
    return answer(found(base_url(request), "Encounter", resources, asked.stated, following))


@router.post(
    "/v1/fhir/Patient/_search",
    response_class=Response,
    responses=RESOURCE_ANSWER,
    openapi_extra=_documented("Patient", {"identifier": _PERSON_EXAMPLE}),
)
async def search_patients(request: Request) -> Response:
    """The person of each of the caller's cases that she has, by her number; or of one case by its id."""
    call = check(request)
    asked = await _asked(request, "Patient")
    if not asked.by:
        raise _cannot("/identifier", "missing")
    async with request.app.state.database.transaction(reader=call.caller.reader) as work:
        rows, following = await _cases(work, call, asked)
    patients = [patient_of(shown_case(row).model_dump(mode="json")) for row in rows]
    return answer(found(base_url(request), "Patient", patients, asked.stated, following))


@router.post(
    "/v1/fhir/Task/_search",
    response_class=Response,
    responses=RESOURCE_ANSWER | {410: {**RESOURCE_ANSWER[404], **FEED_ANSWERS[410]}},
    openapi_extra=_documented("Task", _ID_EXAMPLE),
)
async def search_tasks(request: Request) -> Response:
    """The notices of the caller's only mailbox in their order, those of one stay or in one status, or one by its id."""
    call = check(request)
    asked = await _asked(request, "Task")
    tasks, following = await _notices(request, call, asked)
    return answer(found(base_url(request), "Task", tasks, asked.stated, following))


@router.post(
    "/v1/fhir/CarePlan/_search", response_class=Response, responses=RESOURCE_ANSWER, openapi_extra=_documented("CarePlan", _ID_EXAMPLE)
)
async def search_care_plans(request: Request) -> Response:
    """The caller's plans: all of them by pages, those of one stay or one person, or one by its id."""
    call = check(request)
    asked = await _asked(request, "CarePlan")
    async with request.app.state.database.transaction(reader=call.caller.reader) as work:
        plans, following = await _plans(work, call, asked, base_url(request))
    resources = [care_plan(shown_plan(plan).model_dump(mode="json")) for plan in plans]
    return answer(found(base_url(request), "CarePlan", resources, asked.stated, following))


async def _cases(work: Work, call: Call, asked: Asked) -> tuple[list[Any], str | None]:
    """Rows of cases, and the parameters of the next page."""
    standing = usecases.Standing(*cases_shown_as(asked.by["status"])) if "status" in asked.by else usecases.Standing()
    if "_id" in asked.by:
        try:
            case_id = id_of(asked.by["_id"])
            return [await usecases.read_case(work, call.caller, case_id, standing=standing, request_id=call.request_id)], None
        except NotFound:
            return [], None
    name = next((name for name in ("patient.identifier", "identifier") if name in asked.by), None)
    if name is not None:
        number = _number(asked.by[name], f"/{name}")
        return list(await usecases.search_cases(work, call.caller, *number, standing=standing, request_id=call.request_id)), None
    after = _after(asked.cursor)
    rows = await usecases.list_cases(work, call.caller, after=after, limit=asked.count, standing=standing, request_id=call.request_id)
    return list(rows), asked.following(rows[-1].id) if len(rows) == asked.count else None


async def _notices(request: Request, call: Call, asked: Asked) -> tuple[list[Resource], str | None]:
    """Notices, each read and logged as by its own address; a page of the mailbox counts as delivered, as it does there."""
    database, reader = request.app.state.database, call.caller.reader
    if "_id" in asked.by:
        async with database.transaction(reader=reader) as work:
            as_it_is = notices_shown_as(asked.by["status"], fetched=False) if "status" in asked.by else None
            return await _task(work, call, asked.by["_id"], states=as_it_is), None
    states = notices_shown_as(asked.by["status"]) if "status" in asked.by else None
    after, case_id = _position(asked.cursor), _stay(asked, base_url(request))
    async with database.transaction(reader=reader) as work:
        box = await usecases.mailbox_of(work, call.caller, None)
        page = await usecases.search_mailbox(work, box, after=after, limit=asked.count, states=states, case_id=case_id)
    async with database.transaction(reader=reader) as work:
        polled = usecases.reads_on(states, case_id)
        await usecases.attach_personal(work, call.caller, box, page.entries, request_id=call.request_id, polled=polled)
    async with database.transaction(reader=reader) as work:
        tasks = [one for entry in page.entries for one in await _task(work, call, str(entry.entry_id), one_by_id=False)]
    return tasks, asked.following(page.next) if page.next < page.head else None


async def _task(work: Work, call: Call, notice_id: str, *, one_by_id: bool = True, states: Sequence[str] | None = None) -> list[Resource]:
    try:
        read = await usecases.read_notice(
            work, call.caller, id_of(notice_id), one_by_id=one_by_id, states=states, request_id=call.request_id
        )
    except NotFound:
        return []
    return [task(shown_notice(read.read), read.row.state)]


async def _plans(work: Work, call: Call, asked: Asked, base: str) -> tuple[Sequence[PlanRead], str | None]:
    """Plans, each read and logged as by its own address, and the parameters of the next page."""
    if "_id" in asked.by:
        try:
            return [await usecases.read_plan(work, call.caller, id_of(asked.by["_id"]), request_id=call.request_id)], None
        except NotFound:
            return [], None
    if "patient.identifier" in asked.by:
        number = _number(asked.by["patient.identifier"], "/patient.identifier")
        return await usecases.plans_of_person(work, call.caller, *number, request_id=call.request_id), None
    after, case_id = _after(asked.cursor), _stay(asked, base)
    plans = await usecases.list_plans(work, call.caller, after=after, limit=asked.count, case_id=case_id, request_id=call.request_id)
    return plans, asked.following(plans[-1].plan.id) if len(plans) == asked.count else None


async def _asked(request: Request, kind: str) -> Asked:
    """Read the form of a search.

    Raises:
        HttpProblem: 415, not a form; 400 `fhir.search`: unreadable, or a parameter that is unknown, stands twice or cannot be used.
    """
    check_type(request, FORM)
    try:
        pairs = parse_qsl((await request.body()).decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise _cannot() from None
    form = dict(pairs)
    if len(form) != len(pairs) or not set(form) <= {*SEARCHED_BY[kind], *_PAGING} or any("\x00" in text for text in form.values()):
        raise _cannot()
    count = form.pop("_count", str(_PAGE))
    if not (count.isascii() and count.isdecimal() and len(count) <= len(str(_MOST)) and 1 <= int(count) <= _MOST):
        raise _cannot("/_count", "out_of_range")
    if "status" in form and form["status"] not in STATUSES[kind]:
        raise _cannot("/status", "not_allowed")
    for name in _BY_ID & form.keys():
        if not _MORE_THAN_ONE_ID.isdisjoint(form[name]):  # nothing has such an id, and to say so would be wrong of those that it names
            raise _cannot(f"/{name}", "format")
    if len(form.keys() & _NAMES) > 1:  # both would have to hold, and each alone names what is sought
        raise _cannot("/_id", "not_allowed")
    if "_cursor" in form and not _NAMES_ONE.isdisjoint(form):
        raise _cannot("/_cursor", "not_allowed")
    return Asked(count=int(count), cursor=form.pop("_cursor", ""), by=form)


def _cannot(pointer: str = "", code: str = "") -> HttpProblem:
    """What a search that cannot be made is answered with."""
    problem = HttpProblem("fhir.search")
    problem.errors = (FieldError(pointer, code),) if code else ()
    return problem


def _number(token: str, pointer: str) -> tuple[PersonIdType, str]:
    """A person's number of `system|value`."""
    system, _, value = token.partition("|")
    known = number_of(system, value)
    if known is None:
        raise _cannot(pointer, "person_id.issuer_unknown")
    try:
        return known[0], parse_person_id(*known)
    except ValueError as error:
        raise _cannot(pointer, str(error)) from None


def _stay(asked: Asked, base: str) -> UUID | None:
    """The case of a reference to an Encounter, if one is asked for; what is none of ours is one that nothing hangs on."""
    if "encounter" not in asked.by:
        return None
    try:
        return id_of(asked.by["encounter"].removeprefix(f"{base}/").removeprefix("Encounter/"))
    except NotFound:
        return FIRST


def _ends_in_id(reference: str) -> bool:
    try:
        id_of(reference.rpartition("/")[2])
    except NotFound:
        return False
    return True


def _after(cursor: str) -> UUID:
    try:
        return UUID(cursor) if cursor else FIRST
    except ValueError:
        raise _cannot("/_cursor", "format") from None


def _position(cursor: str) -> int:
    if cursor and not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= len(str(1 << 62)) - 1):
        raise _cannot("/_cursor", "format")
    return int(cursor or 0)
