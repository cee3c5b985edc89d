"""Playing a file: events in batches, commands between them as soon as what they refer to is known. No item is ever dropped."""

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import httpx

from dirigent.replay.api import PublicApi
from dirigent.replay.file import CASE, CommandItem, EventItem, Item, case_key
from dirigent.replay.report import Report
from dirigent.supervisor.step import one_failure

BATCH: Final = 500
COMMANDS_AT_ONCE: Final = 4
ITEM_TRIES: Final = 20
BATCH_TYPE: Final = "application/cloudevents-batch+json"
_REFERENCE: Final = re.compile(r"\{([^{}]+)\.([a-z_]+)\}")


class NotAllowedError(Exception):
    """The client may not do this at all: every further line would be refused as well."""


class _NotYetKnownError(Exception):
    """A command refers to a case or an answer that is not there yet."""


class Player:
    """Plays items through the public interface and remembers the case of every stay; playing again changes nothing."""

    def __init__(self, api: PublicApi, client: str, *, progress: Callable[[int], None] = lambda _done: None) -> None:
        self.report = Report()
        self.cases: dict[tuple[str, str], str] = {}
        self._api = api
        self._client = client
        self._progress = progress
        self._answers: dict[str, dict[str, Any]] = {}
        self._waiting: list[CommandItem] = []
        self._room = asyncio.Semaphore(COMMANDS_AT_ONCE)

    async def play(self, items: Iterable[Item]) -> Report:
        """Play all items to their end.

        Raises:
            NotReachedError: Dirigent was away for longer than patience lasts; play the file again to go on.
            NotAllowedError: The client lacks the right to do this.
        """
        begun = time.monotonic()
        batch: list[EventItem] = []
        for item in items:
            if isinstance(item, CommandItem):
                self._waiting.append(item)
                continue
            batch.append(item)
            if len(batch) == BATCH:
                await self._round(batch)
                batch = []
        await self._round(batch)
        await self._run_commands()
        for item in self._waiting:
            self.report.refuse(item, 0, {"code": "replay.reference_unknown"})
        self.report.retries = self._api.retries
        self.report.seconds = time.monotonic() - begun
        return self.report

    async def _round(self, batch: list[EventItem]) -> None:
        """Send a batch while the commands that wait for nothing run beside it."""
        with one_failure():
            async with asyncio.TaskGroup() as group:
                group.create_task(self._run_commands())
                if batch:
                    group.create_task(self._send(batch))

    async def _send(self, batch: list[EventItem], *, tries: int = ITEM_TRIES) -> None:
        answer = await self._api.call(
            self._client, "POST", "/v1/events/batch", body=[item.event for item in batch], headers={"Content-Type": BATCH_TYPE}
        )
        _refuse_forbidden(answer.status, answer.code, self._client)
        outcomes = answer.body["outcomes"] if answer.ok else [{"status": answer.status, "problem": answer.body}] * len(batch)
        again = []
        for item, outcome in zip(batch, outcomes, strict=True):
            if outcome["status"] >= httpx.codes.INTERNAL_SERVER_ERROR and tries > 1:
                again.append(item)  # one item met a fault of the moment: it alone goes again
            else:
                self._note(item, outcome)
        self._progress(len(batch) - len(again))
        if again:
            await self._api.rest(1)
            await self._send(again, tries=tries - 1)

    def _note(self, item: EventItem, outcome: dict[str, Any]) -> None:
        status = int(outcome["status"])
        if status == httpx.codes.CREATED:
            self.report.accepted += 1
            self.report.findings.update(finding["code"] for finding in outcome["accepted"]["findings"])
        elif status == httpx.codes.OK:
            self.report.repeated += 1
        else:
            self.report.refuse(item, status, outcome.get("problem"))
            return
        self.cases[item.case] = outcome["accepted"]["case_id"]

    async def _run_commands(self) -> None:
        """Run commands whose references are known, again and again until those left wait for something that is not there yet."""
        while True:
            ready: list[tuple[CommandItem, str, dict[str, Any]]] = []
            left = []
            for item in self._waiting:
                try:
                    ready.append((item, self._path(item), self._resolved(item.body)))
                except _NotYetKnownError:
                    left.append(item)
            self._waiting = left
            if not ready:
                return
            await asyncio.gather(*(self._command(*entry) for entry in ready))

    async def _command(self, item: CommandItem, path: str, body: dict[str, Any]) -> None:
        async with self._room:
            answer = await self._api.call(item.client, item.method, path, body=body, key=item.key)
        _refuse_forbidden(answer.status, answer.code, item.client)
        if answer.ok:
            self.report.commands += 1
            self._answers[item.name] = answer.body if isinstance(answer.body, dict) else {}
        else:
            self.report.refuse(item, answer.status, answer.body)
        self._progress(1)

    def _path(self, item: CommandItem) -> str:
        def member(match: re.Match[str]) -> str:
            try:
                return str(self._answers[match[1]][match[2]])
            except KeyError:
                raise _NotYetKnownError from None

        return _REFERENCE.sub(member, item.path)

    def _resolved(self, value: Any) -> Any:
        """The body with every `{"$case": …}` replaced by the id of that case."""
        if isinstance(value, list):
            return [self._resolved(entry) for entry in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {CASE}:
            named = value[CASE]
            try:
                return self.cases[case_key(named["source"], named["subject"])]
            except KeyError:
                raise _NotYetKnownError from None
        return {name: self._resolved(member) for name, member in value.items()}


def _refuse_forbidden(status: int, code: str, client: str) -> None:
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise NotAllowedError(f"client {client} is refused: {status} {code}")
