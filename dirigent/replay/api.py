"""The public HTTP interface as a patient client sees it: tokens fetched and renewed, everything repeated that may safely be repeated."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import httpx

PATIENCE_SECONDS: Final = 120.0
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 3.0
WORTH_TELLING_SECONDS: Final = 1.0
RENEW_BEFORE_SECONDS: Final = 60.0
SERVER_FAULT: Final = 500
IN_PROGRESS: Final = "idempotency.in_progress"


class NotReachedError(Exception):
    """Dirigent did not answer, or answered that it cannot, for as long as we were willing to wait."""


class TokenRefusedError(Exception):
    """The token endpoint does not know the client or its secret."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the decoded JSON (None when there was none) and the headers."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.status < httpx.codes.BAD_REQUEST

    @property
    def code(self) -> str:
        """The code of a problem, or the bare status of an answer that is none."""
        return str(self.body["code"]) if isinstance(self.body, dict) and "code" in self.body else f"http.{self.status}"


class PublicApi:
    """Calls the public interface in the name of any client whose secret is known.

    Connection errors, time-outs, 429 and 5xx are tried again with growing pauses until `patience` is over. That is safe with every call
    made here: events carry ids, commands carry an idempotency key, and reading never consumes.
    """

    def __init__(
        self,
        url: str,
        secret_of: Callable[[str], str],
        *,
        patience: float = PATIENCE_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.url = url
        self._secret_of = secret_of
        self._patience = patience
        self._sleep = sleep
        self._say = say
        self._tokens: dict[str, tuple[str, float]] = {}
        self._renewing: dict[str, asyncio.Lock] = {}
        # The operator's proxy settings are not meant for our own loopback.
        self._http = httpx.AsyncClient(base_url=url, timeout=httpx.Timeout(30.0, connect=5.0), trust_env=False, transport=transport)
        self.retries = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._http.aclose()

    async def call(
        self,
        client: str,
        method: str,
        path: str,
        *,
        body: object = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Answer:
        """Make one request as a client and return its final answer, a refusal included.

        Raises:
            NotReachedError: Nothing but failures until patience was over.
            TokenRefusedError: The client got no token.
        """
        sent = dict(headers or {}) | ({"Idempotency-Key": key} if key else {})

        async def once(*, renew: bool) -> Answer:
            authorized = sent | {"Authorization": f"Bearer {await self.token(client, renew=renew)}"}
            return await self._patiently(method, path, json=body, params=params, headers=authorized)

        answer = await once(renew=False)
        return await once(renew=True) if answer.status == httpx.codes.UNAUTHORIZED else answer

    async def rest(self, seconds: float) -> None:
        """Wait a moment before something is tried again."""
        self.retries += 1
        await self._sleep(seconds)

    async def token(self, client: str, *, renew: bool = False) -> str:
        """A token of the client that still lives for a while.

        Raises:
            TokenRefusedError: Unknown client or wrong secret.
            NotReachedError: Nothing but failures until patience was over.
        """
        async with self._renewing.setdefault(client, asyncio.Lock()):
            known, until = self._tokens.get(client, ("", 0.0))
            if not renew and time.monotonic() < until:
                return known
            form = {"grant_type": "client_credentials"}
            answer = await self._patiently("POST", "/oauth2/token", data=form, auth=(client, self._secret_of(client)))
            if not answer.ok:
                raise TokenRefusedError(f"client {client}: the token endpoint answered {answer.status}")
            token = str(answer.body["access_token"])
            self._tokens[client] = (token, time.monotonic() + float(answer.body["expires_in"]) - RENEW_BEFORE_SECONDS)
            return token

    async def _patiently(self, method: str, path: str, **request: Any) -> Answer:
        deadline = time.monotonic() + self._patience
        pause = FIRST_PAUSE_SECONDS
        while True:
            wanted = 0.0
            try:
                response = await self._http.request(method, path, **request)
            except httpx.TransportError as error:
                trouble = type(error).__name__
            else:
                answer = _answer(response)
                if not _may_pass(answer):
                    return answer
                trouble = answer.code
                wanted = _retry_after(answer)
            self.retries += 1
            pause = min(LONGEST_PAUSE_SECONDS, max(pause, wanted))
            if time.monotonic() + pause > deadline:
                raise NotReachedError(f"{method} {path} at {self.url}: {trouble}")
            if pause >= WORTH_TELLING_SECONDS:
                self._say(f"{self.url} does not do it yet ({trouble}); trying again until {self._patience:.0f} s are over")
            await self._sleep(pause)
            pause *= 2


def _answer(response: httpx.Response) -> Answer:
    try:
        body = response.json()
    except ValueError:
        body = None
    return Answer(response.status_code, body, response.headers)


def _may_pass(answer: Answer) -> bool:
    """Whether the same request may do better in a moment."""
    return answer.status >= SERVER_FAULT or answer.status == httpx.codes.TOO_MANY_REQUESTS or answer.code == IN_PROGRESS


def _retry_after(answer: Answer) -> float:
    try:
        return float(answer.headers.get("retry-after", "0"))
    except ValueError:
        return 0.0
