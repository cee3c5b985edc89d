"""Rule 6 of the house, for fields: what is wrong with one is told in a word of the list, in both languages, and in nobody else's."""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from shared.http.field_codes import INVALID, field_codes, our_word
from tests.architecture.source import Module, calls, functions, module, modules
from tests.architecture.test_problem_codes import constants
from tests.architecture.web import applications, routes_of

CODE: Final = re.compile(r"[a-z_]+(?:\.[a-z_]+)*", re.ASCII)
PASSED_ON: Final = frozenset({"ValueError", "TargetRefused"})
"""What is raised with a code that whoever reads a body or an address puts into a field error."""
MADE_ELSEWHERE: Final = frozenset({"stay_id.is_person", "event_id.is_person", "unit_malformed", "unit_not_yours", "time.format"})
"""Codes that stand in a table or are given back before they become a field error."""
NOT_OF_FIELDS: Final = frozenset({"bankgiro.check_digit", "rate_or_missing"})
"""What is wrong with a setting or a file of the operator's."""


def passers(one: Module) -> dict[str, int]:
    """Functions that make a field error of a code they are given, with the place of that code among their parameters."""
    found = {}
    for function in functions(one.tree):
        names = [argument.arg for argument in function.args.args]
        for call, name in calls(function):
            if name == "FieldError" and isinstance(call.args[1], ast.Name) and call.args[1].id in names:
                found[function.name] = names.index(call.args[1].id)
    return found


def codes(one: Module, public: Mapping[str, int]) -> Iterator[str]:
    """Every code that a module says of a field, or raises for somebody who does."""
    places = {"FieldError": 1, **public, **passers(one)}
    for within in [*functions(one.tree), one.tree]:
        for call, name in calls(within):
            if len(call.args) > places.get(name, len(call.args)):
                yield from constants(call.args[places[name]], within)
            if name in PASSED_ON and call.args:
                yield from (code for code in constants(call.args[0], within) if CODE.fullmatch(code))


def said() -> set[str]:
    among = modules("shared", "services")
    public = {name: place for one in among for name, place in passers(one).items() if not name.startswith("_")}
    return ({code for one in among for code in codes(one, public)} | MADE_ELSEWHERE) - NOT_OF_FIELDS


def test_every_code_that_can_be_said_of_a_field_is_in_the_list() -> None:
    assert len(said()) > 80
    assert said() - set(field_codes()) == set()


@pytest.mark.parametrize(
    "line",
    [
        "raise Malformed('x.y', errors=(FieldError('/a', 'made.up'),))",
        "wrong = 'made.up' if late else None\nerrors = FieldError('/a', wrong)",
        "def _no(place, code):\n    return FieldError(place, code)\nraise _no('/a', 'made.up')",
        "raise refused('/a', 'made.up' if late else 'missing')",
        "raise ValueError('made.up')",
    ],
)
def test_a_code_is_seen_wherever_it_is_said(line: str) -> None:
    assert "made.up" in set(codes(module("services/billing/usecases/closing.py", line), {"refused": 1}))


def test_every_code_of_the_list_is_told_in_both_languages_and_can_be_said() -> None:
    written = {node.value for one in modules() for node in ast.walk(one.tree) if isinstance(node, ast.Constant)}
    for code, row in field_codes().items():
        assert CODE.fullmatch(code)
        assert row.meaning["en"].strip(), code
        assert row.meaning["sv"].strip(), code
        assert row.meaning["en"] != row.meaning["sv"], code
        assert row.pydantic or code in written, code


# What the reader of bodies and addresses can refuse each kind of field for, by its name in pydantic-core's schemas; below, each bound.
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "bool": ("bool_type", "bool_parsing"),
    "date": ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
    "datetime": ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"),
    "dict": ("dict_type",),
    "enum": ("enum",),
    "float": ("float_type", "float_parsing", "finite_number"),
    "int": ("int_type", "int_parsing", "int_parsing_size", "int_from_float"),
    "list": ("list_type",),
    "literal": ("literal_error",),
    "model": ("model_type", "model_attributes_type"),
    "model-fields": ("missing", "extra_forbidden", "dict_type"),
    "str": ("string_type", "string_unicode"),
    "tuple": ("tuple_type",),
    "url": ("url_type", "url_parsing", "url_syntax_violation", "url_scheme"),
    "uuid": ("uuid_type", "uuid_parsing", "uuid_version"),
}
BOUNDS: Final[Mapping[str, tuple[str, ...]]] = {
    "ge": ("greater_than_equal",),
    "gt": ("greater_than",),
    "le": ("less_than_equal",),
    "lt": ("less_than",),
    "max_length": ("too_long", "string_too_long", "url_too_long"),
    "min_length": ("too_short", "string_too_short"),
    "pattern": ("string_pattern_mismatch",),
}
# They let others decide, or raise a ValueError with a code of ours.
DECIDE_NOTHING: Final = frozenset(
    {"any", "default", "definition-ref", "definitions", "model-field", "nullable", "no-info", "with-info"}
    | {f"function-{when}" for when in ("after", "before", "plain", "wrap")}
)


def schemas(found: Any, seen: set[int]) -> Iterator[Mapping[str, Any]]:
    if isinstance(found, dict) and id(found) not in seen:
        seen.add(id(found))
        if isinstance(found.get("type"), str):
            yield found
        for name, inner in found.items():
            if name not in {"serialization", "metadata"}:
                yield from schemas(inner, seen)
    elif isinstance(found, list | tuple):
        for inner in found:
            yield from schemas(inner, seen)


def test_whatever_the_reader_of_bodies_and_addresses_can_refuse_has_a_word_of_ours() -> None:
    kinds: set[str] = set()
    for app in applications().values():
        for route in routes_of(app.routes):
            fields = [*route.dependant.path_params, *route.dependant.query_params, *route.dependant.header_params]
            fields += [route.body_field] if route.body_field is not None else []
            for field in fields:
                for schema in schemas(field._type_adapter.core_schema, set()):  # nowhere else does it stand
                    kinds |= {schema["type"], *(BOUNDS.keys() & schema.keys())}
    assert kinds - KINDS.keys() - BOUNDS.keys() - DECIDE_NOTHING == set(), "a kind of field that nobody has looked at yet"
    reasons = {reason for kind in kinds - DECIDE_NOTHING for reason in KINDS.get(kind, ()) or BOUNDS[kind]}
    assert len(reasons) > 25
    assert {reason for reason in reasons if our_word(reason) == INVALID} == set()


def test_what_nobody_has_a_word_for_is_invalid_and_no_more() -> None:
    assert our_word("recursion_loop") == INVALID
    assert our_word("value_error", "invalid literal for int() with base 10: '189001019802'") == INVALID
    assert our_word("value_error", "person_id.date") == "person_id.date"
    assert our_word("unknown_field") == "unknown_field"
