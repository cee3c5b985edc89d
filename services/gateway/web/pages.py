"""The landing page, the reference and the pages that explain each problem code."""

from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.gateway.web import reference
from shared.http.field_codes import field_codes
from shared.http.problems import catalogue, language_of

_HERE: Final = Path(__file__).parent
_STYLE: Final = (_HERE / "static" / "dirigent.css").read_bytes()
STYLE_PATH: Final = f"/assets/dirigent-{sha256(_STYLE).hexdigest()[:12]}.css"
_QUERY_LIMIT: Final = 100
_LANGUAGES: Final = ("sv", "en")
_LANGUAGE_COOKIE: Final = "dirigent-language"
PAGE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language, Cookie",
}
_templates: Final = Environment(
    loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)

ReadDocument = Callable[[], Awaitable[dict[str, Any]]]
ReadState = Callable[[], Awaitable[dict[str, str]]]


def pages(read_document: ReadDocument, read_state: ReadState, *, public_url: str, demo: bool) -> APIRouter:
    """The pages a person reads; none of them is part of the machine contract."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def landing(request: Request) -> Response:
        """Say what this is, in what state, and where to go."""
        return page(request, "landing.html", state=await read_state(), public_url=public_url, demo=demo)

    @router.get("/docs")
    async def index(request: Request, q: str = "") -> Response:
        """List every call, or those that mention what is looked for."""
        words = q[:_QUERY_LIMIT].lower().split()
        shown = [
            reference.Group(group.name, [operation for operation in group.operations if operation.mentions(words)])
            for group in reference.groups(await read_document())
        ]
        found = [group for group in shown if group.operations]
        query = q[:_QUERY_LIMIT]
        here = f"/docs?{urlencode({'q': query})}" if query else "/docs"
        return page(request, "docs.html", here=here, groups=found, query=query, public_url=public_url, demo=demo)

    @router.get("/docs/{name}")
    async def group(request: Request, name: str) -> Response:
        """Describe the calls of one group."""
        everything = reference.groups(await read_document())
        chosen = next((entry for entry in everything if entry.name == name), None)
        if chosen is None:
            return page(request, "missing.html", status=404)
        return page(request, "group.html", group=chosen, groups=everything, public_url=public_url)

    @router.get("/problems")
    async def problems(request: Request) -> Response:
        """List every problem code, and every code of a field."""
        known = [found for _, found in sorted(catalogue().items())]
        return page(request, "problems.html", problems=known, fields=list(field_codes().values()))

    @router.get("/problems/{code}")
    async def problem(request: Request, code: str) -> Response:
        """Explain one problem code."""
        known = catalogue().get(code)
        if known is None:
            return page(request, "missing.html", status=404)
        return page(request, "problem.html", problem=known)

    @router.get(STYLE_PATH)
    async def style() -> Response:
        """The style sheet; its name changes with its content."""
        return Response(_STYLE, media_type="text/css", headers={"Cache-Control": "public, max-age=31536000, immutable"})

    return router


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] = PAGE_HEADERS,
    here: str | None = None,
    **values: Any,
) -> Response:
    """One page in the reader's language; one chosen with `?lang=` holds until the browser is closed.

    Args:
        request: Which language; see `language_for`.
        template: A file of the templates folder.
        status: HTTP status.
        headers: What is sent with it, beside the language.
        here: What the switch to the other language asks for, when it cannot be this very address.
        **values: What the template shows.
    """
    language = language_for(request)
    here = quote(request.url.path) if here is None else here
    switch = f"{here}{'&' if '?' in here else '?'}lang={'en' if language == 'sv' else 'sv'}"
    text = _templates.get_template(template).render(language=language, style=STYLE_PATH, switch=switch, **values)
    response = HTMLResponse(text, status, {**headers, "Content-Language": language})
    if request.query_params.get("lang") == language:
        secure = request.url.scheme == "https"
        response.set_cookie(_LANGUAGE_COOKIE, language, path="/", secure=secure, httponly=True, samesite="lax")
    return response


def language_for(request: Request) -> str:
    """The language of a page: what `?lang=` asks for, else what was asked for before, else what the browser prefers."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(_LANGUAGE_COOKIE)):
        if chosen in _LANGUAGES:
            return chosen
    return language_of(request.headers.get("accept-language", ""))
