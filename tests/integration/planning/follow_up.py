"""Short ways to tell of whole stays at times of a test's own, and to read the follow-up of them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from services.planning import usecases
from shared.dates import Month
from shared.http.auth import Caller
from tests.builders import GOTEBORG, SOURCE, WARD, a_person, a_personnummer, a_ward_event, admission_data
from tests.integration.planning.conftest import GOTEBORG_NUMBER, HARRYDA_NUMBER, Planning
from tests.services import REGION, bearer

CALLER = Caller("ward-su", REGION, (WARD,), frozenset({"events:write"}), "ward")
NUMBERS = {GOTEBORG: GOTEBORG_NUMBER, "1401": HARRYDA_NUMBER}


async def tell(planning: Planning, kind: str, at: datetime, stay: str, data: Mapping[str, object] | None = None, **other: Any) -> None:
    event = a_ward_event(kind, data, id=f"{stay}-{kind}-{at:%d%H%M}", subject=stay, time=at.isoformat(), source=SOURCE, **other)
    async with planning.database.transaction(at) as work:
        await usecases.accept(work, [usecases.statement(event, CALLER, at, None)])


async def a_stay(
    planning: Planning,
    stay: str,
    admitted: datetime,
    *,
    ready: datetime | None = None,
    discharged: datetime | None = None,
    person: int = 0,
    municipality: str = GOTEBORG,
    care_type: str = "somatic",
) -> None:
    """One stay from admission to discharge, told as it happens; each `person` is another patient."""
    who = a_person(id=a_personnummer(person), registered_municipality=municipality)
    data = admission_data(person=who, care_type=care_type, planned_discharge_date=(discharged or admitted).date().isoformat())
    await tell(planning, "stay.admitted", admitted, stay, data)
    if ready is not None:
        await tell(planning, "stay.ready", ready, stay)
    if discharged is not None:
        await tell(planning, "stay.discharged", discharged, stay)


async def some_stays(planning: Planning, month: Month, days: list[int], *, first: int, **other: Any) -> None:
    """Stays of different patients that are ready on the third of a month and wait so many days."""
    day = datetime.fromisoformat(f"{month}-01T09:00:00+01:00")
    for number, waited in enumerate(days, start=first):
        ready = day + timedelta(days=2)
        await a_stay(planning, f"S{number}", day, ready=ready, discharged=ready + timedelta(days=waited, hours=1), person=number, **other)


async def measure(planning: Planning, at: datetime | None = None) -> None:
    """What the worker does: number what is staged, and measure what moved."""
    await planning.number()
    while True:
        async with planning.database.transaction(at) as work:
            if not await usecases.watch_measures(work):
                return


async def close_months(planning: Planning, at: datetime) -> list[Month]:
    closed: list[Month] = []
    while True:
        async with planning.database.transaction(at) as work:
            month = await usecases.close_month(work)
        if month is None:
            return closed
        closed.append(month)


def region(planning: Planning, role: str = "controller") -> dict[str, str]:
    return bearer(planning.tokens.token("controller", scopes=["averages:read"], role=role))


def municipality(planning: Planning, code: str = GOTEBORG) -> dict[str, str]:
    number = NUMBERS[code]
    token = planning.tokens.token(
        f"kommun-{code}", scopes=["averages:read"], role="municipality", organisation=number, units=[f"SE{number}-"], municipality=code
    )
    return bearer(token)


async def read(planning: Planning, who: dict[str, str], first: str, last: str | None = None, **query: str) -> list[dict[str, Any]]:
    answer = await planning.http.get("/v1/indicators", params={"from": first, "to": last or first, **query}, headers=who)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["indicators"]
    return found
