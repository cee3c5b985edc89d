"""Explanations of a month in which everything happens, and a fresh Python that has nothing but the law to verify them with."""

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from services.billing.agreements import load_agreements, load_tariffs
from services.billing.domain.contested import Claim, Standing
from services.billing.domain.explanation import Explained, explain
from services.billing.domain.month import MonthInputs, RuleBook
from services.billing.domain.stay import Stay
from shared.dates import Month
from tests.unit.billing.builders import a_stay

ROOT = Path(__file__).parents[3]
MARCH = Month(2020, 3)


def inputs(*stays: Stay, claims: tuple[Claim, ...] = (), month: Month = MARCH, code: str = "1480") -> MonthInputs:
    book = RuleBook(load_agreements(), load_tariffs(), "2321000131")
    return MonthInputs(code, month, stays, (), claims, book, date(2026, 11, 2))


def a_month_of_every_kind() -> MonthInputs:
    """Counted in the average, long, excluded, held, still there, contested, cancelled, and of another month."""
    contested = a_stay(9)
    return inputs(
        a_stay(2),
        a_stay(5),
        a_stay(6),
        a_stay(7),
        a_stay(12),
        a_stay(10, sip_required=True),
        a_stay(4, admission_notice=None),
        a_stay(8, sip_required=True, invited=["2020-03-18T09:00"]),
        a_stay(ready="2020-03-10T09:00"),
        a_stay(4, cancelled=True),
        a_stay(4, discharged="2020-04-02T10:00"),
        contested,
        claims=(Claim(UUID(int=1), contested.case_id, None, Standing.UNDECIDED),),
    )


def explained(given: MonthInputs) -> dict[str, Any]:
    return explain(Explained(given, version=3))


BLOCKED = """
import sys
PURE = ("services.billing.domain", "shared.dates", "shared.money", "shared.errors", "shared.text", "shared.identifiers", "shared.persons")
OTHERS = {"sqlalchemy", "asyncpg", "fastapi", "starlette", "pydantic_settings", "httpx", "redis", "lxml", "typst", "joserfc"}
class Blocked:
    def find_spec(self, name, path=None, target=None):
        ours = name.split(".")[0] in {"services", "shared"} and name not in {"services", "services.billing", "shared"}
        if name.split(".")[0] in OTHERS or (ours and not name.startswith(PURE)):
            raise ImportError(f"blocked: {name}")
sys.meta_path.insert(0, Blocked())
"""
COMMAND = """
sys.argv = ["dirigent", "explain", "--verify", *sys.argv[1:]]
from dirigent.cli import main
main()
"""
LAW_ALONE = """
from services.billing.domain.verifying import verify
print(verify(open(sys.argv[1], encoding="utf-8").read()))
"""


def run(program: str, *arguments: str | Path, bare: bool = False) -> subprocess.CompletedProcess[str]:
    """A fresh Python in which nothing but the pure package and what it stands on can be imported; `bare` = no installed package at all."""
    flags = ["-S"] if bare else []
    called = [sys.executable, *flags, "-c", BLOCKED + program, *map(str, arguments)]
    return subprocess.run(called, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
