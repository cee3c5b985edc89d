"""What of a notice its reader may see."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.planning.domain.disclosure import disclosed

SENT = datetime(2026, 11, 3, 13, tzinfo=UTC)
PERSON = {"id": "189001019802", "name": {"given": "Test", "family": "Testsson"}}
NAMED = {"protected_reader": True, "taken_on": True, "one_by_id": True}
WITHHELD = {"person": {"withheld": "protected"}, "content": {"ready_at": "x"}, "protected": True}


def _sent(*, protected: bool) -> dict[str, Any]:
    return {"salt": "s", "person": PERSON, "content": {"ready_at": "x"}, "protected": protected}


def test_a_party_sees_what_it_was_sent_in_lists_too() -> None:
    unnamed = dict.fromkeys(NAMED, False)
    assert disclosed(_sent(protected=False), SENT, **unnamed) == _sent(protected=False)


def test_a_named_reader_sees_a_protected_person() -> None:
    assert disclosed(_sent(protected=True), SENT, **NAMED) == _sent(protected=True)


@pytest.mark.parametrize("missing", NAMED)
def test_a_protected_person_is_withheld_when_only_one_condition_fails(missing: str) -> None:
    found = disclosed(_sent(protected=True), SENT, **(NAMED | {missing: False}))
    assert found is not None
    assert (found["withheld"], found["at"], set(found)) == ("protected", "2026-11-03T13:00:00.000000Z", {"withheld", "at", "basis"})


def test_a_notice_that_never_named_the_person_shows_what_it_says() -> None:
    assert disclosed(WITHHELD, SENT, **dict.fromkeys(NAMED, False)) == WITHHELD


def test_a_notice_without_a_personal_part_shows_none() -> None:
    assert disclosed(None, SENT, **NAMED) is None
