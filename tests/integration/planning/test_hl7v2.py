"""ADT messages have the same effect as plain events, and every one of them is answered."""

import asyncio
from typing import Any

from services.planning.adapters.hl7.message import LONGEST_SEGMENT
from tests.adt import NEEDS, RESERVNUMMER, STAY, a_reservnummer, admission, answer_of, message, msh, pid, pv1, pv2
from tests.builders import OTHER_WARD, SOURCE, a_personnummer
from tests.integration.planning.conftest import Planning
from tests.services import bearer

RESERVE = a_reservnummer()
HL7 = {"Content-Type": "application/hl7-v2"}


async def tell(planning: Planning, body: bytes, status: int = 200) -> tuple[str, list[tuple[str, str, str]]]:
    answer = await planning.http.post("/v1/hl7v2", content=body, headers={**planning.ward, **HL7})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/hl7-v2")
    return answer_of(answer.content)


async def taken(planning: Planning, body: bytes) -> list[str]:
    code, remarks = await tell(planning, body)
    assert code == "AA", remarks
    return [remark[2] for remark in remarks if remark[2].startswith("hl7.")]


async def the_case(planning: Planning) -> dict[str, Any]:
    cases = (await planning.http.get("/v1/cases", headers=planning.municipality())).json()["cases"]
    assert len(cases) == 1
    shown: dict[str, Any] = (await planning.http.get(f"/v1/cases/{cases[0]['id']}", headers=planning.municipality())).json()
    return shown


async def told(planning: Planning) -> list[str]:
    return [entry["type"] for entry in (await planning.mailbox(planning.municipality()))["entries"]]


async def events(planning: Planning) -> list[str]:
    case = await the_case(planning)
    history = (await planning.http.get(f"/v1/cases/{case['id']}/history", headers=planning.municipality())).json()["history"]
    return [line["event_id"] for line in history if line["event_id"]]


async def test_an_admission_is_told_to_the_municipality_as_by_a_plain_event(planning: Planning) -> None:
    assert await taken(planning, admission()) == []
    case = await the_case(planning)
    assert (case["state"], case["subject"], case["planned_discharge_date"]) == ("admitted", STAY, "2026-11-09")
    assert case["admitted_at"] == "2026-11-03T13:05:00.000000Z"
    assert case["person"]["name"] == {"given": "Test", "family": "Testsson"}
    assert case["person"]["registered_address"]["city"] == "Göteborg"
    assert await told(planning) == ["notice.admission"]


async def test_a_message_sent_twice_changes_nothing(planning: Planning) -> None:
    assert await taken(planning, admission()) == await taken(planning, admission()) == []
    update = message("A08", "A-2", pid(name="Testsson^Test Maria"), pv1(), pv2(planned="20261111"), "ZRD|READY|20261110090000|none|Y")
    for _ in range(2):
        await taken(planning, update)
    assert await events(planning) == [f"MILLENNIUM:{name}" for name in ("A-1", "A-2.person", "A-2.planned", "A-2.ready")]
    end = message("A03", "A-3", pid(), pv1(disposition="01"), when="20261112100000")
    back = message("A13", "A-4", pid(), pv1(), when="20261112110000")
    for body in (end, back, end, back):
        await taken(planning, body)
    assert (await the_case(planning))["state"] == "ready"
    assert len(await events(planning)) == 6


async def test_an_update_that_says_what_is_known_says_nothing(planning: Planning) -> None:
    await taken(planning, admission())
    assert await taken(planning, message("A08", "A-2", pid(), pv1(), pv2(planned="20261109"), NEEDS)) == ["hl7.nothing_new"]
    assert await taken(planning, message("A08", "A-3", "PID|1||" + a_personnummer() + "^^^&1.2.752.129.2.1.3.1&ISO", pv1())) == [
        "hl7.nothing_new"
    ]
    assert await taken(planning, message("A08", "A-4", pid(), pv1(), pv2(planned='""'))) == []
    assert (await the_case(planning))["planned_discharge_date"] is None


async def test_a_character_that_no_database_keeps_is_refused_wherever_it_stands(planning: Planning) -> None:
    """Answered with a fault it would be sent again, and hold up everything behind it."""
    await taken(planning, admission())
    merge = f"MRG|18\x00900101M079^^^&{RESERVNUMMER}&ISO"
    for place, body in {
        "PV1-19": message("A08", "N-1", pid(), pv1(stay="S\x001")),
        "MRG-1": message("A40", "N-2", pid(), merge),
        "PID-5": message("A08", "N-3", pid(name="Testsson^Te\x00st"), pv1()),
        "PV1-50": message("A02", "N-4", pid(), pv1(OTHER_WARD, other="S\x002")),
        "MSH-3": message("A08", "N-5", pid(), pv1()).replace(b"MILLENNIUM", b"MILL\x00ENNIUM"),
    }.items():
        assert await tell(planning, body) == ("AE", [(place, "102", "text.not_printable")]), place


async def test_of_a_stay_that_nobody_told_of_an_update_or_a_cancellation_stores_nothing(planning: Planning) -> None:
    assert await taken(planning, message("A08", "A-1", pid(), pv1())) == ["hl7.stay_unknown"]
    for trigger in ("A11", "A12", "A13", "A25"):
        assert await taken(planning, message(trigger, f"A-{trigger}", pid(), pv1())) == ["hl7.stay_unknown"]
    assert (await planning.http.get("/v1/cases", headers=planning.ward)).json()["cases"] == []


async def test_needs_judged_after_the_admission_correct_it_and_count_from_the_judgement(planning: Planning) -> None:
    await taken(planning, message("A01", "A-1", pid(), pv1()))
    assert (await planning.http.get("/v1/cases", headers=planning.municipality())).json()["cases"] == []
    await taken(planning, message("A08", "A-2", pid(), pv1(), NEEDS, when="20261104080000"))
    case = await the_case(planning)
    assert set(case["needs"]) == {"municipal_social", "municipal_health", "outpatient"}
    assert case["admitted_at"] == "2026-11-03T13:05:00.000000Z"


async def test_each_cancelling_trigger_takes_away_the_latest_of_its_kind(planning: Planning) -> None:
    await taken(planning, admission())
    await taken(planning, message("A02", "T-1", pid(), pv1(OTHER_WARD, before=SOURCE.removeprefix("urn:hsa:")), when="20261104080000"))
    assert (await the_case(planning))["ward"] == OTHER_WARD
    await taken(planning, message("A12", "T-2", pid(), pv1(), when="20261104090000"))
    assert (await the_case(planning))["ward"] == SOURCE.removeprefix("urn:hsa:")
    await taken(planning, message("A16", "P-1", pid(), pv1(), pv2(planned="20261120"), when="20261104100000"))
    assert (await the_case(planning))["planned_discharge_date"] == "2026-11-20"
    await taken(planning, message("A25", "P-2", pid(), pv1(), when="20261104110000"))
    assert (await the_case(planning))["planned_discharge_date"] == "2026-11-09"
    await taken(planning, message("A03", "D-1", pid(), pv1(disposition="20"), when="20261105100000"))
    assert (await the_case(planning))["state"] == "deceased"
    await taken(planning, message("A13", "D-2", pid(), pv1(), when="20261105110000"))
    assert (await the_case(planning))["state"] == "admitted"
    assert await tell(planning, message("A13", "D-3", pid(), pv1())) == ("AE", [("PV1-19", "204", "hl7.nothing_to_cancel")])
    await taken(planning, message("A11", "D-4", pid(), pv1(), when="20261105120000"))
    assert await told(planning) >= ["notice.admission"]
    ward_case = (await planning.http.get("/v1/cases", headers=planning.ward)).json()["cases"][0]
    assert ward_case["state"] == "cancelled"


async def test_leave_and_return_are_told(planning: Planning) -> None:
    await taken(planning, admission())
    await taken(planning, message("A21", "L-1", pid(), pv1(), pv2(back="20261106180000"), when="20261105100000"))
    assert (await the_case(planning))["on_leave"]
    await taken(planning, message("A22", "L-2", pid(), pv1(), when="20261106170000"))
    case = await the_case(planning)
    assert not case["on_leave"]
    assert case["leaves"][0]["ended_at"] == "2026-11-06T16:00:00.000000Z"


async def test_readiness_comes_and_goes_with_the_segment_for_it(planning: Planning) -> None:
    await taken(planning, admission())
    await taken(planning, message("A08", "R-1", pid(), pv1(), "ZRD|READY|20261105090000|none|Y"))
    assert (await the_case(planning))["state"] == "ready"
    assert await taken(planning, message("A08", "R-2", pid(), pv1(), "ZRD|READY|20261105093000|none|Y")) == ["hl7.nothing_new"]
    await taken(planning, message("A08", "R-3", pid(), pv1(), "ZRD|WITHDRAWN|20261105120000|||Feber"))
    assert (await the_case(planning))["state"] == "planning"
    assert (await told(planning))[-2:] == ["notice.ready", "notice.ready_withdrawn"]


async def test_a_merge_gives_the_person_of_an_open_stay_her_number(planning: Planning) -> None:
    await taken(planning, admission(number=RESERVE, oid=RESERVNUMMER))
    merge = message("A40", "M-1", pid(), f"MRG|{RESERVE}^^^&{RESERVNUMMER}&ISO", when="20261104080000")
    for _ in range(2):
        await taken(planning, merge)
    case = await the_case(planning)
    assert case["person"]["id"] == a_personnummer()
    assert len(await events(planning)) == 2
    assert await taken(planning, message("A40", "M-2", pid(), f"MRG|{a_reservnummer(1)}^^^&{RESERVNUMMER}&ISO")) == ["hl7.person_unknown"]


async def test_a_ward_may_be_called_otherwise_where_the_operator_names_it(planning: Planning) -> None:
    settings = planning.http._transport.app.state.settings  # type: ignore[attr-defined]  # the application under test
    settings.hl7_wards = {"ward-su": {"SU/AVD 1": SOURCE.removeprefix("urn:hsa:")}}
    await taken(planning, message("A01", "A-1", pid(), pv1("AVD 1^^^SU"), NEEDS))
    assert await tell(planning, message("A01", "A-2", pid(), pv1("AVD 2^^^SU"), NEEDS)) == ("AE", [("PV1-3", "103", "ward.unknown")])


async def test_everything_that_is_not_used_is_tolerated(planning: Planning) -> None:
    more = ["ZXY|what|ever", "OBX|1|ST|a^b||x" + "y" * 2 * LONGEST_SEGMENT, "NK1|1|Anhörig^Test", "PID|2||second"]
    body = message("A01", "A-1", "SFT|x", pid() + "|" * 60 + "z", pv1(other="NU-1") + "|x" * 40, NEEDS + "|||||x", *more)
    assert await taken(planning, body.replace(b"\r", b"\n")) == []
    assert (await the_case(planning))["subject"] == STAY


async def test_latin_1_is_read_and_answered_as_such(planning: Planning) -> None:
    body = admission().decode().replace("UNICODE UTF-8", "8859/1").encode("latin-1")
    answer = await planning.http.post("/v1/hl7v2", content=body, headers={**planning.ward, **HL7})
    assert answer.headers["content-type"] == "application/hl7-v2; charset=iso-8859-1"
    assert (await the_case(planning))["person"]["registered_address"]["city"] == "Göteborg"


REFUSED = {
    "another kind of message": (message("R01", "X", pid(), pv1(), kind="ORU"), "AR", ("MSH-9", "200", "hl7.type_unknown")),
    "another trigger": (message("A04", "X", pid(), pv1()), "AR", ("MSH-9", "201", "hl7.trigger_unknown")),
    "a kind that stands in the second place": (
        message("A01", "X", pid(), pv1()).replace(b"|ADT", b"|~ADT"),
        "AR",
        ("MSH-9", "200", "hl7.type_unknown"),
    ),
    "no trigger": (message("", "X", pid(), pv1()), "AR", ("MSH-9", "201", "hl7.trigger_unknown")),
    "a test": (message("A01", "X", pid(), pv1(), processing="T"), "AR", ("MSH-11", "202", "hl7.processing_id")),
    "another version": (message("A01", "X", pid(), pv1(), version="3.0"), "AR", ("MSH-12", "203", "hl7.version_unknown")),
    "another receiver": (message("A01", "X", pid(), pv1(), receiver="LAB"), "AR", ("MSH-5", "103", "hl7.receiver_wrong")),
    "no control id": (message("A01", "", pid(), pv1()), "AE", ("MSH-10", "101", "missing")),
    "odd control id": (message("A01", "å b", pid(), pv1()), "AE", ("MSH-10", "102", "format")),
    "no patient": (message("A01", "X", pv1()), "AE", ("PID-3", "101", "missing")),
    "no name": (message("A01", "X", pid(name=""), pv1()), "AE", ("PID-5", "101", "missing")),
    "no stay": (message("A01", "X", pid()), "AE", ("PV1-19", "101", "missing")),
    "stay id is the person": (message("A01", "X", pid(), pv1(stay=a_personnummer())), "AE", ("PV1-19", "102", "stay_id.is_person")),
    "wrong check digit": (message("A01", "X", pid("189001019803"), pv1()), "AE", ("PID-3", "102", "person_id.check_digit")),
    "unknown issuer": (message("A01", "X", pid(oid="1.2.3"), pv1()), "AE", ("PID-3", "103", "person_id.issuer_unknown")),
    "another's ward": (message("A01", "X", pid(), pv1(OTHER_WARD)), "AE", ("PV1-3", "204", "event.source_foreign")),
    "no ward": (message("A01", "X", pid(), pv1("")), "AE", ("PV1-3", "101", "missing")),
    "no such day": (message("A01", "X", pid(), pv1(), when="20261332100000"), "AE", ("EVN-6", "102", "time.format")),
    "only a day": (message("A01", "X", pid(), pv1(), when="20261103"), "AE", ("EVN-6", "102", "time.format")),
    "no such planned day": (message("A01", "X", pid(), pv1(), pv2(planned="20261199")), "AE", ("PV2-9", "102", "day.format")),
    "the future": (message("A01", "X", pid(), pv1(), when="20991103140500"), "AE", ("EVN-6", "102", "in_future")),
    "a need nobody has": (message("A01", "X", pid(), pv1(), "ZNE|wishes"), "AE", ("ZNE-1", "103", "not_allowed")),
    "a readiness nobody knows": (message("A01", "X", pid(), pv1(), "ZRD|MAYBE"), "AE", ("ZRD-1", "103", "not_allowed")),
    "withdrawn for no reason": (message("A01", "X", pid(), pv1(), "ZRD|WITHDRAWN"), "AE", ("ZRD-5", "101", "missing")),
    "an escape that counts": (message("A01", "X", pid(name="A\\.sp99999999\\^B"), pv1()), "AE", ("PID-5", "102", "hl7.escape_unknown")),
    "an escape that does not end": (message("A01", "X", pid(name="A\\F^B"), pv1()), "AE", ("PID-5", "102", "hl7.escape_unknown")),
    "a character nobody sees": (message("A01", "X", pid(name="A\\X0A\\^B"), pv1()), "AE", ("PID-5", "102", "hl7.escape_unknown")),
    "no planned day": (message("A16", "X", pid(), pv1()), "AE", ("PV2-9", "101", "missing")),
    "not in its charset": (message("A01", "X", pid(), pv1()).replace("ö".encode(), b"\xf6"), "AE", ("MSH-18", "103", "hl7.charset")),
    "a segment that is too long": (message("A01", "X", pid(), pv1(stay="x" * 9000)), "AE", ("PV1", "102", "hl7.segment_too_long")),
    "a header that is too long": (message("A01", "X", pid(), pv1(), more="x" * 9000), "AE", ("MSH", "102", "hl7.segment_too_long")),
    "too much that is read": (
        message("A01", "X", pid(name="A" * 6000 + "^B"), pv1(other="x" * 6000), NEEDS + "|" * 6000),
        "AE",
        ("MSH", "102", "hl7.too_much"),
    ),
    "two messages": (admission() + admission("A-2"), "AE", ("MSH", "102", "hl7.second_header")),
    "an unknown charset": (message("A01", "X", pid(), pv1()).replace(b"UNICODE UTF-8", b"KLINGON"), "AE", ("MSH-18", "103", "hl7.charset")),
}


async def test_what_has_no_control_id_is_answered_without_one_and_told_so(planning: Planning) -> None:
    nameless = ("MSH-10", "101", "missing")
    for body, code, remarks in (
        (b"MSH|^~\\&", "AR", [("MSH-9", "200", "hl7.type_unknown"), nameless]),
        (b"MSH|^~\\&|MILLENNIUM|SU|DIRIGENT||20261103140612||ADT^A01", "AR", [("MSH-11", "202", "hl7.processing_id"), nameless]),
        (message("A01", "", pid(), pv1()), "AE", [nameless]),
        (message("A01", "", pid(), pv1()).replace(b"UNICODE UTF-8", b"KLINGON"), "AE", [("MSH-18", "103", "hl7.charset"), nameless]),
    ):
        answer = await planning.http.post("/v1/hl7v2", content=body, headers={**planning.ward, **HL7})
        assert answer_of(answer.content) == (code, remarks)
        assert [line for line in answer.text.split("\r") if line.startswith("MSA")] == [f"MSA|{code}|"], "none is made up"


async def test_what_cannot_be_taken_is_answered_with_where_and_why_and_never_with_a_value(planning: Planning) -> None:
    for name, (body, code, remark) in REFUSED.items():
        answer = await planning.http.post("/v1/hl7v2", content=body, headers={**planning.ward, **HL7})
        assert answer.status_code == 200, (name, answer.text)
        assert answer_of(answer.content) == (code, [remark]), name
        assert [value for value in (a_personnummer(), "Testsson", "Testgatan") if value in answer.text] == [], name
    assert (await planning.http.get("/v1/cases", headers=planning.ward)).json()["cases"] == []


UNREADABLE = {
    "nothing": b"",
    "no header": b"PID|1||189001019802\r",
    "half a header": b"MSH",
    "separators that are one": b"MSH||||||\r",
    "letters between": b"MSHabcdef",
    "separators beyond ASCII": b"MSH|\x80\x81\xa7\xb6|MILLENNIUM|SU|DIRIGENT||||X|P|2.5\r",
    "a header that ends nowhere": b"MSH|^~\\&|" + b"x" * 9000 + b"|" + admission()[9:],
    "a batch": b"BHS|^~\\&|x\r" + admission() + b"BTS|1\r",
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1/">]><ADT_A01>&x;</ADT_A01>',
    "bytes": bytes(range(256)),
}


async def test_what_is_no_message_is_a_problem(planning: Planning) -> None:
    for name, body in UNREADABLE.items():
        answer = await planning.http.post("/v1/hl7v2", content=body, headers={**planning.ward, **HL7})
        assert (answer.status_code, answer.json()["code"]) == (400, "hl7.unreadable"), name


async def test_the_content_type_and_the_scope_are_asked_for(planning: Planning) -> None:
    assert (
        await planning.http.post("/v1/hl7v2", content=admission(), headers={**planning.ward, "Content-Type": "text/xml"})
    ).status_code == 415
    assert (await planning.http.post("/v1/hl7v2", content=admission(), headers=HL7)).status_code == 401
    assert (await planning.http.post("/v1/hl7v2", content=admission(), headers={**planning.care, **HL7})).status_code == 403


async def test_a_foreign_stay_and_an_unknown_one_are_answered_alike(planning: Planning) -> None:
    await taken(planning, admission())
    other = bearer(planning.tokens.token("ward-nu", scopes=["events:write"], units=[OTHER_WARD]))

    async def asked(body: bytes) -> Any:
        answer = await planning.http.post("/v1/hl7v2", content=body, headers={**other, **HL7})
        return answer_of(answer.content)

    for trigger in ("A08", "A11", "A12", "A13", "A25"):
        foreign = await asked(message(trigger, f"{trigger}-f", pid(), pv1(OTHER_WARD)))
        unknown = await asked(message(trigger, f"{trigger}-u", pid(), pv1(OTHER_WARD, stay="NU-1")))
        assert foreign == unknown
    assert (await asked(message("A40", "m", pid(), f"MRG|{a_personnummer()}^^^&1.2.752.129.2.1.3.1&ISO")))[1][0][2] == "hl7.person_unknown"


async def test_an_odd_header_is_still_answered(planning: Planning) -> None:
    body = msh("A01", "X").replace("ADT^A01", "ADT").encode()
    assert (await tell(planning, body))[0] == "AR"


async def test_one_message_at_the_same_time_from_many_connections_is_one_message(planning: Planning) -> None:
    await taken(planning, admission())
    update = message("A08", "A-2", pid(name="Testsson^Test Maria"), pv1(), pv2(planned="20261111"), "ZRD|READY|20261110090000|none|Y")
    assert await asyncio.gather(*(tell(planning, update) for _ in range(12))) == [await tell(planning, update)] * 12
    assert len(await events(planning)) == 4


async def test_a_message_of_two_events_is_taken_whole_or_not_at_all(planning: Planning) -> None:
    await taken(planning, admission())
    half = message("A08", "A-2", pid(name="Testsson^Test Maria"), pv1(), pv2(planned="20261111"), "ZRD|READY|20991110090000|none|Y")
    assert await tell(planning, half) == ("AE", [("EVN-6", "102", "in_future")])
    assert len(await events(planning)) == 1
    await taken(planning, half.replace(b"20991110", b"20261110"))
    assert len(await events(planning)) == 4


async def test_another_message_under_a_name_that_was_used_is_refused(planning: Planning) -> None:
    await taken(planning, admission())
    assert await tell(planning, admission(when="20261103150500")) == ("AE", [("MSH-10", "205", "event.id_reused")])
