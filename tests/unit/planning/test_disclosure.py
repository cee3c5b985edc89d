"""What of a notice its reader may see."""

from datetime import UTC, datetime
from typing import Any

from services.planning.domain.disclosure import disclosed

SENT = datetime(2026, 11, 3, 13, tzinfo=UTC)
PERSON = {"id": "189001019802", "name": {"given": "Test", "family": "Testsson"}}
WITHHELD = {"person": {"withheld": "protected"}, "content": {"ready_at": "x"}, "protected": True}


def _sent(*, protected: bool) -> dict[str, Any]:
    return {"salt": "s", "person": PERSON, "content": {"ready_at": "x"}, "protected": protected}


def test_a_party_sees_what_it_was_sent_in_lists_too() -> None:
    assert disclosed(_sent(protected=False), SENT, to_named_reader=False) == _sent(protected=False)


def test_a_named_reader_sees_a_protected_person() -> None:
    assert disclosed(_sent(protected=True), SENT, to_named_reader=True) == _sent(protected=True)


def test_a_protected_person_is_withheld_from_everybody_else() -> None:
    found = disclosed(_sent(protected=True), SENT, to_named_reader=False)
    assert found is not None
    assert (found["withheld"], found["at"], set(found)) == ("protected", "2026-11-03T13:00:00.000000Z", {"withheld", "at", "basis"})


def test_a_notice_that_never_named_the_person_shows_what_it_says() -> None:
    assert disclosed(WITHHELD, SENT, to_named_reader=False) == WITHHELD


def test_a_notice_without_a_personal_part_shows_none() -> None:
    assert disclosed(None, SENT, to_named_reader=True) is None
