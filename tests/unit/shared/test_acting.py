import pytest

from shared.errors import Malformed
from shared.http.acting import acting_person, acting_person_or_client
from shared.http.auth import Caller

STAFF = Caller("staff:demo:anna", "2321000131", ("SE2321000131-",), frozenset(), "ward", person="Anna Test")
SYSTEM = Caller("ward-su", "2321000131", ("SE2321000131-",), frozenset(), "ward")
DEMO = Caller("ward-su", "2321000131", ("SE2321000131-",), frozenset(), "ward", demo=True)


@pytest.mark.parametrize(
    ("caller", "named", "person"),
    [
        (STAFF, None, "Anna Test"),
        (STAFF, "anna  test", "Anna Test"),
        (SYSTEM, "Berit Test", "Berit Test"),
        (DEMO, None, "ward-su"),
        (DEMO, "Berit Test", "Berit Test"),
    ],
)
def test_a_person_acts(caller: Caller, named: str | None, person: str) -> None:
    assert acting_person(caller, named, "/by") == person


@pytest.mark.parametrize(("caller", "named", "code"), [(STAFF, "Berit Test", "person_differs"), (SYSTEM, None, "person_missing")])
def test_nobody_acts_for_somebody_else_or_for_nobody(caller: Caller, named: str | None, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        acting_person(caller, named, "/by")
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/by", code)]


def test_a_system_acts_by_itself_where_it_may() -> None:
    assert acting_person_or_client(SYSTEM, None, "/by") == "ward-su"
    with pytest.raises(Malformed):
        acting_person_or_client(STAFF, "Berit Test", "/by")
