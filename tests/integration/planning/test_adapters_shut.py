"""What says that a person is protected and cannot be understood is refused; what asks for more than a page gets none."""

from typing import Any

from tests.adt import NEEDS, message, pid, pv1
from tests.builders import a_personnummer
from tests.integration.planning.conftest import Planning
from tests.integration.planning.test_fhir import a_message, admitted, process, search
from tests.integration.planning.test_hl7v2 import taken, tell, the_case


async def test_protection_in_small_letters_is_protection_and_another_word_is_refused(planning: Planning) -> None:
    assert await tell(planning, message("A01", "A-1", pid(), "PD1" + "|" * 12 + "JA", pv1(), NEEDS)) == (
        "AE",
        [("PD1-12", "103", "not_allowed")],
    )
    await taken(planning, message("A01", "A-2", pid(), "PD1" + "|" * 12 + "y", pv1(), NEEDS))
    assert "name" not in (await the_case(planning))["person"]


UNREADABLE_LABELS: tuple[Any, ...] = (
    "R",
    ["R"],
    [{"code": None}],
    [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"}],
)


async def test_a_label_that_cannot_be_read_is_refused(planning: Planning) -> None:
    for labels in UNREADABLE_LABELS:
        bundle = a_message()
        patient = next(one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Patient")
        patient["meta"] = {"security": labels}
        assert (await process(planning, bundle, 422))["resourceType"] == "OperationOutcome", labels


async def test_a_label_without_its_system_protects_all_the_same(planning: Planning) -> None:
    bundle = a_message()
    patient = next(one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Patient")
    patient["meta"] = {"security": [{"code": "R"}]}
    await process(planning, bundle)
    assert "name" not in (await the_case(planning))["person"]


async def test_a_search_is_bounded_and_joins_what_it_is_asked_for(planning: Planning) -> None:
    case_id = await admitted(planning)
    number = f"http://electronichealth.se/identifier/personnummer|{a_personnummer(3)}"
    forms: list[dict[str, str]] = [{"_count": "00100000"}, {"_count": "0"}, {"status": "nope"}]
    forms.append({"_id": case_id, "patient.identifier": number})
    for form in forms:
        await search(planning, "Encounter", planning.municipality(), 400, form)
