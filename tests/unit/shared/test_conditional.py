import pytest
from starlette.requests import Request

from shared.http.conditional import caller_has


def asking(*stated: str) -> Request:
    return Request({"type": "http", "headers": [(b"if-none-match", one.encode("latin-1")) for one in stated]})


@pytest.mark.parametrize("stated", ['"a-1"', 'W/"a-1"', '"x", "a-1"', 'W/"x" ,W/"a-1"', "*", ' "a-1" ', '"x,y", "a-1"'])
def test_a_tag_is_recognised_alone_in_a_list_as_a_weak_one_and_by_star(stated: str) -> None:
    assert caller_has(asking(stated), '"a-1"')
    assert caller_has(asking(stated), 'W/"a-1"')


@pytest.mark.parametrize("stated", ["", '"a"', "a-1", '"a-1', '"x"a-1"', 'w/"b"', "* *"])
def test_any_other_tag_is_not(stated: str) -> None:
    assert not caller_has(asking(stated), '"a-1"')


def test_a_header_that_stands_twice_is_one_list() -> None:
    assert caller_has(asking('"x"', '"a-1"'), '"a-1"')
    assert not caller_has(asking(), '"a-1"')
