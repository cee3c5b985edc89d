"""A person whose identity is protected (skyddade personuppgifter), through the whole chain.

Who she is, and where she lives, stands in the admission notice and nowhere else, for a named reader at the receiving unit alone.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

from dirigent.demo.mailboxes import read_to_end
from shared.dates import format_instant, local_date, now
from tests.integration.notifications.receivers import Receiver, receiver
from tests.journeys.checklist import Checklist, page
from tests.journeys.stories import CARE_CENTRE, WARD, County, Stay, contains, unit_of
from tests.patience import until

CODE: Final = "1466"
CLIENTS: Final = {"ward": "ward-su", "care": "care-goteborg", "municipality": f"kommun-{CODE}"}
NEEDS: Final = ("municipal_social", "municipal_health", "outpatient")
NAME: Final = {"given": "Okänd", "family": "Hemligsson"}
ADDRESS: Final = {"street": "Dolda gränden 7", "postal_code": "998 77", "city": "Gömslebo"}
MAJA: Final = "Maja Test"


def protected_stay() -> tuple[Stay, dict[str, Any]]:
    stay = Stay(municipality=CODE, needs=NEEDS)
    return stay, stay.person | {"name": NAME, "registered_address": ADDRESS, "protected": True}


def secrets_of(person: dict[str, Any]) -> list[str]:
    """What would tell who she is or where she lives."""
    return [person["id"], NAME["given"], NAME["family"], *ADDRESS.values(), f'"registered_municipality": "{CODE}"']


def told_in(body: object, person: dict[str, Any]) -> list[str]:
    return [secret for secret in secrets_of(person) if contains(body, secret)]


async def read_by(
    county: County, client: str, lists: Checklist, plan: str | None, person: dict[str, Any]
) -> AsyncIterator[tuple[str, Any]]:
    """Everything that a party can read of a case, with its address; the answer of each."""
    paths = ["/v1/cases", f"/v1/cases/{lists.case}", f"/v1/cases/{lists.case}/history", "/v1/worklist", "/v1/findings", "/v1/deviations"]
    paths += [f"/v1/cases/{lists.case}/messages", f"/v1/cases/{lists.case}/consents", *([plan] if plan else [])]
    for path in paths:
        yield path, await county.read(client, path)
    sought = {"person": {"type": "personnummer", "id": person["id"]}}
    yield "/v1/cases/search", (await county.post(client, "/v1/cases/search", sought)).body
    yield "/v1/cases/paper", await page(county, client, "/v1/cases/paper")
    if client == CLIENTS["ward"]:
        yield "patient-information", await page(county, client, f"/v1/cases/{lists.case}/patient-information")
    for box in await read_to_end(county.api, client):
        assert not box.faults
        yield "/v1/notices", box.entries
        for entry in box.entries:
            if entry["case_id"] == lists.case:
                yield f"{entry['type']} by id", await county.read(client, f"/v1/notices/{entry['id']}")


async def where_it_is_told(county: County, lists: Checklist, plan: str | None, person: dict[str, Any]) -> set[tuple[str, str]]:
    """Who is told anything of the person, and where."""
    found = set()
    for party, client in CLIENTS.items():
        async for place, body in read_by(county, client, lists, plan, person):
            if told_in(body, person):
                found.add((party, place))
    return found


def nothing_pushed(hooks: list[Receiver], person: dict[str, Any]) -> None:
    assert all(hook.received for hook in hooks)
    assert [told_in(body.decode(), person) for hook in hooks for _, _, body in hook.received if told_in(body.decode(), person)] == []


async def the_whole_chain(county: County, stay: Stay, lists: Checklist) -> str:
    """Dates, readiness, care contact, plan, question, deviation; the plan's address."""
    unit = unit_of(CODE)
    in_a_week = (local_date(now()) + timedelta(days=7)).isoformat()
    contact = {"unit": CARE_CENTRE, "name": "Anna Test"}
    consent = {"case_id": lists.case, "answer": "given", "purposes": ["free_text"], "unit": CARE_CENTRE, "asked_by": "Anna Test"}
    question = {"unit": unit, "to": WARD, "topic": "aids", "text": "Behövs rullstol?", "written_by": MAJA}
    await county.post_event(stay.tell("planned_discharge_changed", now() - timedelta(minutes=50), {"planned_discharge_date": in_a_week}))
    await county.post_event(stay.tell("ready", now() - timedelta(minutes=40)))
    assert (await county.api.call("care-goteborg", "PUT", f"/v1/cases/{lists.case}/care-contact", body=contact)).ok
    plan = await county.post("care-goteborg", "/v1/plans", {"case_id": lists.case, "consent": "given"})
    path = f"/v1/plans/{plan.body['id']}"
    called = {"units": [unit], "meeting": {"at": format_instant(now() + timedelta(days=1)), "place": "Avdelningen"}}
    assert (await county.post("care-goteborg", f"{path}/invitations", called)).status == 201
    assert (await county.post("care-goteborg", "/v1/consents", consent)).status == 201
    assert (await county.post(CLIENTS["municipality"], f"/v1/cases/{lists.case}/messages", question)).status == 201
    report = {"unit": unit, "case_id": lists.case, "category": "notice_late", "step": "admission", "text": "Sent"}
    deviation = await county.post(CLIENTS["municipality"], "/v1/deviations", report)
    assert (await county.post(CLIENTS["municipality"], f"/v1/deviations/{deviation.body['id']}/assign", {"unit": WARD})).status == 201
    await lists.told("municipality", "notice.sip_invitation")
    await lists.told("ward", "notice.message", in_box=WARD)
    return path


async def test_a_protected_person_is_told_of_in_the_admission_notice_to_a_named_reader_and_nowhere_else(county: County) -> None:
    stay, person = protected_stay()
    async with receiver() as ours, receiver() as theirs:
        for client, hook in ((CLIENTS["municipality"], ours), (CLIENTS["care"], theirs)):
            assert (await county.post(client, "/v1/subscriptions", {"url": hook.url})).status == 201
        admission = stay.admission(now() - timedelta(hours=1))
        admission["data"]["person"] = person
        told = await county.post_event(admission)
        assert told.status == 201, told
        assert not told_in(told.body, person)
        lists = Checklist(county, told.body["case_id"], CLIENTS)
        notices = {party: await lists.told(party, "notice.admission") for party in ("care", "municipality")}
        assert await where_it_is_told(county, lists, None, person) == set(), "nobody has taken the notice on yet"

        for party, notice in notices.items():
            taken = await county.post(CLIENTS[party], f"/v1/notices/{notice['id']}/acknowledgement", {"acknowledged_by": MAJA})
            assert taken.status == 201, taken
        named = await county.read(CLIENTS["municipality"], f"/v1/notices/{notices['municipality']['id']}")
        assert named["personal"]["person"] == {
            "type": "personnummer",
            "id": person["id"],
            "name": NAME,
            "registered_address": ADDRESS,
        }, "the four items of the statute, the planned date beside them, and nothing more"

        plan = await the_whole_chain(county, stay, lists)
        only = {("municipality", "notice.admission by id")}
        assert await where_it_is_told(county, lists, plan, person) == only
        assert "Skyddade personuppgifter" in await page(county, "ward-su", "/v1/cases/paper")
        assert (await county.post_event(stay.tell("discharged", now(), {"discharged_to": "home"}))).status == 201
        for party in ("care", "municipality"):
            await lists.told(party, "notice.discharged")
            await lists.take_on(party, MAJA)
        assert await where_it_is_told(county, lists, plan, person) == only
        await until(lambda: len(ours.received) >= 4 and len(theirs.received) >= 3)
        nothing_pushed([ours, theirs], person)


async def test_a_protection_that_comes_late_withdraws_what_was_told(county: County) -> None:
    stay, person = protected_stay()
    admission = stay.admission(now() - timedelta(hours=1))
    admission["data"]["person"] = person | {"protected": False}
    lists = Checklist(county, (await county.post_event(admission)).body["case_id"], CLIENTS)
    for party in ("care", "municipality"):
        await lists.told(party, "notice.admission")
        await lists.take_on(party, MAJA)
    plan = await county.post("care-goteborg", "/v1/plans", {"case_id": lists.case, "consent": "given"})
    path = f"/v1/plans/{plan.body['id']}"
    await county.post_event(stay.tell("ready", now() - timedelta(minutes=40)))
    assert (await county.post("care-goteborg", f"{path}/invitations", {"units": [unit_of(CODE)]})).status == 201
    await lists.told("municipality", "notice.sip_invitation")
    before = await where_it_is_told(county, lists, path, person)
    assert {("municipality", "/v1/notices"), ("care", "/v1/notices"), ("municipality", path), ("ward", "/v1/cases/paper")} <= before

    changed = await county.post_event(stay.tell("person_changed", now() - timedelta(minutes=1), {"person": person}))
    assert changed.status == 201, changed
    fresh = await lists.told("municipality", "notice.admission", times=2)
    await lists.told("care", "notice.admission", times=2)
    assert await where_it_is_told(county, lists, path, person) == set()
    withdrawn = [
        entry["personal"] for entry in await lists.entries("municipality") if entry["personal"] and "withheld" in entry["personal"]
    ]
    assert {part["withheld"] for part in withdrawn} == {"protected"}
    assert all(part["basis"] for part in withdrawn)
    taken = await county.post(CLIENTS["municipality"], f"/v1/notices/{fresh['id']}/acknowledgement", {"acknowledged_by": MAJA})
    assert taken.status == 201, taken
    assert await where_it_is_told(county, lists, path, person) == {("municipality", "notice.admission by id")}, "positive control"
