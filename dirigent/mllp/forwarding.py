"""One frame of a ward system to the public interface and back: what is acknowledged as taken was answered 2xx before."""

import re
import time
from types import TracebackType
from typing import Any, Final, Self

import httpx
import structlog

from dirigent.failure import CannotStart
from dirigent.mllp.credentials import Credentials
from services.planning.adapters.hl7.acknowledgement import acknowledge
from services.planning.adapters.hl7.message import Answered, Condition, Message, Remark, Unread, read
from shared.dates import now
from shared.http.access import BY_TEMPLATE
from shared.http.problems import HttpProblem

_log = structlog.get_logger(__name__)

PATH: Final = "/v1/hl7v2"
SCOPE: Final = BY_TEMPLATE["POST", PATH].scopes[0]
CONTENT_TYPE: Final = "application/hl7-v2"
TRY_AGAIN: Final = Remark("MSH-10", Condition.INTERNAL, "service.unavailable", "Not taken; send the message again")
FOR_EVER: Final = {
    httpx.codes.BAD_REQUEST: (Condition.DATA_TYPE, "hl7.unreadable"),
    httpx.codes.FORBIDDEN: (Condition.UNKNOWN_KEY, "access.denied"),
    httpx.codes.REQUEST_ENTITY_TOO_LARGE: (Condition.DATA_TYPE, "request.too_large"),
    httpx.codes.UNSUPPORTED_MEDIA_TYPE: (Condition.DATA_TYPE, "request.content_type"),
}
"""What the gateway will answer to this message however often it comes; the code unless the answer has another."""
_CODE: Final = re.compile(r"[a-z0-9_.]{1,60}", re.ASCII)
_RENEW_BEFORE_SECONDS: Final = 30.0
_SECONDS: Final = 30.0


class NoMessage(Exception):
    """The frame holds no message that could be acknowledged; its sender is not what it should be."""


class Forwarder:
    """Hands frames on in the name of one client, with its token."""

    def __init__(self, url: str, credentials: Credentials, *, public_url: str | None = None) -> None:
        """Make the HTTP client; nothing is sent yet.

        Args:
            url: Where the gateway answers.
            credentials: Which client this is.
            public_url: What the gateway calls itself, where that is another address; assertions are made out to it.
        """
        self._credentials = credentials
        self._endpoint = f"{(public_url or url).rstrip('/')}/oauth2/token"
        # The operator's proxy settings are not meant for this hop.
        self._http = httpx.AsyncClient(base_url=url, timeout=httpx.Timeout(_SECONDS, connect=5.0), trust_env=False)
        self._url, self._token, self._until = url, "", 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._http.aclose()

    async def refuse_in_vain(self) -> None:
        """Ask for a token before anybody is listened to, because one that may send nothing would hear of it with its first message.

        A gateway that is away says nothing of the client: it is listened to all the same, and messages are sent again until it is back.

        Raises:
            CannotStart: The gateway does not know the client by its key or secret, or the client has not the scope.
        """
        client = self._credentials.client
        try:
            scope = (await self._issued()).get("scope")
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.UNAUTHORIZED:
                asked = "is its key or secret the one it is registered with, and this the address that the gateway calls itself by?"
                raise CannotStart(f"{self._url} does not take {client} for who it says it is: {asked}") from None
            _log.warning("mllp.gateway_away", client=client, why=str(error.response.status_code))
        except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
            _log.warning("mllp.gateway_away", client=client, why=type(error).__name__)
        else:
            if scope is not None and SCOPE not in str(scope).split():
                raise CannotStart(f"{client} may not send messages: it has no scope {SCOPE}")

    async def forward(self, frame: bytes) -> bytes:
        """The acknowledgement of one message: the service's own, or that it must be sent again, because nobody could take it.

        What the gateway will never take is rejected instead: sent again it would hold up whatever comes after it.

        Raises:
            NoMessage: There is nothing in it to acknowledge.
        """
        try:
            answer = await self._post(frame)
        except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
            return self._refused(frame, type(error).__name__)
        if answer.is_success:
            return answer.content
        if answer.status_code in FOR_EVER:
            return self._rejected(frame, answer)
        return self._refused(frame, str(answer.status_code))

    def too_long(self, beginning: bytes) -> bytes:
        """The rejection of a message that is longer than any that is taken; nobody is asked.

        Args:
            beginning: As much of it as was kept; its header at least.

        Raises:
            NoMessage: There is nothing in it to acknowledge.
        """
        condition, code = FOR_EVER[httpx.codes.REQUEST_ENTITY_TOO_LARGE]
        return self._never(beginning, condition, code)

    async def _post(self, frame: bytes) -> httpx.Response:
        answer = await self._post_with(await self._bearer(renew=False), frame)
        if answer.status_code != httpx.codes.UNAUTHORIZED:
            return answer
        return await self._post_with(await self._bearer(renew=True), frame)

    async def _post_with(self, token: str, frame: bytes) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": CONTENT_TYPE}
        return await self._http.post(PATH, content=frame, headers=headers)

    async def _bearer(self, *, renew: bool) -> str:
        if renew or time.monotonic() > self._until:
            await self._issued()
        return self._token

    async def _issued(self) -> dict[str, Any]:
        """The answer to a request for a token, which is used from now on."""
        request = self._credentials.request(self._endpoint)
        answer = await self._http.post("/oauth2/token", **{name: value for name, value in request.items() if name != "url"})
        issued: dict[str, Any] = answer.raise_for_status().json()
        self._token = str(issued["access_token"])
        self._until = time.monotonic() + float(issued["expires_in"]) - _RENEW_BEFORE_SECONDS
        return issued

    def _refused(self, frame: bytes, why: str) -> bytes:
        """An application error (AE, 207): senders keep such a message and send it again."""
        _log.warning("mllp.not_forwarded", client=self._credentials.client, why=why)
        return acknowledge(_to_answer(frame), Answered.ERROR, [TRY_AGAIN], now())

    def _rejected(self, frame: bytes, answer: httpx.Response) -> bytes:
        """A rejection (AR): senders set such a message aside and go on with the next."""
        condition, code = FOR_EVER[httpx.codes(answer.status_code)]
        return self._never(frame, condition, _code_of(answer) or code)

    def _never(self, frame: bytes, condition: Condition, code: str) -> bytes:
        message = _to_answer(frame)
        _log.warning("mllp.rejected", client=self._credentials.client, why=code)
        remark = Remark("MSH", condition, code, "Not taken, and it will not be")
        return acknowledge(message, Answered.REJECTED, [remark], now())


def _code_of(answer: httpx.Response) -> str | None:
    try:
        problem = answer.json()
    except ValueError:
        return None
    code = problem.get("code") if isinstance(problem, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def _to_answer(frame: bytes) -> Message:
    try:
        return read(frame)
    except Unread as unread:
        return unread.message
    except HttpProblem:
        raise NoMessage from None
