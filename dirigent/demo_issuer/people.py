"""The made-up staff of the demo, one for each role, as their employer's directory would tell of them."""

from dataclasses import dataclass
from typing import Any, Final

from dirigent.county.model import County

_FIRST_CITY: Final = "1480"


@dataclass(frozen=True, slots=True)
class Commission:
    """One thing that a person does: for whom, where, as what (a key of the gateway's roles)."""

    organisation: str
    units: tuple[str, ...]
    role: str
    organisation_name: str
    unit_names: tuple[str, ...] = ()

    def as_claim(self) -> dict[str, Any]:
        """As the ID token says it."""
        return {
            "organisation": self.organisation,
            "organisation_name": self.organisation_name,
            "units": list(self.units),
            "unit_names": list(self.unit_names),
            "role": self.role,
        }


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff who does not exist."""

    key: str
    name: str
    works_at: str
    commissions: tuple[Commission, ...]


def staff_of(county: County) -> tuple[Person, ...]:
    """Everybody the demo can sign in as."""
    hospital = county.hospitals[0]
    first, second = hospital.wards[0], hospital.wards[1]
    city = next(one for one in county.municipalities if one.code == _FIRST_CITY)
    centre = county.care_centres_of(city.code)[0]
    city_name = f"{city.name} (demo)"

    def in_region(role: str, unit: str, name: str) -> Commission:
        return Commission(county.organisation, (unit,), role, county.name, (name,))

    def office(key: str, name: str, *roles: str, also: tuple[Commission, ...] = ()) -> Person:
        whole = (f"SE{county.organisation}-",)
        return Person(key, name, county.name, (*(Commission(county.organisation, whole, role, county.name) for role in roles), *also))

    def municipal(key: str, name: str, *roles: str) -> Person:
        whole = (f"SE{city.organisation}-",)
        return Person(key, name, city_name, tuple(Commission(city.organisation, whole, role, city_name) for role in roles))

    wards = tuple(in_region("nurse", ward.unit, f"{ward.name}, {hospital.name}") for ward in (first, second))
    return (
        Person("anna", "Anna Test", hospital.name, wards),
        municipal("maja", "Maja Test", "municipal_officer"),
        municipal("sven", "Sven Test", "municipal_officer", "protected_persons_officer"),
        municipal("elsa", "Elsa Test", "municipal_signatory"),
        Person("karin", "Karin Test", centre.name, (in_region("care_staff", centre.unit, centre.name),)),
        office(
            "berit",
            "Berit Test",
            "controller",
            "directory_administrator",
            also=(in_region("office_controller", county.office.unit, county.office.name),),
        ),
        office("lars", "Lars Test", "approver"),
        office("olof", "Olof Test", "finance"),
        office("inga", "Inga Test", "auditor", "log_reviewer"),
        office("nils", "Nils Test", "persons_officer"),
        municipal("ulla", "Ulla Test", "log_reviewer"),
        Person("ingen", "Ingen Test", "", ()),
    )
