import pytest

from shared.text import compose, refuse_odd_text


@pytest.mark.parametrize("blank", ["", " ", "\u0301", "\u3164", "\u2800", " \u115f "], ids=ascii)
def test_what_shows_nothing_is_blank(blank: str) -> None:
    with pytest.raises(ValueError, match=r"^text\.blank$"):
        refuse_odd_text(blank)


@pytest.mark.parametrize("odd", ["\u200b", "Anna\u200bTest", "a\nb", "\u202eabc", "a\u00adb", "\ufeffa", "a\u2028b", "\ud800"], ids=ascii)
def test_what_is_drawn_as_nothing_or_turns_the_text_around_is_refused(odd: str) -> None:
    with pytest.raises(ValueError, match=r"^text\.not_printable$"):
        refuse_odd_text(odd)


def test_decomposed_text_is_refused_where_it_must_stay_as_sent_and_composed_elsewhere() -> None:
    with pytest.raises(ValueError, match=r"^text\.not_nfc$"):
        refuse_odd_text("Go\u0308ran")
    assert compose("Go\u0308ran") == "G\u00f6ran"


@pytest.mark.parametrize("name", ["Anna Test", "Göran", "O'Test-Ek", "王", "7"])
def test_a_name_as_people_have_it_passes(name: str) -> None:
    assert refuse_odd_text(name) == compose(name) == name
