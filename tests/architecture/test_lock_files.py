"""The lock files say what is installed, byte for byte, and never from where."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.source import ROOT

ADDRESSES: Final = re.compile(r"://|--index|--extra-index|--find-links|--trusted-host|@ *file:", re.IGNORECASE)
HASH: Final = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def locks() -> list[Path]:
    return sorted(ROOT.glob("requirements*.txt"))


def loose(text: str) -> Iterator[str]:
    """Lines that name an address, and requirements without version or hash."""
    for line in text.replace("\\\n", " ").splitlines():
        if ADDRESSES.search(line) or (line.strip() and not line.startswith("#") and ("==" not in line or not HASH.search(line))):
            yield line.strip()


def names(path: Path) -> set[str]:
    return {line.partition("==")[0].strip().lower() for line in path.read_text(encoding="utf-8").splitlines() if "==" in line}


def test_locks_carry_hashes_and_no_addresses() -> None:
    extra = {"requirements-uv.txt", "requirements-schematron.txt", "requirements-peppol.txt"}
    assert {path.name for path in locks()} == {"requirements.txt", "requirements-dev.txt", *extra}
    assert {path.name: list(loose(path.read_text(encoding="utf-8"))) for path in locks()} == {path.name: [] for path in locks()}


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://packages.example/simple",
        "--find-links wheels",
        "httpx @ https://packages.example/httpx.whl",
        "httpx==0.28.1",
        f"httpx --hash=sha256:{'0' * 64}",
    ],
)
def test_an_address_or_a_loose_requirement_is_seen(line: str) -> None:
    assert list(loose(line))


def test_every_direct_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    direct = {_name(wanted) for wanted in project["project"]["dependencies"]}
    assert direct <= names(ROOT / "requirements.txt")
    assert direct | {_name(wanted) for wanted in project["dependency-groups"]["dev"]} <= names(ROOT / "requirements-dev.txt")


def test_the_development_lock_holds_all_of_the_other() -> None:
    pinned = [
        {line.split()[0] for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if "==" in line}
        for name in ("requirements.txt", "requirements-dev.txt")
    ]
    assert pinned[0] <= pinned[1]


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return found[0].lower()
