"""One import from its first line to its last: stretches of rows are read, sent two at a time, and noted in the order of the file."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from dirigent.importing.history.file import Form, Line, read_lines
from dirigent.importing.history.journal import Journal, Progress, Tally
from dirigent.importing.history.known_units import KnownUnits
from dirigent.importing.history.reading import Problem, RowReader
from dirigent.importing.history.rejects import Rejects
from dirigent.importing.history.sending import Sender, Sent
from dirigent.importing.history.stay import Stay, stay_of

EVENTS_TOGETHER: Final = 500
ROWS_TOGETHER: Final = 500
AT_ONCE: Final = 2
READ_IN_ONE_TURN: Final = 10
FIRST_LINES: Final = 5


@dataclass(slots=True)
class Stretch:
    """Some lines of the file, one after the other: the stays they tell and the problems of the others."""

    last: int = 0
    events: int = 0
    lines: dict[int, Line] = field(default_factory=dict)
    stays: list[Stay] = field(default_factory=list)
    problems: dict[int, list[Problem]] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Whether it is long enough to be sent."""
        return self.events >= EVENTS_TOGETHER or len(self.lines) >= ROWS_TOGETHER


@dataclass(slots=True)
class Import:
    """An import under way. Without a sender it is a rehearsal: everything is read and judged, nothing is sent or noted."""

    file: Path
    form: Form
    at: datetime
    progress: Progress
    rejects: Rejects
    journal: Journal | None = None
    sender: Sender | None = None
    known: KnownUnits | None = None
    advance: Callable[[int], None] = lambda _line: None

    async def run(self) -> Tally:
        """Read and send all that is left; what has been noted stays noted, however this ends."""
        under_way: deque[tuple[Stretch, asyncio.Task[list[Sent]]]] = deque()
        try:
            async for stretch in self._stretches():
                under_way.append((stretch, asyncio.create_task(self._send(stretch))))
                if len(under_way) >= AT_ONCE:
                    await self._finish(*under_way.popleft())
            while under_way:
                await self._finish(*under_way.popleft())
        finally:
            for _, task in under_way:
                task.cancel()
        return self.progress.tally

    async def _stretches(self) -> AsyncIterator[Stretch]:
        stretch = Stretch()
        for line in read_lines(self.file, self.form, after=self.progress.line):
            if line.number % READ_IN_ONE_TURN == 0:
                await asyncio.sleep(0)  # what has been sent meanwhile wants to be answered
            self._read(line, stretch)
            if stretch.full:
                yield stretch
                stretch = Stretch()
        if stretch.lines:
            yield stretch

    def _read(self, line: Line, stretch: Stretch) -> None:
        stretch.last, stretch.lines[line.number] = line.number, line
        if line.fault:
            stretch.problems[line.number] = [Problem("", line.fault)]
            return
        row = RowReader(line.cells, self.at)
        stay = stay_of(row, line.number)
        if stay is not None and self.known is not None and self.known.uncalled(stay):
            row.problem("sip_called_units", "not_in_directory")
        if stay is None or row.problems:
            stretch.problems[line.number] = row.problems
        else:
            stretch.stays.append(stay)
            stretch.events += len(stay.events)

    async def _send(self, stretch: Stretch) -> list[Sent]:
        if self.sender is not None:
            return await self.sender.send(stretch.stays)
        await asyncio.sleep(0)
        return [self._rehearsed(stay) for stay in stretch.stays]

    def _rehearsed(self, stay: Stay) -> Sent:
        sent = Sent(stay, accepted=len(stay.events), commands=len(stay.commands), news=True)
        if self.known is not None:
            sent.findings += [finding.code.value for finding in self.known.rehearse(stay).findings]
        return sent

    async def _finish(self, stretch: Stretch, task: asyncio.Task[list[Sent]]) -> None:
        """Note what became of a stretch, once all of it is known."""
        for sent in await task:
            self._count(sent, stretch)
        tally = self.progress.tally
        tally.rows += len(stretch.lines)
        tally.rejected += len(stretch.problems)
        for number, problems in sorted(stretch.problems.items()):
            self.rejects.write(stretch.lines[number], self.form, problems)
        if self.journal is not None:
            self.progress = replace(self.progress, line=stretch.last, rejected_bytes=self.rejects.mark())
            self.journal.note(self.progress)
        self.advance(stretch.last)

    def _count(self, sent: Sent, stretch: Stretch) -> None:
        tally = self.progress.tally
        tally.events_accepted += sent.accepted
        tally.events_repeated += sent.repeated
        tally.commands += sent.commands
        found = list(sent.findings)
        if self.known is not None:
            found += [finding.code for finding in self.known.findings(sent.stay)]
        for code in found:
            tally.findings[code] = tally.findings.get(code, 0) + 1
            first = tally.lines.setdefault(code, [])
            if len(first) < FIRST_LINES and sent.stay.line not in first:
                first.append(sent.stay.line)
        if sent.problems:
            stretch.problems[sent.stay.line] = sent.problems
        elif sent.news:
            tally.imported += 1
        else:
            tally.repeated += 1
