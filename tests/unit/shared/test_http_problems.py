import json

import pytest

from shared.errors import Refused
from shared.http.problems import catalogue, language_of, problem_response


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        (None, "en"),
        ("sv", "sv"),
        ("sv-SE, en;q=0.8", "sv"),
        ("en, sv;q=0.999", "en"),
        ("sv;q=inf, en", "en"),
        ("sv;q=inf", "en"),
        ("sv;q=nan", "en"),
        ("sv;q=2, en;q=0.1", "en"),
        ("sv;q=1e0", "en"),
        ("sv;q=-1", "en"),
        ("sv;q=0", "en"),
        ("sv ; q=0.5", "sv"),
    ],
)
def test_a_language_is_weighed_as_the_standard_writes_weights(asked: str | None, language: str) -> None:
    assert language_of(asked) == language


def test_whoever_asks_for_swedish_gets_no_english_detail() -> None:
    refused = Refused("month.state", "the month is open, not published")
    told = {
        language: problem_response(refused, public_url="https://x.test", request_id="r", accept_language=language)
        for language in ("en", "sv")
    }
    details = {language: json.loads(bytes(answer.body))["detail"] for language, answer in told.items()}
    assert details == {"en": refused.detail, "sv": catalogue()["month.state"].meaning["sv"]}
    for language, answer in told.items():
        assert (answer.headers["content-language"], answer.headers["vary"]) == (language, "Accept-Language")
        assert answer.headers["cache-control"] == "no-store"
