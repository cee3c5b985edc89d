"""Documents are true: generated pages are current, links lead somewhere, and the README's commands exist."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from dirigent.cli import COMMANDS
from dirigent.county.clients import demo_clients
from dirigent.county.load import load_county
from dirigent.documentation.__main__ import outdated
from services.gateway.routes import RouteMap
from shared.http.access import ROUTES, Route
from tests.architecture.source import ROOT, files

LINK: Final = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
NAMED: Final = re.compile(r"`([A-Za-z_]\w*)`")
FENCED: Final = re.compile(r"```\w*\n(.*?)```", re.DOTALL)
# One call of the README: the client its token is for, and every address it calls.
CLIENT: Final = re.compile(r"dirigent token ([\w-]+)")
CALL: Final = re.compile(r"curl -s \"?\$URL(/[^\s\"?]*)[^\n]*(?:\n[^\n]*)*?(?=\n[A-Z]+=|\n```|\ncurl|\Z)")
README: Final = ROOT / "README.md"


def documents() -> list[Path]:
    return [path for path in files() if path.suffix == ".md"]


def broken_links(path: Path, text: str) -> Iterator[str]:
    """Links to files that are not there, and names in link texts that the file does not hold."""
    for words, target in LINK.findall(text):
        if "://" in target or target.startswith("#"):
            continue
        led = (path.parent / target.partition("#")[0]).resolve()
        if not led.exists():
            yield f"{path.name}: {target}"
        elif led.suffix == ".py" and (name := NAMED.fullmatch(words)) and not re.search(rf"\b{name[1]}\b", led.read_text(encoding="utf-8")):
            yield f"{path.name}: {name[1]} is not in {target}"


def calls_of(block: str) -> Iterator[tuple[str, str]]:
    """Method and path of every curl call in a block of the README."""
    for found in CALL.finditer(block):
        path = re.sub(r"\$[A-Z]+", "01900000-0000-7000-8000-000000000000", found[1])
        yield ("POST" if " -d '" in found[0] else "GET"), path


def test_the_generated_pages_tell_what_the_code_says() -> None:
    assert outdated() == [], "python -m dirigent.documentation writes them anew"


def test_every_link_leads_somewhere() -> None:
    assert len(documents()) > 15
    assert [fault for path in documents() for fault in broken_links(path, path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("text", ["[gone](docs/gone.md)", "[`NoSuchName`](shared/money.py)"])
def test_a_link_to_nowhere_is_seen(text: str) -> None:
    assert list(broken_links(README, text))
    assert not list(broken_links(README, "[`Money`](shared/money.py) and [more](https://example.org/x)"))


def test_the_readme_names_commands_that_exist() -> None:
    text = README.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
    assert {"run", "test"} <= named <= targets
    assert set(re.findall(r"-m dirigent ([a-z]+)", text)) <= set(COMMANDS)
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1]


def test_every_call_of_the_readme_is_one_its_client_may_make() -> None:
    clients = {client.id: client for client in demo_clients(load_county())}
    routes = RouteMap(ROUTES)
    blocks = [block for block in FENCED.findall(README.read_text(encoding="utf-8")) if CLIENT.search(block)]
    called = [(CLIENT.findall(block)[0], call) for block in blocks for call in calls_of(block)]
    assert {client.partition("-")[0] for client, _ in called} == {"ward", "kommun", "care", "finance", "controller"}
    assert len(called) >= 7
    for client, (method, path) in called:
        route = routes.find(method, path.encode())
        assert isinstance(route, Route), f"{method} {path}"
        assert set(route.scopes) & set(clients[client].scopes), f"{client} may not {method} {path}"


def test_every_direct_dependency_is_accounted_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    text = (ROOT / "docs" / "adr" / "0001-stack-and-dependencies.md").read_text(encoding="utf-8")
    rows = {name.strip() for line in text.splitlines() if line.startswith("| ") for name in line.split("|")[1].split(",")}
    names = {re.split(r"[\[<>=; ]", line)[0] for line in wanted}
    assert names <= rows


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "adr").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
