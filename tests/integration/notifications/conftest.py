from collections.abc import AsyncIterator

import pytest

from shared.db import Database


@pytest.fixture
async def database(notifications_database: str) -> AsyncIterator[Database]:
    opened = Database(notifications_database)
    yield opened
    await opened.close()
