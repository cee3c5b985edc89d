import pytest
from pydantic import ValidationError

from shared.http.fields import Body, Day, ShortText, Text


class Named(Body):
    by: ShortText
    why: Text = "because"
    on: Day | None = None


@pytest.mark.parametrize("body", [{"by": " "}, {"by": "\u200b"}, {"by": "a", "why": "\u3164"}, {"by": "a", "why": "x\u2060y"}], ids=ascii)
def test_a_name_or_explanation_that_nobody_can_see_is_refused(body: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Named.model_validate(body)


def test_a_name_is_kept_in_composed_form() -> None:
    assert Named(by="Go\u0308ran").by == "G\u00f6ran"


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "2200-01-01", "9999-12-31"])
def test_a_day_outside_1900_to_2199_is_refused(day: str) -> None:
    with pytest.raises(ValidationError):
        Named.model_validate({"by": "a", "on": day})


def test_thousands_of_unknown_fields_are_refused_as_one_error() -> None:
    with pytest.raises(ValidationError) as refused:
        Named.model_validate({f"k{number}": 1 for number in range(5_000)})
    assert [(error["loc"], error["type"]) for error in refused.value.errors()] == [((), "unknown_field")]
