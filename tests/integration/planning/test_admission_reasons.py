"""Why the patient was admitted: no notice says it, no fact carries it, and others read it only while she consents."""

import json
from typing import Any

from tests.builders import CARE_CENTRE, HARRYDA, OTHER_WARD, WARD, a_ward_event
from tests.integration.planning.conftest import GOTEBORG_UNIT, HARRYDA_NUMBER, Planning
from tests.integration.planning.plan_calls import a_case, care, done, everything_told, facts, get, municipality, post, put, refused
from tests.integration.planning.test_consents_and_messages import a_consent

SECRET = "Fallolycka i hemmet"


def a_reason(**changed: Any) -> dict[str, Any]:
    return {"unit": WARD, "reason": SECRET, "stated_by": "Kim Test"} | changed


async def told(planning: Planning) -> str:
    case = await a_case(planning)
    await done(put(planning, planning.ward, f"/v1/cases/{case}/admission-reason", a_reason()))
    return case


async def seen_by(planning: Planning, who: dict[str, str], case: str) -> dict[str, Any]:
    found: dict[str, Any] = (await get(planning, who, f"/v1/cases/{case}"))["admission_reason"]
    return found


async def test_without_consent_only_the_ward_that_told_it_reads_the_reason(planning: Planning) -> None:
    case = await told(planning)
    assert (await seen_by(planning, planning.ward, case))["text"] == SECRET
    for who in (municipality(planning), care(planning)):
        seen = await seen_by(planning, who, case)
        assert (seen["text"], seen["withheld"], seen["unit"]) == (None, True, WARD)


async def test_with_consent_the_parties_read_it_until_the_consent_is_withdrawn(planning: Planning) -> None:
    case = await told(planning)
    await done(post(planning, care(planning), "/v1/consents", a_consent(case)))
    assert (await seen_by(planning, municipality(planning), case))["withheld"], "consent to free text is not consent to this"
    consent = await done(post(planning, care(planning), "/v1/consents", a_consent(case, purposes=["admission_reason"])))
    assert (await seen_by(planning, municipality(planning), case))["text"] == SECRET
    await done(post(planning, municipality(planning), f"/v1/consents/{consent['id']}/withdraw", {"told_by": "Maja Test"}))
    assert (await seen_by(planning, municipality(planning), case))["text"] is None


async def test_the_reason_is_in_no_notice_envelope_fact_or_history(planning: Planning) -> None:
    case = await told(planning)
    await done(post(planning, care(planning), "/v1/consents", a_consent(case, purposes=["admission_reason"])))
    assert (await seen_by(planning, municipality(planning), case))["text"] == SECRET, "positive control"
    everything = await everything_told(planning)
    assert "case.admission_reason_stated" not in everything, "a fact's kind stands beside its body"
    notices = json.dumps(await planning.mailbox(municipality(planning)), ensure_ascii=False)
    history = json.dumps(await get(planning, planning.ward, f"/v1/cases/{case}/history"))
    for text in (everything, notices, history):
        assert SECRET not in text
        assert "Kim Test" not in text
    assert "case.admission_reason_stated" in history
    (entry,) = (await planning.mailbox(municipality(planning)))["entries"]
    assert set(entry["personal"]["content"]) <= {"planned_discharge_date"}, "the admission notice stays exactly statutory"
    (fact,) = await facts(planning, "case.admission_reason_stated")
    assert (fact["case_id"], fact["unit"]) == (case, WARD)


async def test_telling_the_same_again_changes_nothing_and_telling_another_replaces_it(planning: Planning) -> None:
    case = await told(planning)
    path = f"/v1/cases/{case}/admission-reason"
    again = await done(put(planning, planning.ward, path, a_reason()))
    assert len(await facts(planning, "case.admission_reason_stated")) == 1
    other = await done(put(planning, planning.ward, path, a_reason(reason="Bröstsmärta")))
    assert other["case_version"] == again["case_version"] + 1
    assert (await seen_by(planning, planning.ward, case))["text"] == "Bröstsmärta"


async def test_only_the_ward_that_holds_the_patient_tells_the_reason(planning: Planning) -> None:
    case = await a_case(planning)
    path = f"/v1/cases/{case}/admission-reason"
    assert await refused(put(planning, municipality(planning), path, a_reason(unit=GOTEBORG_UNIT))) == (403, "access.denied")
    assert await refused(put(planning, care(planning), path, a_reason(unit=CARE_CENTRE))) == (403, "access.denied")
    assert await refused(put(planning, planning.ward, path, a_reason(unit=OTHER_WARD))) == (403, "access.denied")
    foreign = municipality(planning, HARRYDA, HARRYDA_NUMBER)
    assert await refused(put(planning, foreign, path, a_reason())) == (404, "not_found")


async def test_of_a_stay_that_never_was_no_reason_is_kept(planning: Planning) -> None:
    admission = a_ward_event()
    case = (await planning.tell(admission)).json()["case_id"]
    cancelled = {"event": admission["id"], "reason": "wrong_patient"}
    answer = await planning.tell(a_ward_event("stay.event_cancelled", id="SU-9", data=cancelled))
    assert answer.status_code == 201, answer.text
    assert await refused(put(planning, planning.ward, f"/v1/cases/{case}/admission-reason", a_reason())) == (409, "case.over")
