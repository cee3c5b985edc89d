"""`case.party_changed` on the stream: who came to be concerned in a case and who is no longer, only when that changed."""

from typing import Any

from tests.builders import CARE_CENTRE, GOTEBORG, HARRYDA, a_person, a_ward_event, admission_data
from tests.integration.planning.conftest import GOTEBORG_UNIT, Planning
from tests.integration.planning.plan_calls import a_case, care, done, facts, get, municipality, post

NEW_HOME, OLD_HOME = f"municipality:{HARRYDA}", f"municipality:{GOTEBORG}"


async def changes(planning: Planning) -> list[tuple[str, str]]:
    return [(fact["recipient"], fact["change"]) for fact in await facts(planning, "case.party_changed")]


def corrected(event_id: str, home: str, corrects: str) -> dict[str, Any]:
    data = admission_data(person=a_person(registered_municipality=home)) | {"corrects": corrects}
    return a_ward_event(id=event_id, data=data)


async def test_whom_a_case_concerns_first_is_told_by_its_notices_alone(planning: Planning) -> None:
    await a_case(planning)
    await planning.tell(a_ward_event("stay.ready", id="SU-2"))
    assert await changes(planning) == []


async def test_a_corrected_registration_tells_who_left_and_who_joined_and_since_when(planning: Planning) -> None:
    first = a_ward_event()
    case = (await planning.tell(first)).json()["case_id"]
    await planning.tell(corrected("SU-3", HARRYDA, first["id"]))
    told = await facts(planning, "case.party_changed")
    assert [(fact["recipient"], fact["change"]) for fact in told] == [(NEW_HOME, "joined"), (OLD_HOME, "left")]
    joined, left = told
    assert (joined["case_id"], left.get("since")) == (case, None)
    first_told = min(entry["sent_at"] for entry in (await planning.mailbox(municipality(planning)))["entries"])
    assert first_told < joined["since"] <= joined["changed_at"]
    await planning.tell(a_ward_event("stay.ready", id="SU-4"))
    assert len(await changes(planning)) == 2, "told once"


async def test_who_returns_a_notice_leaves_the_case_and_billing_learns_it_and_joins_when_named_anew(planning: Planning) -> None:
    first = a_ward_event()
    case = (await planning.tell(first)).json()["case_id"]
    them = municipality(planning)
    notice = (await planning.mailbox(them))["entries"][0]["id"]
    await done(post(planning, them, f"/v1/notices/{notice}/return", {"returned_by": "Maja Test", "reason": "Bor inte här"}))
    assert await changes(planning) == [(OLD_HOME, "left")]
    assert (await planning.http.get(f"/v1/cases/{case}", headers=them)).status_code == 404
    stay = (await facts(planning, "stay.changed"))[-1]
    assert (stay.get("admission_notice_sent_at"), "wrongly_addressed" in stay["findings"]) == (None, True)
    await planning.tell(corrected("SU-3", HARRYDA, first["id"]))
    assert (await changes(planning))[1:] == [(NEW_HOME, "joined")]
    stay = (await facts(planning, "stay.changed"))[-1]
    assert (stay["municipality"], "wrongly_addressed" in stay["findings"]) == (HARRYDA, False)
    assert stay["admission_notice_sent_at"] is not None


async def test_who_is_no_party_any_more_reads_nothing_that_others_wrote_in_a_deviation(planning: Planning) -> None:
    case = await a_case(planning)
    them = municipality(planning)
    consent = {"case_id": case, "answer": "given", "purposes": ["free_text"], "unit": CARE_CENTRE, "asked_by": "Anna Test"}
    await done(post(planning, care(planning), "/v1/consents", consent))
    report = {"unit": CARE_CENTRE, "case_id": case, "category": "plan", "step": "plan", "text": "Hemlig text"}
    deviation = (await done(post(planning, care(planning), "/v1/deviations", report)))["id"]
    await done(post(planning, care(planning), f"/v1/deviations/{deviation}/assign", {"unit": GOTEBORG_UNIT}))
    assert "Hemlig text" in str(await get(planning, them, f"/v1/deviations/{deviation}")), "positive control"
    notice = (await planning.mailbox(them))["entries"][0]["id"]
    await done(post(planning, them, f"/v1/notices/{notice}/return", {"returned_by": "Maja Test", "reason": "Bor inte här"}))
    shown = await get(planning, them, f"/v1/deviations/{deviation}")
    assert (shown["withheld"], "Hemlig text" in str(shown)) == (True, False)
