"""Persons are sealed for one row, by one key of a ring, and found by what stands for their number."""

from base64 import b64encode
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy.dialects import postgresql

from services.planning.repository.sealing import Opened, event_of, opened_event, opened_value, sealed_event, sealed_value
from services.planning.vault import PersonKeys, Vault, VaultClosed
from shared.streams.canonical import canonical_plain
from tests.builders import a_person, a_ward_event

DIALECT: Any = postgresql.dialect  # takes no part in it
LOOKUP = b64encode(b"l" * 32).decode()


def key(letter: bytes) -> str:
    return b64encode(letter * 32).decode()


def a_vault(keys: str = f"k1:{key(b'a')}", lookup: str = LOOKUP) -> Vault:
    return Vault.of(PersonKeys(keys=SecretStr(keys), lookup_key=SecretStr(lookup)))


def test_what_was_sealed_opens_again_and_says_nothing_meanwhile() -> None:
    vault = a_vault()
    sealed = vault.seal(b"189001019802", of="case:1")
    assert vault.open(sealed, of="case:1") == b"189001019802"
    assert "189001019802" not in sealed
    assert sealed != vault.seal(b"189001019802", of="case:1"), "never twice the same"


def test_what_is_copied_to_another_row_does_not_open() -> None:
    vault = a_vault()
    with pytest.raises(VaultClosed):
        vault.open(vault.seal(b"x", of="case:1"), of="case:2")


@pytest.mark.parametrize("sealed", ["", "k1", "k1.", "k1.AAAA", "k9.AAAA", "k1.%%%%", "k1.åäö"])
def test_what_is_not_sealed_by_us_does_not_open(sealed: str) -> None:
    with pytest.raises(VaultClosed):
        a_vault().open(sealed, of="case:1")


def test_a_changed_character_is_found() -> None:
    vault = a_vault()
    sealed = vault.seal(b"somebody", of="case:1")
    for place in range(3, len(sealed) - 1):
        other = "A" if sealed[place] != "A" else "B"
        with pytest.raises(VaultClosed):
            vault.open(sealed[:place] + other + sealed[place + 1 :], of="case:1")


def test_the_first_key_seals_and_every_key_opens() -> None:
    old, both = a_vault(f"k1:{key(b'a')}"), a_vault(f"k2:{key(b'b')},k1:{key(b'a')}")
    sealed = old.seal(b"somebody", of="case:1")
    assert both.open(sealed, of="case:1") == b"somebody"
    assert both.seal(b"somebody", of="case:1").startswith("k2.")
    with pytest.raises(VaultClosed):
        old.open(both.seal(b"somebody", of="case:1"), of="case:1")


def test_one_number_of_two_kinds_is_two_persons_and_another_key_finds_nobody() -> None:
    vault = a_vault()
    assert vault.stands_for("personnummer", "189001019802") == vault.stands_for("personnummer", "189001019802")
    assert vault.stands_for("personnummer", "189001019802") != vault.stands_for("samordningsnummer", "189001019802")[:1]
    assert vault.stands_for("personnummer", "1").partition(":")[0] == "personnummer"
    other = a_vault(lookup=b64encode(b"m" * 32).decode())
    assert vault.stands_for("personnummer", "1") != other.stands_for("personnummer", "1")


@pytest.mark.parametrize(
    "keys", ["", "k1", f"k1:{key(b'a')[:-4]}", f"k1:{key(b'a')},k1:{key(b'b')}", f"k 1:{key(b'a')}", f"k1:{key(b'a')},", key(b"a")]
)
def test_a_ring_that_is_none_stops_the_start_without_telling_a_key(keys: str) -> None:
    with pytest.raises(ValueError, match="32 bytes") as refused:
        a_vault(keys)
    assert key(b"a") not in str(refused.value)


def test_an_event_keeps_everything_but_who_it_is_about() -> None:
    event = a_ward_event()
    kept = sealed_event(event, canonical_plain(event))
    assert a_person()["id"] not in kept
    assert a_person()["name"]["family"] not in kept
    assert opened_event(kept) == event


def test_an_event_without_a_person_is_kept_as_it_was_sent() -> None:
    event = a_ward_event("stay.ready", {})
    assert sealed_event(event, canonical_plain(event)) == canonical_plain(event)
    assert opened_event(canonical_plain(event)) == event


def test_the_person_of_one_event_does_not_open_in_another() -> None:
    event, other = a_ward_event(), a_ward_event(id="SU-2")
    person = sealed_value(event["data"]["person"], of=event_of(event["source"], event["id"]))
    with pytest.raises(VaultClosed):
        opened_event(canonical_plain({**other, "data": {**other["data"], "person": person}}))


def test_what_was_written_before_there_were_keys_is_read_as_it_is() -> None:
    assert opened_value(a_person(), of="case:1") == a_person()


def test_sealed_members_come_back_in_the_order_of_a_jsonb_column() -> None:
    kept = sealed_value({"protected": False, "name": {"given": "A", "family": "B"}, "id": "1"}, of="x:1")
    opened = Opened().process_result_value(["x:1", kept], DIALECT)
    assert list(opened) == ["id", "name", "protected"]
    assert list(opened["name"]) == ["given", "family"]
