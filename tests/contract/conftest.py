from pathlib import Path

import pytest

from tests.contract.system import System


@pytest.fixture
def system(settings_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    return System(tmp_path, monkeypatch)
