"""How FHIR is spoken over HTTP: its media type, and an OperationOutcome for every error with the status and code that JSON would have."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import msgspec
from fastapi import Request, Response

from services.planning.adapters.fhir.outcomes import outcome_of
from services.planning.adapters.fhir.parts import Resource
from shared.errors import BusinessError, NotFound
from shared.http.access import FHIR
from shared.http.app import as_business_error
from shared.http.call import PlainRoute
from shared.http.problems import HttpProblem, catalogue, language_of, status_of

MEDIA_TYPE: Final = "application/fhir+json"
_SERVER_FAULT: Final = 500


class FhirRoute(PlainRoute):
    """A route whose errors are OperationOutcomes; what is no known error goes on to where all of them end."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its refusals put into FHIR's words."""
        handler = super().get_route_handler()

        async def speaking_fhir(request: Request) -> Response:
            try:
                return await handler(request)
            except Exception as error:
                refusal = as_business_error(error)
                if status_of(refusal) == _SERVER_FAULT:
                    raise
                return refused(request, refusal)

        return speaking_fhir


def refused(request: Request, error: BusinessError) -> Response:
    """The answer for a refusal."""
    headers = error.headers if isinstance(error, HttpProblem) else {}
    return answer(outcome(request, error), status_of(error), headers)


def outcome(request: Request, error: BusinessError) -> Resource:
    """A refusal in the caller's language."""
    language, row = language_of(request.headers.get("accept-language")), catalogue().get(error.code)
    title = error.code if row is None else row.title[language]
    detail = (error.detail if language == "en" else error.swedish) or ("" if row is None else row.meaning[language])
    return outcome_of(error, status_of(error), title, detail)


def answer(resource: Resource, status: int = HTTPStatus.OK, headers: Any = None) -> Response:
    """A resource as an answer; kept by nobody on the way."""
    shown = {"Cache-Control": "no-store", "Vary": "Accept-Language", **(headers or {})}
    return Response(msgspec.json.encode(resource), status, headers=shown, media_type=MEDIA_TYPE)


def check_type(request: Request, allowed: tuple[str, ...] = FHIR) -> None:
    """Refuse a body of another kind.

    Raises:
        HttpProblem: 415.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in allowed or request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HttpProblem("request.content_type")


def id_of(text: str) -> UUID:
    """The id of a resource.

    Raises:
        NotFound: It is no id of ours, so nothing has it.
    """
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


def base_url(request: Request) -> str:
    """Where FHIR is served."""
    return f"{request.app.state.settings.public_url}/v1/fhir"
