"""What of a notice its reader may see."""

from typing import Any

import pytest

from services.planning.domain.disclosure import disclosed

PERSON = {"id": "189001019802", "name": {"given": "Test", "family": "Testsson"}}


def _shown(*, protected: bool, **given: bool) -> Any:
    named = {"protected_reader": True, "taken_on": True, "one_by_id": True} | given
    found = disclosed({"person": PERSON, "content": {"ready_at": "x"}, "protected": protected}, **named)
    assert found is not None
    assert found["content"] == {"ready_at": "x"}
    return found["person"]


def test_a_party_sees_whom_an_open_notice_is_about_in_lists_too() -> None:
    assert _shown(protected=False, protected_reader=False, taken_on=False, one_by_id=False) == PERSON


def test_a_named_reader_sees_a_protected_person() -> None:
    assert _shown(protected=True) == PERSON


@pytest.mark.parametrize("missing", ["protected_reader", "taken_on", "one_by_id"])
def test_a_protected_person_is_withheld_when_only_one_condition_fails(missing: str) -> None:
    assert _shown(protected=True, **{missing: False}) == {"withheld": "protected"}


def test_a_notice_without_a_personal_part_shows_none() -> None:
    assert disclosed(None, protected_reader=True, taken_on=True, one_by_id=True) is None
