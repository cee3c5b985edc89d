"""What the demo county consists of, as frozen values."""

from dataclasses import dataclass
from typing import Literal

CareType = Literal["somatic", "psychiatric"]


@dataclass(frozen=True, slots=True)
class Ward:
    """A hospital ward (avdelning) that sends the statutory notices; `share` weights synthetic traffic."""

    unit: str
    name: str
    care_type: CareType
    share: int


@dataclass(frozen=True, slots=True)
class Hospital:
    """A hospital of the region; `prefix` begins the HSA-id of each of its wards, `serves` names sub-regions and municipality codes."""

    key: str
    name: str
    prefix: str
    serves: frozenset[str]
    wards: tuple[Ward, ...]


@dataclass(frozen=True, slots=True)
class CareCentre:
    """A care centre (vårdcentral) of the region, in one municipality."""

    unit: str
    name: str
    municipality: str


@dataclass(frozen=True, slots=True)
class Municipality:
    """One of the 49 municipalities: organisation number and unit are demo values, `weight` only weights synthetic traffic."""

    code: str
    name: str
    sub_region: str
    weight: int
    organisation: str
    unit: str


@dataclass(frozen=True, slots=True)
class Office:
    """The office of the region that closes months and answers the municipalities."""

    unit: str
    name: str


@dataclass(frozen=True, slots=True)
class County:
    """The whole demo county."""

    organisation: str
    name: str
    hospitals: tuple[Hospital, ...]
    care_centres: tuple[CareCentre, ...]
    municipalities: tuple[Municipality, ...]
    office: Office

    def care_centres_of(self, municipality: str) -> tuple[CareCentre, ...]:
        """The care centres that lie in a municipality."""
        return tuple(centre for centre in self.care_centres if centre.municipality == municipality)

    def hospital_of(self, municipality: Municipality) -> Hospital:
        """The hospital most patients of a municipality go to: the one that names it, else the one of its sub-region."""
        for area in (municipality.code, municipality.sub_region):
            for hospital in self.hospitals:
                if area in hospital.serves:
                    return hospital
        raise LookupError(f"no hospital serves {municipality.code}")
