"""The demo county: complete, addressable, and plainly made up."""

import stat
from pathlib import Path

import pytest
from stdnum import luhn

from dirigent.county.clients import demo_clients
from dirigent.county.load import DEMO_ORGANISATION, load_county
from dirigent.county.secrets import FILE_NAME, NoDemoClientsError, ensure_secrets, read_secrets
from shared.http.policies import REGION_OFFICES
from shared.identifiers import parse_hsa_id, parse_municipality_code, parse_organisation_number


def test_there_are_49_municipalities_with_valid_numbers_marked_as_demo() -> None:
    municipalities = load_county().municipalities
    assert len({municipality.code for municipality in municipalities}) == 49
    for municipality in municipalities:
        assert parse_municipality_code(municipality.code) == municipality.code
        assert parse_organisation_number(municipality.organisation) == municipality.organisation
        assert luhn.is_valid(municipality.organisation)
        assert municipality.organisation.startswith(DEMO_ORGANISATION)


def test_every_unit_has_an_hsa_id_of_its_own() -> None:
    county = load_county()
    units = [ward.unit for hospital in county.hospitals for ward in hospital.wards]
    units += [centre.unit for centre in county.care_centres] + [municipality.unit for municipality in county.municipalities]
    units.append(county.office.unit)
    assert len(set(units)) == len(units)
    assert all(parse_hsa_id(unit) == unit for unit in units)


def test_every_municipality_has_a_hospital_and_a_care_centre() -> None:
    county = load_county()
    for municipality in county.municipalities:
        assert county.hospital_of(municipality) in county.hospitals
        assert county.care_centres_of(municipality.code)


def test_a_ward_client_acts_for_its_own_hospital_only() -> None:
    county = load_county()
    clients = {client.id: client for client in demo_clients(county)}
    own = clients["ward-su"].unit_prefixes[0]
    foreign = [ward.unit for hospital in county.hospitals if hospital.key != "su" for ward in hospital.wards]
    assert not any(unit.startswith(own) for unit in foreign)


def test_who_reads_the_mailbox_of_the_office_reads_no_ward_and_no_care_centre() -> None:
    county = load_county()
    foreign = [ward.unit for hospital in county.hospitals for ward in hospital.wards] + [centre.unit for centre in county.care_centres]
    reading = [client for client in demo_clients(county) if "notices:read" in client.scopes]
    readers = [client for client in reading if county.office.unit.startswith(client.unit_prefixes)]
    assert [client.id for client in readers] == [client.id for client in reading if client.role in REGION_OFFICES] == ["office"]
    assert not any(unit.startswith(readers[0].unit_prefixes) for unit in foreign)


def test_the_clients_named_in_the_interface_are_there() -> None:
    ids = [client.id for client in demo_clients(load_county())]
    assert {"ward-su", "history", "finance", "controller", "approver", "auditor", "kommun-1480"} <= set(ids)
    assert sum(1 for client in ids if client.startswith("kommun-")) == 49
    assert len(set(ids)) == len(ids)


def test_nobody_may_both_prepare_and_approve() -> None:
    for client in demo_clients(load_county()):
        assert not {"months:prepare", "months:approve"} <= set(client.scopes)


def test_secrets_are_private_and_stay_over_a_restart(tmp_path: Path) -> None:
    first = ensure_secrets(tmp_path, ["a", "b"])
    second = ensure_secrets(tmp_path, ["a", "b", "c"])
    assert {name: second[name] for name in first} == first
    assert read_secrets(tmp_path) == second
    assert len(set(second.values())) == 3
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_without_a_demo_there_are_no_secrets(tmp_path: Path) -> None:
    with pytest.raises(NoDemoClientsError):
        read_secrets(tmp_path)
