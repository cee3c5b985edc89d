"""Rule 6 of the house: every business word that can be raised stands in the catalogue, in both languages, and nothing else does."""

import ast
from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from services.planning.domain.acknowledgement import NOTICE_TRANSITIONS, NoticeStatus, NoticeTrigger
from shared.errors import BusinessError
from shared.http.problems import HttpProblem, catalogue, status_of
from tests.architecture.source import Module, called_name, functions, module, modules

RAISED: Final = frozenset({"Malformed", "Refused", "NotFound", "HttpProblem", "BusinessError"})
# Codes that are put together, with everything they can become.
MADE: Final[Mapping[str, frozenset[str]]] = {
    "notice.{}": frozenset(
        f"notice.{status}"
        for status in NoticeStatus
        for trigger in (NoticeTrigger.ACKNOWLEDGE, NoticeTrigger.RETURN, NoticeTrigger.FORWARD)
        if (status, trigger) not in NOTICE_TRANSITIONS
    ),
}


def constants(expression: ast.expr, within: ast.AST) -> Iterator[str]:
    """The texts an argument can be: a literal, a choice of two, or a name that its function gives one of them."""
    match expression:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from constants(one, within)
            yield from constants(other, within)
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
        case ast.Name(id=name):
            for node in ast.walk(within):
                if isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id == name for target in node.targets):
                    yield from constants(node.value, within)


def codes(one: Module) -> Iterator[str]:
    """Every code a module raises or makes, by the first argument of an error, its own subclasses' included."""
    own = {node.name: node for node in one.tree.body if isinstance(node, ast.ClassDef)}
    errors = {name for name, node in own.items() if any(called_name(base) in RAISED for base in node.bases)}
    for within in [*functions(one.tree), one.tree]:
        for node in ast.walk(within):
            if isinstance(node, ast.Call) and node.args and called_name(node.func) in RAISED:
                yield from constants(node.args[0], within)
    for name in errors:
        for node in ast.walk(own[name]):
            if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) == "super().__init__":
                yield from constants(node.args[0], own[name])


def raised() -> set[str]:
    found = {code for one in modules() for code in codes(one)}
    for made, outcomes in MADE.items():
        assert made in found, "nothing puts this code together any more"
        found = (found - {made}) | outcomes
    return found


def test_every_code_that_can_be_raised_is_in_the_catalogue() -> None:
    assert len(raised()) > 30
    assert raised() - set(catalogue()) == set()


@pytest.mark.parametrize(
    "line",
    [
        "raise Refused('made.up')",
        "raise errors.Refused('made.up', 'because')",
        "def act():\n    code = 'x.y' if late else 'made.up'\n    raise Refused(code)",
        "class Gone(BusinessError):\n    def __init__(self):\n        super().__init__('made.up')",
    ],
)
def test_a_code_is_seen_wherever_it_is_raised(line: str) -> None:
    assert "made.up" in set(codes(module("services/billing/usecases/closing.py", line)))


def test_every_row_of_the_catalogue_is_told_in_both_languages() -> None:
    for code, problem in catalogue().items():
        for words in (problem.title, problem.meaning):
            assert words["en"].strip(), code
            assert words["sv"].strip(), code
            assert words["en"] != words["sv"], code


def test_every_row_of_the_catalogue_can_happen() -> None:
    written = {
        node.value for one in modules() for node in ast.walk(one.tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(catalogue()) - written - {code for outcomes in MADE.values() for code in outcomes} == set()


def test_a_refusal_has_the_status_of_its_kind() -> None:
    kinds = {"Malformed": {422}, "Refused": {409}, "NotFound": {404}}
    for one in modules("services", "shared"):
        for node in ast.walk(one.tree):
            if isinstance(node, ast.Call) and node.args and called_name(node.func) in kinds:
                for code in constants(node.args[0], one.tree):
                    if code in catalogue():
                        assert catalogue()[code].status in kinds[called_name(node.func)], f"{one.path}:{node.lineno} {code}"


def test_an_unknown_word_is_our_own_fault() -> None:
    assert status_of(BusinessError("made.up")) == 500
    assert status_of(HttpProblem("token.invalid")) == 401
