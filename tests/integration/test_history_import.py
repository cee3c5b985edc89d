"""`dirigent import history` as an operator runs it, against a running Dirigent: taken in once, whatever happens in between."""

import asyncio
import csv
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from dirigent.county.load import load_county
from dirigent.county.secrets import read_secrets
from dirigent.replay.api import PublicApi
from dirigent.replay.command import secret_of
from dirigent.simulate.lines import Line
from dirigent.supervisor.system import Options, System, running
from shared.dates import Month, local_date, now
from shared.db import Database
from tests.older_service import ToldTwice, told_twice, write_rows
from tests.patience import PATIENCE, until

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "history.csv"


@dataclass
class Ended:
    """How a call of the command ended."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass
class Running:
    """A running Dirigent, and the command line beside it."""

    system: System
    api: PublicApi

    def call(self, file: Path, *options: str) -> list[str]:
        return [sys.executable, "-m", "dirigent", "import", "history", str(file), "--data", str(self.system.folder.path), *options]

    async def run(self, file: Path, *options: str) -> Ended:
        ended = await asyncio.to_thread(
            subprocess.run,
            self.call(file, *options),
            cwd=ROOT,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    async def stored(self, like: str) -> dict[str, int]:
        """What planning holds of stays with such ids, counted where it is written and not by those who wrote it."""
        counts = {
            "events": "SELECT count(*) FROM events WHERE subject LIKE :like",
            "cases": "SELECT count(*) FROM cases WHERE subject LIKE :like",
            "plans": "SELECT count(*) FROM plans p JOIN cases c ON c.id = p.case_id WHERE c.subject LIKE :like",
            "invitations": "SELECT count(*) FROM plan_invitations i JOIN plans p ON p.id = i.plan_id"
            " JOIN cases c ON c.id = p.case_id WHERE c.subject LIKE :like",
            "versions": "SELECT coalesce(sum(version), 0) FROM cases WHERE subject LIKE :like",
            "live": "SELECT count(*) FROM events WHERE subject LIKE :like AND NOT history",
        }
        database = Database(self.system.databases["planning"].owner, role=None)
        async with database.transaction() as work:
            found = {name: int((await work.connection.execute(text(sql), {"like": like})).scalar_one()) for name, sql in counts.items()}
        await database.close()
        return found

    async def settled(self) -> None:
        """Wait until billing knows everything that planning has told."""
        planning, billing = (Database(self.system.databases[name].owner, role=None) for name in ("planning", "billing"))

        async def position(database: Database, sql: str) -> int:
            async with database.transaction() as work:
                return int((await work.connection.execute(text(sql))).scalar_one())

        async def caught_up() -> bool:
            if await position(planning, "SELECT count(*) FROM outbox"):
                return False
            told = await position(planning, "SELECT position FROM feed_heads WHERE feed = 'facts'")
            return told == await position(billing, "SELECT position FROM stream_cursors WHERE stream = 'planning'")

        await until(caught_up)
        await asyncio.gather(planning.close(), billing.close())

    async def month(self, month: str, municipality: str) -> list[dict[str, Any]]:
        """The lines of a month, without what names its stays."""
        answer = await self.api.call("controller", "GET", f"/v1/months/{month}/{municipality}")
        lines = [{name: value for name, value in line.items() if name != "case"} for line in answer.body["lines"]]
        return sorted(lines, key=json.dumps)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("DIRIGENT_")} | {"PYTHONPATH": str(ROOT)}


def _open_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="dirigent-history-"))
    folder.chmod(0o711)  # the embedded servers of root run as somebody else
    return folder


@pytest.fixture(scope="module")
async def dirigent() -> AsyncIterator[Running]:
    outer = _open_folder()
    options = Options(data=outer / "data", port=0, environment="demo", steps=("dirigent.seed",), say=lambda _line: None)
    async with running(options) as system:
        secrets = read_secrets(system.folder.path)
        async with PublicApi(system.public_url, lambda client: secret_of(secrets, client)) as api:
            yield Running(system, api)
    shutil.rmtree(outer, ignore_errors=True)


def stays(seed: int, count: int, prefix: str) -> list[ToldTwice]:
    """Stays of a month that is well over, with stay ids of their own."""
    month = str(Month.of(local_date(now())).previous.previous)
    return [
        replace(
            told,
            row={**told.row, "stay_id": f"{prefix}{told.row['stay_id']}"},
            events=[replace(event, subject=f"{prefix}{event.subject}") for event in told.events],
        )
        for told in told_twice(seed, month, count)
    ]


async def test_the_example_is_rehearsed_imported_and_repeated(dirigent: Running, tmp_path: Path) -> None:
    file = shutil.copy(EXAMPLE, tmp_path)
    rehearsed = await dirigent.run(Path(file), "--dry-run", "--json")
    assert (rehearsed.code, rehearsed.report["dry_run"], rehearsed.report["rows"]["read"]) == (0, True, 7)
    assert (await dirigent.stored("OLD-20%"))["events"] == 0
    imported = await dirigent.run(Path(file), "--json")
    assert imported.code == 0, imported.err
    assert imported.report["rows"] == {"read": 7, "imported": 7, "repeated": 0, "rejected": 0}
    assert imported.report["events"] == {"accepted": 29, "repeated": 0}
    assert imported.report["findings"] == rehearsed.report["findings"] == {"planned_date_missing": 1}
    before = await dirigent.stored("OLD-20%")
    assert before["cases"] == 7
    assert before["live"] == 0, "history must not be taken for news, a placement neither"
    repeated = await dirigent.run(Path(file), "--json")
    assert (repeated.code, repeated.report["rows"]["repeated"]) == (0, 7)
    assert await dirigent.stored("OLD-20%") == before
    assert _names(tmp_path) == ["history.csv"], "nothing is left beside the file"


async def test_the_months_of_the_example_are_those_of_then(dirigent: Running, tmp_path: Path) -> None:
    await dirigent.run(Path(shutil.copy(EXAMPLE, tmp_path)))
    await dirigent.settled()
    goteborg = await dirigent.month("2020-03", "1480")
    assert sorted((line["days"], line["counted_as"]) for line in goteborg) == [
        (2, "average"),
        (5, "excluded"),
        (7, "average"),
        (18, "individual"),
    ]
    placed = [line for line in await dirigent.month("2020-03", "1490") if line["ended_on"] == "2020-03-20"]
    assert [reason["reason"] for reason in placed[0]["reasons"]] == ["no_sip_invitation", "measures_declined"]
    (autumn,) = await dirigent.month("2019-10", "1480")
    assert autumn["ready_notice_sent_at"] == "2019-10-27T01:15:00.000000Z"


async def test_months_come_out_as_with_the_same_stays_told_by_events(dirigent: Running, tmp_path: Path) -> None:
    """Every stay of one half of the county is imported, and told by events and commands to a partner in the other half."""
    codes = [one.code for one in load_county().municipalities]
    units = {one.code: one.unit for one in load_county().municipalities}
    partner = dict(zip(codes[:24], codes[24:48], strict=True))
    mine = [told for told in stays(5, 480, "M-") if told.row["registered_municipality"] in partner]
    file = tmp_path / "months.csv"
    write_rows(file, [told.row for told in mine])
    assert (await dirigent.run(file)).code == 0
    lines = tmp_path / "same.ndjson"
    with lines.open("w", encoding="utf-8") as told_directly:
        for told in mine:
            code = str(told.row["registered_municipality"])
            subject = str(told.row["stay_id"])
            own: list[Line] = [*told.events, *told.commands]
            for line in own:
                as_told = line.as_json().replace(subject.removeprefix("M-"), f"D-{subject}").replace(f"M-D-{subject}", f"D-{subject}")
                as_told = as_told.replace(f'"registered_municipality": "{code}"', f'"registered_municipality": "{partner[code]}"')
                told_directly.write(as_told.replace(units[code], units[partner[code]]) + "\n")
    replayed = await asyncio.to_thread(
        subprocess.run,
        [*dirigent.call(lines)[:3], "replay", str(lines), "--data", str(dirigent.system.folder.path), "--url", dirigent.system.public_url],
        cwd=ROOT,
        env=_environment(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert replayed.returncode == 0, replayed.stdout
    await dirigent.settled()
    month = str(Month.of(local_date(now())).previous.previous)
    compared: list[dict[str, Any]] = []
    for code, other in partner.items():
        imported, direct = await dirigent.month(month, code), await dirigent.month(month, other)
        assert imported == direct, code
        compared += imported
    assert len(compared) > 80
    assert {line["counted_as"] for line in compared} >= {"average", "long", "excluded"}


async def test_killed_at_any_moment_it_goes_on_and_tells_nothing_twice(dirigent: Running, tmp_path: Path) -> None:
    told = stays(8, 700, "K-")
    good = [one for number, one in enumerate(told) if number % 40 != 3]
    rows = [{**one.row, "care_type": "surgery"} if number % 40 == 3 else one.row for number, one in enumerate(told)]
    file, journal = tmp_path / "killed.csv", tmp_path / "killed.progress.json"
    write_rows(file, rows, separator=",")
    places: list[int] = []
    for number in (signal.SIGKILL, signal.SIGKILL, signal.SIGINT):
        process = _started(dirigent.call(file))
        await until(partial(_further, journal, max(places, default=0), process))
        process.send_signal(number)
        _, said = await asyncio.to_thread(process.communicate, None, PATIENCE)
        places.append(_line(journal))
        assert process.returncode != 0, "it ended before it could be killed"
        assert "Traceback" not in said
    assert places == sorted(set(places)), "every run came further than the one before it"
    assert places[-1] < len(rows)
    ended = await dirigent.run(file, "--json")
    assert f"going on after line {places[-1]}" in ended.err
    report = ended.report
    assert (ended.code, report["rows"]["read"], report["rows"]["rejected"]) == (1, len(rows), len(rows) - len(good))
    calls = [command for one in good for command in one.commands]
    stored = await dirigent.stored("K-%")
    assert stored["events"] == sum(len(one.events) for one in good)
    assert stored["cases"] == len(good)
    assert stored["plans"] == sum(1 for command in calls if "consent" in command.body)
    assert stored["invitations"] == sum(1 for command in calls if "units" in command.body)
    rejected = read_rejects(tmp_path / "killed.rejected.csv", ",")
    assert [int(row["rejected_line"]) for row in rejected] == [number + 2 for number in range(len(told)) if number % 40 == 3]
    assert not journal.exists()


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _started(call: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(call, cwd=ROOT, env=_environment(), stderr=subprocess.PIPE, text=True)


def _further(journal: Path, line: int, process: "subprocess.Popen[str]") -> bool:
    """Whether it has noted more than that line, or ended, which it should not have."""
    return _line(journal) > line or process.poll() is not None


def _line(journal: Path) -> int:
    try:
        return int(json.loads(journal.read_text())["line"])
    except OSError:
        return 0


def read_rejects(path: Path, separator: str = ";") -> Sequence[Mapping[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=separator))


async def test_rejected_rows_are_told_without_the_person(dirigent: Running, tmp_path: Path) -> None:
    a, b, c, d = (dict(one.row) for one in stays(9, 8, "R-")[:4])
    file, rejects = tmp_path / "rows.csv", tmp_path / "rows.rejected.csv"
    write_rows(file, [a, b, c, d])
    assert (await dirigent.run(file)).code == 0
    b["admission_notice_sent_at"] = a["admission_notice_sent_at"] = "2026-01-01 00:00"
    a["admitted_at"] = "2026-01-01 00:00"
    c |= {"sip_consent": "given", "sip_invitation_sent_at": c["admitted_at"], "sip_called_units": "SE2321000131-E1"}
    c["sip_care_centre"] = c["outpatient_unit"] or "SE2321000131-E000000000901"
    d |= {"ward": "SE2120001355-E1", "person_id": d["person_id"][:-1] + str((int(d["person_id"][-1]) + 1) % 10)}
    write_rows(file, [a, b, c, d])
    ended = await dirigent.run(file)
    assert ended.code == 1
    told = read_rejects(rejects)
    assert [(row["rejected_line"], row["rejected_column"], row["rejected_code"]) for row in told] == [
        ("2", "admitted_at", "event.id_reused"),
        ("3", "admission_notice_sent_at", "before_it_happened"),
        ("4", "sip_called_units", "not_in_directory"),
        ("5", "person_id", "person_id.check_digit"),
    ]
    assert all(row["rejected_reason"] for row in told)
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    for row in (a, b, c, d):
        assert row["person_id"] not in rejects.read_text("utf-8-sig") + ended.out + ended.err
        assert row["family_name"] not in rejects.read_text("utf-8-sig") + ended.out + ended.err


async def test_a_ward_of_another_organisation_is_refused_by_name_of_its_column(dirigent: Running, tmp_path: Path) -> None:
    row = {**stays(10, 3, "F-")[0].row, "ward": "SE2120001355-E1"}
    file = tmp_path / "foreign.csv"
    write_rows(file, [row])
    ended = await dirigent.run(file, "--json")
    told = read_rejects(tmp_path / "foreign.rejected.csv")
    assert {row["rejected_code"] for row in told} == {"event.source_foreign"}
    assert ended.report["findings"] == {"ward_unknown": 1}
    assert (await dirigent.stored("F-%"))["events"] == 0


async def test_rejected_rows_are_put_right_where_they_stand_and_imported(dirigent: Running, tmp_path: Path) -> None:
    rows = [dict(one.row) for one in stays(12, 8, "P-")[:3]]
    wrong = {**rows[1], "care_type": "surgery", "protected": "perhaps"}
    file, rejects = tmp_path / "rows.csv", tmp_path / "rows.rejected.csv"
    write_rows(file, [rows[0], wrong, rows[2]], encoding="windows-1252")
    ended = await dirigent.run(file, "--with-rows", "--encoding", "windows-1252")
    assert ended.code == 1, ended.err
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    assert len(read_rejects(rejects)) == 2
    text_of = rejects.read_text("utf-8-sig")
    rejects.write_text(re.sub("surgery", rows[1]["care_type"], text_of).replace("perhaps", "nej"), "utf-8-sig")
    again = await dirigent.run(rejects, "--json")
    assert (again.code, again.report["rows"]["imported"]) == (0, 1), again
    assert (await dirigent.stored("P-%"))["cases"] == 3


async def test_what_stands_in_the_way_is_one_line(dirigent: Running, tmp_path: Path) -> None:
    file = Path(shutil.copy(EXAMPLE, tmp_path))
    for options, said in (
        (("--rejected", str(file)), "cannot be read and hold its own rejected rows"),
        (("--client", "nobody"), "client nobody: no secret at hand"),
        (("--client", "ward-su"), "client ward-su"),
        (("--encoding", "utf-16"), "utf-16"),
    ):
        ended = await dirigent.run(file, *options)
        assert ended.code != 0
        assert said in ended.err + ended.out, options
        assert "Traceback" not in ended.err
