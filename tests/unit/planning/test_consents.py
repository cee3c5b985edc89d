"""The consent register: the one question that is asked before more than the statute tells leaves."""

from datetime import date, datetime
from itertools import product

import pytest

from services.planning.domain.age import check_answered_by
from services.planning.domain.consents import (
    CONSENT_TRANSITIONS,
    ConsentAnswer,
    ConsentStatus,
    ConsentTrigger,
    Purpose,
    allows,
    withdraw,
)
from shared.errors import Malformed, Refused
from tests.builders import hours

DAY = date(2026, 11, 5)


def an_answer(status: str, at: datetime | None = None, *purposes: Purpose, until: date | None = None) -> ConsentAnswer:
    return ConsentAnswer(ConsentStatus(status), frozenset(purposes or ("free_text",)), at or hours(1), until)


@pytest.mark.parametrize(("status", "trigger"), list(product(ConsentStatus, ConsentTrigger)))
def test_only_what_was_given_can_be_withdrawn(status: ConsentStatus, trigger: ConsentTrigger) -> None:
    if status is ConsentStatus.REFUSED:
        with pytest.raises(Refused, match=r"consent\.refused"):
            withdraw(status)
    else:
        assert withdraw(status) is CONSENT_TRANSITIONS[status, trigger] is ConsentStatus.WITHDRAWN


@pytest.mark.parametrize(
    ("register", "allowed"),
    [
        ([], False),
        ([an_answer("given")], True),
        ([an_answer("refused")], False),
        ([an_answer("withdrawn")], False),
        ([an_answer("given", hours(1)), an_answer("refused", hours(2))], False),
        ([an_answer("refused", hours(2)), an_answer("given", hours(3))], True),
        ([an_answer("given", hours(3)), an_answer("refused", hours(2))], True),
        ([an_answer("given", None, "admission_reason")], False),
        ([an_answer("given", None, "admission_reason", "free_text")], True),
        ([an_answer("given", until=DAY)], True),
        ([an_answer("given", until=date(2026, 11, 4))], False),
    ],
)
def test_the_latest_answer_about_a_purpose_decides(register: list[ConsentAnswer], allowed: bool) -> None:
    assert allows(register, "free_text", DAY) is allowed


def test_guardians_answer_for_a_child_only() -> None:
    check_answered_by("guardian", child=True)
    check_answered_by("representative", child=False)
    with pytest.raises(Malformed, match="guardian_of_adult"):
        check_answered_by("guardian", child=False)
