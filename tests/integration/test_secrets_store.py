"""Secrets are made once, kept for their owner alone, and never replaced behind anybody's back."""

import json
import stat
from pathlib import Path

import pytest

from dirigent.failure import CannotStart
from dirigent.secrets_store import load_or_make, person_environment
from dirigent.signing_keys import make_missing
from services.gateway.auth import SigningKeys
from shared.http.auth import TokenVerifier


def test_secrets_are_the_same_the_next_time(tmp_path: Path) -> None:
    first = load_or_make(tmp_path / "secrets.json")
    again = load_or_make(tmp_path / "secrets.json")
    assert (again.service_key, again.apps, again.redis) == (first.service_key, first.apps, first.redis)


def test_only_the_owner_can_read_them(tmp_path: Path) -> None:
    load_or_make(tmp_path / "secrets.json")
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secrets.json"]


def test_every_service_has_a_password_of_its_own(tmp_path: Path) -> None:
    apps = load_or_make(tmp_path / "secrets.json").apps
    assert len(set(apps.values())) == len(apps) == 4


def test_a_folder_from_before_persons_were_sealed_gets_keys_once_and_keeps_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    load_or_make(file)
    old = {name: value for name, value in json.loads(file.read_text()).items() if not name.startswith("person_")}
    file.write_text(json.dumps(old))
    made = load_or_make(file)
    assert (made.service_key, made.apps) == (old["service_key"], old["apps"])
    assert load_or_make(file).person_keys == made.person_keys
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_half_of_the_person_keys_is_a_damaged_file(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    load_or_make(file)
    file.write_text(json.dumps({name: value for name, value in json.loads(file.read_text()).items() if name != "person_lookup_key"}))
    with pytest.raises(CannotStart, match="restore it from a backup"):
        load_or_make(file)


def test_keys_of_the_operator_go_before_those_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = load_or_make(tmp_path / "secrets.json")
    monkeypatch.delenv("DIRIGENT_PLANNING_PERSON_LOOKUP_KEY")
    monkeypatch.setenv("DIRIGENT_PLANNING_PERSON_KEYS", "k9:own")
    told = person_environment(kept)
    assert (told["DIRIGENT_PLANNING_PERSON_KEYS"], told["DIRIGENT_PLANNING_PERSON_LOOKUP_KEY"]) == ("k9:own", kept.person_lookup_key)


def test_secrets_do_not_show_themselves(tmp_path: Path) -> None:
    made = load_or_make(tmp_path / "secrets.json")
    assert made.service_key not in repr(made)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"postgres": 1}', "\0"])
def test_a_damaged_file_stops_the_start_and_stays_as_it_is(tmp_path: Path, content: str) -> None:
    file = tmp_path / "secrets.json"
    file.write_text(content)
    with pytest.raises(CannotStart, match="restore it from a backup"):
        load_or_make(file)
    assert file.read_text() == content


def test_a_new_signing_key_is_one_the_gateway_signs_and_a_service_verifies_with(tmp_path: Path) -> None:
    private, public = tmp_path / "signing.json", tmp_path / "public.json"
    make_missing(private, public)
    first = private.read_bytes()
    make_missing(private, public)
    assert private.read_bytes() == first
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert '"d"' not in public.read_text()
    signer = SigningKeys.load(private, "https://dirigent.example")
    assert signer.published()["keys"] == json.loads(public.read_bytes())["keys"]
    TokenVerifier.from_file(public, issuer="https://dirigent.example")
