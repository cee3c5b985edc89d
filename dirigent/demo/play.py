"""The demo, act by act: replay a month, read every mailbox, close the month, issue, pull, and admit one patient live."""

import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from rich.console import Console

from dirigent.county.clients import demo_clients
from dirigent.county.load import load_county
from dirigent.demo.asking import DemoError, ask, until
from dirigent.demo.checks import Checks
from dirigent.demo.closing import DONE, Closing
from dirigent.demo.compare import Sums, averages, caught_up, differing, lines_of, told_lines
from dirigent.demo.explaining import explain_all
from dirigent.demo.invoices import pull
from dirigent.demo.live import MUNICIPALITY, TAKEN_ON_BY, admit
from dirigent.demo.mailboxes import MailboxRead, read_all
from dirigent.demo.prices import ensure_prices, ore
from dirigent.demo.recompute import MonthSum, recompute
from dirigent.demo.record import Played
from dirigent.demo.reviews import decide, open_reviews
from dirigent.demo.table import Row, rows_of
from dirigent.demo.wording import many
from dirigent.replay.api import PublicApi
from dirigent.replay.file import count_lines, read_items
from dirigent.replay.player import Player
from dirigent.replay.report import LEGEND
from dirigent.simulate.county_month import simulate
from shared.dates import Month

ACKNOWLEDGED_EACH: Final = 2
ACKNOWLEDGED_BOXES: Final = 10
SIGNS_EACH: Final = 3
EARLIEST_NIGHT: Final = timedelta(days=60)

ProgressBar = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


@dataclass(slots=True)
class Demo:
    """One demo under way. Every act may be repeated after an interruption: nothing is done twice."""

    api: PublicApi
    played: Played
    folder: Path
    console: Console
    bar: ProgressBar
    checks: Checks = field(init=False)
    rows: list[Row] = field(default_factory=list)
    prices: dict[int, int] = field(default_factory=dict)
    _run: str = field(default_factory=lambda: f"demo-{secrets.token_hex(4)}")
    _undecided: dict[str, MonthSum] = field(default_factory=dict)
    _expected: dict[str, MonthSum] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.checks = Checks(self.console)

    @property
    def month(self) -> Month:
        """The month that is played."""
        return Month.parse(self.played.month)

    async def play(self) -> bool:
        """Play all acts; True when every check held."""
        file = self._write_file()
        self.prices = await ensure_prices(self.api, self._years(), self._run)
        player = await self._replay(file)
        self._recompute(file)
        await self._compare_averages()
        boxes = await self._read_mailboxes()
        await self._acknowledge(boxes)
        await self._close(player)
        await self._pull_invoices()
        await self._explain()
        await self._admit_live()
        return self.checks.all_hold

    def _act(self, title: str) -> None:
        self.console.print(f"[bold]{title}[/bold]", highlight=False, soft_wrap=True)

    def _note(self, text: str) -> None:
        self.console.print(f"  {text}", highlight=False, soft_wrap=True)

    def _write_file(self) -> Path:
        file = self.folder / f"demo-{self.played.month}.ndjson"
        file.touch(mode=0o600)
        file.chmod(0o600)  # the persons are made up, but it looks like what nobody else may read
        with file.open("w", encoding="utf-8", newline="\n") as lines:
            lines.writelines(line + "\n" for line in simulate(self.played.seed, self.month, self.played.stays))
        return file

    def _years(self) -> Sequence[int]:
        return sorted({self.month.year, (self.month.first - EARLIEST_NIGHT).year})

    async def _replay(self, file: Path) -> Player:
        total = count_lines(file)
        self._act(f"Replaying {self.played.month}: {total} events and commands of {self.played.stays} stays, sent as history")
        with self.bar("replay", total) as advance:
            player = Player(self.api, "history", progress=advance)
            report = await player.play(read_items(file))
        counts = f"{report.accepted} accepted, {report.repeated} repeated, {many(report.commands, 'command')}"
        self._note(f"{counts}, {many(sum(report.findings.values()), 'finding')}, {report.seconds:.1f} s")
        self._note(LEGEND)
        missing = f"{report.lines} of {total} have an answer"
        if report.refused:
            report.write_refused(self.folder / "refused.ndjson")
            missing = f"{len(report.refused)} refused, see {self.folder / 'refused.ndjson'}"
        self.checks.that("every line was accepted", not report.refused and report.lines == total, missing)
        return player

    def _recompute(self, file: Path) -> None:
        """Compute the month twice: as it stands before any review is decided, and as it ends."""
        lines = file.read_text(encoding="utf-8").splitlines()
        self._undecided = recompute(lines, self.month.first, self.prices)
        self._expected = recompute(lines, self.month.first, self.prices, decided=self._held)

    @property
    def _held(self) -> list[str]:
        """The municipalities whose amount hangs on a review."""
        return sorted(code for code, month in self._undecided.items() if month.held)

    async def _compare_averages(self) -> None:
        """Compare all sums; a demo that was interrupted may have decided its reviews already."""
        self._act("Averages of the 49 municipalities, beside a second calculation from the file alone")
        before, after = Sums.of_county(self._undecided), Sums.of_county(self._expected)
        found = await caught_up(self.api, self.played.month, before, after)
        expected = after if found == after else before
        self.checks.that("every average, day count and amount is the computed one", found == expected, differing(found, expected))

    async def _read_mailboxes(self) -> dict[str, MailboxRead]:
        self._act("Reading every mailbox to its end")
        clients = [client.id for client in demo_clients(load_county()) if client.role in {"municipality", "care"}]
        boxes = await read_all(self.api, clients)
        notices = sum(len(box.entries) for box in boxes)
        faults = [f"{box.recipient}: {fault}" for box in boxes for fault in box.faults]
        read = f"{many(len(boxes), 'mailbox', 'mailboxes')} with {many(notices, 'notice')}"
        self.checks.that(
            f"{read}: numbered 1..n, every hash follows from the one before",
            notices > 0 and not faults,
            "; ".join(faults[:3]) or "there are none",
        )
        bound = sum(box.personal_parts for box in boxes)
        self.checks.that(
            f"{many(bound, 'personal part')} checked against the hash in the envelope",
            bound > 0 and not faults,
            "; ".join(faults[:3]) or "no notice has one",
        )
        return {box.client: box for box in boxes}

    async def _acknowledge(self, boxes: dict[str, MailboxRead]) -> None:
        admissions = {
            client: [entry for entry in box.entries if entry["type"] == "notice.admission"][-ACKNOWLEDGED_EACH:]
            for client, box in sorted(boxes.items())
        }
        asked = [(client, notice) for client, notices in list(admissions.items())[:ACKNOWLEDGED_BOXES] for notice in notices]
        taken_on = 0
        refused = ""
        for client, notice in asked:
            path = f"/v1/notices/{notice['id']}/acknowledgement"
            answer = await self.api.call(
                client, "POST", path, body={"acknowledged_by": "Maja Mottagare (demo)"}, key=f"demo/acknowledge/{notice['id']}"
            )
            # A notice that something newer took the place of may be refused: that is an answer too.
            taken_on += answer.ok
            refused = refused if answer.ok else f"{client}: {answer.status} {answer.code}"
        self.checks.that(
            f"{taken_on} of {many(len(asked), 'notice')} are acknowledged by a named person", taken_on > 0, refused or "there are none"
        )

    async def _close(self, player: Player) -> None:
        self._act(f"Closing {self.played.month}: prepare, publish, sign or stay silent, approve by another person, issue")
        closing = Closing(self.api, self.played.month, self._run)
        reviews = await open_reviews(self.api, self.played.month, self._held)
        held = sorted(await closing.publish())
        if reviews:
            self.checks.same("the data-quality gate holds back exactly the months whose amount hangs on a review", held, self._held)
            await self._compare_lines(player, self._undecided)
            await decide(self.api, self.played.month, reviews, self._run)
            decided = "is decided" if len(reviews) == 1 else "are decided"
            self._note(f"{many(len(reviews), 'review')} in {many(len(held), 'month')} {decided} by a named person")
            held = sorted(await closing.publish())
        self.checks.same("every month is published", held, [])
        await self._compare_lines(player, self._expected)
        await closing.delivered()
        published = [one["municipality"] for one in await closing.in_state("published", "accepted", "approved", "issued", "settled")]
        told = await self._told_of_publication(published)
        self.checks.same("every published month has come as a notice to its municipality", told, len(published))
        signed = await closing.sign(published[::SIGNS_EACH])
        self._note(f"{len(signed)} signed, {len(await closing.in_state('published'))} stayed silent")
        await closing.approve()
        await closing.issue()
        standing = await closing.standing()
        open_ones = sorted(code for code, one in standing.items() if one["state"] not in DONE)
        self.checks.same("every month is issued, or settled without an invoice", open_ones, [])
        amounts = {code: None if one["amount"] is None else ore(one["amount"]) for code, one in standing.items()}
        computed = {code: sums.amount for code, sums in Sums.of_county(self._expected).items()}
        self.checks.that("every amount is the computed one, to the öre", amounts == computed, differing(amounts, computed))
        names = {one.code: one.name for one in load_county().municipalities}
        self.rows = rows_of(names, standing, await averages(self.api, self.played.month))

    async def _told_of_publication(self, codes: Sequence[str]) -> int:
        """How many municipalities find the notice in their mailbox; it is numbered a moment after it was sent."""

        async def everyone() -> int | None:
            boxes = await read_all(self.api, [f"kommun-{code}" for code in codes])
            told = sum(1 for box in boxes if not box.faults and any(_publishes(entry, self.played.month) for entry in box.entries))
            return told if told == len(codes) else None

        try:
            return await until("every notice of publication is in its mailbox", everyone)
        except DemoError:
            return 0

    async def _compare_lines(self, player: Player, expected: dict[str, MonthSum]) -> None:
        different = []
        for one in load_county().municipalities:
            detail = await ask(self.api, "controller", f"/v1/months/{self.played.month}/{one.code}")
            found, computed = told_lines(detail["lines"]), lines_of(expected.get(one.code), player.cases)
            if found != computed:
                different.append(differing(found, computed))
        self.checks.that("every stay counts as computed: average, long, excluded or held", not different, "; ".join(different[:2]))

    async def _pull_invoices(self) -> None:
        self._act("Pulling the invoices as finance")
        read = await pull(self.api, "finance", awaiting={row.invoice for row in self.rows if row.invoice})
        found = {code: ore(document["amount"]) for code, document in read.of_month(self.played.month).items()}
        due = {code: month.amount for code, month in self._expected.items() if month.amount}
        self.checks.that(f"{many(len(found), 'invoice')}, each with the computed amount", found == due, differing(found, due))
        self.checks.that("the feed is dense, its hashes follow, every document is whole", not read.faults, "; ".join(read.faults[:3]))
        numbers = ", ".join(entry["number"] for entry in read.entries)
        self.checks.that("the invoice numbers are 1..n without a gap", read.numbers_unbroken, numbers)
        await self._compare_readers(sorted(found))

    async def _compare_readers(self, billed: Sequence[str]) -> None:
        """A municipality reads its own invoice, and another one's looks as if it did not exist."""
        if not billed:
            return
        number = next(row.invoice for row in self.rows if row.municipality == billed[0] and row.invoice)
        own = await pull(self.api, f"kommun-{billed[0]}", awaiting={number})
        stranger = next(one.code for one in load_county().municipalities if one.code != billed[0])
        answer = await self.api.call(f"kommun-{stranger}", "GET", f"/v1/invoices/{number}")
        unknown = await self.api.call(f"kommun-{stranger}", "GET", "/v1/invoices/1999-000001")
        alike = (answer.status, answer.code) == (unknown.status, unknown.code) == (404, unknown.code)
        told = f"{answer.status} {answer.code}, an unknown one {unknown.status} {unknown.code}"
        self.checks.that(
            f"invoice {number} is there for its debtor and looks unknown to everybody else",
            alike and not own.faults,
            "; ".join(own.faults[:3]) or f"another municipality hears {told}",
        )

    async def _explain(self) -> None:
        self._act("Each municipality asks why, and recomputes the answer offline")
        told = await explain_all(self.api, self.played.month, [one.code for one in load_county().municipalities])
        self.checks.that(
            f"{len(load_county().municipalities)} explanations of {many(told.stays, 'stay')} give the amounts that were billed",
            told.stays > 0 and not told.faults,
            "; ".join(told.faults[:3]) or "they hold no stay",
        )

    async def _admit_live(self) -> None:
        self._act(f"One live admission: ward-su tells, kommun-{MUNICIPALITY} sees it arrive and takes it on")
        before = (await read_all(self.api, [f"kommun-{MUNICIPALITY}"]))[0]
        live = await admit(self.api, before)
        self.checks.that(
            f"its notice arrived after {live.milliseconds:.0f} ms and continues the mailbox's chain",
            not live.chain_faults,
            "; ".join(live.chain_faults[:3]),
        )
        self.checks.that("the notice names the patient", live.names_person, f"notice {live.notice['id']} names somebody else or nobody")
        self.checks.same(f"it is taken on by {TAKEN_ON_BY}", (live.standing, live.acknowledged_by), ("acknowledged", TAKEN_ON_BY))


def _publishes(entry: dict[str, object], month: str) -> bool:
    about = entry.get("about")
    return entry["type"] == "notice.month_published" and isinstance(about, dict) and about.get("month") == month
