"""What of a notice its reader may see."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.planning.domain.disclosure import withholding

SENT, LOST = datetime(2026, 11, 3, 13, tzinfo=UTC), datetime(2026, 11, 4, 9, tzinfo=UTC)


def _withheld(**given: Any) -> str | None:
    usual = {"lost_at": None, "protected": False, "statutory": True, "named_reader": False, "one_by_id": False, "sent_at": SENT}
    found = withholding(**(usual | given))
    return None if found is None else found.withheld


def test_a_party_sees_what_it_was_sent() -> None:
    assert _withheld() is None


def test_who_is_a_party_no_longer_sees_nothing_even_as_a_named_reader() -> None:
    assert _withheld(lost_at=LOST, named_reader=True, one_by_id=True) == "returned"


@pytest.mark.parametrize(("statutory", "named_reader", "one_by_id"), [(False, True, True), (True, False, True), (True, True, False)])
def test_a_protected_person_is_withheld_from_lists_other_notices_and_unnamed_readers(
    statutory: bool, named_reader: bool, one_by_id: bool
) -> None:
    assert _withheld(protected=True, statutory=statutory, named_reader=named_reader, one_by_id=one_by_id) == "protected"


def test_a_named_reader_reads_the_admission_notice_of_a_protected_person() -> None:
    assert _withheld(protected=True, statutory=True, named_reader=True, one_by_id=True) is None


def test_what_is_withheld_says_since_when_and_why() -> None:
    found = withholding(lost_at=LOST, protected=False, statutory=True, named_reader=False, one_by_id=False, sent_at=SENT)
    assert found is not None
    assert (found.at, found.basis) == (LOST, "The notice was not for this party: wrong registration, or an admission sent in error.")
