"""Conditional requests (RFC 9110 13.1.2): whether what the caller has is what we would send."""

import re
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

NOTHING_NEW: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "Nothing new since the ETag"}}
_ENTITY_TAG: Final = re.compile(r'(?:W/)?("[!#-~\x80-\xff]*")')


def caller_has(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` names this entity tag: alone, in a list, as a weak one, or by `*`; the answer is then 304."""
    stated = ",".join(request.headers.getlist("if-none-match")).strip()
    return stated == "*" or etag.removeprefix("W/") in _ENTITY_TAG.findall(stated)


def unless_known(
    request: Request, content: bytes | str, etag: str, *, media_type: str = "application/json", headers: dict[str, str] | None = None
) -> Response:
    """The answer, or 304 where the caller has it already. It is nobody else's to keep, and the caller asks before it uses it again.

    Args:
        request: Says what the caller has.
        content: What to answer.
        etag: What it is told from others by, without quotation marks.
        media_type: What it is.
        headers: What it carries besides.
    """
    known_by = {"ETag": f'"{etag}"', "Cache-Control": "private, no-cache"}
    if caller_has(request, known_by["ETag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=known_by)
    return Response(content, media_type=media_type, headers={**known_by, **(headers or {})})
