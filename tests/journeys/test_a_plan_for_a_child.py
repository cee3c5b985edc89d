"""A SIP for a child with no hospital stay: consent by the guardians, invitation, answer, meeting by video, measures, follow-up, close."""

from datetime import date, timedelta
from typing import Any

import pytest

from dirigent.simulate.persons import personnummer
from shared.dates import format_instant, now
from tests.journeys.stories import CARE_CENTRE, County, contains, unit_of
from tests.patience import until

LINK = "https://video.test/sip/1"
MEETING = format_instant(now() + timedelta(days=2))


async def told(county: County, client: str, kind: str, plan: str) -> dict[str, Any]:
    """The newest notice of a plan in a mailbox, as soon as it stands there."""
    found: list[dict[str, Any]] = []

    async def came() -> bool:
        entries = (await county.mailbox(client)).entries
        found[:] = [entry for entry in entries if entry["type"] == kind and entry["about"]["plan_id"] == plan]
        return bool(found)

    await until(came)
    return found[-1]


async def put(county: County, client: str, path: str, body: object) -> Any:
    answer = await county.api.call(client, "PUT", path, body=body)
    assert answer.ok, answer
    return answer.body


async def test_a_child_without_any_hospital_stay_gets_a_plan_and_it_is_followed_up(county: County) -> None:
    child: dict[str, Any] = {
        "type": "personnummer",
        "id": personnummer(date(2012, 5, 17), "238"),
        "name": {"given": "Test", "family": "Testsson"},
    }
    unit = unit_of("1480")
    opened = await county.post("care-goteborg", "/v1/plans", {"person": child})
    assert (opened.status, opened.body["state"], opened.body["case_id"]) == (201, "need", None)
    path = f"/v1/plans/{opened.body['id']}"

    early = await county.post("care-goteborg", f"{path}/invitations", {"units": [unit]})
    assert (early.status, early.code) == (409, "plan.consent_missing")
    await put(county, "care-goteborg", f"{path}/consent", {"consent": "given", "by": "guardian", "asked_by": "Anna Test"})
    meeting = {"at": format_instant(now() + timedelta(days=3)), "link": LINK}
    called = await county.post("care-goteborg", f"{path}/invitations", {"units": [unit], "meeting": meeting})
    assert called.status == 201, called

    notice = await told(county, "kommun-1480", "notice.sip_invitation", opened.body["id"])
    assert notice["personal"]["person"]["id"] == child["id"]
    assert notice["personal"]["content"]["meeting"]["link"] == LINK
    answered = await county.post(
        "kommun-1480",
        f"{path}/invitations/{called.body['invitation_id']}/answer",
        {"unit": unit, "answer": "accepted", "answered_by": "Maja Test"},
    )
    assert answered.status == 201, answered
    assert (await told(county, "care-goteborg", "notice.sip_changed", opened.body["id"]))["about"]["change"] == "answered"

    held = {"at": format_instant(now() - timedelta(minutes=5)), "link": LINK, "held": True, "attended": [{"role": "relative"}]}
    assert (await put(county, "care-goteborg", f"{path}/meeting", held))["state"] == "held"
    measures = {
        "needs": ["Stöd i skolan"],
        "measures": [{"what": "Elevassistent", "by": "unit", "unit": unit}, {"what": "Läxhjälp", "by": "relative"}],
        "main_responsibility": unit,
        "follow_up_on": "2027-01-15",
    }
    await put(county, "care-goteborg", f"{path}/measures", measures)
    followed = {"held_at": format_instant(now() - timedelta(minutes=1)), "outcome": "goals_met"}
    assert (await county.post("kommun-1480", f"{path}/follow-up", followed)).body["state"] == "follow_up"
    assert (await county.post("care-goteborg", f"{path}/close", {"reason": "goals_met"})).body["state"] == "closed"

    shown = await county.read("kommun-1480", path)
    assert (shown["child"], shown["state"], shown["measures"]["main_responsibility"]) == (True, "closed", unit)
    assert [party["unit"] for party in shown["parties"]] == sorted([CARE_CENTRE, unit])
    for stranger in ("kommun-1401", "ward-su"):
        foreign = await county.api.call(stranger, "GET", path)
        assert foreign.status in {403, 404}, stranger
        assert not contains(foreign.body, child["id"])


@pytest.mark.parametrize(("born", "series", "by"), [(date(2012, 6, 18), "238", "guardian"), (date(1891, 5, 17), "980", "patient")])
async def test_a_withdrawn_consent_ends_the_sharing(county: County, born: date, series: str, by: str) -> None:
    """For a child the guardians answer, for an adult nobody does in her place."""
    person: dict[str, Any] = {"type": "personnummer", "id": personnummer(born, series), "name": {"given": "Test", "family": "Testsson"}}
    unit = unit_of("1480")
    opened = await county.post("care-goteborg", "/v1/plans", {"person": person, "consent": "given", "consent_by": by})
    assert opened.status == 201, opened
    path = f"/v1/plans/{opened.body['id']}"
    called = await county.post("care-goteborg", f"{path}/invitations", {"units": [unit], "meeting": {"at": MEETING, "link": LINK}})
    assert called.status == 201, called
    await told(county, "kommun-1480", "notice.sip_invitation", opened.body["id"])
    before = await county.read("kommun-1480", path)
    assert contains(before, person["id"])
    assert contains(before, LINK)
    await put(county, "kommun-1480", f"{path}/consent", {"consent": "withdrawn", "by": by, "asked_by": "Maja Test"})
    after = await county.read("kommun-1480", path)
    assert (after["withheld"], after["meeting"], after["person"]) == ("consent_withdrawn", None, None)
    assert not contains(after, person["id"])
    assert not contains(after, LINK)
    notice = await told(county, "kommun-1480", "notice.sip_invitation", opened.body["id"])
    assert notice["personal"]["withheld"] == "consent_withdrawn"
    answer = {"unit": unit, "answer": "accepted", "answered_by": "Maja Test"}
    late = await county.post("kommun-1480", f"{path}/invitations/{called.body['invitation_id']}/answer", answer)
    assert (late.status, late.code) == (409, "plan.consent_withdrawn")


async def test_guardians_do_not_answer_for_an_adult(county: County) -> None:
    person = {"type": "personnummer", "id": personnummer(date(1891, 5, 18), "980"), "name": {"given": "Test", "family": "Testsson"}}
    refused = await county.post("care-goteborg", "/v1/plans", {"person": person, "consent": "given", "consent_by": "guardian"})
    assert (refused.status, refused.code) == (422, "consent.guardian_of_adult")
