"""The sender's id of a stay stands in clear and is shown to every party: it is never the number of the person."""

from tests.adt import a_reservnummer, admission, message, pid, pv1
from tests.builders import OTHER_WARD, WARD, a_personnummer, a_ward_event
from tests.integration.planning.conftest import Planning
from tests.integration.planning.test_hl7v2 import tell

NUMBER = a_personnummer()
FORMS = [NUMBER, NUMBER[2:], f"{NUMBER[:8]}-{NUMBER[8:]}", f"{NUMBER[2:8]}+{NUMBER[8:]}", f"SU{NUMBER}", f"{NUMBER}.1"]


async def test_a_stay_is_never_called_by_the_number_of_its_person(planning: Planning) -> None:
    for subject in FORMS:
        event, headers = a_ward_event(subject=subject), {**planning.ward, "Content-Type": "application/cloudevents+json"}
        answer = await planning.http.post("/v1/events", json=event, headers=headers)
        assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": "/subject", "code": "stay_id.is_person"}]), subject
        assert await tell(planning, admission(stay=subject)) == ("AE", [("PV1-19", "102", "stay_id.is_person")])
    assert (await planning.http.get("/v1/cases", headers=planning.ward)).json()["cases"] == []


async def test_nor_is_anything_called_by_the_number_of_another_person(planning: Planning) -> None:
    """What no person stands beside is refused by the form alone, as a plain event and as a message."""
    case = "SU-2026-000777"
    assert (await tell(planning, admission(stay=case)))[0] == "AA"
    for number in (a_personnummer(7), a_reservnummer(7)):
        headers = {**planning.ward, "Content-Type": "application/cloudevents+json"}
        event = a_ward_event("stay.ready", id=number, subject=number, time="2026-11-04T10:00:00+01:00")
        answer = await planning.http.post("/v1/events", json=event, headers=headers)
        wrong = [{"pointer": "/subject", "code": "stay_id.is_person"}, {"pointer": "/id", "code": "event_id.is_person"}]
        assert (answer.status_code, answer.json()["errors"]) == (422, wrong)
        assert number not in answer.text
        refused = await tell(planning, admission("A-2", stay=number))
        assert refused == ("AE", [("PV1-19", "102", "stay_id.is_person")])
        moved = message("A02", "A-3", pid(), pv1(OTHER_WARD, stay=case, before=WARD, other=number))
        assert await tell(planning, moved) == ("AE", [("PV1-50", "102", "stay_id.is_person")])
    (only,) = (await planning.http.get("/v1/cases", headers=planning.ward)).json()["cases"]
    assert only["ward"] == WARD
