"""The intake's contract, held by the product's two ways of writing and by the textbook handler that `benchmarks/` measures it against.

A comparison of speed means something only when both do the same: the same answers, and the same rows left behind.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import httpx
import pytest
from sqlalchemy import text

from benchmarks import textbook
from dirigent.databases import Access
from services.planning.api import create_app
from services.planning.settings import Settings
from services.planning.usecases import load_directory
from shared.dates import now, parse_instant
from shared.db import Database
from tests.builders import HARRYDA, a_person, a_ward_event, admission_data
from tests.integration.planning.conftest import ENTRIES
from tests.servers import Copies
from tests.services import PUBLIC_URL, SERVICE_KEY, Tokens, bearer, serving

Way = Literal["gathered", "single", "textbook"]
WAYS: Final[tuple[Way, ...]] = ("gathered", "single", "textbook")
ROWS: Final = {
    "events": "SELECT * FROM events ORDER BY id",
    "cases": "SELECT * FROM cases ORDER BY space, subject",
    "case_history": "SELECT * FROM case_history ORDER BY event_row",
    "notices": "SELECT * FROM notices ORDER BY case_id, id",
    "outbox": "SELECT * FROM outbox ORDER BY id",
}
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00|Z)")
_SEALED: Final = re.compile(r'("sealed\\*": ?\\*"\w+\.)[\w=-]+')
_SALTED: Final = re.compile(r'(\\*"(?:salt|personal_sha256)\\*": ?\\*")[0-9a-f]+')


class Intake:
    """One intake under test, with the tokens of a ward and of an importer of history."""

    def __init__(self, http: httpx.AsyncClient, database: Database, tokens: Tokens) -> None:
        self.http = http
        self.database = database
        self.ward = bearer(tokens.token("ward-su", scopes=["events:write"]))
        self.history = bearer(tokens.token("history", scopes=["events:import"], role="history"))

    async def tell(self, event: dict[str, Any], **headers: str) -> httpx.Response:
        return await self.http.post("/v1/events", json=event, headers=self.ward | headers)

    async def count(self, table: str) -> int:
        async with self.database.transaction() as work:
            return len((await work.connection.execute(text(ROWS[table]))).all())

    async def rows(self, begun: datetime) -> dict[str, list[Any]]:
        """Everything that was written, with ids in order of appearance, and nothing that is drawn by lot or of this test's time."""
        async with self.database.transaction() as work:
            found = {table: [dict(row._mapping) for row in await work.connection.execute(text(query))] for table, query in ROWS.items()}
        ids: dict[str, str] = {}
        shown = json.dumps(found, default=str)
        shown = _UUID.sub(lambda match: ids.setdefault(match[0], f"id-{len(ids)}"), shown)
        shown = _INSTANT.sub(lambda match: "now" if parse_instant(match[0].replace(" ", "T")) >= begun else match[0], shown)
        left: dict[str, list[Any]] = json.loads(_SEALED.sub(r"\1", _SALTED.sub(r"\1", shown)))
        return left


@asynccontextmanager
async def running(way: Way, database: str, tokens: Tokens) -> AsyncIterator[Intake]:
    settings = Settings(
        database_url=database,
        DIRIGENT_REDIS_URL="redis://127.0.0.1:1/0",
        DIRIGENT_SERVICE_KEY=SERVICE_KEY,
        DIRIGENT_PUBLIC_URL=PUBLIC_URL,
        DIRIGENT_TOKEN_KEYS_FILE=tokens.keys_file,
        gathered_intake=way == "gathered",
    )
    app = textbook.create_app(settings) if way == "textbook" else create_app(settings)
    async with serving(app) as http:
        known = Database(database)  # as a worker, who works for all; the application sees what its caller may see
        async with known.transaction() as work:
            await load_directory(work, ENTRIES)
        yield Intake(http, known, tokens)
        await known.close()


@pytest.fixture(params=WAYS)
async def intake(request: pytest.FixtureRequest, planning_database: str, tmp_path: Path) -> AsyncIterator[Intake]:
    async with running(request.param, planning_database, Tokens(tmp_path)) as started:
        yield started


async def test_an_admission_is_accepted(intake: Intake) -> None:
    answer = await intake.tell(a_ward_event())
    assert answer.status_code == 201
    assert set(answer.json()) == {"event_id", "case_id", "case_version", "received_at", "findings"}
    assert [await intake.count(table) for table in ROWS] == [1, 1, 1, 2, 5]


async def test_the_same_event_again_gets_the_same_bytes(intake: Intake) -> None:
    first = await intake.tell(a_ward_event())
    again = await intake.tell(a_ward_event())
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.content == again.content
    assert [await intake.count(table) for table in ROWS] == [1, 1, 1, 2, 5]


async def test_the_same_id_for_something_else_is_refused(intake: Intake) -> None:
    await intake.tell(a_ward_event())
    answer = await intake.tell(a_ward_event("stay.ready"))
    assert (answer.status_code, answer.json()["code"]) == (422, "event.id_reused")
    assert await intake.count("events") == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"time": "2026-11-03T14:05:00"},
        {"time": "2150-01-01T00:00:00Z"},
        {"unheard_of": 1},
        {"type": "stay.unheard_of"},
        {"data": admission_data(person=a_person(id="189001019809"))},
    ],
)
async def test_a_wrong_field_is_refused_and_never_repeated(intake: Intake, wrong: dict[str, Any]) -> None:
    answer = await intake.tell(a_ward_event(**wrong))
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert "189001019809" not in answer.text
    assert await intake.count("events") == 0


async def test_only_who_may_speak_for_the_ward_is_heard(intake: Intake) -> None:
    assert (await intake.tell(a_ward_event(), Authorization="Bearer x.y.z")).status_code == 401
    foreign = await intake.tell(a_ward_event(source="urn:hsa:SE2120001355-E1"))
    assert (foreign.status_code, foreign.json()["code"]) == (403, "event.source_foreign")
    assert (await intake.tell(a_ward_event(sentat="2026-11-03T14:06:00+01:00"))).json()["code"] == "event.sentat_denied"


async def test_the_same_event_from_many_at_once_has_one_effect_and_one_answer(intake: Intake) -> None:
    answers = await asyncio.gather(*(intake.tell(a_ward_event()) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert await intake.count("events") == 1


async def test_two_clients_at_once_on_one_new_case_take_turns(intake: Intake) -> None:
    admission, ready = a_ward_event(), a_ward_event("stay.ready", id="SU-2", time="2026-11-05T10:00:00+01:00")
    answers = await asyncio.gather(intake.tell(admission), intake.tell(ready))
    assert [answer.status_code for answer in answers] == [201, 201]
    assert sorted(answer.json()["case_version"] for answer in answers) == [1, 2]
    assert len({answer.json()["case_id"] for answer in answers}) == 1
    async with intake.database.transaction() as work:
        states = (await work.connection.execute(text("SELECT state FROM cases"))).scalars().all()
    assert states == ["ready"]


def a_month_of_history() -> list[dict[str, Any]]:
    """Stays with everything in them: out of order, corrected to another municipality, cancelled, ended."""

    def told(number: int, kind: str, day: int, data: dict[str, Any] | None = None, stay: str = "a") -> dict[str, Any]:
        at = f"2024-03-{day:02d}T10:00:00+01:00"
        return a_ward_event(kind, data, id=f"{stay}-{number}", subject=f"stay-{stay}", time=at, sentat=f"2024-03-{day:02d}T10:01:00+01:00")

    moved = admission_data(person=a_person(registered_municipality=HARRYDA)) | {"corrects": "a-1"}
    return [
        told(1, "stay.admitted", 1),
        told(2, "stay.planned_discharge_changed", 3),
        told(3, "stay.ready", 4),
        told(4, "stay.ready_withdrawn", 5),
        told(5, "stay.ready", 7),
        told(6, "stay.admitted", 8, moved),
        told(7, "stay.discharged", 9),
        told(1, "stay.ready", 4, stay="b"),
        told(2, "stay.admitted", 2, stay="b"),
        told(1, "stay.admitted", 2, stay="c"),
        told(2, "stay.event_cancelled", 3, {"event": "c-1", "reason": "Fel patient"}, stay="c"),
        told(1, "stay.admitted", 2, admission_data(needs=[]), stay="d"),
        told(2, "stay.deceased", 6, stay="d"),
    ]


@pytest.mark.parametrize("way", ["single", "textbook"])
async def test_every_way_leaves_the_same_rows(way: Way, new_database: Callable[[str], Access], copies: Copies, tmp_path: Path) -> None:
    begun, tokens, other = now(), Tokens(tmp_path), copies.make("planning")
    both: tuple[tuple[Way, str], ...] = (("gathered", new_database("planning").app), (way, other.app))
    left = []
    for one, database in both:
        async with running(one, database, tokens) as intake:
            for event in a_month_of_history():
                answer = await intake.tell(event, **intake.history)
                assert answer.status_code == 201, answer.text
            left.append(await intake.rows(begun))
    copies.drop(other)
    assert len(left[0]["notices"]) > 10, "positive control: there is something to compare"
    for table in ROWS:
        assert left[0][table] == left[1][table], table
