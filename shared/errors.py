"""Business words for what can go wrong, in three kinds; `shared.http.problems` alone knows the HTTP status of each.

A value that a caller sent never stands in an error: only a pointer to where it stood and a code for what is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that is wrong: where it stood (RFC 6901 pointer) and what is wrong with it (a code, never the value)."""

    pointer: str
    code: str


class BusinessError(Exception):
    """The root of every refusal; `code` names a row of the problem catalogue, `detail` and further `members` are safe to show anyone.

    `swedish` is the detail in Swedish, for what the catalogue's own words do not say.
    """

    def __init__(self, code: str, detail: str = "", *, errors: tuple[FieldError, ...] = (), swedish: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.swedish = swedish
        self.errors = errors
        self.members: Mapping[str, object] = {}


class Malformed(BusinessError):
    """What was sent cannot be taken as it stands, whatever the state of things."""


class Refused(BusinessError):
    """Well formed, but the state of things does not allow it now; `detail` says which state and which rule."""


class NotFound(BusinessError):
    """Unknown, or not the caller's: the two look the same."""

    def __init__(self, code: str = "not_found", detail: str = "") -> None:
        super().__init__(code, detail)
