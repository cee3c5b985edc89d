"""HL7 v2 from ward systems: one ADT message in ER7, answered with its acknowledgement (docs/hl7.md)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import structlog
from fastapi import APIRouter, Request, Response

from services.planning.adapters.hl7.acknowledgement import acknowledge, remarks_of
from services.planning.adapters.hl7.adt import Translated
from services.planning.adapters.hl7.header import Header, read_header
from services.planning.adapters.hl7.merging import MERGE, merged_number, read_merge
from services.planning.adapters.hl7.message import Answered, Condition, Message, NotTaken, Remark, Unread, read
from services.planning.api.events import check_form, checked_statement
from services.planning.intake import Intake, Outcome
from services.planning.usecases import keep_merge, merges_that_waited, translate_adt, translate_merge
from shared.dates import now
from shared.errors import BusinessError
from shared.http.access import HL7
from shared.http.auth import Caller
from shared.http.call import Call, PlainRoute, check
from shared.http.problems import HttpProblem, status_of

_log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/hl7-v2"
_SERVER_FAULT: Final = 500
_NAMING: Final = frozenset({"stay.admitted", "stay.person_changed"})
_EXAMPLE: Final = (
    "MSH|^~\\&|MILLENNIUM|SU|DIRIGENT||20261103140612+0100||ADT^A01^ADT_A01|SU-000917|P|2.5|||||||UNICODE UTF-8\r"
    "EVN||20261103140612+0100||||20261103140500+0100\r"
    "PID|1||189001019802^^^&1.2.752.129.2.1.3.1&ISO||Testsson^Test^^^^^L||||||Testgatan 1^^Göteborg^^411 01^^L^^1480\r"
    "PV1|1|I|SE2321000131-E000000000101||||||||||||||||SU-2026-000918\r"
    "PV2|||||||||20261109\r"
    "ZNE|municipal_social~municipal_health~outpatient|SE2321000131-E000000000901|somatic\r"
)
_ACKNOWLEDGED: Final = {"type": "string", "description": "an acknowledgement (ACK): MSA-1 is AA, AE or AR; ERR says where and why"}
_DOCUMENTED: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {name: {"schema": {"type": "string", "description": "one message in ER7"}, "example": _EXAMPLE} for name in HL7},
    }
}
router = APIRouter(tags=["Ward systems"], route_class=PlainRoute)


@router.post(
    "/v1/hl7v2",
    response_class=Response,
    responses={200: {"description": "The acknowledgement", "content": {MEDIA_TYPE: {"schema": _ACKNOWLEDGED}}}},
    openapi_extra=_DOCUMENTED,
)
async def post_hl7v2(request: Request) -> Response:
    """Take in one ADT message; the acknowledgement says what became of it. Repeating is safe."""
    call = check(request)
    _check_type(request)
    message, answered, remarks = await _taken(request, call, await request.body())
    charset = message.charset
    return Response(acknowledge(message, answered, remarks, now()), media_type=f"{MEDIA_TYPE}; charset={charset}")


def _check_type(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in HL7 or request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HttpProblem("request.content_type")


async def _taken(request: Request, call: Call, body: bytes) -> tuple[Message, Answered, list[Remark]]:
    """What became of a message: all its events are stored, or none."""
    try:
        message = read(body)
    except Unread as unread:
        return unread.message, unread.refusal.answered, list(unread.refusal.remarks)
    try:
        return message, Answered.ACCEPTED, await _stored(request, call.caller, message)
    except NotTaken as refused:
        return message, refused.answered, list(refused.remarks)


async def _stored(request: Request, caller: Caller, message: Message) -> list[Remark]:
    header = read_header(message, demo=caller.demo)
    told = _merged if header.trigger == MERGE else _translated
    translated = await told(request, caller, message, header)
    own = len(translated.events)
    translated.events += await _what_waited(request, caller, translated)
    outcomes = await _take(request, caller, translated.events)
    remarks = list(translated.remarks)
    for outcome in outcomes[:own]:
        if isinstance(outcome, HttpProblem):
            raise NotTaken(Answered.ERROR, *remarks_of(outcome))
        found = msgspec.json.decode(outcome.answer)["findings"]
        remarks += [Remark("PV1-19", Condition.ACCEPTED, finding["code"], finding["detail"]) for finding in found]
    await _take_what_waited(request, caller, translated)
    return remarks


async def _translated(request: Request, caller: Caller, message: Message, header: Header) -> Translated:
    wards = request.app.state.settings.wards_of(caller.client_id)
    async with request.app.state.database.transaction(reader=caller.reader) as work:
        return await translate_adt(work, caller, message, header, wards)


async def _merged(request: Request, caller: Caller, message: Message, header: Header) -> Translated:
    """A merge is kept first, and committed, so that an admission that comes meanwhile finds it."""
    merge, merged = read_merge(message, header), merged_number(message, header)
    _well_formed(merge.of_no_stay(caller.organisation))
    database = request.app.state.database
    async with database.transaction(reader=caller.reader) as work:
        came_at = await keep_merge(work, caller, merge, merged)
    async with database.transaction(reader=caller.reader) as work:
        return await translate_merge(work, caller, merge, merged, came_at)


def _well_formed(event: Mapping[str, Any]) -> None:
    try:
        check_form(event)
    except BusinessError as refused:
        raise NotTaken(Answered.ERROR, *remarks_of(refused)) from None


async def _what_waited(request: Request, caller: Caller, translated: Translated) -> list[dict[str, Any]]:
    """What merges that came before mean for who is admitted or named now, to be taken in with that, as far as it can be."""
    events, told = list(translated.events), translated
    while any(event["type"] in _NAMING for event in told.events):
        async with request.app.state.database.transaction(reader=caller.reader) as work:
            told = await merges_that_waited(work, caller, told, events)
        told.events = [event for event in told.events if _may_be_taken(event, caller)]
        events += told.events
    return events[len(translated.events) :]


def _may_be_taken(event: dict[str, Any], caller: Caller) -> bool:
    try:
        checked_statement(event, caller)
    except BusinessError:
        return False  # told, and logged, when it is taken by itself
    return True


async def _take_what_waited(request: Request, caller: Caller, told: Translated) -> None:
    """Take in what merges that came before mean for what was just told, and what further merges mean for that."""
    while told.events:
        async with request.app.state.database.transaction(reader=caller.reader) as work:
            told = await merges_that_waited(work, caller, told)
        try:
            outcomes = await _take(request, caller, told.events)
        except NotTaken as refused:  # of another message than the one that is answered
            _log.warning("hl7.merge_not_taken", client=caller.client_id, why=[remark.code for remark in refused.remarks])
            return
        told.events = [event for event, outcome in zip(told.events, outcomes, strict=True) if not isinstance(outcome, HttpProblem)]


async def _take(request: Request, caller: Caller, events: Sequence[dict[str, Any]]) -> Sequence[Outcome]:
    """Take events in, all in one transaction: nothing of a message is half taken.

    Raises:
        NotTaken: One of them cannot be taken.
        HttpProblem: 5xx, none of them now.
    """
    try:
        statements = [checked_statement(event, caller) for event in events]
    except BusinessError as refused:
        raise NotTaken(Answered.ERROR, *remarks_of(refused)) from None
    intake: Intake = request.app.state.intake
    outcomes = await (intake.take_batch(statements) if len(statements) > 1 else _alone(intake, statements))
    for outcome in outcomes:
        if isinstance(outcome, HttpProblem) and status_of(outcome) >= _SERVER_FAULT:
            raise outcome
    return outcomes


async def _alone(intake: Intake, statements: list[Any]) -> list[Any]:
    return [await intake.take(one) for one in statements]
