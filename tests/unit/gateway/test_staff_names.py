"""What people call the places they work at: taken from what a provider says or the operator wrote, shown and nothing else."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from services.gateway.staff.issuers import Claims, Issuer, Issuers
from services.gateway.staff.roles import Commission

REGION, CITY = "2321000131", "2120001355"
WARD, OTHER = f"SE{REGION}-E000000000101", f"SE{REGION}-E000000000102"
NURSE = {"organisation": REGION, "units": [WARD], "role": "nurse"}


def issuers(**changed: Any) -> Issuers:
    issuer = Issuer(
        key="vgr",
        name="VGR",
        issuer="https://idp.test",
        client_id="dirigent",
        client_secret=SecretStr("secret"),
        organisations=frozenset({REGION}),
        roles={"nurse": "nurse", "approver": "approver"},
        claims=Claims(commissions="commissions"),
    )
    return Issuers.model_validate({"region": REGION, "municipalities": {CITY: "1480"}, "issuer": [issuer]} | changed)


def read(entry: dict[str, Any], **changed: Any) -> Commission:
    one = issuers(**changed)
    (commission,) = one.commissions(one.issuer[0], {"commissions": [entry]})
    return commission


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"unit_names": ["Avd 12, Sahlgrenska"]}, "Avd 12, Sahlgrenska"),
        ({"unit_names": " Avd 12 "}, "Avd 12"),
        ({"units": WARD, "unit_names": "Avd 12"}, "Avd 12"),
        ({"units": [WARD, OTHER], "unit_names": ["Avd 12", "Avd 13"]}, "Avd 12, Avd 13"),
        ({"unit_names": ["x" * 120]}, "x" * 120),
        ({}, None),
        # What may not be shown is no name, and the commission stands without it.
        ({"units": [WARD, OTHER], "unit_names": ["Avd 12"]}, None),
        ({"units": [WARD, OTHER], "unit_names": ["Avd 12", None]}, None),
        ({"unit_names": ["Avd 12", "Avd 13"]}, None),
        ({"unit_names": {"0": "Avd 12"}}, None),
        ({"unit_names": [["Avd 12"]]}, None),
        ({"unit_names": ["Avd\u202e 12"]}, None),
        ({"unit_names": ["Avd\n12"]}, None),
        ({"unit_names": ["x" * 121]}, None),
        ({"unit_names": ["Avd 12 18900101-9802"]}, None),
        ({"unit_names": ["  "], "organisation_name": 5}, None),
    ],
    ids=str,
)
def test_a_commission_is_shown_by_the_name_of_its_units_where_every_one_has_a_name_that_may_be_shown(
    said: dict[str, Any], place: str | None
) -> None:
    assert read(NURSE | said).place == place


def test_a_commission_for_a_whole_organisation_is_shown_by_its_name() -> None:
    commission = read({"organisation": REGION, "organisation_name": "Västra Götalandsregionen", "role": "approver"})
    assert (commission.is_whole, commission.place, commission.organisation_name) == (True, *["Västra Götalandsregionen"] * 2)
    assert read({"organisation": REGION, "role": "approver"}).place is None


def test_the_operators_name_goes_before_the_providers_and_fills_in_where_it_says_none() -> None:
    said = NURSE | {"units": [WARD, OTHER], "unit_names": ["AVD12-SU-MED", "Avd 13"]}
    named = {REGION: "Västra Götalandsregionen", WARD: "Avd 12", CITY: "Somebody else"}
    commission = read(said, names=named)
    assert (commission.place, commission.organisation_name) == ("Avd 12, Avd 13", "Västra Götalandsregionen")
    assert "Somebody else" not in commission.names.values()


@pytest.mark.parametrize("names", [{"Avd 12": WARD}, {WARD: ""}, {WARD: "x" * 121}, {REGION[:-1]: "VGR"}], ids=str)
def test_a_name_of_something_that_is_no_organisation_or_unit_is_refused(names: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        issuers(names=names)


def test_a_name_makes_no_commission_another_one() -> None:
    """It says nothing of what she may do: the same commission under two names is one, and the first name holds."""
    one = issuers()
    twice = {"commissions": [NURSE | {"unit_names": "Avd 12"}, NURSE | {"unit_names": "Avdelning 12"}]}
    (commission,) = one.commissions(one.issuer[0], twice)
    assert commission.place == "Avd 12"


def test_what_is_kept_with_a_session_comes_back_and_from_before_there_were_names_too() -> None:
    commission = read(NURSE | {"unit_names": "Avd 12"})
    row = commission.as_row()
    assert Commission.of_row(row).place == "Avd 12"
    del row["names"]
    assert (Commission.of_row(row) == commission, Commission.of_row(row).place) == (True, None)
