"""Synthetic persons: numbers from Skatteverket's published test series and names that no one could take for a real person."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from stdnum import luhn

from dirigent.county.model import Municipality
from dirigent.simulate.draws import happens, pick, whole

ADULTS: Final = (date(1890, 1, 1), date(1909, 12, 31), ("980", "981"))
CHILDREN: Final = (date(2006, 1, 1), date(2023, 12, 31), ("238", "239"))
CHILD_SHARE: Final = 0.02
PROTECTED_SHARE: Final = 0.004
MOST_TRIES: Final = 30

GIVEN: Final = ("Test", "Prov", "Demo", "Exempel", "Låtsas", "Mall", "Övning", "Påhitta", "Modell", "Fiktiva")
FAMILY: Final = (
    "Testsson",
    "Provberg",
    "Demoström",
    "Exempelgren",
    "Låtsaslund",
    "Mallkvist",
    "Övningsdal",
    "Påhittén",
    "Modellby",
    "Fiktivsson",
)
STREETS: Final = ("Testgatan", "Provvägen", "Demogränd", "Exempelallén", "Övningsstigen")
POSTAL_CODE: Final = "999 99"  # no such postal code: an address that is seen to be made up


@dataclass(frozen=True, slots=True)
class Person:
    """A synthetic person as a ward's system knows her."""

    id: str
    given: str
    family: str
    street: str
    city: str
    municipality: str | None
    protected: bool

    def as_data(self) -> dict[str, Any]:
        """The `person` of an admission event."""
        return {
            "type": "personnummer",
            "id": self.id,
            "name": {"given": self.given, "family": self.family},
            "registered_address": {"street": self.street, "postal_code": POSTAL_CODE, "city": self.city},
            "registered_municipality": self.municipality,
            "protected": self.protected,
        }


class Population:
    """Draws persons one by one, none of them twice while the test series (some 28 000 numbers) lasts."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._taken: set[str] = set()

    def draw(self, municipality: Municipality, *, registered: bool = True) -> Person:
        """A person nobody has drawn yet; `registered` False gives one without a registered municipality."""
        number = self._fresh_number()
        random = self._random
        return Person(
            id=number,
            given=pick(random, GIVEN),
            family=pick(random, FAMILY),
            street=f"{pick(random, STREETS)} {whole(random, 1, 99)}",
            city=municipality.name,
            municipality=municipality.code if registered else None,
            protected=happens(random, PROTECTED_SHARE),
        )

    def _fresh_number(self) -> str:
        number = synthetic_number(self._random)
        for _ in range(MOST_TRIES):
            if number not in self._taken:
                break
            number = synthetic_number(self._random)
        self._taken.add(number)
        return number


def synthetic_number(random: Random) -> str:
    """A personal identity number of the test series, twelve digits."""
    first, last, births = CHILDREN if happens(random, CHILD_SHARE) else ADULTS
    born = first + timedelta(days=whole(random, 0, (last - first).days))
    return personnummer(born, pick(random, births))


def personnummer(born: date, birth_number: str) -> str:
    """Put the check digit to a date of birth and a birth number."""
    ten = f"{born:%y%m%d}{birth_number}"
    return f"{born:%Y%m%d}{birth_number}{luhn.calc_check_digit(ten)}"
