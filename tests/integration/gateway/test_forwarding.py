import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from dirigent.http_protocol import Bounded
from services.gateway.app import create_app
from services.gateway.settings import Settings
from shared.http.access import SMALL_BODY
from tests.integration.gateway.parts import PUBLIC_URL, a_client, bearer, echoes, over_http, served, settings_for

CASE = "/v1/cases/01890a5d-ac96-774b-bcce-b302099a8057"


@asynccontextmanager
async def in_process(settings: Settings, services: dict[str, FastAPI]) -> AsyncIterator[str]:
    async with served(create_app(settings, services)) as address:
        yield address


@pytest.fixture(params=[in_process, over_http], ids=["in-process", "over-http"])
def front(request: pytest.FixtureRequest) -> Any:
    """Both ways of reaching a service, each behind a real server: every test below holds for both."""
    return request.param


@pytest.fixture
def settings(gateway_database: str, tmp_path: Path) -> Settings:
    return settings_for(gateway_database, tmp_path)


def client_of(address: str, settings: Settings, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=address, headers=bearer(settings) | headers, trust_env=False)


async def raw(address: str, request: bytes) -> bytes:
    """Send bytes as they are and read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_request_reaches_its_service_as_it_was_sent(front: Any, settings: Settings) -> None:
    services = echoes()
    async with front(settings, services) as address, client_of(address, settings) as client:
        answer = await client.get("/v1/notices?after=0&limit=5&unit=a%2Fb", headers={"X-Request-Id": "mine-1"})
        months = await client.post("/v1/months/2026-10/actions?x=1", json={"a": 1})
    seen = answer.json()
    headers = dict(seen["headers"])
    assert (answer.status_code, seen["service"], seen["raw_path"]) == (200, "planning", "/v1/notices")
    assert seen["query"] == "after=0&limit=5&unit=a%2Fb"
    assert headers["authorization"].startswith("Bearer ")
    assert headers["x-request-id"] == answer.headers["x-request-id"] == "mine-1"
    assert answer.headers.get_list("x-request-id") == ["mine-1"]
    assert answer.headers["ratelimit-limit"] == "20000"
    assert (months.json()["service"], months.json()["body"]) == ("billing", 7)


async def test_a_request_id_that_could_hold_anything_is_replaced(front: Any, settings: Settings) -> None:
    async with front(settings, echoes()) as address, client_of(address, settings) as client:
        answer = await client.get("/v1/notices", headers={"X-Request-Id": "a b\tc" * 50})
    sent = [value for name, value in answer.json()["headers"] if name == "x-request-id"]
    assert sent == [answer.headers["x-request-id"]]
    assert len(sent[0]) == 36


async def test_headers_of_one_hop_stay_on_that_hop(front: Any, settings: Settings) -> None:
    async with front(settings, echoes()) as address, client_of(address, settings) as client:
        answer = await client.get(CASE)
    assert (answer.status_code, answer.headers["x-kept"]) == (418, "1")
    if front is over_http:
        assert "x-own" not in answer.headers
    assert len(answer.headers.get_list("date")) == 1


NOT_PUBLIC = (
    "/internal/streams/planning",
    "//internal/streams/planning",
    "/%69nternal/streams/planning",
    "/v1/../internal/streams/planning",
    "/v1/cases/..%2f..%2finternal/streams/planning",
    "/v1/notices/%2e%2e/%2e%2e/internal/streams/planning",
    "/planning/internal/streams/planning",
    "/v1/notices/",
    "/v1/nothing",
)


async def test_what_is_not_public_does_not_exist_under_any_spelling(front: Any, settings: Settings) -> None:
    services = echoes()
    async with front(settings, services) as address:
        token = bearer(settings)["Authorization"]
        for target in NOT_PUBLIC:
            head = f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nConnection: close\r\n\r\n"
            answer = await raw(address, head.encode())
            assert answer.startswith(b"HTTP/1.1 404 "), target
            assert b'"code":"not_found"' in answer, target
    assert not services["planning"].state.seen


async def test_a_known_path_with_another_method_names_those_it_has(front: Any, settings: Settings) -> None:
    async with front(settings, echoes()) as address, client_of(address, settings) as client:
        answer = await client.delete("/v1/subscriptions")
    assert (answer.status_code, answer.headers["allow"], answer.json()["code"]) == (405, "GET, HEAD, POST", "request.method")


LIMITS = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")


async def test_every_answer_after_the_rate_was_taken_says_what_is_left_of_it_once(
    front: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bounded, "body_seconds", 0.3)
    seen: dict[str, httpx.Response] = {}
    async with front(settings, echoes()) as address, client_of(address, settings) as client:
        seen["a service's own"] = await client.get("/v1/notices")
        seen["to HEAD"] = await client.head("/v1/notices")
        seen["too large"] = await client.post("/v1/events", content=b"x" * (SMALL_BODY + 1), headers={"Content-Type": "application/json"})
        seen["another kind"] = await client.post("/v1/events", content=b"x", headers={"Content-Type": "text/plain"})
        seen["a service that breaks"] = await client.get("/v1/cases/fail")
        token = bearer(settings)["Authorization"]
        begun = f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Type: application/json\r\n"
        slow = [
            await raw(address, f"{begun}{length}\r\n\r\n1\r\n".encode()) for length in ("Content-Length: 9", "Transfer-Encoding: chunked")
        ]
        async with httpx.AsyncClient(base_url=address, trust_env=False) as nobody:
            by_address = [await nobody.delete("/v1/subscriptions"), await nobody.get("/v1/nothing"), await nobody.get("/health/live")]
            unknown = await nobody.get("/v1/notices")
    left = []
    for name, answer in seen.items():
        assert [len(answer.headers.get_list(header)) for header in LIMITS] == [1, 1, 1], name
        left.append(int(answer.headers["ratelimit-remaining"]))
    for whole in slow:
        told = whole.partition(b"\r\n\r\n")[0].lower()
        assert told.startswith(b"http/1.1 408 ")
        assert [told.count(header.encode() + b": ") for header in LIMITS] == [1, 1, 1]
        left.append(int(told.partition(b"ratelimit-remaining: ")[2].partition(b"\r\n")[0]))
    assert left == list(range(left[0], left[0] - len(left), -1)), "each took one"
    assert [answer.status_code for answer in by_address] == [405, 404, 200]
    counted = [int(answer.headers["ratelimit-remaining"]) for answer in by_address]
    assert counted == [counted[0], counted[0] - 1, counted[0] - 2], (
        "a method that is not there is counted with what is not there, by address"
    )
    assert (unknown.status_code, "ratelimit-limit" in unknown.headers) == (401, False), "nobody's bucket was taken from"


async def test_without_a_valid_token_nothing_reaches_a_service(front: Any, settings: Settings) -> None:
    services = echoes()
    async with front(settings, services) as address, httpx.AsyncClient(base_url=address, trust_env=False) as client:
        for header in (None, "Bearer nonsense", "Basic a2E6a2E=", "Bearer"):
            answer = await client.get("/v1/notices", headers={"Authorization": header} if header else {})
            assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid")
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith("Bearer")
    assert not services["planning"].state.seen


async def test_a_body_over_the_limit_is_refused_with_and_without_a_stated_length(front: Any, settings: Settings) -> None:
    async def chunks(size: int) -> AsyncIterator[bytes]:
        for start in range(0, size, 65_536):
            yield b"x" * min(65_536, size - start)

    services = echoes()
    json = {"Content-Type": "application/json"}
    async with front(settings, services) as address, client_of(address, settings, **json) as client:
        fits = await client.post("/v1/events", content=b"x" * SMALL_BODY)
        chunked = await client.post("/v1/events", content=chunks(SMALL_BODY))
        stated = await client.post("/v1/events", content=b"x" * (SMALL_BODY + 1))
        unstated = await client.post("/v1/events", content=chunks(SMALL_BODY + 1))
        batch = await client.post("/v1/events/batch", content=b"x" * (SMALL_BODY + 1))
    assert [answer.json()["body"] for answer in (fits, chunked, batch)] == [SMALL_BODY, SMALL_BODY, SMALL_BODY + 1]
    assert [(answer.status_code, answer.json()["code"]) for answer in (stated, unstated)] == [(413, "request.too_large")] * 2
    assert [answer.json()["detail"] for answer in (stated, unstated)] == ["This address takes at most 1 MiB."] * 2


async def test_another_content_type_or_none_is_refused_where_there_is_a_body(front: Any, settings: Settings) -> None:
    taken = ("application/json", "application/cloudevents+json", 'Application/JSON; charset="UTF-8"')
    refused = ("text/plain", "application/json; charset=utf-16", "application/cloudevents-batch+json", "")
    async with front(settings, echoes()) as address, client_of(address, settings) as client:
        for kind in taken:
            assert (await client.post("/v1/events", content=b"{}", headers={"Content-Type": kind})).status_code == 200, kind
        for kind in refused:
            answer = await client.post("/v1/events", content=b"{}", headers={"Content-Type": kind})
            assert (answer.status_code, answer.json()["code"]) == (415, "request.content_type"), kind
            assert "application/cloudevents+json, application/json" in answer.json()["detail"]
        assert (await client.post("/v1/events")).status_code == 200


async def test_a_compressed_body_is_refused(front: Any, settings: Settings) -> None:
    async with front(settings, echoes()) as address, client_of(address, settings) as client:
        answer = await client.post("/v1/events", content=b"x", headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (415, "request.content_type")


async def test_a_request_with_two_ends_is_refused(front: Any, settings: Settings) -> None:
    services = echoes()
    smuggled = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    async with front(settings, services) as address:
        assert (await raw(address, smuggled)).startswith(b"HTTP/1.1 400 ")
    assert not services["planning"].state.seen


async def test_a_service_that_is_down_is_a_problem_with_retry_after_and_the_others_go_on(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
    async with served(echoes()["billing"]) as billing:
        urls = {"planning_url": nowhere, "billing_url": billing, "notifications_url": nowhere, "upstreams": "http"}
        split = settings.model_copy(update=urls)
        async with served(create_app(split)) as address, client_of(address, settings) as client:
            down = await client.get("/v1/notices", headers={"Accept-Language": "sv"})
            up = await client.get("/v1/averages")
            ready = await client.get("/health/ready")
            document = await client.get("/openapi.json")
            landing = await client.get("/?lang=en")
    assert (down.status_code, down.headers["retry-after"], down.json()["code"]) == (503, "1", "service.unavailable")
    assert "ratelimit-limit" in down.headers
    assert down.json()["title"] == "Inte tillgängligt just nu"
    assert up.json()["service"] == "billing"
    assert (ready.status_code, ready.json()["parts"]["planning"], ready.json()["parts"]["billing"]) == (503, "not_ready", "ready")
    assert document.status_code == 503
    assert (landing.status_code, "not ready" in landing.text) == (200, True)


async def test_a_service_that_does_not_answer_in_time_is_a_503(settings: Settings) -> None:
    hasty = settings.model_copy(update={"upstream_timeout": 0.2})
    async with over_http(hasty, echoes()) as address, client_of(address, settings) as client:
        answer = await client.get("/v1/cases/sleep")
    assert (answer.status_code, answer.json()["code"]) == (503, "service.unavailable")


async def test_when_the_client_leaves_a_long_poll_ends_at_the_service(front: Any, settings: Settings) -> None:
    services = echoes()
    async with front(settings, services) as address:
        token = bearer(settings)["Authorization"]
        _, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        writer.write(f"GET /v1/cases/sleep HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode())
        await asyncio.wait_for(services["planning"].state.asleep.wait(), 5)
        writer.close()
        await writer.wait_closed()
        await asyncio.wait_for(services["planning"].state.left.wait(), 5)


async def test_a_service_that_breaks_gives_a_problem_without_a_word_of_what_broke(front: Any, settings: Settings) -> None:
    async with front(settings, echoes()) as address, client_of(address, settings) as client:
        answer = await client.get("/v1/cases/fail")
    assert (answer.status_code, answer.json()["code"]) == (500, "service.failed")
    assert "18900101" not in answer.text


async def test_one_client_that_runs_wild_is_stopped_and_the_others_are_not(front: Any, settings: Settings) -> None:
    narrow = settings.model_copy(update={"rate_burst": 2, "rate_per_second": 0.5})
    async with front(narrow, echoes()) as address, client_of(address, settings) as client:
        answers = [await client.get("/v1/notices")]
        while answers[-1].status_code == 200 and len(answers) < 5:  # a slow machine may begin a second window
            answers.append(await client.get("/v1/notices"))
        calm = await client.get("/v1/notices", headers=bearer(settings, a_client(client_id="calm")))
    refused = answers[-1]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    assert (refused.status_code, refused.json()["code"], refused.headers["ratelimit-remaining"]) == (429, "rate.exceeded", "0")
    # A window is as long as the burst takes at the rate (4 s); how much of it is left depends on when it began.
    assert 1 <= int(refused.headers["retry-after"]) <= 4
    assert calm.status_code == 200


async def test_traffic_is_counted_by_route_and_never_by_what_was_sent(front: Any, settings: Settings) -> None:
    async with front(settings, echoes()) as address, client_of(address, settings) as client:
        await client.get(f"{CASE}?person=189001019802")
        metrics = (await client.get("/metrics")).text
    counted = [
        sample
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == "dirigent_gateway_requests_total"
    ]
    assert [(sample.labels["route"], sample.labels["status"], sample.value) for sample in counted] == [("/v1/cases/{case_id}", "418", 1)]
    assert "189001019802" not in metrics


async def test_one_document_tells_of_all_services(front: Any, settings: Settings) -> None:
    async with front(settings, echoes()) as address, client_of(address, settings) as client:
        answer = await client.get("/openapi.json")
        unchanged = await client.get("/openapi.json", headers={"If-None-Match": answer.headers["etag"]})
    document = answer.json()
    assert document["servers"] == [{"url": PUBLIC_URL}]
    assert {"/v1/cases/{case_id}", "/oauth2/token", "/.well-known/jwks.json", "/health/ready"} == set(document["paths"]) - {"/health/live"}
    assert document["paths"]["/v1/cases/{case_id}"]["get"]["security"] == [{"oauth2": ["cases:read"]}]
    assert unchanged.status_code == 304


async def test_the_lifespan_of_a_service_runs_inside_the_gateways(settings: Settings) -> None:
    told: list[str] = []

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        told.append("begun")
        yield
        told.append("ended")

    app = create_app(settings, {"planning": FastAPI(lifespan=lifespan)})
    async with app.router.lifespan_context(app):
        assert told == ["begun"]
    assert told == ["begun", "ended"]
