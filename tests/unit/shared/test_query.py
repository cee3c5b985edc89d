import re

import pytest

from services.planning.api import notices
from shared.http.problems import HttpProblem
from shared.http.query import QueryForms, refuse_odd_query


def forms() -> QueryForms:
    (found,) = [route.query_forms for route in notices.router.routes if getattr(route, "path", "") == "/v1/notices"]  # type: ignore[attr-defined]
    assert isinstance(found, dict)
    return found


def test_a_route_knows_its_parameters_by_what_its_handler_declares() -> None:
    assert set(forms()) == {"after", "limit", "wait", "epoch", "mailbox", "unit", "type"}
    assert all(isinstance(form, re.Pattern) for form in forms().values())


@pytest.mark.parametrize("query", ["", "after=1", "after=007&limit=10&wait=2.5", "type=notice.ready&epoch=1"])
def test_a_query_as_declared_passes(query: str) -> None:
    refuse_odd_query(query.encode(), forms())


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("after=1_0", "/after", "format"),
        ("after=%2B1", "/after", "format"),
        ("after=+1", "/after", "format"),
        ("after=%201", "/after", "format"),
        ("after=", "/after", "format"),
        ("after=%EF%BC%91", "/after", "format"),
        ("wait=1e1", "/wait", "format"),
        ("wait=inf", "/wait", "format"),
        ("after=1&after=2", "/after", "repeated"),
        ("after=1&after=1", "/after", "repeated"),
        ("189001019802=1", "", "unknown_parameter"),
        ("After=1", "", "unknown_parameter"),
        ("after=1&x", "", "unknown_parameter"),
    ],
)
def test_any_other_query_is_refused_where_it_stands(query: str, pointer: str, code: str) -> None:
    with pytest.raises(HttpProblem, match=r"request\.parameter_invalid") as refused:
        refuse_odd_query(query.encode(), forms())
    assert [(error.pointer, error.code) for error in refused.value.errors] == [(pointer, code)]
