"""The way of a request through the gateway: framing, route, token, rate, then on to its service."""

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.admission import Admission, Admitted, address_key, refuse_beyond
from services.gateway.endless import ENDLESS, Endless
from services.gateway.limits import RateLimit, guarded_body
from services.gateway.proxies import SAID_BY_PROXIES
from services.gateway.routes import RouteMap, WrongMethod
from services.gateway.upstreams import ClientGone, Upstream, UpstreamUnavailable
from shared.errors import BusinessError
from shared.http.access import SMALL_BODY, Route
from shared.http.app import ANSWER_HEADERS
from shared.http.problems import HttpProblem, status_of

TOKEN_BODY: Final = 16 * 1024
_OWN_LIMITS: Final = {"/oauth2/token": TOKEN_BODY}
_WITH_A_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_BUCKETS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0)
# The services know callers by token alone: our own request id stands in place of what was sent, and a proxy's word ends here.
_NOT_INSIDE: Final = SAID_BY_PROXIES | {b"x-request-id", b"cookie"}
_CLIENT_CLOSED: Final = 499
_FAILED: Final = 500


class Traffic:
    """What passes through the door, counted; no label ever holds anything a caller sent."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "dirigent_gateway_requests",
            "Requests by service, route and status",
            ["service", "route", "method", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "dirigent_gateway_request_seconds", "Time to the whole answer", ["service"], buckets=_BUCKETS, registry=registry
        )
        # Finding the counters by their labels costs more than counting.
        self._known: dict[tuple[str, str, str, str], tuple[Counter, Histogram]] = {}

    def count(self, route: Route, status: int, seconds: float) -> None:
        """Count one answered request."""
        labels = route.service, route.path, route.method, str(status)
        counted = self._known.get(labels)
        if counted is None:
            counted = self._known[labels] = self._requests.labels(*labels), self._seconds.labels(route.service)
        counted[0].inc()
        counted[1].observe(seconds)


class Door:
    """Stands before the gateway's own application: public routes of the services leave here, everything else goes inside.

    What is refused is raised as a problem; the layer around the door renders it.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: RouteMap,
        upstreams: Mapping[str, Upstream],
        admission: Admission,
        rate: RateLimit,
        traffic: Traffic,
    ) -> None:
        self._own = app
        self._routes = routes
        self._upstreams = upstreams
        self._admission = admission
        self._rate = rate
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find out whose request it is, and hand it over."""
        if scope["type"] != "http":
            await self._own(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        found = self._routes.find(scope["method"], scope.get("raw_path") or scope["path"].encode())
        try:
            match found:
                case Route():
                    await self._pass_on(found, scope, receive, send)
                case WrongMethod(allowed):
                    self._take(scope, address_key(self._admission.proxies, scope))  # whose token it is does not matter to what is not there
                    raise HttpProblem("request.method", headers={"Allow": ", ".join(_with_head(allowed))})
                case None:
                    await self._serve(scope, receive, send)
        except ClientGone:
            return

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer ourselves."""
        self._take(scope, address_key(self._admission.proxies, scope))
        receive = await guarded_body(scope, receive, _OWN_LIMITS.get(scope["path"], SMALL_BODY))
        await self._own(scope, receive, send)

    async def _pass_on(self, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        begun = perf_counter()
        passed = _Passed(send)
        try:
            admitted = await self._admission.admit(scope)
            self._take(scope, f"client {admitted.caller.client_id}")
            receive = await guarded_body(scope, receive, route.body_limit, route.content_types if route.method in _WITH_A_BODY else ())
            answer: Send = passed.on
            if route.path in ENDLESS:
                listening = Endless(receive, answer, lambda: self._admission.taken_back(admitted))
                receive, answer = listening.receive, listening.send
            await self._upstream(route.service).forward(_inner_scope(scope, admitted), receive, answer)
        except UpstreamUnavailable as error:
            passed.status = 503
            raise HttpProblem("service.unavailable", headers={"Retry-After": "1"}) from error
        except ClientGone:
            passed.status = _CLIENT_CLOSED
            raise
        except BusinessError as error:
            passed.status = status_of(error)
            raise
        finally:
            self._traffic.count(route, passed.status, perf_counter() - begun)

    def _take(self, scope: Scope, whose: str) -> None:
        """Count the request; from here on every answer says what is left, whoever gives it.

        Raises:
            HttpProblem: 429.
        """
        allowance = refuse_beyond(self._rate.take(whose))
        scope[ANSWER_HEADERS].extend(allowance.headers())

    def _upstream(self, service: str) -> Upstream:
        upstream = self._upstreams.get(service)
        if upstream is None:
            raise UpstreamUnavailable(f"no {service} here")
        return upstream


def _with_head(allowed: Sequence[str]) -> list[str]:
    return sorted({*allowed, "HEAD"}) if "GET" in allowed else list(allowed)


def _inner_scope(scope: Scope, admitted: Admitted) -> Scope:
    """The request as the service sees it: the path exactly as it was matched, and of what was sent nothing that only we may say."""
    dropped = _NOT_INSIDE if admitted.authorization is None else _NOT_INSIDE | {b"authorization"}
    headers = [(name, value) for name, value in scope["headers"] if name not in dropped]
    headers.append((b"x-request-id", str(scope["dirigent.request_id"]).encode("ascii")))
    if admitted.authorization is not None:
        headers.append((b"authorization", admitted.authorization.encode("ascii")))
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    return {**scope, "headers": headers, "raw_path": raw_path, "path": raw_path.decode("ascii")}


class _Passed:
    """An answer of a service on its way out: its status is noted, and said is that nothing is kept.

    Nothing of a service is kept on the way where it does not say itself what may be: much of it is about persons.
    """

    __slots__ = ("_send", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = _FAILED

    async def on(self, message: Message) -> None:
        """Pass one message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = message.get("headers", ())
            if not any(name == b"cache-control" for name, _ in headers):
                message = {**message, "headers": [*headers, (b"cache-control", b"no-store")]}
        await self._send(message)


def _without_body(send: Send) -> Send:
    """The answer to HEAD: that to GET, without its body. It ends with the first piece: a stream has no end to wait for."""

    async def answer(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        await send({"type": "http.response.body", "body": b""})
        if message.get("more_body"):
            raise ClientGone

    return answer
