"""Conditional requests (RFC 9110 13.1.2): whether what the caller has is what we would send."""

import re
from typing import Final

from starlette.requests import Request

_ENTITY_TAG: Final = re.compile(r'(?:W/)?("[!#-~\x80-\xff]*")')


def caller_has(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` names this entity tag: alone, in a list, as a weak one, or by `*`; the answer is then 304."""
    stated = ",".join(request.headers.getlist("if-none-match")).strip()
    return stated == "*" or etag.removeprefix("W/") in _ENTITY_TAG.findall(stated)
