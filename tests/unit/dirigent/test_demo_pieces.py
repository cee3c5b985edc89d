"""The parts of the demo that judge: its own check of chains, its record of what was played, its table."""

import io
import json
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from rich.console import Console

from dirigent.demo.checks import Checks
from dirigent.demo.invoices import InvoicesRead
from dirigent.demo.mailboxes import GENESIS, MailboxRead, follow
from dirigent.demo.prices import ore
from dirigent.demo.recompute import recompute
from dirigent.demo.record import Played, read_played, refuse_another, write_played
from dirigent.demo.table import Row, how_to_read, kronor, table_of
from dirigent.demo.wording import many
from dirigent.failure import CannotStart

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "one-stay.ndjson"


def entries(count: int) -> list[dict[str, Any]]:
    """A true mailbox: numbered, chained, each personal part bound to its envelope."""
    made: list[dict[str, Any]] = []
    running = GENESIS
    for number in range(1, count + 1):
        personal: dict[str, Any] = {"salt": "00", "person": {"id": f"person-{number}"}}
        envelope = {"id": str(number), "type": "notice.admission", "personal_sha256": sha256(rfc8785.dumps(personal)).hexdigest()}
        running = follow(running, envelope)
        made.append(envelope | {"number": number, "hash": running.hex(), "personal": personal})
    return made


def read(found: list[dict[str, Any]]) -> MailboxRead:
    box = MailboxRead("kommun-1480", "municipality:1480")
    for entry in found:
        box.take(entry)
    return box


def test_a_true_mailbox_has_no_fault() -> None:
    box = read(entries(5))
    assert not box.faults
    assert box.personal_parts == 5


@pytest.mark.parametrize("position", [0, 2, 4])
def test_a_changed_envelope_is_found(position: int) -> None:
    found = entries(5)
    found[position]["type"] = "notice.ready"
    assert read(found).faults


def test_a_missing_a_doubled_and_a_swapped_entry_are_found() -> None:
    found = entries(4)
    assert read([found[0], found[2], found[3]]).faults
    assert read([found[0], found[1], found[1]]).faults
    assert read([found[1], found[0]]).faults


def test_a_changed_personal_part_is_found_and_a_withheld_one_is_not_a_fault() -> None:
    found = entries(2)
    found[0]["personal"]["person"]["id"] = "somebody else"
    assert len(read(found).faults) == 1
    found[0]["personal"] = {"withheld": "erased"}
    assert not read(found).faults


def test_a_gap_in_invoice_numbers_is_found_year_by_year() -> None:
    numbers = InvoicesRead([{"number": number} for number in ("2026-000001", "2026-000002", "2027-000001")])
    assert numbers.numbers_unbroken
    numbers.entries.append({"number": "2027-000003"})
    assert not numbers.numbers_unbroken


def test_money_is_read_to_the_ore() -> None:
    assert [ore({"amount": amount}) for amount in ("65600.00", "0.05", "-12.34")] == [6_560_000, 5, -1_234]
    assert kronor(123_456_700) == "1 234 567"


def test_what_was_played_is_remembered(tmp_path: Path) -> None:
    assert read_played(tmp_path) is None
    played = Played("2026-10", 4, 600, complete=True)
    write_played(tmp_path, played)
    assert read_played(tmp_path) == played


def test_two_demos_never_mix_in_one_folder(tmp_path: Path) -> None:
    played = Played("2026-10", 4, 600)
    refuse_another(tmp_path, played, None, None, None)
    refuse_another(tmp_path, played, "2026-10", 4, 600)
    with pytest.raises(CannotStart):
        refuse_another(tmp_path, played, "2026-09", None, None)


def test_a_broken_record_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text("{", encoding="utf-8")
    with pytest.raises(CannotStart, match="choose another --data"):
        read_played(tmp_path)


def test_the_example_waited_six_days() -> None:
    month = recompute(EXAMPLE.read_text(encoding="utf-8").splitlines(), date(2025, 5, 1), {2025: 100})["1480"]
    assert [(one.counted_as, one.days) for one in month.cases.values()] == [("average", 6)]


def test_the_example_can_be_read_by_a_person() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 10
    assert len(set(lines)) == 9
    assert sum(1 for line in lines if "command" in json.loads(line)) == 2


def test_one_is_not_many() -> None:
    assert (many(1, "review"), many(2, "review"), many(2, "mailbox", "mailboxes")) == ("1 review", "2 reviews", "2 mailboxes")


def test_every_failed_check_says_why() -> None:
    shown = io.StringIO()
    checks = Checks(Console(file=shown))
    checks.that("it holds", True, "unseen")
    checks.same("both agree", 1, 2)
    assert "both agree: found 1, computed 2" in shown.getvalue()
    assert "unseen" not in shown.getvalue()
    assert (checks.made, checks.all_hold) == (2, False)


def test_the_table_fits_eighty_columns_and_says_why_somebody_pays() -> None:
    rows = [Row("1441", "Lilla Edet", 12, "3.250000", 3, 1, 16, 123_456_700, "issued", "2026-000001")]
    rows.append(Row("1488", "Trollhättan", 0, None, 0, 0, 0, 0, "settled", None))
    shown = io.StringIO()
    Console(file=shown, width=80).print(table_of(rows, "2026-10"))
    assert "…" not in shown.getvalue()
    cells = shown.getvalue().split("Lilla Edet")[1].splitlines()[0].split()
    assert cells == ["12", "3.25", "3", "1", "16", "1", "234", "567", "2026-000001"]
    told = how_to_read(rows, "2026-10", 13, {2026: 1_280_000})
    assert "(days above average 3.0 + days of long stays from day four) × price" in told
    assert "13 stays played, 12 of them count in 2026-10" in told
    assert max(len(line) for line in told.splitlines()) <= 80
