"""Short ways to call what the tests of plans, consents, messages and deviations call again and again."""

import itertools
import json
from typing import Any

import httpx
from sqlalchemy import text

from services.planning.usecases import DirectoryEntries, MailboxAt, Unit, load_directory
from tests.builders import CARE_CENTRE, a_ward_event
from tests.integration.planning.conftest import GOTEBORG_NUMBER, GOTEBORG_UNIT, Planning
from tests.services import REGION, bearer

TEAM = "SE2321000131-TEAM1"
SCHOOL = f"SE{GOTEBORG_NUMBER}-SKOLA"
CHILD: dict[str, Any] = {"type": "personnummer", "id": "201003202387", "name": {"given": "Test", "family": "Testsson"}}
ADULT: dict[str, Any] = {"type": "personnummer", "id": "189001019802", "name": {"given": "Test", "family": "Testsson"}}
_keys = itertools.count(1)


def care(planning: Planning) -> dict[str, str]:
    scopes = ["notices:read", "notices:acknowledge", "cases:read", "cases:write", "plans:write", "consents:write", "deviations:write"]
    return bearer(planning.tokens.token("care-1", scopes=scopes, role="care", units=[CARE_CENTRE]))


def municipality(planning: Planning, code: str = "1480", number: str = GOTEBORG_NUMBER) -> dict[str, str]:
    scopes = [
        "notices:read",
        "notices:acknowledge",
        "cases:read",
        "cases:write",
        "plans:write",
        "consents:write",
        "deviations:write",
        "persons:protected",
    ]
    token = planning.tokens.token(
        f"kommun-{code}", scopes=scopes, role="municipality", organisation=number, units=[f"SE{number}-"], municipality=code
    )
    return bearer(token)


async def post(planning: Planning, who: dict[str, str], path: str, body: object) -> httpx.Response:
    return await planning.http.post(path, json=body, headers={**who, "Idempotency-Key": f"call-{next(_keys)}"})


async def put(planning: Planning, who: dict[str, str], path: str, body: object) -> httpx.Response:
    return await planning.http.put(path, json=body, headers=who)


async def get(planning: Planning, who: dict[str, str], path: str) -> Any:
    answer = await planning.http.get(path, headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def done(call: Any) -> Any:
    answer = await call
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


async def refused(call: Any) -> tuple[int, str]:
    answer = await call
    return answer.status_code, answer.json()["code"]


async def a_case(planning: Planning) -> str:
    return str((await planning.tell(a_ward_event())).json()["case_id"])


async def facts(planning: Planning, kind: str) -> list[dict[str, Any]]:
    await planning.number()
    async with planning.database.transaction() as work:
        rows = (await work.connection.execute(text("SELECT body FROM feed_entries WHERE kind = :kind"), {"kind": kind})).scalars().all()
    return [json.loads(row) for row in rows]


async def everything_told(planning: Planning) -> str:
    """Every envelope and fact there is, as one text."""
    await planning.number()
    async with planning.database.transaction() as work:
        return "\n".join((await work.connection.execute(text("SELECT body FROM feed_entries"))).scalars().all())


async def with_school_and_team(planning: Planning) -> None:
    """A school of the municipality, and a mobile team of the region's care centre and the municipality's social services."""
    entries = DirectoryEntries(
        organisations=[],
        units=[Unit(SCHOOL, GOTEBORG_NUMBER, "Skola", "municipal"), Unit(TEAM, REGION, "Mobilt team", "team")],
        mailboxes=[MailboxAt(SCHOOL, GOTEBORG_NUMBER, f"unit:{SCHOOL}", "care_unit")],
    )
    async with planning.database.transaction() as work:
        await load_directory(work, entries)
        await work.connection.execute(
            text("INSERT INTO team_members (team, unit, valid_from) VALUES (:team, :first, '2018-01-01'), (:team, :second, '2018-01-01')"),
            {"team": TEAM, "first": CARE_CENTRE, "second": GOTEBORG_UNIT},
        )
