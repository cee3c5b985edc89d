from datetime import UTC, datetime, timedelta

from services.gateway.revocations import TRUSTED_FOR_SECONDS, KnownRevocations

AT = datetime(2026, 11, 3, 12, 0, 0, 500_000, tzinfo=UTC)
SECOND = int(AT.timestamp())


class Clock:
    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


def test_of_a_revoked_client_no_token_holds_and_of_others_all_do() -> None:
    known = KnownRevocations()
    known.take({"ward": None}, 0)
    assert known.refuses("ward", SECOND)
    assert known.refuses("ward", SECOND + 10**6)
    assert not known.refuses("other", 0)


def test_tokens_from_before_an_instant_and_of_its_very_second_do_not_hold() -> None:
    known = KnownRevocations()
    known.take({"ward": AT}, 0)
    assert [known.refuses("ward", SECOND + after) for after in (-60, 0, 1)] == [True, True, False]


def test_only_clients_that_are_new_or_cut_later_are_told_to_be_forgotten() -> None:
    known = KnownRevocations()
    assert known.take({"a": AT, "b": None}, 0) == {"a", "b"}
    assert known.take({"a": AT, "b": None}, 1) == set()
    assert known.take({"a": AT + timedelta(seconds=5), "b": None}, 2) == {"a"}


def test_a_client_that_was_let_in_again_holds_tokens_again() -> None:
    known = KnownRevocations()
    known.take({"ward": None}, 0)
    known.take({"ward": AT}, 1)
    assert [known.refuses("ward", SECOND), known.refuses("ward", SECOND + 1)] == [True, False]


def test_knowledge_is_current_for_a_minute_after_the_look_began() -> None:
    clock = Clock()
    known = KnownRevocations(clock=clock)
    assert not known.current
    known.take({}, clock.at)
    clock.at += TRUSTED_FOR_SECONDS - 0.1
    assert known.current
    clock.at += 0.2
    assert not known.current
