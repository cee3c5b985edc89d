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

    def as_claim(self) -> dict[str, Any]:
        """As the ID token says it."""
        return {"organisation": self.organisation, "units": list(self.units), "role": self.role}


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
    ward, other_ward = hospital.wards[0], hospital.wards[1]
    city = next(one for one in county.municipalities if one.code == _FIRST_CITY)
    centre = county.care_centres_of(city.code)[0]
    region, whole = county.organisation, (f"SE{county.organisation}-",)
    municipal = (f"SE{city.organisation}-",)

    def office(key: str, name: str, *roles: str) -> Person:
        return Person(key, name, county.name, tuple(Commission(region, whole, role) for role in roles))

    return (
        Person(
            "anna", "Anna Test", ward.name, (Commission(region, (ward.unit,), "nurse"), Commission(region, (other_ward.unit,), "nurse"))
        ),
        Person("maja", "Maja Test", f"{city.name} (demo)", (Commission(city.organisation, municipal, "municipal_officer"),)),
        Person(
            "sven",
            "Sven Test",
            f"{city.name} (demo)",
            tuple(Commission(city.organisation, municipal, role) for role in ("municipal_officer", "protected_persons_officer")),
        ),
        Person("elsa", "Elsa Test", f"{city.name} (demo)", (Commission(city.organisation, municipal, "municipal_signatory"),)),
        Person("karin", "Karin Test", centre.name, (Commission(region, (centre.unit,), "care_staff"),)),
        Person(
            "berit",
            "Berit Test",
            county.name,
            (
                *(Commission(region, whole, role) for role in ("controller", "directory_administrator")),
                Commission(region, (county.office.unit,), "office_controller"),
            ),
        ),
        office("lars", "Lars Test", "approver"),
        office("olof", "Olof Test", "finance"),
        office("inga", "Inga Test", "auditor", "log_reviewer"),
        office("nils", "Nils Test", "persons_officer"),
        Person("ulla", "Ulla Test", f"{city.name} (demo)", (Commission(city.organisation, municipal, "log_reviewer"),)),
        Person("ingen", "Ingen Test", "", ()),
    )
