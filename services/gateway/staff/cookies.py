"""Our cookies, and whether a request comes from a page of ours: what stands between a session and other people's pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import cookie_parser
from starlette.responses import Response

_SAFE: Final = frozenset({"GET", "HEAD"})
_OURS: Final = frozenset({b"same-origin", b"none"})
_COOKIE_LIMIT: Final = 100

Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Origin:
    """The one origin that users see. Over https its cookies carry the prefix that ties them to it (`__Host-`)."""

    public_url: str

    @property
    def secure(self) -> bool:
        """Whether cookies travel over https only; a demo on this very machine has plain http."""
        return self.public_url.startswith("https://")

    @property
    def session(self) -> str:
        """The name of the cookie of a session."""
        return self._name("dirigent")

    @property
    def sign_in(self) -> str:
        """The name of the cookie of a sign-in under way."""
        return self._name("dirigent-sign-in")

    def is_ours(self, method: str, headers: Headers) -> bool:
        """Whether a request comes from our own page, or is only reading and not sent by somebody else's.

        What a browser says of itself (`Sec-Fetch-Site`) no page can change; without it `Origin` must be ours for whatever changes
        something. A request that says neither is no browser's.
        """
        listed = list(headers)
        sites = [value for name, value in listed if name == b"sec-fetch-site"]
        if sites:
            return len(sites) == 1 and (sites[0] == b"same-origin" or (sites[0] in _OURS and method in _SAFE))
        origins = [value for name, value in listed if name == b"origin"]
        if origins:
            return origins == [self._origin.encode("ascii")]
        return method in _SAFE

    def keep(self, response: Response, name: str, value: str, lifetime: timedelta) -> None:
        """Let the browser keep a value that no script reads and no other site's form sends."""
        response.set_cookie(name, value, max_age=int(lifetime.total_seconds()), path="/", secure=self.secure, httponly=True, samesite="lax")

    def drop(self, response: Response, name: str) -> None:
        """Let the browser forget a value."""
        response.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="lax")

    @property
    def _origin(self) -> str:
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    def _name(self, name: str) -> str:
        return f"__Host-{name}" if self.secure else name


def cookie_of(headers: Headers, name: str) -> str | None:
    """The value of a cookie; none when it is missing, or too long to be ours."""
    stated = "; ".join(value.decode("latin-1") for key, value in headers if key == b"cookie")
    found = cookie_parser(stated).get(name, "") if name in stated else ""
    return found if 0 < len(found) <= _COOKIE_LIMIT else None
