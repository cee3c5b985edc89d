"""One running Dirigent with the demo county for all journeys, once in few processes and once with every service on its own."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dirigent.county.secrets import read_secrets
from dirigent.replay.api import PublicApi
from dirigent.replay.command import secret_of
from dirigent.supervisor.system import Options, System, running
from tests.journeys.stories import County

# Journeys close months and receive webhooks: silence is a yes at once, and receivers on this machine are allowed. Logs tell all they can.
ENVIRONMENT = {
    "DIRIGENT_BILLING_DISPUTE_WINDOW_DAYS": "0",
    "DIRIGENT_LOG_LEVEL": "DEBUG",
    "DIRIGENT_NOTIFICATIONS_ALLOWED_TARGETS": "http://127.0.0.1:*",
}


@pytest.fixture(scope="session", params=["together", "split"])
def composition(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def data_folder(composition: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f"dirigent-journeys-{composition}-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
async def system(composition: str, data_folder: Path) -> AsyncIterator[System]:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in ENVIRONMENT.items():
            patched.setenv(name, value)
        options = Options(
            data=data_folder, port=0, split=composition == "split", environment="demo", steps=("dirigent.seed",), say=lambda _line: None
        )
        async with running(options) as system:
            yield system


@pytest.fixture(scope="session")
async def county(system: System, data_folder: Path) -> AsyncIterator[County]:
    secrets = read_secrets(data_folder)
    async with PublicApi(system.public_url, lambda client: secret_of(secrets, client)) as api:
        yield County(api)


def pytest_configure(config: pytest.Config) -> None:
    """Name the mark of the journeys that come last."""
    config.addinivalue_line("markers", "after_all: runs behind every other journey of its composition, on the system that they used")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what is marked `after_all` behind every other journey of its composition, whatever the files are called.

    Last of all hooks: pytest itself puts together before what shares a system.
    """
    marked = [item for item in items if item.get_closest_marker("after_all")]
    for last in marked:
        items.remove(last)
        alike = [place for place, item in enumerate(items) if composition_of(item) == composition_of(last)]
        items.insert(alike[-1] + 1 if alike else len(items), last)


def composition_of(item: pytest.Item) -> str | None:
    """In which composition a journey runs; none for what is no journey of a whole system."""
    called = getattr(item, "callspec", None)
    return None if called is None else called.params.get("composition")
