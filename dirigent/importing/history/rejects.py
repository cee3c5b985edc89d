"""The file of rejected rows: line, column, code and words; what stood in the row only where that was asked for. For its owner only."""

import csv
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from dirigent.failure import CannotStart
from dirigent.importing.history.columns import REJECTED
from dirigent.importing.history.file import Form, Line
from dirigent.importing.history.reading import Problem
from dirigent.importing.history.wording import in_words

_FOR_ITS_OWNER: Final = 0o600


class Rejects:
    """An open file of rejected rows; only one import at a time writes it.

    Args:
        path: Where it stands.
        form: How the imported file is written; this one is written the same way.
        whole: Whether the cells of a rejected row stand beside its problems, so that it can be put right and imported.
        keep: How much of a file that was begun earlier still counts; the rest was written after the last noted line.
    """

    def __init__(self, path: Path, form: Form, *, whole: bool, keep: int = 0) -> None:
        self.path = path
        self._columns = [name for name in form.columns if name not in REJECTED] if whole else []
        try:
            opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, _FOR_ITS_OWNER)
        except OSError as error:
            raise CannotStart(f"{path}: {error.strerror}") from None
        self._file = os.fdopen(opened, "r+", encoding="utf-8", newline="")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise CannotStart(f"{path}: another import is writing it") from None
        os.fchmod(self._file.fileno(), _FOR_ITS_OWNER)
        self._file.truncate(keep)
        self._file.seek(0, os.SEEK_END)
        self._writer = csv.writer(self._file, delimiter=form.separator, lineterminator="\r\n")
        if not keep:
            # The mark tells a spreadsheet that this is UTF-8.
            self._file.write("\ufeff")
            self._writer.writerow((*REJECTED, *self._columns))
            self.mark()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def write(self, line: Line, form: Form, problems: Sequence[Problem]) -> None:
        """Write a row's problems, one a line; the cells, if wanted, beside the first."""
        told = dict(zip(form.columns, line.texts, strict=False)) if self._columns else {}
        surplus = line.texts[len(form.columns) :] if self._columns else ()
        for number, problem in enumerate(problems):
            cells = [*(told.get(name, "") for name in self._columns), *surplus] if number == 0 else []
            self._writer.writerow((line.number, problem.column, problem.code, in_words(problem), *cells))

    def mark(self) -> int:
        """Bring everything written to disk; how long the file is now."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return os.fstat(self._file.fileno()).st_size

    def forget(self) -> None:
        """Nothing was rejected: no file is needed."""
        self.path.unlink(missing_ok=True)
