"""Which kind of number a person's number is, by who gives it out; read from `person_ids.toml`."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from shared.identifiers import PersonIdType

KINDS: Final[tuple[PersonIdType, ...]] = get_args(PersonIdType)
"""The best known first."""
HSA_OID: Final = "1.2.752.129.2.1.4.1"
_FILE: Final = Path(__file__).parent / "person_ids.toml"


class _Issuer(BaseModel):
    """How one kind of number is named."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    oid: str = Field(pattern=r"^[0-9.]{3,64}$")
    systems: list[str] = Field(min_length=1)
    source: str = Field(min_length=1)


@cache
def _issuers() -> Mapping[PersonIdType, _Issuer]:
    return TypeAdapter(dict[PersonIdType, _Issuer]).validate_python(tomllib.loads(_FILE.read_text(encoding="utf-8")))


@cache
def _kinds_by_oid() -> Mapping[str, PersonIdType]:
    return {issuer.oid: kind for kind, issuer in _issuers().items()}


@cache
def _kinds_by_system() -> Mapping[str, PersonIdType]:
    return {system: kind for kind, issuer in _issuers().items() for system in issuer.systems}


def kind_by_oid(oid: str) -> PersonIdType | None:
    """The kind of number that an OID stands for."""
    return _kinds_by_oid().get(oid.removeprefix("urn:oid:"))


def kind_by_system(system: str) -> PersonIdType | None:
    """The kind of number that a FHIR identifier system stands for."""
    return _kinds_by_system().get(system)


def system_of(kind: PersonIdType) -> str:
    """The FHIR identifier system of a kind of number."""
    return _issuers()[kind].systems[0]
