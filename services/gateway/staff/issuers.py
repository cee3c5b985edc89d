"""The OpenID providers that staff sign in through, as the operator names them, and how their claims become commissions."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from services.gateway.staff.roles import Commission, staff_roles
from shared.logging import mask

_UNIT: Final = re.compile(r"SE(\d{10})-[A-Z0-9]{0,40}", re.ASCII)
_USER: Final = re.compile(r"[A-Za-z0-9._@-]{1,64}", re.ASCII)
_NAME_LIMIT: Final = 200
_PLACE_LIMIT: Final = 120
_COMMISSIONS_READ: Final = 50

OrganisationNumber = Annotated[str, Field(pattern=r"^[0-9]{10}$")]
Place = Annotated[str, Field(pattern=r"^(?:[0-9]{10}|SE[0-9]{10}-[A-Z0-9]{0,40})$")]


class ClaimsUnusable(Exception):
    """The provider's claims do not name the person in a way that we may keep."""


class Claims(BaseModel):
    """Under which names the provider tells what we need. `user` must not be a person number: it stands in logs.

    What people call the organisation and the units may be missing; `unit_names` are as many as `units`, in the same order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "name"
    user: str = "sub"
    commissions: str | None = Field(default=None, description="a list of objects that hold those below; none: they stand in the token")
    organisation: str = "organisation"
    units: str = "units"
    role: str = "role"
    organisation_name: str = "organisation_name"
    unit_names: str = "unit_names"


class Issuer(BaseModel):
    """One provider: where it is, who we are to it, and for which organisations and roles it is believed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    name: str = Field(min_length=1, max_length=100)
    issuer: str = Field(pattern=r"^https?://")
    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    private_key_file: Path | None = Field(default=None, description="our own private JWK (ES256) for private_key_jwt")
    algorithms: tuple[Literal["ES256", "ES384", "RS256", "PS256"], ...] = ("ES256", "RS256", "PS256")
    scope: str = "openid profile"
    organisations: frozenset[OrganisationNumber] = Field(min_length=1, description="for whom this provider's word is taken")
    roles: dict[str, str] = Field(min_length=1, description="the provider's word for a role, and ours")
    claims: Claims = Claims()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if sum(given is not None for given in (self.client_secret, self.client_secret_file, self.private_key_file)) != 1:
            raise ValueError("give one of client_secret, client_secret_file and private_key_file")
        if unknown := set(self.roles.values()) - staff_roles().keys():
            raise ValueError(f"no such role: {', '.join(sorted(unknown))}")
        return self

    def secret(self) -> str | None:
        """The secret we share with the provider; none where we sign.

        Raises:
            OSError: Its file cannot be read.
        """
        if self.client_secret_file is not None:
            return self.client_secret_file.read_text(encoding="utf-8").strip()
        return self.client_secret.get_secret_value() if self.client_secret is not None else None


class Issuers(BaseModel):
    """Every provider of an installation, the number of its region, and which organisation is which municipality."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: OrganisationNumber
    municipalities: dict[OrganisationNumber, Annotated[str, Field(pattern=r"^[0-9]{4}$")]] = {}
    issuer: tuple[Issuer, ...] = Field(min_length=1)
    names: dict[Place, Annotated[str, Field(min_length=1, max_length=_PLACE_LIMIT)]] = Field(
        default={}, description="what people call an organisation (by number) or a unit (by HSA-id); goes before what a provider says"
    )

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if len({one.key for one in self.issuer}) != len(self.issuer):
            raise ValueError("two issuers have the same key")
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the operator's file (TOML).

        Raises:
            ValueError: It is not as described.
        """
        return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))

    def find(self, key: str) -> Issuer | None:
        """The provider of a key."""
        return next((one for one in self.issuer if one.key == key), None)

    def commissions(self, issuer: Issuer, claims: Mapping[str, Any]) -> tuple[Commission, ...]:
        """What the person may choose from; whatever the provider may not say, or what no role of ours fits, is left out."""
        named = issuer.claims.commissions
        entries = claims.get(named) if named is not None else [claims]
        if not isinstance(entries, list):
            return ()
        read = (entry for entry in entries[:_COMMISSIONS_READ] if isinstance(entry, Mapping))
        return tuple(dict.fromkeys(commission for entry in read for commission in self._of_entry(issuer, entry)))

    def _of_entry(self, issuer: Issuer, entry: Mapping[str, Any]) -> Iterator[Commission]:
        organisation = entry.get(issuer.claims.organisation)
        if not isinstance(organisation, str) or organisation not in issuer.organisations:
            return
        stated = entry.get(issuer.claims.units)
        units = _words(stated)
        # What is left out means the whole organisation where the role allows it; what cannot be read must not.
        if stated is not None and len(units) != (len(stated) if isinstance(stated, list) else 1):
            return
        if any((found := _UNIT.fullmatch(unit)) is None or found[1] != organisation for unit in units):
            return
        whole = f"SE{organisation}-"
        names = self._names(issuer, entry, organisation, units)
        for word in _words(entry.get(issuer.claims.role)):
            role = staff_roles().get(issuer.roles.get(word, ""))
            acts_as = role.acts_as.get(self._kind(organisation)) if role is not None else None
            if role is None or acts_as is None or (role.needs_unit and (not units or whole in units)):
                continue
            yield Commission(organisation, units or (whole,), role.key, acts_as, self.municipalities.get(organisation), names)

    def _names(self, issuer: Issuer, entry: Mapping[str, Any], organisation: str, units: tuple[str, ...]) -> dict[str, str]:
        """What people call them; a name that may not be shown is none, and names that are not as many as the units are nobody's."""
        claimed = entry.get(issuer.claims.unit_names)
        listed = [claimed] if isinstance(claimed, str) else claimed
        said: list[tuple[str, Any]] = [(organisation, entry.get(issuer.claims.organisation_name))]
        if isinstance(listed, list) and len(listed) == len(units):
            said.extend(zip(units, listed, strict=True))
        shown = {key: name.strip() for key, name in said if _may_be_shown(name, _PLACE_LIMIT)}
        return shown | {key: self.names[key] for key in (organisation, *units) if key in self.names}

    def _kind(self, organisation: str) -> str:
        if organisation == self.region:
            return "region"
        return "municipality" if organisation in self.municipalities else "provider"


def person_of(issuer: Issuer, claims: Mapping[str, Any]) -> tuple[str, str]:
    """Who signed in: the id that stands in tokens and logs, and the name.

    Raises:
        ClaimsUnusable: There is none, or it holds what looks like a person number.
    """
    user, name = claims.get(issuer.claims.user), claims.get(issuer.claims.name)
    if not isinstance(user, str) or not _USER.fullmatch(user) or mask(user) != user:
        raise ClaimsUnusable
    if not isinstance(name, str) or not _may_be_shown(name, _NAME_LIMIT):
        raise ClaimsUnusable
    return f"staff:{issuer.key}:{user}", name.strip()


def _may_be_shown(name: Any, limit: int) -> bool:
    """Whether what a provider calls somebody or something is one line of text, not too long, without what looks like a person number."""
    return isinstance(name, str) and 0 < len(name.strip()) <= limit and name.isprintable() and mask(name) == name


def _words(value: Any) -> tuple[str, ...]:
    """One word or a list of words, as claims have them."""
    listed = [value] if isinstance(value, str) else value
    return tuple(word for word in listed if isinstance(word, str)) if isinstance(listed, list) else ()
