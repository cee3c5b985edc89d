"""Fixtures for every test; what the servers offer and how to use it is told in `tests/servers.py`."""

import os

import pytest

from dirigent.embedded.programs import Source

pytest_plugins = ["tests.servers"]


@pytest.fixture(scope="session")
def embedded_source() -> Source:
    return Source(os.environ.get("DIRIGENT_EMBEDDED", Source.AUTO))
