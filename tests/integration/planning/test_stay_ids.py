"""The sender's id of a stay stands in clear and is shown to every party: it is never the number of the person."""

from tests.adt import admission
from tests.builders import a_personnummer, a_ward_event
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
