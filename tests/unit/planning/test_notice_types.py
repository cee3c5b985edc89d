"""One list of the types of notice: what planning sends is what may be asked for, and what asks to be taken on is a duty."""

import importlib
import pkgutil

import pytest

from services.planning import usecases
from services.planning.domain.notices import NoticeType
from services.planning.repository.directory import Mailbox
from services.planning.repository.worklist import about_cases
from services.planning.usecases.mailing import Letter, Post
from shared.events.notice_types import NOTICE_TYPES, TO_TAKE_ON
from shared.identifiers import uuid7
from tests.builders import GOTEBORG, hours

MAILBOX = Mailbox(uuid7(), f"municipality:{GOTEBORG}", "2120001355", "SE2120001355-E1", "municipality")


def types_named_by_the_use_cases() -> set[str]:
    """Every constant of a use case that names a type of notice."""
    found = {kind.value for kind in NoticeType}
    for module in pkgutil.iter_modules(usecases.__path__, f"{usecases.__name__}."):
        said = vars(importlib.import_module(module.name)).values()
        found |= {value for value in said if isinstance(value, str) and value.startswith("notice.")}
    return found


def test_whatever_planning_can_send_may_be_asked_for_and_nothing_else() -> None:
    assert types_named_by_the_use_cases() == NOTICE_TYPES


def test_a_notice_of_a_type_that_nobody_could_ask_for_is_not_sent() -> None:
    with pytest.raises(ValueError, match=r"notice\.unheard_of"):
        Post().put(Letter(MAILBOX, "notice.unheard_of", None, hours(0), "origin"))


@pytest.mark.parametrize("kind", sorted(NOTICE_TYPES))
def test_a_notice_says_until_when_it_is_to_be_taken_on_exactly_when_that_is_a_duty(kind: str) -> None:
    post = Post()
    post.put(Letter(MAILBOX, kind, None, hours(0), "origin"))
    asks = '"acknowledge_by":null' not in post.notices[0].envelope
    duties = next(asked["types"] for _, asked in about_cases([uuid7()], None) if "types" in asked)
    assert asks == (kind in TO_TAKE_ON) == (kind in duties)  # type: ignore[operator]  # a list of names
    assert ('"acknowledge_by":null' not in post.staged[1].body) == asks


def test_a_returned_notice_is_to_be_taken_on_and_a_message_is_not() -> None:
    assert "notice.returned" in TO_TAKE_ON
    assert "notice.message" not in TO_TAKE_ON
