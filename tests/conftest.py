"""Fixtures for every test; what the servers offer and how to use it is told in `tests/servers.py`."""

import gc
import os
from base64 import b64encode

import pytest
import structlog

from dirigent.embedded.programs import Source

pytest_plugins = ["tests.servers"]

# Two keys, the first seals. Read once in a process: every test seals and opens with the same ring.
os.environ["DIRIGENT_PLANNING_PERSON_KEYS"] = ",".join(f"{name}:{b64encode(name.encode() * 16).decode()}" for name in ("t2", "t1"))
os.environ["DIRIGENT_PLANNING_PERSON_LOOKUP_KEY"] = b64encode(b"to find persons " * 2).decode()


@pytest.fixture(scope="session")
def embedded_source() -> Source:
    return Source(os.environ.get("DIRIGENT_EMBEDDED", Source.AUTO))


# Tracebacks as Python prints them: pictures of them with every local variable cost seconds each.
structlog.configure(
    processors=[structlog.processors.add_log_level, structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
)


def pytest_collection_finish() -> None:
    """Have the garbage collector leave alone what was loaded, and come less often: a tenth of the time was its."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together, where several processes share the tests, what shares something dear: a system, what was read of the sources."""
    for item in items:
        called = getattr(item, "callspec", None)
        composition = None if called is None else called.params.get("composition")
        place = item.nodeid.partition("::")[0]
        if composition is not None:
            place = f"journeys {composition}"
        elif place.startswith("tests/architecture/"):
            place = "architecture"
        item.add_marker(pytest.mark.xdist_group(place))
