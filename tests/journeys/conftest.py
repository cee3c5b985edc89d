"""One running Dirigent with the demo county for all journeys, once in few processes and once with every service on its own."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from dirigent.county.secrets import read_secrets
from dirigent.replay.api import PublicApi
from dirigent.replay.command import secret_of
from dirigent.supervisor.system import Options, running
from tests.journeys.stories import County

# Journeys close months and receive webhooks: silence is a yes at once, and receivers on this machine are allowed.
ENVIRONMENT = {
    "DIRIGENT_BILLING_DISPUTE_WINDOW_DAYS": "0",
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
async def county(composition: str, data_folder: Path) -> AsyncIterator[County]:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in ENVIRONMENT.items():
            patched.setenv(name, value)
        options = Options(
            data=data_folder, port=0, split=composition == "split", environment="demo", steps=("dirigent.seed",), say=lambda _line: None
        )
        async with AsyncExitStack() as stack:
            system = await stack.enter_async_context(running(options))
            secrets = read_secrets(data_folder)
            api = await stack.enter_async_context(PublicApi(system.public_url, lambda client: secret_of(secrets, client)))
            yield County(api)
