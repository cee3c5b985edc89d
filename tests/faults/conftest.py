"""What the tests of whole starts share: folders that root's servers, which run as somebody else, can enter."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def an_open_folder() -> Iterator[Path]:
    # Not pytest's own temporary folder: that is closed to others, and closed again by every other run of pytest.
    outer = Path(tempfile.mkdtemp(prefix="dirigent-supervision-"))
    outer.chmod(0o711)
    yield outer
    shutil.rmtree(outer, ignore_errors=True)


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A data folder to be, for all tests of a module; its name is one that careless quoting would stumble over."""
    with an_open_folder() as outer:
        yield outer / 'dåta 100% "of" $it\'s'


@pytest.fixture
def fresh() -> Iterator[Path]:
    """A data folder to be, for one test."""
    with an_open_folder() as outer:
        yield outer / "data"
