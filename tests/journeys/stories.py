"""What a journey is told with: a county that can be called, and stays that can be lived through, live or as history."""

import asyncio
import itertools
import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from dirigent.county.load import load_county
from dirigent.demo.mailboxes import MailboxRead, read_to_end
from dirigent.replay.api import Answer, PublicApi
from dirigent.simulate.course import at_clock
from dirigent.simulate.persons import personnummer
from shared.dates import format_instant, now
from tests.patience import until

WARD = "SE2321000131-E000000000101"
CARE_CENTRE = "SE2321000131-E000000000901"
CLOUD_EVENT = {"Content-Type": "application/cloudevents+json"}
_numbers = itertools.count(1)


@dataclass(slots=True)
class Stay:
    """One stay of a made-up patient; each event it tells gets an id of its own."""

    municipality: str = "1480"
    needs: tuple[str, ...] = ("municipal_social",)
    ward: str = WARD
    subject: str = field(default_factory=lambda: f"J-{next(_numbers):06d}")
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def person(self) -> dict[str, Any]:
        born = date(1890, 1, 1) + timedelta(days=self.number % 7_000)
        return {
            "type": "personnummer",
            "id": personnummer(born, "980"),
            "name": {"given": "Test", "family": "Testsson"},
            "registered_address": {"street": "Testgatan 1", "postal_code": "999 99", "city": "Göteborg"},
            "registered_municipality": self.municipality,
            "protected": False,
        }

    def tell(self, kind: str, at: datetime, data: dict[str, Any] | None = None, *, sent: datetime | None = None) -> dict[str, Any]:
        event = {
            "specversion": "1.0",
            "id": f"{self.subject}-{next(_numbers)}",
            "source": f"urn:hsa:{self.ward}",
            "type": f"stay.{kind}",
            "subject": self.subject,
            "time": format_instant(at),
            "data": data or {},
        }
        return event | ({"sentat": format_instant(sent)} if sent else {})

    def admission(self, at: datetime, *, sent: datetime | None = None) -> dict[str, Any]:
        data = {"person": self.person, "care_type": "somatic", "planned_discharge_date": None, "needs": list(self.needs)}
        outpatient = {"outpatient_unit": CARE_CENTRE} if "outpatient" in self.needs else {}
        return self.tell("admitted", at, data | outpatient, sent=sent)

    def as_history(self, discharged: date, days: int) -> list[dict[str, Any]]:
        """Admission two days before readiness, readiness `days` before discharge, everything sent within minutes."""
        ready = at_clock(discharged - timedelta(days=days), 9)
        admitted = at_clock(ready.date() - timedelta(days=2), 14)
        left = at_clock(discharged, 15)
        soon = timedelta(minutes=10)
        return [
            self.admission(admitted, sent=admitted + soon),
            self.tell("ready", ready, sent=ready + soon),
            self.tell("discharged", left, {"discharged_to": "home"}, sent=left + soon),
        ]


@dataclass(slots=True)
class County:
    """The public interface in the hands of the demo's clients."""

    api: PublicApi

    async def post_event(self, event: dict[str, Any], client: str = "ward-su") -> Answer:
        return await self.api.call(client, "POST", "/v1/events", body=event, headers=CLOUD_EVENT)

    async def import_events(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        answer = await self.api.call("history", "POST", "/v1/events/batch", body=events)
        assert answer.ok, answer
        outcomes: list[dict[str, Any]] = answer.body["outcomes"]
        assert all(outcome["status"] in {200, 201} for outcome in outcomes), outcomes
        return outcomes

    async def read(self, client: str, path: str, **params: str | int) -> Any:
        answer = await self.api.call(client, "GET", path, params=params)
        assert answer.ok, answer
        return answer.body

    async def post(self, client: str, path: str, body: object) -> Answer:
        return await self.api.call(client, "POST", path, body=body, key=f"journey-{next(_numbers)}-{now().timestamp()}")

    async def mailbox(self, client: str) -> MailboxRead:
        (box,) = await read_to_end(self.api, client)
        assert not box.faults
        return box

    async def notice(self, client: str, kind: str, case_id: str) -> dict[str, Any]:
        """The newest notice of a kind about a case, as soon as it stands in the mailbox."""
        found: list[dict[str, Any]] = []

        async def came() -> bool:
            entries = (await self.mailbox(client)).entries
            found[:] = [entry for entry in entries if entry["type"] == kind and entry["case_id"] == case_id]
            return bool(found)

        await until(came)
        return found[-1]

    async def average(self, municipality: str, month: str) -> dict[str, Any]:
        found = await self.read(f"kommun-{municipality}", f"/v1/averages/{municipality}", **{"from": month, "to": month})
        averages: list[dict[str, Any]] = found["averages"]
        return averages[0] if averages else {"stays": 0}

    async def counted(self, municipality: str, month: str, stays: int) -> dict[str, Any]:
        """The average once so many stays are in it."""

        async def caught_up() -> bool:
            return bool((await self.average(municipality, month))["stays"] == stays)

        await until(caught_up)
        return await self.average(municipality, month)


async def at_once(*calls: Any) -> list[Any]:
    return list(await asyncio.gather(*calls))


def contains(body: object, secret: str) -> bool:
    return secret in json.dumps(body, ensure_ascii=False)


def unit_of(municipality: str) -> str:
    return next(one.unit for one in load_county().municipalities if one.code == municipality)
