"""The two files beside an import: what it rejected, and how far it came."""

from dataclasses import replace
from pathlib import Path

import pytest

from dirigent.failure import CannotStart
from dirigent.importing.history.columns import REQUIRED
from dirigent.importing.history.file import Form, Line, form_of, read_lines
from dirigent.importing.history.journal import Journal, Progress, Tally
from dirigent.importing.history.reading import Problem
from dirigent.importing.history.rejects import Rejects

FORM = Form("utf-8", ";", ("ward", "person_id"), "0" * 64, 3)
WRONG = [Problem("person_id", "missing")]
PROGRESS = Progress("0" * 64, "http://a", "history", "utf-8", False, 7, 120, Tally(rows=6, findings={"two_admissions": 1}))


def a_line(number: int) -> Line:
    return Line(number, {}, ("W", "Testsson"))


def test_what_was_rejected_after_the_last_noted_line_is_rejected_again_and_stands_once(tmp_path: Path) -> None:
    path = tmp_path / "rejected.csv"
    with Rejects(path, FORM, whole=False) as rejects:
        rejects.write(a_line(2), FORM, WRONG)
        noted = rejects.mark()
        rejects.write(a_line(3), FORM, WRONG)  # and then it was killed
    with Rejects(path, FORM, whole=False, keep=noted) as rejects:
        rejects.write(a_line(3), FORM, WRONG)
    lines = path.read_text("utf-8-sig").splitlines()
    assert [line.partition(";")[0] for line in lines] == ["rejected_line", "2", "3"]


def test_a_row_stands_beside_its_problems_only_when_asked_for(tmp_path: Path) -> None:
    for whole in (False, True):
        path = tmp_path / f"{whole}.csv"
        with Rejects(path, FORM, whole=whole) as rejects:
            rejects.write(a_line(2), FORM, [*WRONG, Problem("ward", "format")])
        assert ("Testsson" in path.read_text("utf-8-sig")) is whole
        assert path.read_text("utf-8-sig").count("Testsson") == int(whole)


def test_only_one_import_writes_a_file_of_rejected_rows(tmp_path: Path) -> None:
    with Rejects(tmp_path / "r.csv", FORM, whole=False), pytest.raises(CannotStart, match="another import is writing it"):
        Rejects(tmp_path / "r.csv", FORM, whole=False)


def test_progress_is_read_as_it_was_noted(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "p.json")
    assert journal.read() is None
    journal.note(PROGRESS)
    assert journal.read() == PROGRESS
    assert (tmp_path / "p.json").stat().st_mode & 0o777 == 0o600
    journal.forget()
    assert journal.read() is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"line": 3}', b"\xff"])
def test_progress_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p.json").write_bytes(content)
    assert Journal(tmp_path / "p.json").read() is None


@pytest.mark.parametrize(
    "other", [{"sha256": "1" * 64}, {"url": "http://b"}, {"client": "x"}, {"encoding": "windows-1252"}, {"whole_rows": True}]
)
def test_another_file_or_another_place_is_another_import(other: dict[str, str]) -> None:
    fresh = replace(PROGRESS, line=1, rejected_bytes=0, tally=Tally())
    assert PROGRESS.same_import(fresh)
    assert not PROGRESS.same_import(replace(fresh, **other))  # type: ignore[arg-type]


def test_progress_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="--journal names another place"):
        Journal(tmp_path / "gone" / "p.json").note(PROGRESS)


def test_a_row_with_too_many_cells_keeps_them_all_so_that_it_is_not_taken_for_put_right(tmp_path: Path) -> None:
    file = tmp_path / "stays.csv"
    file.write_text(";".join(REQUIRED) + "\n" + ";".join("x" for _ in REQUIRED) + ";surplus\n", encoding="utf-8")
    form = form_of(file, "utf-8")
    (line,) = read_lines(file, form)
    rejected = tmp_path / "rejected.csv"
    with Rejects(rejected, form, whole=True) as rejects:
        rejects.write(line, form, [Problem("", line.fault)])
    again = form_of(rejected, "utf-8")
    assert [one.fault for one in read_lines(rejected, again)] == ["too_many_columns"]
