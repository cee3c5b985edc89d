from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidTag

from services.notifications.domain.matching import Subscription, covers, readers, speaks_for_all
from services.notifications.sealing import Seal, new_secret
from shared.events.team_member import TeamMember
from shared.identifiers import uuid7

REGION = "2321000131"
WARD = "SE2321000131-E000000000101"
CARE_CENTRE = "SE2321000131-E000000000901"
MUNICIPALITY = Subscription(uuid7(), "2120001355", ("SE2120001355-",))
CENTRE = Subscription(uuid7(), REGION, (CARE_CENTRE,))


def test_a_municipality_hears_of_everything_in_its_own_mailboxes_and_of_nothing_else() -> None:
    assert MUNICIPALITY.wants("2120001355", "notice.admission", ())
    assert MUNICIPALITY.wants("2120001355", "notice.ready", ["SE2120001355-100"])
    assert not MUNICIPALITY.wants("2120001363", "notice.admission", ())


def test_a_subscriber_hears_only_of_units_inside_its_own_prefixes() -> None:
    assert CENTRE.wants(REGION, "notice.admission", [CARE_CENTRE])
    assert not CENTRE.wants(REGION, "notice.admission", [WARD])
    assert not CENTRE.wants(REGION, "notice.admission", ())


def test_filters_of_type_and_unit_narrow_what_is_heard() -> None:
    only_ready = replace(MUNICIPALITY, types=("notice.ready",))
    assert (only_ready.wants("2120001355", "notice.ready", ()), only_ready.wants("2120001355", "notice.admission", ())) == (True, False)
    one_unit = replace(MUNICIPALITY, units=("SE2120001355-100",))
    assert one_unit.wants("2120001355", "notice.ready", ["SE2120001355-100"])
    assert not one_unit.wants("2120001355", "notice.ready", ["SE2120001355-200"])
    assert not one_unit.wants("2120001355", "notice.ready", ())


def test_one_of_the_units_that_read_a_teams_mailbox_is_enough_to_hear_of_it() -> None:
    team, member, other = "SE2321000131-T1", "SE2120001355-100", "SE2120001355-200"
    told = readers(REGION, team, [TeamMember(organisation="2120001355", unit=unit) for unit in (member, other, member)])
    assert told == {REGION: (team,), "2120001355": (member, other)}
    assert MUNICIPALITY.wants("2120001355", "notice.admission", told["2120001355"])
    assert replace(MUNICIPALITY, unit_prefixes=(other,)).wants("2120001355", "notice.admission", told["2120001355"])
    assert not replace(MUNICIPALITY, unit_prefixes=("SE2120001355-3",)).wants("2120001355", "notice.admission", told["2120001355"])
    assert not replace(MUNICIPALITY, units=("SE2120001355-300",)).wants("2120001355", "notice.admission", told["2120001355"])
    assert not CENTRE.wants(REGION, "notice.admission", told[REGION])


def test_a_mailbox_that_is_no_teams_is_read_by_its_own_unit_or_organisation_alone() -> None:
    assert readers(REGION, WARD, ()) == {REGION: (WARD,)}
    assert readers("2120001355", None, ()) == {"2120001355": ()}


def test_a_client_speaks_for_all_only_when_its_prefix_takes_in_the_whole_organisation() -> None:
    assert speaks_for_all(REGION, ("SE2321000131-",))
    assert not speaks_for_all(REGION, ("SE2321000131-E0000000001",))
    assert covers(("SE2321000131-",), (WARD, CARE_CENTRE))
    assert not covers((WARD,), ("SE2321000131-",))


def test_a_sealed_secret_opens_for_its_own_subscription_and_key_only() -> None:
    seal, secret, owner = Seal("ab" * 32), new_secret(), uuid7()
    sealed = seal.close(secret, owner)
    assert secret.encode() not in sealed
    assert seal.open(sealed, owner) == secret
    for other, of in ((seal, uuid7()), (Seal("cd" * 32), owner)):
        with pytest.raises(InvalidTag):
            other.open(sealed, of)
