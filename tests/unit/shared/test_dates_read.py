from datetime import date

import pytest

from shared.dates import parse_day


def test_a_day_is_read_inside_the_years_that_instants_have() -> None:
    assert parse_day("1900-01-01") == date(1900, 1, 1)
    assert parse_day("2199-12-31") == date(2199, 12, 31)


@pytest.mark.parametrize(
    "text", ["1899-12-31", "2200-01-01", "0001-01-01", "9999-12-31", "2026-02-30", "2026-1-01", "20260101", "", "２026-01-01"]
)
def test_any_other_day_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^day\.format$"):
        parse_day(text)
