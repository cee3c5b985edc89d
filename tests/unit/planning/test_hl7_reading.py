"""HL7's times, its escapes, who a person is by the number's issuer, and that no text whatever ends otherwise than in an answer."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.planning.adapters.hl7.acknowledgement import acknowledge
from services.planning.adapters.hl7.adt import Stay, translate
from services.planning.adapters.hl7.header import read_header
from services.planning.adapters.hl7.known import StayKnown
from services.planning.adapters.hl7.message import Answered, NotTaken, Unread, read
from services.planning.adapters.hl7.persons import number, person
from services.planning.adapters.hl7.times import day, instant
from shared.http.problems import HttpProblem
from tests.adt import NEEDS, PERSONNUMMER, RESERVNUMMER, a_reservnummer, admission, message, pid, pv1
from tests.builders import a_personnummer

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("202611031405", datetime(2026, 11, 3, 13, 5, tzinfo=UTC), id="winter, to the minute"),
        pytest.param("20260703140530", datetime(2026, 7, 3, 12, 5, 30, tzinfo=UTC), id="summer, to the second"),
        pytest.param("20261103140530.1234", datetime(2026, 11, 3, 13, 5, 30, 123400, tzinfo=UTC), id="parts of a second"),
        pytest.param("20261103140530-0500", datetime(2026, 11, 3, 19, 5, 30, tzinfo=UTC), id="its own offset"),
        pytest.param("20261025023000", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), id="the hour that comes twice: the first"),
        pytest.param("20261025023000+0100", datetime(2026, 10, 25, 1, 30, tzinfo=UTC), id="the second one, by its offset"),
        pytest.param("20260329023000", datetime(2026, 3, 29, 1, 30, tzinfo=UTC), id="the hour that does not come"),
    ],
)
def test_a_time_without_an_offset_is_a_swedish_clocks(text: str, expected: datetime) -> None:
    assert instant(text, "EVN-6") == expected


@pytest.mark.parametrize("text", ["", "2026", "20261103", "2026110325", "202613031405", "202611031460", "20261103140560", "202611031405Z"])
def test_no_other_time_is_taken(text: str) -> None:
    with pytest.raises(NotTaken) as refused:
        instant(text, "EVN-6")
    assert [(one.place, one.code) for one in refused.value.remarks] == [("EVN-6", "time.format")]


@pytest.mark.parametrize("text", ["202611031405+9999", "202611031405+2400", "000101010000+0100", "189912312300", "999912312359-2300"])
def test_a_time_that_lies_nowhere_is_refused(text: str) -> None:
    with pytest.raises(NotTaken):
        instant(text, "EVN-6")


def test_a_day_is_the_day_that_is_written() -> None:
    assert day("20261109", "PV2-9") == day("202611092330", "PV2-9") == day("20261109000000+0100", "PV2-9") == "2026-11-09"
    for text in ("2026119", "20261131", "x", "2026-11-09"):
        with pytest.raises(NotTaken):
            day(text, "PV2-9")


def test_escapes_are_undone_and_composed() -> None:
    name = "O\\T\\Test\\F\\sson\\S\\a\u030a^A\\E\\n\\X6E\\a"
    assert person(read(message("A01", "X", pid(name=name), pv1())), None)["name"] == {"given": "A\\nna", "family": "O&Test|sson^å"}


def test_of_several_numbers_the_personnummer_is_hers() -> None:
    numbers = f"77^^^HOSPITAL~{a_reservnummer()}^^^&{RESERVNUMMER}&ISO~18900101-9802^^^&{PERSONNUMMER}&ISO"
    body = admission().replace(f"{a_personnummer()}^^^&{PERSONNUMMER}&ISO".encode(), numbers.encode())
    assert number(read(body), "PID", 3) == ("personnummer", "189001019802")


def test_what_a_message_leaves_out_of_a_person_stays_as_it_was() -> None:
    known = person(read(admission()), None) | {"protected": True}
    assert person(read(message("A08", "X", f"PID|1||{a_personnummer()}^^^&{PERSONNUMMER}&ISO", pv1())), known) == known
    away = person(read(message("A08", "X", pid(address='""'), "PD1||||||||||||N")), known)
    assert away == {name: known[name] for name in ("type", "id", "name")} | {"protected": False}


def test_an_answer_stands_in_the_senders_own_separators() -> None:
    body = admission().replace(b"|", b"#").replace(b"^", b"*").replace(b"MSH#*", b"MSH#*")
    ack = acknowledge(read(body), Answered.ACCEPTED, (), AT).decode()
    assert ack.startswith("MSH#*~\\&#DIRIGENT##MILLENNIUM#SU#20261122100000+0100##ACK*A01*ACK#")
    assert ack.split("\r")[1] == "MSA#AA#A-1"


def answered(body: bytes) -> str:
    """What becomes of a body, as the handler does it: the code of an acknowledgement that can be written, or that there is no message."""
    try:
        found, refusal = read(body), None
    except Unread as unread:
        found, refusal = unread.message, unread.refusal
    except HttpProblem as problem:
        return problem.code
    try:
        if refusal is None:
            translate(Stay(found, read_header(found, demo=False), StayKnown(), {}))
    except NotTaken as refused:
        refusal = refused
    code, remarks = (Answered.ACCEPTED, ()) if refusal is None else (refusal.answered, refusal.remarks)
    assert acknowledge(found, code, remarks, AT).startswith(b"MSH")
    return code


OUTCOMES = {"AA", "AE", "AR", "hl7.unreadable"}


@given(st.binary(max_size=300))
def test_any_bytes_are_answered(body: bytes) -> None:
    assert answered(body) in OUTCOMES
    assert answered(b"MSH|^~\\&|" + body) in OUTCOMES


@given(st.data())
def test_any_change_of_a_message_is_answered(data: st.DataObject) -> None:
    body = bytearray(message("A01", "X", pid(), pv1(), NEEDS, "ZRD|READY|20261105090000|none|Y"))
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 3))] = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"|", b"^", b"~", b"\\", b"&", b"\r", b'""'])
        )
        if not body:
            break
    assert answered(bytes(body)) in OUTCOMES
