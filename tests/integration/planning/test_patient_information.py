"""The page that a ward prints for the patient who goes home (N7)."""

from sqlalchemy import text

from tests.builders import CARE_CENTRE, a_person, a_ward_event, admission_data
from tests.integration.planning.conftest import GOTEBORG_UNIT, Planning
from tests.integration.planning.plan_calls import a_case, care, done, municipality, post, put

FAR = "2030-01-15T10:00:00+01:00"
MEETING = {"at": FAR, "place": "Medborgarhuset"}


async def page(planning: Planning, case: str) -> str:
    answer = await planning.http.get(f"/v1/cases/{case}/patient-information", headers=planning.ward)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.text


async def a_plan(planning: Planning, case: str) -> str:
    plan = await done(post(planning, care(planning), "/v1/plans", {"case_id": case, "consent": "given"}))
    path = f"/v1/plans/{plan['id']}"
    await done(post(planning, care(planning), f"{path}/invitations", {"units": [GOTEBORG_UNIT], "meeting": MEETING}))
    return path


async def test_the_page_says_what_is_known_and_what_is_not_yet(planning: Planning) -> None:
    case = await a_case(planning)
    first = await page(planning, case)
    for part in ("Test Testsson", "socialtjänsten", "vårdcentralen", "Är inte utsedd ännu", "Ingen tid är bestämd", "Ingen plan finns"):
        assert part in first, part
    contact = {"unit": CARE_CENTRE, "name": "Kim Testsson", "phone": "010-123 45 67"}
    await done(put(planning, care(planning), f"/v1/cases/{case}/care-contact", contact))
    await a_plan(planning, case)
    then = await page(planning, case)
    for part in ("Kim Testsson", "Vårdcentral 1", "010-123 45 67", "2030-01-15 10:00", "Medborgarhuset"):
        assert part in then, part


async def test_a_plan_that_was_made_is_named_with_who_answers_for_it_and_when_it_is_followed_up(planning: Planning) -> None:
    case = await a_case(planning)
    path = await a_plan(planning, case)
    await done(put(planning, care(planning), f"{path}/meeting", {"at": "2026-11-05T10:00:00+01:00", "place": "Hemma", "held": True}))
    measures = {
        "needs": ["Stöd"],
        "measures": [{"what": "Hemtjänst", "by": "unit", "unit": GOTEBORG_UNIT}],
        "main_responsibility": GOTEBORG_UNIT,
        "follow_up_on": "2030-02-01",
    }
    await done(put(planning, care(planning), f"{path}/measures", measures))
    told = await page(planning, case)
    assert "huvudansvar: Socialtjänst, följs upp 2030-02-01" in told
    assert "Mötet hölls 2026-11-05 10:00 Hemma" in told
    assert "Ingen tid är bestämd" not in told, "the meeting is over, not missing"
    assert "Hemtjänst" not in told, "what the plan says stays in the plan"


async def test_without_consent_no_plan_is_told_of(planning: Planning) -> None:
    case = await a_case(planning)
    path = await a_plan(planning, case)
    assert "Medborgarhuset" in await page(planning, case)
    await done(put(planning, care(planning), f"{path}/consent", {"consent": "withdrawn", "asked_by": "Anna Test"}))
    assert "Medborgarhuset" not in await page(planning, case)


async def test_what_the_patient_declined_is_not_intended(planning: Planning) -> None:
    case = await a_case(planning)
    body = {
        "unit": GOTEBORG_UNIT,
        "measures": ["municipal_social"],
        "declined_at": "2026-11-04T10:00:00+01:00",
        "recorded_by": "Anna Test",
    }
    await done(post(planning, municipality(planning), f"/v1/cases/{case}/declined", body))
    assert "socialtjänsten" not in await page(planning, case)


async def test_only_the_ward_informs_the_patient(planning: Planning) -> None:
    case = await a_case(planning)
    path = f"/v1/cases/{case}/patient-information"
    assert (await planning.http.get(path, headers=municipality(planning))).status_code == 403
    assert (await planning.http.get(path, headers=municipality(planning, "1401", "2120001264"))).status_code == 404


async def test_a_protected_person_is_not_named_and_every_printing_is_logged(planning: Planning) -> None:
    told = await planning.tell(a_ward_event(data=admission_data(person=a_person(protected=True))))
    assert "Testsson" not in await page(planning, told.json()["case_id"])
    await planning.number()
    async with planning.database.transaction() as work:
        logged = await work.connection.execute(text("SELECT count(*) FROM feed_entries WHERE kind = 'case.patient_information'"))
        assert logged.scalar_one() == 1
