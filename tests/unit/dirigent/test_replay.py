"""Replaying a file against a small hand-written Dirigent: nothing is lost, nothing is done twice, whatever the network does."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from dirigent.replay.api import NotReachedError, PublicApi, TokenRefusedError
from dirigent.replay.file import EventItem, UnreadableLineError, read_item, read_items
from dirigent.replay.player import BATCH, NotAllowedError, Player
from dirigent.replay.report import Report

SOURCE = "urn:hsa:SE2321000131-E000000000101"


class SmallDirigent:
    """Remembers events by key and commands by idempotency key; a script of faults strikes first."""

    def __init__(self, *faults: int | Exception, refuse: frozenset[str] = frozenset()) -> None:
        self.faults = list(faults)
        self.refuse = refuse
        self.events: dict[tuple[str, str], str] = {}
        self.commands: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.tokens = 0
        self.unauthorized = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/token":
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"token-{self.tokens}", "expires_in": 300})
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return httpx.Response(fault, json={"code": "service.unavailable"}, headers={"Retry-After": "1"})
        body = json.loads(request.content)
        if request.url.path == "/v1/events/batch":
            return httpx.Response(200, json={"outcomes": [self.take(event) for event in body]})
        key = request.headers["Idempotency-Key"]
        if key not in self.commands:
            self.commands[key] = {"id": f"id-{len(self.commands)}"}
            self.calls.append((request.url.path, body))
        return httpx.Response(201, json=self.commands[key])

    def take(self, event: dict[str, Any]) -> dict[str, Any]:
        if event["id"] in self.refuse:
            return {"status": 422, "problem": {"code": "event.invalid", "errors": [{"pointer": "/time", "code": "time.format"}]}}
        key = (event["source"], event["id"])
        status = 200 if key in self.events else 201
        case = self.events.setdefault(key, f"case-of-{event['subject']}")
        return {"status": status, "accepted": {"case_id": case, "findings": [{"code": "planned_date_missing"}]}}


def event(name: str, subject: str = "S") -> dict[str, Any]:
    return {"id": name, "source": SOURCE, "subject": subject, "type": "stay.admitted", "data": {}}


def plan(name: str, subject: str = "S") -> list[dict[str, Any]]:
    case = {"$case": {"source": SOURCE, "subject": subject}}
    call = {"command": f"POST /v1/plans/{{{name}.id}}/invitations", "client": "history", "name": f"call-{name}", "body": {"units": ["u"]}}
    return [{"command": "POST /v1/plans", "client": "history", "name": name, "body": {"case_id": case, "consent": "given"}}, call]


async def play(dirigent: Callable[[httpx.Request], Any], *lines: dict[str, Any], patience: float = 60) -> tuple[Report, list[float]]:
    rests: list[float] = []

    async def sleep(seconds: float) -> None:
        rests.append(seconds)

    items = [read_item(number, json.dumps(line)) for number, line in enumerate(lines, start=1)]
    transport = httpx.MockTransport(dirigent)
    async with PublicApi("http://dirigent", lambda _client: "secret", patience=patience, transport=transport, sleep=sleep) as api:
        return await Player(api, "history").play(items), rests


async def test_events_are_counted_as_accepted_or_repeated() -> None:
    dirigent = SmallDirigent()
    report, _ = await play(dirigent, event("1"), event("2"), event("1"))
    assert (report.accepted, report.repeated, report.findings["planned_date_missing"]) == (2, 1, 2)


async def test_large_files_go_in_batches_and_lose_nothing() -> None:
    dirigent = SmallDirigent()
    report, _ = await play(dirigent, *(event(str(number)) for number in range(2 * BATCH + 1)))
    assert report.accepted == len(dirigent.events) == 2 * BATCH + 1


async def test_a_command_waits_until_its_case_and_its_predecessor_are_known() -> None:
    dirigent = SmallDirigent()
    opened, invited = plan("p")
    report, _ = await play(dirigent, invited, opened, event("1"))
    assert report.commands == 2
    assert dirigent.calls == [
        ("/v1/plans", {"case_id": "case-of-S", "consent": "given"}),
        ("/v1/plans/id-0/invitations", {"units": ["u"]}),
    ]


async def test_a_command_about_an_unknown_case_is_reported_and_not_dropped() -> None:
    report, _ = await play(SmallDirigent(), *plan("p", subject="nobody"))
    assert [(refusal.line, refusal.code) for refusal in report.refused] == [
        (1, "replay.reference_unknown"),
        (2, "replay.reference_unknown"),
    ]


async def test_faults_of_the_moment_are_tried_again_with_growing_rests() -> None:
    dirigent = SmallDirigent(503, httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), 500)
    report, rests = await play(dirigent, event("1"), event("2"))
    assert (report.accepted, report.retries) == (2, 4)
    assert rests == sorted(rests)


async def test_an_answer_that_got_lost_changes_nothing() -> None:
    dirigent = SmallDirigent()
    lost = [True]

    async def forgetful(request: httpx.Request) -> httpx.Response:
        answer = await dirigent(request)
        if request.url.path == "/v1/events/batch" and lost:
            lost.clear()
            raise httpx.ReadError("connection reset")
        return answer

    report, _ = await play(forgetful, event("1"), *plan("p"))
    assert (report.repeated, report.commands, len(dirigent.events)) == (1, 2, 1)


async def test_playing_a_file_again_only_repeats() -> None:
    dirigent = SmallDirigent()
    lines = [event("1"), *plan("p")]
    await play(dirigent, *lines)
    report, _ = await play(dirigent, *lines)
    assert (report.accepted, report.repeated, len(dirigent.calls)) == (0, 1, 2)


async def test_a_refused_line_is_written_with_its_reason_and_without_its_values(tmp_path: Path) -> None:
    report, _ = await play(SmallDirigent(refuse=frozenset({"2"})), event("1"), event("2"))
    report.write_refused(tmp_path / "refused.ndjson")
    told = json.loads((tmp_path / "refused.ndjson").read_text(encoding="utf-8"))
    assert told == {"line": 2, "what": "event 2", "status": 422, "code": "event.invalid", "errors": ["/time: time.format"]}


async def test_patience_ends() -> None:
    with pytest.raises(NotReachedError):
        await play(SmallDirigent(*[503] * 10), event("1"), patience=0)


async def test_a_client_without_the_right_stops_the_replay() -> None:
    with pytest.raises(NotAllowedError):
        await play(_forbidden, event("1"))


async def _forbidden(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/oauth2/token":
        return httpx.Response(200, json={"access_token": "t", "expires_in": 300})
    return httpx.Response(403, json={"code": "access.denied"})


async def test_an_expired_token_is_renewed_once() -> None:
    dirigent = SmallDirigent()

    async def strict(request: httpx.Request) -> httpx.Response:
        if request.headers.get("Authorization") == "Bearer token-1":
            return httpx.Response(401, json={"code": "token.invalid"})
        return await dirigent(request)

    report, _ = await play(strict, event("1"))
    assert (report.accepted, dirigent.tokens) == (1, 2)


async def test_a_wrong_secret_is_told_at_once() -> None:
    async def unknown(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"error": "invalid_client"})

    with pytest.raises(TokenRefusedError):
        await play(unknown, event("1"))


def test_an_unreadable_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "f").write_text('{"id": "1"}\n\n{"command": "POST /x"}\n', encoding="utf-8")
    items = read_items(tmp_path / "f")
    assert isinstance(next(items), EventItem)
    with pytest.raises(UnreadableLineError, match="line 3"):
        next(items)
