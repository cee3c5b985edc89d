"""Sending the rows of a stretch of the file: all their events in batches, then the commands of each row one after the other."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import httpx

from dirigent.importing.history.reading import Problem, problems_of
from dirigent.importing.history.stay import CASE, PLAN, Command, Event, Stay
from dirigent.replay.api import Answer, PublicApi
from dirigent.replay.player import BATCH_TYPE, ITEM_TRIES, NotAllowedError
from dirigent.supervisor.step import one_failure

COMMANDS_AT_ONCE: Final = 8
NOT_HISTORY: Final = "event.sentat_denied"
"""What a client without the right to import is told of every event: then no row need be tried further."""


@dataclass(slots=True)
class Sent:
    """What became of one row."""

    stay: Stay
    accepted: int = 0
    repeated: int = 0
    commands: int = 0
    news: bool = False
    case_id: str = ""
    findings: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class Sender:
    """Sends rows through the public interface as a client that imports history; sending them again changes nothing."""

    def __init__(self, api: PublicApi, client: str) -> None:
        self._api = api
        self._client = client
        self._room = asyncio.Semaphore(COMMANDS_AT_ONCE)

    async def send(self, stays: Sequence[Stay]) -> list[Sent]:
        """Send rows whose events fit in one batch.

        Raises:
            NotAllowedError: The client may not import.
            NotReachedError: Dirigent was away for longer than patience lasts.
        """
        rows = [Sent(stay) for stay in stays]
        await self._events([(row, event) for row in rows for event in row.stay.events])
        with one_failure():
            async with asyncio.TaskGroup() as group:
                for row in rows:
                    if row.stay.commands and not row.problems:
                        group.create_task(self._commands(row))
        return rows

    async def _events(self, told: list[tuple[Sent, Event]], *, tries: int = ITEM_TRIES) -> None:
        if not told:
            return
        body = [event.value for _, event in told]
        answer = await self._api.call(self._client, "POST", "/v1/events/batch", body=body, headers={"Content-Type": BATCH_TYPE})
        _refuse_stranger(answer, self._client)
        outcomes = answer.body["outcomes"] if answer.ok else [{"status": answer.status, "problem": answer.body}] * len(told)
        again = []
        if any(_code(outcome) == NOT_HISTORY for outcome in outcomes):
            raise NotAllowedError(f"client {self._client} is refused: {NOT_HISTORY}")
        for (row, event), outcome in zip(told, outcomes, strict=True):
            if outcome["status"] >= httpx.codes.INTERNAL_SERVER_ERROR and tries > 1:
                again.append((row, event))
            else:
                _note(row, event, outcome)
        if again:
            await self._api.rest(1)
            await self._events(again, tries=tries - 1)

    async def _commands(self, row: Sent) -> None:
        """A row's commands in their order; each may need what the one before it made."""
        plan = ""
        for command in row.stay.commands:
            answer = await self._command(command, row.case_id, plan)
            if not answer.ok:
                row.problems += problems_of(answer.body, partial(_always, command.column), command.column)
                return
            row.commands += 1
            row.news = row.news or bool(command.key and "idempotent-replayed" not in answer.headers)
            if command.path == "/v1/plans":
                plan = str(answer.body["id"])

    async def _command(self, command: Command, case_id: str, plan: str) -> Answer:
        body = {name: case_id if value == CASE else value for name, value in command.body.items()}
        path = command.path.replace(CASE, case_id).replace(PLAN, plan)
        async with self._room:
            answer = await self._api.call(self._client, command.method, path, body=body, key=command.key or None)
        if answer.status == httpx.codes.UNAUTHORIZED:
            _refuse_stranger(answer, self._client)
        return answer


def _code(outcome: dict[str, Any]) -> str:
    problem = outcome.get("problem")
    return str(problem.get("code", "")) if isinstance(problem, dict) else ""


def _note(row: Sent, event: Event, outcome: dict[str, Any]) -> None:
    status = int(outcome["status"])
    if status not in {httpx.codes.CREATED, httpx.codes.OK}:
        row.problems += problems_of(outcome.get("problem"), event.column_of, event.column)
        return
    row.case_id = outcome["accepted"]["case_id"]
    if status == httpx.codes.OK:
        row.repeated += 1
        return
    row.accepted += 1
    row.news = True
    row.findings += [finding["code"] for finding in outcome["accepted"]["findings"]]


def _always(column: str, _pointer: str) -> str:
    return column


def _refuse_stranger(answer: Answer, client: str) -> None:
    if answer.status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise NotAllowedError(f"client {client} is refused: {answer.status} {answer.code}")
