"""Planning as its callers meet it: one running application, a small directory, one client for each kind of party."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from dirigent.databases import Access
from services.planning.api import create_app
from services.planning.settings import Settings
from services.planning.usecases import DirectoryEntries, MailboxAt, Organisation, Unit, load_directory
from shared.db import Database
from shared.streams.sequencer import number_staged
from tests.builders import CARE_CENTRE, GOTEBORG, HARRYDA, WARD
from tests.services import PUBLIC_URL, REGION, SERVICE_KEY, Tokens, bearer, serving

GOTEBORG_NUMBER, HARRYDA_NUMBER = "2120001355", "2120001264"
GOTEBORG_UNIT, HARRYDA_UNIT = f"SE{GOTEBORG_NUMBER}-E1", f"SE{HARRYDA_NUMBER}-E1"

ENTRIES = DirectoryEntries(
    organisations=[
        Organisation(REGION, "Region"),
        Organisation(GOTEBORG_NUMBER, "Göteborg", GOTEBORG),
        Organisation(HARRYDA_NUMBER, "Härryda", HARRYDA),
    ],
    units=[
        Unit(WARD, REGION, "Avdelning 1", "ward"),
        Unit(CARE_CENTRE, REGION, "Vårdcentral 1", "care_centre"),
        Unit(GOTEBORG_UNIT, GOTEBORG_NUMBER, "Socialtjänst", "municipal"),
        Unit(HARRYDA_UNIT, HARRYDA_NUMBER, "Socialtjänst", "municipal"),
    ],
    mailboxes=[
        MailboxAt(GOTEBORG_UNIT, GOTEBORG_NUMBER, f"municipality:{GOTEBORG}", "municipality"),
        MailboxAt(HARRYDA_UNIT, HARRYDA_NUMBER, f"municipality:{HARRYDA}", "municipality"),
        MailboxAt(CARE_CENTRE, REGION, f"unit:{CARE_CENTRE}", "care_unit"),
    ],
)


@dataclass
class Planning:
    """Planning under test."""

    http: httpx.AsyncClient
    database: Database
    tokens: Tokens
    owner_url: str

    @property
    def ward(self) -> dict[str, str]:
        return bearer(self.tokens.token("ward-su", scopes=["events:write", "cases:read", "notices:read"], units=[WARD]))

    @property
    def history(self) -> dict[str, str]:
        return bearer(self.tokens.token("history", scopes=["events:import", "plans:write", "cases:read"], role="history"))

    @property
    def care(self) -> dict[str, str]:
        scopes = ["notices:read", "notices:acknowledge", "cases:read", "plans:write"]
        return bearer(self.tokens.token("care-1", scopes=scopes, role="care", units=[CARE_CENTRE]))

    def municipality(self, code: str = GOTEBORG, *more_scopes: str) -> dict[str, str]:
        number = {GOTEBORG: GOTEBORG_NUMBER, HARRYDA: HARRYDA_NUMBER}[code]
        return bearer(
            self.tokens.token(
                f"kommun-{code}",
                scopes=["notices:read", "notices:acknowledge", "cases:read", *more_scopes],
                role="municipality",
                organisation=number,
                units=[f"SE{number}-"],
                municipality=code,
            )
        )

    async def tell(self, event: dict[str, Any], **headers: str) -> httpx.Response:
        return await self.http.post("/v1/events", json=event, headers={**self.ward, **headers})

    async def number(self) -> None:
        """Do the sequencer's work until nothing is staged."""
        while (moved := await number_staged(self.database)) is not None and moved.entries:
            pass

    async def mailbox(self, who: dict[str, str], **parameters: Any) -> dict[str, Any]:
        await self.number()
        answer = await self.http.get("/v1/notices", headers=who, params=parameters)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


BOTH_WAYS = pytest.mark.parametrize("gathered", [True, False], ids=["gathered", "single"])


@pytest.fixture
def gathered() -> bool:
    """Whether events that come together share commits, as is the default; the tests of the intake run both ways."""
    return True


@pytest.fixture
async def planning(new_database: Callable[[str], Access], redis_url: str, tmp_path: Path, gathered: bool) -> AsyncIterator[Planning]:
    tokens = Tokens(tmp_path)
    access = new_database("planning")
    settings = Settings(
        database_url=access.app,
        DIRIGENT_REDIS_URL=redis_url,
        DIRIGENT_SERVICE_KEY=SERVICE_KEY,
        DIRIGENT_PUBLIC_URL=PUBLIC_URL,
        DIRIGENT_TOKEN_KEYS_FILE=tokens.keys_file,
        gathered_intake=gathered,
    )
    app = create_app(settings)
    async with serving(app) as http:
        database = Database(access.app)  # as a worker, who works for all; the application sees what its caller may see
        async with database.transaction() as work:
            await load_directory(work, ENTRIES)
        yield Planning(http, database, tokens, access.owner)
        await database.close()
