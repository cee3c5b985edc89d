"""Every error as RFC 9457 `application/problem+json`: the one module that knows which business word has which HTTP status.

The catalogue `problems.toml` beside this file holds every code with its status and words in both languages.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from starlette.responses import Response

from shared.errors import BusinessError, FieldError, Malformed, NotFound, Refused
from shared.http.field_codes import listed

MEDIA_TYPE: Final = "application/problem+json"
_WEIGHT: Final = re.compile(r"[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*")
_CATALOGUE: Final = Path(__file__).with_name("problems.toml")


class HttpProblem(BusinessError):
    """A refusal by the protocol rather than by a rule: unreadable, not allowed in, too large, too often, not now."""

    def __init__(self, code: str, detail: str = "", *, swedish: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code, detail, swedish=swedish)
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Problem:
    """One row of the catalogue: what the code means, in both languages, and its status."""

    code: str
    status: int
    title: Mapping[str, str]
    meaning: Mapping[str, str]


@cache
def catalogue() -> Mapping[str, Problem]:
    """Every problem code of the product."""
    rows = tomllib.loads(_CATALOGUE.read_text(encoding="utf-8"))
    return {
        code: Problem(code, row["status"], {"en": row["en"], "sv": row["sv"]}, {"en": row["meaning_en"], "sv": row["meaning_sv"]})
        for code, row in rows.items()
    }


def language_of(accept_language: str | None) -> str:
    """`sv` when the caller prefers Swedish to English, else `en`."""
    best, chosen = 0.0, "en"
    for part in (accept_language or "").split(","):
        tag, _, parameters = part.strip().partition(";")
        language = tag.strip().lower().split("-")[0]
        weight = _weight(parameters)
        if language in {"sv", "en"} and weight > best:
            best, chosen = weight, language
    return chosen


def _weight(parameters: str) -> float:
    """The weight of a language as RFC 9110 12.4.2 writes it; anything else is worth nothing."""
    if not parameters.strip():
        return 1.0
    stated = _WEIGHT.fullmatch(parameters)
    return float(stated[1]) if stated else 0.0


def status_of(error: BusinessError) -> int:
    """The HTTP status of a business word: by its row in the catalogue, else by its kind."""
    row = catalogue().get(error.code)
    if row is not None:
        return row.status
    match error:
        case Malformed():
            return 422
        case Refused():
            return 409
        case NotFound():
            return 404
    return 500


def problem_body(  # noqa: PLR0913  # the members of RFC 9457 and our three
    public_url: str,
    code: str,
    status: int,
    *,
    detail: str = "",
    swedish: str = "",
    errors: tuple[FieldError, ...] = (),
    request_id: str = "",
    language: str = "en",
    members: Mapping[str, object] | None = None,
) -> bytes:
    """The JSON of one problem. Details are written in English; where one has no Swedish the catalogue's meaning stands for it."""
    row = catalogue().get(code)
    told = detail if language == "en" or row is None else swedish
    body: dict[str, object] = {
        "type": f"{public_url}/problems/{code}",
        "title": row.title[language] if row else code,
        "status": status,
        "detail": told or (row.meaning[language] if row else ""),
        "code": code,
        "request_id": request_id,
    }
    if errors:
        body["errors"] = [{"pointer": error.pointer, "code": listed(error.code)} for error in errors]
    return msgspec.json.encode(body | dict(members or {}))


def problem_response(error: BusinessError, *, public_url: str, request_id: str, accept_language: str | None) -> Response:
    """The answer for a business error; never an input value in it."""
    status, language = status_of(error), language_of(accept_language)
    body = problem_body(
        public_url,
        error.code,
        status,
        detail=error.detail,
        swedish=error.swedish,
        errors=error.errors,
        request_id=request_id,
        language=language,
        members=error.members,
    )
    own = error.headers if isinstance(error, HttpProblem) else {}
    headers = {"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "no-store"}
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers | own)
