"""Read the demo county from the data files beside this module and give everything its demo identifiers."""

import csv
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

from stdnum import luhn

from dirigent.county.model import CareCentre, County, Hospital, Municipality, Office, Ward

REGION: Final = "2321000131"
REGION_NAME: Final = "Västra Götalandsregionen"
CARE_CENTRE_BLOCK: Final = 9
OFFICE: Final = "Utskrivningskontoret"
OFFICE_BLOCK: Final = 10
INHABITANTS_PER_CARE_CENTRE: Final = 60  # thousands: the biggest municipality gets nine, small ones one
MOST_CARE_CENTRES: Final = 9

# 2199 stands for no Swedish municipality: what begins so is a demo value and is said to be one wherever it is shown.
DEMO_ORGANISATION: Final = "2199"
_FOLDER: Final = Path(__file__).parent


@cache
def load_county() -> County:
    """The demo county; the same value every time."""
    municipalities = tuple(_municipalities())
    office = Office(region_unit(OFFICE_BLOCK, 1), OFFICE)
    return County(REGION, REGION_NAME, tuple(_hospitals()), tuple(_care_centres(municipalities)), municipalities, office)


def region_unit(block: int, number: int) -> str:
    """The demo HSA-id of a unit of the region."""
    return f"{region_prefix(block)}{number:02d}"


def region_prefix(block: int) -> str:
    """What the demo HSA-ids of one hospital begin with."""
    return f"SE{REGION}-E{block:010d}"


def demo_organisation(code: str) -> str:
    """A Luhn-valid organisation number for a municipality, marked as a demo value by its first four digits."""
    number = f"{DEMO_ORGANISATION}{code}0"
    return number + luhn.calc_check_digit(number)


def _municipalities() -> list[Municipality]:
    with (_FOLDER / "municipalities.csv").open(encoding="utf-8", newline="") as file:
        return [_municipality(row) for row in csv.DictReader(file)]


def _municipality(row: dict[str, str]) -> Municipality:
    organisation = demo_organisation(row["code"])
    return Municipality(
        row["code"], row["name"], row["sub_region"], int(row["inhabitants_thousands_approx"]), organisation, f"SE{organisation}-E{1:012d}"
    )


def _hospitals() -> list[Hospital]:
    with (_FOLDER / "hospitals.toml").open("rb") as file:
        return [_hospital(entry) for entry in tomllib.load(file)["hospital"]]


def _hospital(entry: dict[str, Any]) -> Hospital:
    wards = tuple(
        Ward(region_unit(entry["block"], number), ward["name"], ward["care_type"], ward["share"])
        for number, ward in enumerate(entry["wards"], start=1)
    )
    return Hospital(entry["key"], entry["name"], region_prefix(entry["block"]), frozenset(entry["serves"]), wards)


def _care_centres(municipalities: tuple[Municipality, ...]) -> list[CareCentre]:
    # The biggest first, so that the care centre of the documentation's example (…901) lies in Göteborg.
    ordered = sorted(municipalities, key=lambda municipality: (-municipality.weight, municipality.code))
    centres: list[CareCentre] = []
    for municipality in ordered:
        for number in range(1, min(MOST_CARE_CENTRES, 1 + municipality.weight // INHABITANTS_PER_CARE_CENTRE) + 1):
            unit = region_unit(CARE_CENTRE_BLOCK, len(centres) + 1)
            centres.append(CareCentre(unit, f"Demovårdcentral {municipality.name} {number}", municipality.code))
    return centres
