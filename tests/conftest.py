"""Fixtures for every test; what the servers offer and how to use it is told in `tests/servers.py`."""

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together, where several processes share the tests, what shares a system: the journeys of a composition, else a file."""
    for item in items:
        called = getattr(item, "callspec", None)
        journeys = None if called is None else called.params.get("composition")
        item.add_marker(pytest.mark.xdist_group(f"journeys {journeys}" if journeys else item.nodeid.partition("::")[0]))
