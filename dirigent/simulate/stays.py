"""Stays of the simulated county: who lies on which ward, from which municipality, and what she will need afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final, Literal

from dirigent.county.model import CareCentre, County, Hospital, Municipality, Ward
from dirigent.simulate.course import FLOWS, Course, draw_course
from dirigent.simulate.draws import happens, pick, weighted
from dirigent.simulate.persons import Person, Population
from shared.dates import Month

Compulsory = Literal["none", "opt", "orv"]

NEEDS: Final[tuple[tuple[tuple[str, ...], float], ...]] = (
    (("municipal_social",), 38),
    (("municipal_social", "municipal_health", "outpatient"), 36),
    (("municipal_health", "outpatient"), 14),
    (("municipal_social", "outpatient"), 8),
    (("outpatient",), 4),
)
OTHER_HOSPITAL_SHARE: Final = 0.06
UNREGISTERED_SHARE: Final = 0.006
READMISSION_SHARE: Final = 0.2  # of those who come in after somebody of their municipality went home
COMPULSORY_SHARE: Final = 0.12
EACH_MUNICIPALITY_FROM: Final = 4  # stays per municipality before each of them is sure to have one


@dataclass(frozen=True, slots=True)
class Stay:
    """One stay (vårdtillfälle) as it truly was."""

    subject: str
    hospital: Hospital
    ward: Ward
    municipality: Municipality
    care_centre: CareCentre
    person: Person
    needs: tuple[str, ...]
    compulsory: Compulsory
    course: Course

    @property
    def source(self) -> str:
        """The `source` of its events."""
        return f"urn:hsa:{self.ward.unit}"

    @property
    def sip_required(self) -> bool:
        """Measures from both region and municipality are needed, and no compulsory outpatient care takes the place of a SIP."""
        return self.compulsory == "none" and "outpatient" in self.needs and len(self.needs) > 1

    @property
    def parties(self) -> tuple[str, ...]:
        """The units that are called to a SIP."""
        return self.municipality.unit, self.care_centre.unit


def draw_stays(random: Random, county: County, month: Month, count: int) -> Iterator[Stay]:
    """Draw stays one after the other; each municipality keeps its own flow through the month."""
    flows = {municipality.code: weighted(random, FLOWS) for municipality in county.municipalities}
    shares = [(municipality, float(municipality.weight)) for municipality in county.municipalities]
    first = county.municipalities if count >= EACH_MUNICIPALITY_FROM * len(county.municipalities) else ()
    population = Population(random)
    gone_home: dict[str, tuple[date, Person]] = {}
    for number in range(1, count + 1):
        municipality = first[number - 1] if number <= len(first) else weighted(random, shares)
        hospital = pick(random, county.hospitals) if happens(random, OTHER_HOSPITAL_SHARE) else county.hospital_of(municipality)
        ward = weighted(random, [(ward, float(ward.share)) for ward in hospital.wards])
        course = draw_course(random, month, flows[municipality.code], ward.care_type)
        earlier = gone_home.get(municipality.code)
        if earlier and earlier[0] < course.admitted.at.date() and happens(random, READMISSION_SHARE):
            person = earlier[1]
        else:
            person = population.draw(municipality, registered=not happens(random, UNREGISTERED_SHARE))
        gone_home[municipality.code] = (course.end.at.date(), person)
        yield Stay(
            subject=f"{hospital.key.upper()}-{month.year}-{month.number:02d}{number:05d}",
            hospital=hospital,
            ward=ward,
            municipality=municipality,
            care_centre=pick(random, county.care_centres_of(municipality.code)),
            person=person,
            needs=weighted(random, NEEDS),
            compulsory=_compulsory(random, ward),
            course=course,
        )


def _compulsory(random: Random, ward: Ward) -> Compulsory:
    if ward.care_type == "psychiatric" and happens(random, COMPULSORY_SHARE):
        return pick(random, ("opt", "orv"))
    return "none"
