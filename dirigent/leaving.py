"""What becomes of requests that are still waiting when a process has to go: an honest 503 instead of a broken answer."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.app import ANSWER_HEADERS, RETRY_AFTER
from shared.http.problems import HttpProblem, problem_response


class Leaving:
    """Around an application: the server cancels what has not ended in time, long polls above all, and those hear when to come again.

    A cancelled request was rolled back, or committed with its answer lost; asking again is right in both cases.
    """

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self._app = app
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except asyncio.CancelledError:
            if begun or scope["type"] != "http":
                raise
            said = {name.decode("ascii"): value.decode("ascii") for name, value in scope.get(ANSWER_HEADERS, ())}
            response = problem_response(
                HttpProblem("service.unavailable", headers=RETRY_AFTER | said),
                public_url=self._public_url,
                request_id=scope.get("dirigent.request_id", ""),
                accept_language=Headers(scope=scope).get("accept-language"),
            )
            await response(scope, receive, send)
