"""Where a message or a system says more than one thing, none of them is lost or taken for another."""

from tests.adt import RESERVNUMMER, a_reservnummer, admission, message, pid, pv1
from tests.builders import a_personnummer
from tests.integration.planning.conftest import Planning
from tests.integration.planning.test_hl7v2 import HL7, taken, tell, the_case


async def test_a_merge_of_several_persons_in_one_message_is_refused_and_not_taken_by_half(planning: Planning) -> None:
    for number in (0, 1):
        await taken(planning, admission(f"A-{number}", stay=f"S-{number}", number=a_reservnummer(number), oid=RESERVNUMMER))
    groups = [(pid(a_personnummer(number)), f"MRG|{a_reservnummer(number)}^^^&{RESERVNUMMER}&ISO") for number in (0, 1)]
    body = message("A40", "M-1", *(segment for group in groups for segment in group), when="20261104080000")
    assert await tell(planning, body) == ("AE", [("MRG", "102", "repeated")])


async def test_a_message_whose_name_begins_another_is_read_in_the_light_of_all_before_it(planning: Planning) -> None:
    await taken(planning, admission("1.0"))
    await taken(planning, message("A03", "7.1", pid(), pv1(disposition="01"), when="20261105100000"))
    await taken(planning, message("A13", "7", pid(), pv1(), when="20261105110000"))
    assert (await the_case(planning))["state"] == "admitted"


async def test_a_cancellation_that_says_when_it_happened_takes_away_what_happened_then(planning: Planning) -> None:
    await taken(planning, admission())
    for control_id, when in (("D-1", "20261105100000"), ("D-2", "20261105120000")):
        await taken(planning, message("A03", control_id, pid(), pv1(disposition="01"), when=when))
    await taken(planning, message("A13", "D-3", pid(), pv1(), when="20261105100000"))
    assert (await the_case(planning))["discharged_at"] == "2026-11-05T11:00:00.000000Z"


async def test_the_characters_of_an_acknowledgement_are_named_as_the_registry_of_names_does(planning: Planning) -> None:
    body = admission().decode().replace("UNICODE UTF-8", "8859/1").encode("latin-1")
    answer = await planning.http.post("/v1/hl7v2", content=body, headers={**planning.ward, **HL7})
    assert answer.headers["content-type"] == "application/hl7-v2; charset=iso-8859-1"
