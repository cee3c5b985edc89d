"""A placement that an older service knew of: stated as of then, for the municipality of then, and only by who imports history."""

from typing import Any

import httpx
import pytest

from tests.builders import GOTEBORG, HARRYDA, WARD, a_ward_event
from tests.integration.planning.conftest import Planning
from tests.integration.planning.test_stating import municipality
from tests.integration.planning.test_transfers import stays_told
from tests.services import bearer

THEN = "2025-11-04T09:00:00+01:00"
DECISION = {"municipality": HARRYDA, "decision_date": "2025-01-15", "reference": "SN 2025-17", "unit": WARD}
HISTORY = DECISION | {"stated_by": GOTEBORG, "stated_at": THEN}
ADMITTED = a_ward_event(time="2025-11-03T14:05:00+01:00", sentat="2025-11-03T14:30:00+01:00")
READY = a_ward_event("stay.ready", id="SU-2", time="2025-11-10T10:00:00+01:00", sentat="2025-11-10T10:05:00+01:00")


def history(planning: Planning) -> dict[str, str]:
    return bearer(planning.tokens.token("history", scopes=["events:import", "cases:write", "cases:read"], role="history"))


async def a_case(planning: Planning) -> str:
    told = await planning.http.post("/v1/events/batch", json=[ADMITTED, READY], headers=history(planning))
    case: str = told.json()["outcomes"][0]["accepted"]["case_id"]
    return case


async def place(planning: Planning, who: dict[str, str], case: str, **said: Any) -> httpx.Response:
    return await planning.http.put(f"/v1/cases/{case}/liable-municipality", json=said, headers=who)


async def test_the_placing_municipality_was_told_when_it_was_stated_then(planning: Planning) -> None:
    case = await a_case(planning)
    first = await place(planning, history(planning), case, **HISTORY)
    again = await place(planning, history(planning), case, **HISTORY)
    assert (first.status_code, first.json()["stated_at"]) == (200, "2025-11-04T08:00:00.000000Z")
    assert first.json() == again.json()
    (placed,) = (await stays_told(planning))[case].placements
    assert (placed.municipality, placed.stated_by) == (HARRYDA, GOTEBORG)
    entries = (await planning.mailbox(planning.municipality(HARRYDA)))["entries"]
    assert [(one["type"], one["sent_at"]) for one in entries] == [
        ("notice.admission", "2025-11-04T08:00:00.000000Z"),
        ("notice.ready", "2025-11-10T09:05:00.000000Z"),
    ]


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        (DECISION, 403, "access.denied"),
        (DECISION | {"stated_by": GOTEBORG}, 422, "request.malformed"),
        (DECISION | {"stated_at": THEN}, 422, "request.malformed"),
        (HISTORY | {"stated_at": "2199-01-01T00:00:00+01:00"}, 422, "event.sentat_invalid"),
    ],
)
async def test_history_says_who_stated_it_and_when(planning: Planning, said: dict[str, Any], status: int, code: str) -> None:
    answer = await place(planning, history(planning), await a_case(planning), **said)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_municipality_speaks_for_itself_and_for_now(planning: Planning) -> None:
    case = await a_case(planning)
    own = {name: value for name, value in HISTORY.items() if name != "unit"}
    answer = await place(planning, municipality(planning), case, **own)
    assert (answer.status_code, answer.json()["code"]) == (403, "event.sentat_denied")
