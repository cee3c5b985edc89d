"""The events that are sent: distinct stays spread over the county, each a synthetic person's; prepared before the clock starts."""

from datetime import timedelta
from itertools import count
from random import Random
from typing import Any, Final

import msgspec

from dirigent.county.load import load_county
from dirigent.simulate.persons import Population
from shared.dates import format_instant, local_date, now

PERSONS: Final = 4_000
NEEDS: Final = ["municipal_social", "municipal_health", "outpatient"]
Event = dict[str, Any]


class Stories:
    """Tells as many different stays as are asked for; `run` keeps the ids of one run apart from those of another."""

    def __init__(self, run: str, seed: int = 1) -> None:
        county = load_county()
        population = Population(Random(seed))
        self._run = run
        self._numbers = count(1)
        self._wards = [ward for hospital in county.hospitals for ward in hospital.wards]
        self._patients = [
            (municipality, county.care_centres_of(municipality.code)[0], population.draw(municipality).as_data())
            for municipality, _ in zip(_round_and_round(list(county.municipalities)), range(PERSONS), strict=False)
        ]

    def admission(self) -> Event:
        """A new stay begins."""
        number = next(self._numbers)
        ward = self._wards[number % len(self._wards)]
        _municipality, centre, person = self._patients[number % len(self._patients)]
        at = now() - timedelta(minutes=5)
        return {
            "specversion": "1.0",
            "id": f"{self._run}-{number}-1",
            "source": f"urn:hsa:{ward.unit}",
            "type": "stay.admitted",
            "subject": f"{self._run}-{number}",
            "time": format_instant(at),
            "data": {
                "person": person,
                "care_type": ward.care_type,
                "planned_discharge_date": (local_date(at) + timedelta(days=6)).isoformat(),
                "needs": NEEDS,
                "outpatient_unit": centre.unit,
            },
        }

    def stay(self) -> list[Event]:
        """Admission, readiness and discharge of one new stay, in this order."""
        admission = self.admission()

        def later(number: int, kind: str, data: Event) -> Event:
            at = format_instant(now() - timedelta(minutes=5 - number))
            return admission | {"id": f"{admission['subject']}-{number}", "type": kind, "time": at, "data": data}

        return [
            admission,
            later(2, "stay.ready", {"compulsory": "none", "secrecy_checked": True}),
            later(3, "stay.discharged", {"discharged_to": "home", "secrecy_checked": True}),
        ]


def _round_and_round(things: list[Any]) -> Any:
    while True:
        yield from things


def encoded(value: object) -> bytes:
    """The JSON of an event or a batch of them."""
    return msgspec.json.encode(value)
