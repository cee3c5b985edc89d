"""Every field of the answer is defined in docs/indicators.md, and nothing is defined that is not answered."""

import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from services.planning.api.indicators import IndicatorsAnswer
from services.planning.domain.measures import Aspect
from services.planning.domain.small_groups import NESTED
from tests.architecture.source import ROOT

PAGE = (ROOT / "docs/indicators.md").read_text(encoding="utf-8")
DEFINED = set(re.findall(r"`([a-z_]+)`", PAGE))
QUERY = {"from", "to", "by"}


def fields(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.serialization_alias or name
        for inner in models(field.annotation):
            yield from fields(inner)


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models(inner)


def test_every_field_of_the_answer_is_defined() -> None:
    answered = set(fields(IndicatorsAnswer)) - QUERY - {"indicators", "count"}
    assert len(answered) > 40
    assert answered - DEFINED == set()


def test_each_indicator_has_a_row_with_what_it_is_of_its_source_and_its_weakness() -> None:
    rows = {
        name: line.strip().strip("|").split("|")
        for line in PAGE.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([a-z_]+)`", line.split("|")[1])
    }
    indicators = next(models(IndicatorsAnswer.model_fields["indicators"].annotation))
    assert set(indicators.model_fields) == set(rows)
    marks = re.compile(r"\b[LAD]\b")
    assert [name for name, cells in rows.items() if not any(marks.search(cell) for cell in cells[1:])] == []


def test_what_is_judged_against_another_aspect_are_aspects() -> None:
    assert {aspect for (inner, _), (outer, _), kept in NESTED for aspect in (inner, outer, kept)} <= set(Aspect)
