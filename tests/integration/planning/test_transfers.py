"""A patient who is moved: two wards, two ids of the stay, one case; and two again when the transfer was a mistake."""

import asyncio
import json
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import text

from services.planning.usecases import DirectoryEntries, Unit, accept, load_directory, statement
from shared.dates import format_instant, now
from shared.db import Role
from shared.events.facts import StayChanged
from shared.http.auth import Caller
from tests.adt import STAY, admission, message, pid, pv1
from tests.builders import (
    CARE_CENTRE,
    GOTEBORG,
    HARRYDA,
    OTHER_SOURCE,
    OTHER_WARD,
    WARD,
    a_person,
    a_personnummer,
    a_ward_event,
    admission_data,
)
from tests.integration.planning.conftest import GOTEBORG_UNIT, Planning
from tests.integration.planning.test_hl7v2 import taken as adt_taken
from tests.services import REGION, bearer

THERE = "NU-2026-000456"
ADMITTED = a_ward_event()
TRANSFERRED = a_ward_event("stay.transferred", id="SU-2", time="2026-11-04T10:00:00+01:00")
READY_THERE = a_ward_event("stay.ready", id="NU-1", source=OTHER_SOURCE, subject=THERE, time="2026-11-05T10:00:00+01:00")
LEFT_HERE = a_ward_event("stay.discharged", {"discharged_to": "other_hospital"}, id="SU-3", time="2026-11-04T09:55:00+01:00")


@pytest.fixture
def gathered() -> bool:
    return False


async def tell(planning: Planning, event: dict[str, Any]) -> dict[str, Any]:
    scopes = ["events:write", "cases:read"]
    who = bearer(planning.tokens.token("wards", scopes=scopes, units=[WARD, OTHER_WARD]))
    answer = await planning.http.post("/v1/events", json=event, headers=who)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def case_of(planning: Planning, case_id: str, who: dict[str, str] | None = None) -> dict[str, Any]:
    answer = await planning.http.get(f"/v1/cases/{case_id}", headers=who or planning.municipality())
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def stays_told(planning: Planning) -> dict[str, StayChanged]:
    """What billing knows of each case: the highest version."""
    await planning.number()
    async with planning.database.transaction() as work:
        bodies = await work.connection.execute(
            text("SELECT body FROM feed_entries WHERE feed = 'facts' AND kind = 'stay.changed' ORDER BY position")
        )
        facts = [StayChanged.model_validate_json(body) for body in bodies.scalars()]
    newest: dict[str, StayChanged] = {}
    for fact in facts:
        assert str(fact.case_id) not in newest or newest[str(fact.case_id)].case_version < fact.case_version
        newest[str(fact.case_id)] = fact
    return newest


@pytest.mark.parametrize("order", list(permutations(range(4)))[::3])
async def test_in_any_order_two_wards_tell_one_case(planning: Planning, order: tuple[int, ...]) -> None:
    events = [ADMITTED, TRANSFERRED, READY_THERE, LEFT_HERE]
    ids = [(await tell(planning, events[index]))["case_id"] for index in order]
    for case_id in ids:
        case = await case_of(planning, case_id)
        assert (case["state"], case["ward"], case["id"]) == ("ready", OTHER_WARD, min(ids))
        assert {finding["code"] for finding in case["findings"]} == {"discharged_after_transfer", "late_admission_notice"}
    told = await stays_told(planning)
    (billed,) = [fact for fact in told.values() if not fact.cancelled]
    assert (str(billed.case_id), len(billed.ready), billed.ward) == (min(ids), 1, OTHER_WARD)
    assert [one.to_ward for one in billed.transfers] == [OTHER_WARD]
    live = {"notice.admission": 1, "notice.transferred": 1, "notice.ready": 1}
    assert await standing(planning) == live


async def standing(planning: Planning) -> dict[str, int]:
    """The notices that stand in the municipality's mailbox, by type."""
    counted: dict[str, int] = {}
    for entry in (await planning.mailbox(planning.municipality()))["entries"]:
        one = await planning.http.get(f"/v1/notices/{entry['id']}", headers=planning.municipality())
        if entry["type"] != "notice.cancelled" and one.json()["standing"]["state"] not in {"cancelled", "superseded"}:
            counted[entry["type"]] = counted.get(entry["type"], 0) + 1
    return counted


async def test_two_wards_at_once_end_in_one_case_each(planning: Planning) -> None:
    """Joining locks rows out of the usual order: transactions that meet are repeated, and nothing is refused or lost."""
    stays = range(12)

    def of(event: dict[str, Any], number: int) -> dict[str, Any]:
        told = event | {"id": f"{event['id']}-{number}", "subject": f"{event['subject']}-{number}"}
        if event["type"] == "stay.transferred":
            told["data"] = event["data"] | {"to_subject": f"{THERE}-{number}"}
        return told

    events = [of(event, number) for number in stays for event in (READY_THERE, ADMITTED, TRANSFERRED)]
    await asyncio.gather(*(tell(planning, event) for event in events[::2] + events[1::2]))
    listed = (await planning.http.get("/v1/cases", headers=planning.municipality())).json()["cases"]
    assert [case["state"] for case in listed] == ["ready"] * len(stays)
    assert sum(not fact.cancelled for fact in (await stays_told(planning)).values()) == len(stays)


async def test_commands_that_wait_for_a_transfer_wait_for_the_whole_case(planning: Planning) -> None:
    """One that waits for the row it knows would then hold it and ask for an earlier one, and the next holds that and asks for this."""
    await tell(planning, READY_THERE)
    here = (await tell(planning, ADMITTED))["case_id"]
    care = bearer(planning.tokens.token("care-1", scopes=["cases:write"], role="care", units=[CARE_CENTRE]))

    async def command(number: int) -> int:
        body = {"unit": CARE_CENTRE, "name": f"Kim Test {number}"}
        return (await planning.http.put(f"/v1/cases/{here}/care-contact", json=body, headers=care)).status_code

    caller = Caller("wards", REGION, (WARD,), frozenset({"events:write"}), "ward")
    async with planning.database.transaction() as work:
        await accept(work, [statement(TRANSFERRED, caller, work.at, None)])
        waiting = [asyncio.create_task(command(number)) for number in range(4)]
        async with planning.database.transaction(role=Role.APP) as other:  # a worker does not see what the app role waits for
            blocked = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
            while (await other.connection.execute(blocked)).scalar_one() < len(waiting):
                await asyncio.sleep(0.01)
                await other.connection.execute(text("SELECT pg_stat_clear_snapshot()"))
    later = [asyncio.create_task(command(number)) for number in range(4, 8)]
    assert await asyncio.gather(*waiting, *later) == [200] * 8


async def test_a_case_that_was_two_keeps_both_ids_and_one_history(planning: Planning) -> None:
    there = (await tell(planning, READY_THERE))["case_id"]
    here = (await tell(planning, ADMITTED))["case_id"]
    assert here != there
    joined = await tell(planning, TRANSFERRED)
    assert joined["case_id"] == there
    assert (await case_of(planning, here))["id"] == there
    listed = (await planning.http.get("/v1/cases", headers=planning.municipality())).json()["cases"]
    assert [one["id"] for one in listed] == [there]
    history = (await planning.http.get(f"/v1/cases/{here}/history", headers=planning.municipality())).json()["history"]
    assert {line["event_id"] for line in history if line["event_id"]} == {"SU-1", "SU-2", "NU-1"}
    told = await stays_told(planning)
    assert (told[here].cancelled, told[there].cancelled) == (True, False)
    assert [str(one) for one in told[there].joined_cases] == [here]


async def test_reading_a_case_under_its_other_id_is_logged_with_the_patient(planning: Planning) -> None:
    there = (await tell(planning, READY_THERE))["case_id"]
    here = (await tell(planning, ADMITTED))["case_id"]
    await tell(planning, TRANSFERRED)
    for case_id in (here, there):
        await case_of(planning, case_id)
    await planning.number()
    async with planning.database.transaction() as work:
        bodies = await work.connection.execute(text("SELECT body FROM feed_entries WHERE feed = 'access' ORDER BY position"))
        lines = [json.loads(body) for body in bodies.scalars()]
    assert [line["cases"] for line in lines] == [[here], [there]]
    assert len({tuple(line["patients"]) for line in lines} - {()}) == 1
    assert all(line["patients"] for line in lines)


async def test_what_is_said_under_either_id_of_a_case_is_said_of_the_case(planning: Planning) -> None:
    there = (await tell(planning, READY_THERE))["case_id"]
    here = (await tell(planning, ADMITTED))["case_id"]
    await tell(planning, TRANSFERRED)
    scopes = ["cases:read", "cases:write", "consents:write"]
    care = bearer(planning.tokens.token("care-1", scopes=scopes, role="care", units=[CARE_CENTRE]))
    consent = {"answer": "given", "purposes": ["free_text"], "unit": CARE_CENTRE, "asked_by": "Anna Test"}
    message = {"unit": CARE_CENTRE, "to": GOTEBORG_UNIT, "topic": "medication", "text": "Insulin?", "written_by": "Anna Test"}

    async def post(path: str, body: dict[str, Any], key: str) -> int:
        return (await planning.http.post(path, json=body, headers={**care, "Idempotency-Key": key})).status_code

    assert await post("/v1/consents", consent | {"case_id": there}, "1") == 201
    assert await post(f"/v1/cases/{here}/messages", message, "2") == 201
    assert await post("/v1/consents", consent | {"case_id": here, "answer": "refused"}, "3") == 201
    assert await post(f"/v1/cases/{there}/messages", message, "4") == 409
    for case in (here, there):
        (read,) = (await planning.http.get(f"/v1/cases/{case}/messages", headers=planning.municipality())).json()["messages"]
        assert (read["text"], read["withheld"]) == (None, True)
        told = (await planning.http.get(f"/v1/cases/{case}/consents", headers=care)).json()["consents"]
        assert [one["state"] for one in told] == ["given", "refused"]


async def test_a_cancelled_transfer_parts_the_case_again(planning: Planning) -> None:
    here = (await tell(planning, ADMITTED))["case_id"]
    await tell(planning, TRANSFERRED)
    other = a_ward_event(
        id="NU-0",
        source=OTHER_SOURCE,
        subject=THERE,
        time="2026-11-04T10:00:00+01:00",
        data=admission_data(person=a_person(registered_municipality=HARRYDA)),
    )
    assert (await tell(planning, other))["case_id"] == here
    assert (await tell(planning, READY_THERE))["case_id"] == here
    await tell(planning, a_ward_event("stay.event_cancelled", {"event": "SU-2", "reason": "Fel patient"}, id="SU-9"))
    case = await case_of(planning, here)
    assert (case["state"], case["ward"], case["transfers"]) == ("admitted", WARD, [])
    harryda = planning.municipality(HARRYDA)
    (mine,) = (await planning.http.get("/v1/cases", headers=harryda)).json()["cases"]
    assert (mine["state"], mine["ward"]) == ("ready", OTHER_WARD)
    told = await stays_told(planning)
    assert {(fact.municipality, fact.cancelled, len(fact.ready)) for fact in told.values()} == {(GOTEBORG, False, 0), (HARRYDA, False, 1)}
    await tell(planning, a_ward_event("stay.transferred", id="SU-10", time="2026-11-04T10:00:00+01:00"))
    assert (await case_of(planning, mine["id"]))["id"] == here


async def test_a_mistyped_id_never_shows_one_patient_to_the_other_ones_parties(planning: Planning) -> None:
    stranger = a_person(id=a_personnummer(1), registered_municipality=HARRYDA)
    other = a_ward_event(id="NU-0", source=OTHER_SOURCE, subject=THERE, data=admission_data(person=stranger))
    there = (await tell(planning, other))["case_id"]
    here = (await tell(planning, ADMITTED))["case_id"]
    moved = await tell(planning, TRANSFERRED)
    assert here == moved["case_id"] != there
    assert "transfer_to_other_person" in [finding["code"] for finding in moved["findings"]]
    await tell(planning, READY_THERE)
    assert (await case_of(planning, here))["state"] == "admitted"
    assert (await case_of(planning, there, planning.municipality(HARRYDA)))["state"] == "ready"
    assert (await planning.http.get(f"/v1/cases/{there}", headers=planning.municipality())).status_code == 404


async def test_a_transfer_joins_across_record_systems_whose_ids_look_alike(planning: Planning) -> None:
    async with planning.database.transaction() as work:
        units = [Unit(WARD, REGION, "Avdelning 1", "ward"), Unit(OTHER_WARD, REGION, "Avdelning 2", "ward", f"{REGION}/other")]
        await load_directory(work, DirectoryEntries([], units, []))
    alike = TRANSFERRED | {"data": {"to_unit": OTHER_WARD, "to_subject": ADMITTED["subject"]}}
    ready = READY_THERE | {"subject": ADMITTED["subject"]}
    there = (await tell(planning, ready))["case_id"]
    here = (await tell(planning, ADMITTED))["case_id"]
    assert here != there, "the same id in two systems"
    assert (await tell(planning, alike))["case_id"] == there
    assert (await case_of(planning, here))["state"] == "ready"


async def test_only_the_ward_that_holds_the_patient_reads_the_case(planning: Planning) -> None:
    case = (await tell(planning, ADMITTED))["case_id"]
    await tell(planning, TRANSFERRED)
    for unit, status in ((WARD, 404), (OTHER_WARD, 200)):
        who = bearer(planning.tokens.token(f"ward-{unit}", scopes=["cases:read"], units=[unit]))
        assert (await planning.http.get(f"/v1/cases/{case}", headers=who)).status_code == status


def a_ward(planning: Planning, unit: str) -> dict[str, str]:
    return bearer(planning.tokens.token(f"ward-{unit}", scopes=["events:write", "cases:read"], units=[unit]))


OF_ANOTHER_WARD = {
    "moves her to itself": ("stay.transferred", {"to_unit": OTHER_WARD}),
    "moves her to itself under an id of its own": ("stay.transferred", {"to_unit": OTHER_WARD, "to_subject": THERE}),
    "admits her too": ("stay.admitted", admission_data()),
    "admits somebody else": ("stay.admitted", admission_data(person=a_person(id=a_personnummer(1), registered_municipality=HARRYDA))),
    "makes her somebody else": ("stay.person_changed", {"person": a_person(id=a_personnummer(1), registered_municipality=HARRYDA)}),
    "cancels her admission": ("stay.event_cancelled", {"event": "SU-1", "reason": "Fel patient"}),
    "corrects her admission": ("stay.admitted", admission_data() | {"corrects": "SU-1"}),
    "changes her planned date": ("stay.planned_discharge_changed", {"planned_discharge_date": "2026-11-20"}),
}


@pytest.mark.parametrize("time", ["2026-11-01T10:00:00+01:00", "2026-11-04T10:00:00+01:00"], ids=["before", "after"])
@pytest.mark.parametrize("said", OF_ANOTHER_WARD)
async def test_a_ward_takes_over_no_case_by_another_wards_id_of_the_stay(planning: Planning, said: str, time: str) -> None:
    """All wards of a region share one care provider: a guessed or mistyped id must give none of them another one's patient."""
    kind, data = OF_ANOTHER_WARD[said]
    own, other = a_ward(planning, WARD), a_ward(planning, OTHER_WARD)
    case = (await tell(planning, ADMITTED))["case_id"]

    async def seen(who: dict[str, str]) -> int:
        return (await planning.http.get(f"/v1/cases/{case}", headers=who)).status_code

    assert (await seen(own), await seen(other), await seen(planning.municipality())) == (200, 404, 200)
    event = a_ward_event(kind, data, id="NU-9", source=OTHER_SOURCE, time=time)
    answer = await planning.http.post("/v1/events", json=event, headers=other)
    assert answer.status_code == 201, answer.text
    told = {finding["code"] for finding in answer.json()["findings"]}
    waits = {"correction_waits", "cancellation_waits"}
    assert told & {"not_by_holder", "transfer_not_by_holder", "person_change_not_by_holder", "planned_date_not_by_holder", *waits}, told
    assert (await seen(own), await seen(other), await seen(planning.municipality())) == (200, 404, 200)
    assert (await planning.http.get("/v1/cases", headers=other)).json()["cases"] == []
    assert (await planning.http.get(f"/v1/cases/{case}/history", headers=other)).status_code == 404
    assert (await planning.http.get(f"/v1/cases/{case}", headers=planning.municipality(HARRYDA))).status_code == 404
    shown = await case_of(planning, case, own)
    assert (shown["ward"], shown["state"], shown["person"]["id"]) == (WARD, "admitted", a_personnummer())
    assert told <= {finding["code"] for finding in shown["findings"]}, "who holds her is told of it as well"
    further = a_ward_event("stay.transferred", {"to_unit": OTHER_WARD}, id="NU-10", source=OTHER_SOURCE, subject=THERE)
    await planning.http.post("/v1/events", json=further, headers=other)
    assert (await seen(own), await seen(other)) == (200, 404)


async def test_what_another_ward_states_of_her_stops_no_message_of_the_ward_that_has_her(planning: Planning) -> None:
    """A message is read against what is known of the stay: an update must not be taken for one of the other ward's admission."""
    other = a_ward(planning, OTHER_WARD)
    await adt_taken(planning, admission())
    own: dict[str, Any] = {"source": OTHER_SOURCE, "subject": STAY, "time": "2026-11-04T10:00:00+01:00"}
    for event in (a_ward_event(id="NU-8", **own), a_ward_event("stay.transferred", {"to_unit": OTHER_WARD}, id="NU-9", **own)):
        assert (await planning.http.post("/v1/events", json=event, headers=other)).status_code == 201
    fewer = message("A08", "A-2", pid(), pv1(""), f"ZNE|municipal_social|{CARE_CENTRE}|somatic", when="20261105100000")
    await adt_taken(planning, fewer)
    (case,) = (await planning.http.get("/v1/cases", headers=planning.ward)).json()["cases"]
    assert (case["ward"], (await case_of(planning, case["id"], planning.ward))["needs"]) == (WARD, ["municipal_social"])


async def test_the_ward_that_holds_her_gives_her_away_and_wards_of_one_record_system_share_her(planning: Planning) -> None:
    """The control: what another ward cannot take, the ward that has her can give, and a declared stay space is one hand."""
    case = (await tell(planning, ADMITTED))["case_id"]
    given = a_ward_event("stay.transferred", {"to_unit": OTHER_WARD}, id="SU-2", time="2026-11-04T10:00:00+01:00")
    assert (await tell(planning, given))["findings"] == []
    assert (await planning.http.get(f"/v1/cases/{case}", headers=a_ward(planning, OTHER_WARD))).status_code == 200
    assert (await planning.http.get(f"/v1/cases/{case}", headers=a_ward(planning, WARD))).status_code == 404
    first, second = f"SE{REGION}-AVD1", f"SE{REGION}-AVD2"
    async with planning.database.transaction() as work:
        units = [Unit(unit, REGION, "Avdelning", "ward", f"{REGION}/one") for unit in (first, second)]
        await load_directory(work, DirectoryEntries([], units, []))
    here = a_ward_event(id="ONE-1", source=f"urn:hsa:{first}", subject="ONE")
    moved = a_ward_event("stay.transferred", {"to_unit": second}, id="ONE-2", source=f"urn:hsa:{second}", subject="ONE")
    posted = await planning.http.post("/v1/events", json=here, headers=a_ward(planning, first))
    taken = await planning.http.post("/v1/events", json=moved | {"time": "2026-11-04T10:00:00+01:00"}, headers=a_ward(planning, second))
    assert (taken.json()["case_id"], taken.json()["findings"]) == (posted.json()["case_id"], [])
    assert (await planning.http.get(f"/v1/cases/{posted.json()['case_id']}", headers=a_ward(planning, second))).status_code == 200


async def test_a_reserve_number_that_became_a_personnummer_leads_to_every_case_of_the_person(planning: Planning) -> None:
    reserve = a_person(type="reservnummer", id="18900101K065", registered_municipality=GOTEBORG)
    known = a_person()
    before = (await tell(planning, a_ward_event(id="A", subject="old", data=admission_data(person=reserve))))["case_id"]
    at_present = (await tell(planning, a_ward_event(id="B", subject="new", data=admission_data(person=reserve))))["case_id"]
    await tell(planning, a_ward_event("stay.person_changed", {"person": known}, id="C", subject="new", time="2026-11-04T10:00:00+01:00"))
    sought = {"person": {"type": known["type"], "id": known["id"]}}
    found = (await planning.http.post("/v1/cases/search", json=sought, headers=planning.municipality())).json()["cases"]
    assert {case["id"]: case["person"]["type"] for case in found} == {before: "reservnummer", at_present: "personnummer"}
    stranger = await planning.http.post("/v1/cases/search", json=sought, headers=planning.municipality(HARRYDA))
    assert stranger.json()["cases"] == []


async def test_a_changed_registration_moves_the_case_to_the_other_municipality(planning: Planning) -> None:
    case = (await tell(planning, ADMITTED))["case_id"]
    await tell(planning, a_ward_event("stay.ready", id="SU-2", time="2026-11-05T10:00:00+01:00"))
    person = a_person(registered_municipality=HARRYDA)
    await tell(planning, a_ward_event("stay.person_changed", {"person": person}, id="SU-3", time="2026-11-05T11:00:00+01:00"))
    assert (await planning.http.get(f"/v1/cases/{case}", headers=planning.municipality())).status_code == 404
    types = [entry["type"] for entry in (await planning.mailbox(planning.municipality(HARRYDA)))["entries"]]
    assert types == ["notice.admission", "notice.ready"]
    old = (await planning.mailbox(planning.municipality()))["entries"]
    assert [entry["type"] for entry in old][-2:] == ["notice.cancelled", "notice.cancelled"]
    assert old[0]["personal"]["withheld"] == "returned"
    assert (await case_of(planning, case, planning.care))["outpatient_unit"] == CARE_CENTRE


async def test_a_real_move_after_the_ready_notice_leaves_both_municipalities_in_the_case(planning: Planning) -> None:
    case = (await tell(planning, ADMITTED))["case_id"]
    await tell(planning, a_ward_event("stay.ready", id="SU-2", time="2026-11-05T10:00:00+01:00"))
    moved = {"person": a_person(registered_municipality=HARRYDA), "moved": True}
    await tell(planning, a_ward_event("stay.person_changed", moved, id="SU-3", time=format_instant(now())))
    for code in (GOTEBORG, HARRYDA):
        assert (await case_of(planning, case, planning.municipality(code)))["state"] == "ready"
    fact = (await stays_told(planning))[case]
    assert [one.municipality for one in fact.residences] == [GOTEBORG, HARRYDA]


async def test_who_was_left_before_the_ready_notice_loses_the_case_and_is_told_nothing_more(planning: Planning) -> None:
    case = (await tell(planning, ADMITTED))["case_id"]
    moved = {"person": a_person(registered_municipality=HARRYDA), "moved": True}
    await tell(planning, a_ward_event("stay.person_changed", moved, id="SU-2", time="2026-11-04T12:00:00+01:00"))
    await tell(planning, a_ward_event("stay.ready", id="SU-3", time="2026-11-05T10:00:00+01:00"))
    await tell(planning, a_ward_event("stay.discharged", id="SU-4", time="2026-11-06T10:00:00+01:00"))
    old = (await planning.mailbox(planning.municipality()))["entries"]
    assert [entry["type"] for entry in old] == ["notice.admission", "notice.cancelled"]
    assert old[0]["personal"]["withheld"] == "returned"
    assert (await planning.http.get(f"/v1/cases/{case}", headers=planning.municipality())).status_code == 404
    new = (await planning.mailbox(planning.municipality(HARRYDA)))["entries"]
    assert [entry["type"] for entry in new] == ["notice.admission", "notice.ready", "notice.discharged"]
    fact = (await stays_told(planning))[case]
    assert (fact.municipality, fact.other_municipalities) == (HARRYDA, ())
