"""Everybody's rows are read for one answer in named places only: nowhere else does a request become the auditor."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
READ_AS_AUDITOR: Final = {
    "services/billing/repository/everybody.py": "averages of closed months of the others, and whether a month is more than its stays",
    "services/planning/usecases/audit.py": "log review: what everybody did with the organisation's cases",
    "services/planning/usecases/person_rights.py": "what an organisation answers for of one person",
    "services/planning/usecases/indicators.py": "figures are made of everybody's stays",
    "services/planning/usecases/worklist.py": "what one owes follows from what all have done; shown is what the wall shows the caller",
}


def test_a_request_reads_as_the_auditor_in_the_named_places_only() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "services").rglob("*.py"))
        if "Role.AUDITOR" in path.read_text(encoding="utf-8")
    }
    assert found == set(READ_AS_AUDITOR)
