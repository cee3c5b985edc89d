"""The addresses that a member of staff comes by. They are pages: none of them is part of the machine contract."""

from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.gateway.auth import TOKEN_LIFETIME, SigningKeys
from services.gateway.staff.cookies import Origin, cookie_of
from services.gateway.staff.provider import NotIdentified, ProviderUnavailable, is_loopback
from services.gateway.staff.roles import staff_roles
from services.gateway.staff.sessions import SIGN_IN_LIFETIME, Session
from services.gateway.staff.signing_in import NoCommission, NotBegun, SigningIn
from services.gateway.web.pages import PAGE_HEADERS, language_for, page
from shared.db import Database
from shared.http.call import request_id_of
from shared.http.problems import HttpProblem

SIGN_IN: Final = "/sign-in"
LEFT: Final = "/sign-in?left=1"
CALLBACK: Final = "/sign-in/callback"
REFUSED: Final = "/sign-in/refused"
ROLE: Final = "/sign-in/role"
TOKEN: Final = "/sign-in/token"  # noqa: S105  # an address, not a token
SIGN_OUT: Final = "/sign-out"
STAFF: Final = "/staff"
_FIELDS_LIMIT: Final = 20
# `no-referrer` would make browsers send `Origin: null` with our own forms.
_HEADERS: Final = PAGE_HEADERS | {"Referrer-Policy": "same-origin", "Cache-Control": "no-store"}
_WHY: Final[dict[type[Exception], tuple[str, int]]] = {
    NotBegun: ("not_begun", 400),
    NotIdentified: ("failed", 400),
    NoCommission: ("no_role", 403),
    ProviderUnavailable: ("unavailable", 503),
}
_SAID_AGAIN: Final = frozenset({"not_begun", "failed", "no_role", "unavailable", "unknown", "no_such_role"})
_FORM: Final = "application/x-www-form-urlencoded"
_log: Final = structlog.get_logger()


def staff_routes(signing_in: SigningIn, keys: SigningKeys, origin: Origin, *, demo: bool) -> APIRouter:
    """Sign in, choose a role, see who one is, sign out."""
    router = APIRouter(include_in_schema=False)
    _add_sign_in(router, signing_in, origin, demo=demo)
    _add_session(router, signing_in, origin)
    _add_leaving(router, signing_in, origin, keys)
    return router


def _add_sign_in(router: APIRouter, signing_in: SigningIn, origin: Origin, *, demo: bool) -> None:
    @router.get(SIGN_IN)
    async def choose_issuer(request: Request, left: str = "") -> Response:
        """Who is to say who you are; whoever left, or came here because her session ended, is told so."""
        session_id = _session_id(request, origin)
        session = await signing_in.session(_database(request), session_id)
        ended = session_id is not None and session is None
        here = LEFT if left else SIGN_IN
        return _page(
            request, "sign_in.html", here=here, issuers=signing_in.issuers, demo=demo, session=session, ended=ended, left=bool(left)
        )

    @router.get(f"{SIGN_IN}/start")
    async def start(request: Request, issuer: str = "") -> Response:
        """Off to the provider; begun under the address that the provider sends back to, since the cookie is bound to it."""
        if is_other_name_of_here(request.headers.get("host", ""), origin.public_url):
            return _to(f"{origin.public_url}{SIGN_IN}")
        try:
            begun = await signing_in.set_out(_database(request), issuer, language_for(request))
        except ProviderUnavailable as error:
            return _not_signed_in(request, error)
        if begun is None:
            return _refused(request, "unknown", 404)
        response = _to(begun.address)
        origin.keep(response, origin.sign_in, begun.browser, SIGN_IN_LIFETIME)
        return response

    @router.get(CALLBACK)
    async def callback(request: Request) -> Response:
        """Back from the provider."""
        told = _once(request.url.query)
        try:
            session_id = await signing_in.end(_database(request), told, cookie_of(request.scope["headers"], origin.sign_in))
        except (NotIdentified, NoCommission, ProviderUnavailable) as error:
            # Also whoever came back here with her browser's own button; she is signed in all the same.
            return _not_signed_in(request, error, await signing_in.session(_database(request), _session_id(request, origin)))
        # The browser forgets the session it had: nobody could end that one any more.
        await signing_in.leave(_database(request), _session_id(request, origin))
        response = _to(STAFF)
        origin.drop(response, origin.sign_in)
        origin.keep(response, origin.session, session_id, signing_in.lifetimes.whole)
        return response

    @router.get(REFUSED)
    async def refused(request: Request, why: str = "") -> Response:
        """Why signing in failed, once more: in the other language, where the address it failed at is good once."""
        session = await signing_in.session(_database(request), _session_id(request, origin))
        return _refused(request, why if why in _SAID_AGAIN else "failed", 200, session=session)


def _add_session(router: APIRouter, signing_in: SigningIn, origin: Origin) -> None:
    @router.get(STAFF)
    async def staff(request: Request) -> Response:
        """Who is signed in, and as what."""
        session = await signing_in.session(_database(request), _session_id(request, origin))
        if session is None:
            return _to(SIGN_IN)
        if session.chosen is None:
            return _to(ROLE)
        return _page(request, "staff.html", session=session, roles=staff_roles())

    @router.get(ROLE)
    async def roles(request: Request) -> Response:
        """In which role to act."""
        session = await signing_in.session(_database(request), _session_id(request, origin))
        if session is None:
            return _to(SIGN_IN)
        return _page(request, "roles.html", session=session, roles=staff_roles())

    @router.post(ROLE)
    async def choose_role(request: Request) -> Response:
        """Act in one role; the session gets a new id with it."""
        form = await _own_form(request, origin)
        renewed = await signing_in.choose(_database(request), _session_id(request, origin), form.get("commission", ""))
        if renewed is None:
            session = await signing_in.session(_database(request), _session_id(request, origin))
            return _to(SIGN_IN) if session is None else _refused(request, "no_such_role", 400)
        response = _to(STAFF)
        origin.keep(response, origin.session, renewed, signing_in.lifetimes.whole)
        return response


def _add_leaving(router: APIRouter, signing_in: SigningIn, origin: Origin, keys: SigningKeys) -> None:
    @router.post(TOKEN)
    async def token(request: Request) -> Response:
        """A bearer token of five minutes that says what this session does, for use outside the browser."""
        await _own_form(request, origin)
        issued = await signing_in.token(_database(request), _session_id(request, origin), keys)
        if issued is None:
            if "text/html" in request.headers.get("accept", ""):
                return _to(STAFF)
            raise HttpProblem("token.invalid")
        lifetime = int(TOKEN_LIFETIME / timedelta(seconds=1))
        return _page(request, "token.html", here=STAFF, token=issued[0], scopes=issued[1], seconds=lifetime, public_url=origin.public_url)

    @router.post(SIGN_OUT)
    async def sign_out(request: Request) -> Response:
        """End the session."""
        await _own_form(request, origin)
        await signing_in.leave(_database(request), _session_id(request, origin))
        response = _to(LEFT)
        origin.drop(response, origin.session)
        return response


def is_other_name_of_here(host: str, public_url: str) -> bool:
    """Whether the browser calls this very machine by another name than users should, such as localhost for 127.0.0.1.

    Other names are not looked at: what a proxy in front says of the host is its own matter.
    """
    here, public = urlsplit(f"//{host}"), urlsplit(public_url)
    return is_loopback(here.hostname) and here.hostname != public.hostname


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _session_id(request: Request, origin: Origin) -> str | None:
    return cookie_of(request.scope["headers"], origin.session)


async def _own_form(request: Request, origin: Origin) -> dict[str, str]:
    """The form that one of our own pages sent.

    Raises:
        HttpProblem: 403 it is somebody else's page, 415 it is no form, 400 it cannot be read.
    """
    if not origin.is_ours(request.method, request.scope["headers"]):
        raise HttpProblem("origin.refused")
    body = await request.body()
    if body and request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise HttpProblem("request.content_type")
    try:
        return _once(body.decode("ascii"))
    except UnicodeDecodeError as error:
        raise HttpProblem("request.parameter_invalid") from error


def _once(encoded: str) -> dict[str, str]:
    """The parameters that stand once; one that stands twice means nothing.

    Raises:
        HttpProblem: 400, there are too many of them, or they are not text.
    """
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=_FIELDS_LIMIT, errors="strict")
    except ValueError as error:
        raise HttpProblem("request.parameter_invalid") from error
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1 and "\x00" not in value}


def _to(address: str) -> RedirectResponse:
    return RedirectResponse(address, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def _page(request: Request, template: str, **values: Any) -> Response:
    return page(request, template, headers=_HEADERS, **values)


def _not_signed_in(request: Request, error: Exception, session: Session | None = None) -> Response:
    """Why, in words that a person can do something about; the rest stands in the log under the reference that she is shown."""
    why, status = _WHY[type(error)]
    tell = _log.warning if isinstance(error, ProviderUnavailable) else _log.info
    tell("sign_in.failed", request_id=request_id_of(request), why=why, reason=str(error))
    return _refused(request, why, status, session=session, reference=request_id_of(request))


def _refused(request: Request, why: str, status: int, *, session: Session | None = None, reference: str | None = None) -> Response:
    here = f"{REFUSED}?why={why}"
    return _page(request, "sign_in_refused.html", status=status, here=here, why=why, session=session, reference=reference)
