import json

import httpx
import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, StrictInt, ValidationError, field_validator
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared.errors import FieldError, Malformed, Refused
from shared.http.app import ANSWER_HEADERS, RequestIds, as_business_error
from shared.http.fields import Body, Day, Instant, MonthText, ShortText
from shared.http.problems import catalogue, language_of, problem_response


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        (None, "en"),
        ("sv", "sv"),
        ("sv-SE, en;q=0.8", "sv"),
        ("en, sv;q=0.999", "en"),
        ("sv;q=inf, en", "en"),
        ("sv;q=inf", "en"),
        ("sv;q=nan", "en"),
        ("sv;q=2, en;q=0.1", "en"),
        ("sv;q=1e0", "en"),
        ("sv;q=-1", "en"),
        ("sv;q=0", "en"),
        ("sv ; q=0.5", "sv"),
    ],
)
def test_a_language_is_weighed_as_the_standard_writes_weights(asked: str | None, language: str) -> None:
    assert language_of(asked) == language


def test_whoever_asks_for_swedish_gets_no_english_detail() -> None:
    refused = Refused("month.state", "the month is open, not published")
    told = {
        language: problem_response(refused, public_url="https://x.test", request_id="r", accept_language=language)
        for language in ("en", "sv")
    }
    details = {language: json.loads(bytes(answer.body))["detail"] for language, answer in told.items()}
    assert details == {"en": refused.detail, "sv": catalogue()["month.state"].meaning["sv"]}
    for language, answer in told.items():
        assert (answer.headers["content-language"], answer.headers["vary"]) == (language, "Accept-Language")
        assert answer.headers["cache-control"] == "no-store"


class Sent(Body):
    at: Instant
    on: Day
    month: MonthText
    by: ShortText
    count: StrictInt = Field(ge=1)
    checked: str = ""

    @field_validator("checked")
    @classmethod
    def _digits(cls, value: str) -> str:
        int(value)  # raises with the value in its text
        return value


class Strict(BaseModel, extra="forbid"):
    known: int = 0


def codes_of(model: type[BaseModel], body: object) -> dict[str, str]:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(body)
    found = [{**error, "loc": ("body", *error["loc"])} for error in refused.value.errors()]
    return {error.pointer: error.code for error in as_business_error(RequestValidationError(found)).errors}


def test_what_is_wrong_with_a_field_is_told_in_words_of_ours_whoever_found_it() -> None:
    fine = {"at": "2026-11-03T14:05:00+01:00", "on": "2026-11-03", "month": "2026-11", "by": "Anna", "count": 1, "checked": "7"}
    assert Sent.model_validate(fine).count == 1
    for field, value, code in (
        ("at", 7, "time.format"),
        ("at", "2026-11-03T14:05:00", "time.format"),
        ("at", "1850-01-01T00:00:00Z", "time.format"),
        ("on", "3/11", "day.format"),
        ("month", "2026-13", "month.format"),
        ("month", 202611, "month.format"),
        ("by", "x" * 201, "too_long"),
        ("by", "", "text.blank"),
        ("by", 7, "type"),
        ("count", "7", "type"),
        ("count", 0, "out_of_range"),
        ("checked", "Anna 189001019802", "invalid"),
    ):
        assert codes_of(Sent, fine | {field: value}) == {f"/{field}": code}, (field, value)
    assert codes_of(Sent, fine | {"189001019802": 1}) == {"": "unknown_field"}
    assert codes_of(Strict, {"189001019802": 1}) == {"": "unknown_field"}
    assert codes_of(Sent, [fine]) == {"": "type"}
    assert codes_of(Sent, {}) == dict.fromkeys(("/at", "/on", "/month", "/by", "/count"), "missing")


def test_a_code_that_is_not_in_the_list_never_leaves() -> None:
    refused = Malformed("request.malformed", errors=(FieldError("/a", "no such month: 189001019802"), FieldError("/b", "missing")))
    answer = problem_response(refused, public_url="https://x.test", request_id="r", accept_language=None)
    assert json.loads(bytes(answer.body))["errors"] == [{"pointer": "/a", "code": "invalid"}, {"pointer": "/b", "code": "missing"}]


async def test_what_an_answer_says_itself_stands_before_what_was_to_be_said_with_it() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        scope[ANSWER_HEADERS] += [(b"ratelimit-limit", b"20000"), (b"ratelimit-remaining", b"7")]
        await Response(headers={"RateLimit-Limit": "5"})(scope, receive, send)

    transport = httpx.ASGITransport(RequestIds(application, "https://x.test"))
    async with httpx.AsyncClient(transport=transport, base_url="https://x.test") as client:
        answer = await client.get("/")
    assert (answer.headers.get_list("ratelimit-limit"), answer.headers["ratelimit-remaining"]) == (["5"], "7")
