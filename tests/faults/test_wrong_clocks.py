"""A machine whose clock is wrong by a day, or is set while we run, moves no due time and no amount (P8)."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dirigent.databases import Access
from services.planning.api import create_app
from services.planning.settings import Settings
from services.planning.usecases import load_directory
from shared.dates import CLOCK, Clock, format_instant, parse_instant
from tests.builders import WARD, a_ward_event
from tests.integration.planning.conftest import ENTRIES
from tests.services import PUBLIC_URL, SERVICE_KEY, Tokens, bearer, serving

NEARLY = timedelta(seconds=60)


@pytest.fixture
def wrong_by(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[timedelta], None]]:
    """Sets the machine's clock, as this process sees it; the clock of the database stays right."""
    CLOCK.forget()
    yield lambda off: monkeypatch.setattr(CLOCK, "_wall", lambda: datetime.now(UTC) + off)
    CLOCK.forget()


@pytest.mark.parametrize("off", [timedelta(days=1), timedelta(days=-1), timedelta(days=400)], ids=["ahead", "behind", "a year ahead"])
@pytest.mark.parametrize("when", ["from the start", "while we run"])
async def test_a_notice_counts_as_sent_when_it_was(
    new_database: Callable[[str], Access], redis_url: str, tmp_path: Path, wrong_by: Callable[[timedelta], None], off: timedelta, when: str
) -> None:
    tokens = Tokens(tmp_path)
    settings = Settings(
        database_url=new_database("planning").app,
        DIRIGENT_REDIS_URL=redis_url,
        DIRIGENT_SERVICE_KEY=SERVICE_KEY,
        DIRIGENT_PUBLIC_URL=PUBLIC_URL,
        DIRIGENT_TOKEN_KEYS_FILE=tokens.keys_file,
    )
    app = create_app(settings)
    if when == "from the start":
        wrong_by(off)
        assert abs(CLOCK.now() - datetime.now(UTC) - off) < Clock.TOLERATED, "the fault struck"
    async with serving(app) as http:
        wrong_by(off)
        async with app.state.database.transaction(role=None) as work:
            assert abs(work.at - datetime.now(UTC)) < NEARLY
        async with app.state.database.transaction() as work:
            await load_directory(work, ENTRIES)
        happened = datetime.now(UTC) - timedelta(minutes=5)
        ward = bearer(tokens.token("ward-su", scopes=["events:write"], units=[WARD]))
        answer = await http.post("/v1/events", json=a_ward_event(time=format_instant(happened)), headers=ward)
        assert answer.status_code == 201, answer.text
        assert abs(parse_instant(answer.json()["received_at"]) - datetime.now(UTC)) < NEARLY
