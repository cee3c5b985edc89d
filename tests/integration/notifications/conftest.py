from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.notifications.api import create_app
from shared.db import Database
from tests.integration.notifications.parts import settings_for
from tests.integration.notifications.told import Telling
from tests.services import Tokens, serving


@pytest.fixture
async def database(notifications_database: str) -> AsyncIterator[Database]:
    opened = Database(notifications_database)
    yield opened
    await opened.close()


@pytest.fixture
async def telling(notifications_database: str, database: Database, tmp_path: Path) -> AsyncIterator[Telling]:
    tokens = Tokens(tmp_path)
    async with serving(create_app(settings_for(notifications_database, tokens.keys_file))) as http:
        yield Telling(http, tokens, database)
