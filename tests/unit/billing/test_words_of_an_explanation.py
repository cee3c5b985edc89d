"""The words of an explanation have a version: the same version, the same words; another one, and codes and numbers hold alone."""

import ast
import json
from datetime import date
from fractions import Fraction
from hashlib import sha256
from inspect import getsource
from pathlib import Path
from typing import Any

import pytest

from services.billing.domain import explained_stays, explained_steps, wording
from services.billing.domain.explanation import sealed
from services.billing.domain.identity import canonical_json
from services.billing.domain.verifying import verify, words_compared
from services.billing.domain.wording import WORDS, kronor
from shared.money import Money
from tests.unit.billing.builders import local
from tests.unit.billing.explanations import COMMAND, a_month_of_every_kind, explained, run

# The digest of all words, by their version: a version that was told stays here.
PINNED = {1: "56a796f9df96b66fd1e1a8faf5cb1e9755e4e5e9b304bca292956a3ad2322a0f"}


def in_other_words(told: dict[str, Any], version: int = WORDS + 1) -> dict[str, Any]:
    """The same explanation as a program of other words would have told it, sealed."""

    def reworded(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: "Other words." if name in {"sv", "en"} else reworded(inner) for name, inner in value.items()}
        return [reworded(inner) for inner in value] if isinstance(value, list) else value

    told = told | {name: reworded(told[name]) for name in ("rules", "steps", "stays")}
    told["rules"] = [one | {"source": "Another title of the same law"} for one in told["rules"]]
    told["stays"] = [
        stay | {"rules": [one | {"source": "Another title of the same law"} for one in stay["rules"]]} for stay in told["stays"]
    ]
    return sealed(told | {"words": version})


def test_an_explanation_in_the_words_of_another_version_holds_by_its_numbers() -> None:
    told = in_other_words(explained(a_month_of_every_kind()))
    assert verify(canonical_json(told)) is None
    assert not words_compared(told)


def test_other_words_under_the_present_version_do_not_hold() -> None:
    told = in_other_words(explained(a_month_of_every_kind()), WORDS)
    found = verify(canonical_json(told))
    assert found is not None
    assert (found.where, found.told) == ("/rules/0/en", "Other words.")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("result", "amount"), "1.00"),
        (("result", "lines", 0, "days"), 3),
        (("steps", 0, "code"), "another"),
        (("steps", 0, "sv"), None),
        (("steps", 1, "values", "stays"), 1),
        (("stays", 0, "counted_as"), "excluded"),
        (("stays", 0, "notices", 0, "local"), "2020-01-01 00:00:00"),
        (("rules", 0, "rule"), "another"),
        (("rules", 0, "more"), "words"),
    ],
)
def test_the_words_of_another_version_hide_no_other_difference(path: tuple[str | int, ...], value: Any) -> None:
    told: Any = in_other_words(explained(a_month_of_every_kind()))
    inner = told
    for one in path[:-1]:
        inner = inner[one]
    inner[path[-1]] = value
    found = verify(canonical_json(sealed(told)))
    assert found is not None
    assert found.where == "".join(f"/{one}" for one in path)


def test_a_wrong_number_is_named_before_a_wrong_word() -> None:
    told: Any = explained(a_month_of_every_kind())
    told["rules"][0]["sv"], told["steps"][1]["values"]["stays"] = "Andra ord.", 1
    found = verify(canonical_json(sealed(told)))
    assert found is not None
    assert found.where == "/steps/1/values/stays"


def test_an_explanation_of_before_words_had_a_version_is_in_the_words_of_the_first() -> None:
    told = explained(a_month_of_every_kind())
    del told["words"]
    assert verify(canonical_json(sealed(told))) is None
    assert words_compared(told) == (WORDS == 1)


def test_no_word_is_changed_without_another_version_of_the_words() -> None:
    """Whoever changes a word raises `wording.WORDS` and pins the new digest here; what was told before then still verifies."""
    assert PINNED.get(WORDS) == words_digest()
    assert len(set(PINNED.values())) == len(PINNED)


def words_digest() -> str:
    """The SHA-256 of every text in the modules that explain, and of what they make of numbers."""
    texts: list[str] = []
    for module in (wording, explained_steps, explained_stays):
        tree = ast.parse(getsource(module))
        # What stands as a statement by itself is a comment on the code.
        remarks = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in remarks)
        texts += [node.value for node in constants if isinstance(node.value, str)]
    values = [Fraction(one) for one in ("0", "1", "1/2", "1/3", "13/4", "5/8", "1234")]
    made = [*map(wording.number, values), *map(wording.days, values), *map(wording.stays, (0, 1, 2))]
    made += [kronor(Money(ore)) for ore in (-5, 0, 100, 123_456_789)]
    texts += [text for words in made for text in (words.sv, words.en)]
    texts += [wording.span(date(2020, 3, 1), date(2020, 3, last)) for last in (1, 2)]
    texts.append(wording.clock(local("2020-03-15T12:00:01")))
    return sha256("\0".join(texts).encode()).hexdigest()


def test_the_command_says_when_words_were_not_compared_and_prints_its_own(tmp_path: Path) -> None:
    told = explained(a_month_of_every_kind())
    mine, other = tmp_path / "mine.json", tmp_path / "other.json"
    mine.write_text(canonical_json(told), encoding="utf-8")
    other.write_text(canonical_json(in_other_words(told)), encoding="utf-8")
    shown, held = run(COMMAND, mine), run(COMMAND, other)
    assert (shown.returncode, held.returncode) == (0, 0), held.stderr
    assert "har inte jämförts" not in shown.stdout
    assert f"version {WORDS + 1} och har inte jämförts" in held.stdout
    assert "Other words." not in held.stdout
    assert told["steps"][-1]["sv"] in held.stdout
    compared = [json.loads(run(COMMAND, file, "--json").stdout) for file in (mine, other)]
    assert [(one["holds"], one["words_compared"]) for one in compared] == [(True, True), (True, False)]
