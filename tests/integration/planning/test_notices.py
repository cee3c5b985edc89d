"""What a municipality and a care centre find in their mailboxes, and what they do with it."""

import asyncio
import hashlib
import json
from typing import Any, get_args

import pytest
import rfc8785
from sqlalchemy import text

from dirigent.databases import app_role
from services.planning.api.cases import StateShown
from services.planning.domain.case import CaseStatus
from shared.db import Database
from shared.streams import feeds
from shared.streams.access_log import ACCESS_FEED
from shared.streams.sequencer import number_staged
from tests.builders import CARE_CENTRE, GOTEBORG, HARRYDA, a_person, a_ward_event, admission_data
from tests.integration.planning.conftest import Planning

NOT_ENVELOPE = {"number", "hash", "personal"}


def chain(entries: list[dict[str, Any]], running: bytes = bytes(32)) -> bytes:
    """What a client computes to prove that it missed nothing."""
    for entry in entries:
        envelope = {name: value for name, value in entry.items() if name not in NOT_ENVELOPE}
        running = hashlib.sha256(running + hashlib.sha256(rfc8785.dumps(envelope)).digest()).digest()
        assert entry["hash"] == running.hex()
        if entry["personal"] is not None and "withheld" not in entry["personal"]:
            assert hashlib.sha256(rfc8785.dumps(entry["personal"])).hexdigest() == entry["personal_sha256"]
    return running


async def test_an_admission_reaches_the_municipality_and_the_care_centre_with_the_statutory_content(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    for who in (planning.municipality(), planning.care):
        (notice,) = (await planning.mailbox(who))["entries"]
        assert (notice["number"], notice["type"]) == (1, "notice.admission")
        assert notice["legal_basis"] == "lag (2017:612) 2 kap. 1-3 §§"
        assert set(notice["personal"]["person"]) == {"type", "id", "name", "registered_address"}
        assert notice["personal"]["content"] == {"planned_discharge_date": "2026-11-09"}


async def test_a_municipality_that_is_not_concerned_gets_nothing(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    assert (await planning.mailbox(planning.municipality(HARRYDA)))["entries"] == []


async def test_the_client_can_prove_that_it_missed_nothing(planning: Planning) -> None:
    for number in range(5):
        await planning.tell(a_ward_event(id=f"SU-{number}", subject=f"stay-{number}"))
    who = planning.municipality()
    body = await planning.mailbox(who)
    assert [entry["number"] for entry in body["entries"]] == [1, 2, 3, 4, 5]
    running = chain(body["entries"])
    digest = await planning.http.get("/v1/notices/digest", params={"through": 5}, headers=who)
    assert digest.json() == {"epoch": 1, "count": 5, "hash": running.hex()}


async def test_the_personal_part_is_bound_to_its_envelope(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    (notice,) = (await planning.mailbox(planning.municipality()))["entries"]
    assert hashlib.sha256(rfc8785.dumps(notice["personal"])).hexdigest() == notice["personal_sha256"]


async def test_following_the_cursor_shows_each_notice_exactly_once(planning: Planning) -> None:
    for number in range(7):
        await planning.tell(a_ward_event(id=f"SU-{number}", subject=f"stay-{number}"))
    seen: list[int] = []
    after = 0
    while True:
        body = await planning.mailbox(planning.municipality(), after=after, limit=3)
        seen += [entry["number"] for entry in body["entries"]]
        if not body["entries"]:
            break
        after = body["next"]
    assert seen == list(range(1, 8))
    assert (body["next"], body["head"]) == (7, 7)


async def test_a_filter_moves_the_cursor_over_what_it_leaves_out(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    await planning.tell(a_ward_event("stay.ready", id="SU-2", time="2026-11-05T10:00:00+01:00"))
    body = await planning.mailbox(planning.municipality(), type="notice.ready")
    assert ([entry["type"] for entry in body["entries"]], body["next"]) == (["notice.ready"], 2)


async def test_nothing_new_is_told_by_the_etag(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    await planning.number()
    who = planning.municipality()
    first = await planning.http.get("/v1/notices", headers=who, params={"after": 1})
    unchanged = await planning.http.get("/v1/notices", headers={**who, "If-None-Match": first.headers["etag"]}, params={"after": 1})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    await planning.tell(a_ward_event(id="SU-2", subject="another"))
    await planning.number()
    changed = await planning.http.get("/v1/notices", headers={**who, "If-None-Match": first.headers["etag"]}, params={"after": 1})
    assert changed.status_code == 200


async def test_a_long_poll_ends_when_a_notice_arrives(planning: Planning) -> None:
    who = planning.municipality()
    poll = asyncio.create_task(planning.http.get("/v1/notices", headers=who, params={"wait": 20}))
    await planning.tell(a_ward_event())
    await number_staged(planning.database)
    answer = await poll
    assert [entry["type"] for entry in answer.json()["entries"]] == ["notice.admission"]


async def test_a_cursor_beyond_the_head_is_told_to_go_back(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    await planning.number()
    answer = await planning.http.get("/v1/notices", headers=planning.municipality(), params={"after": 9})
    assert (answer.status_code, answer.json()["code"], answer.json()["last_common_position"]) == (410, "feed.rewound", 1)
    other_epoch = await planning.http.get("/v1/notices", headers=planning.municipality(), params={"after": 1, "epoch": 7})
    assert (other_epoch.status_code, other_epoch.json()["epoch"]) == (410, 1)


@pytest.mark.parametrize(
    "parameters",
    [{"after": "-1"}, {"after": "abc"}, {"after": "1" + "0" * 20}, {"limit": "0"}, {"limit": "100000"}, {"wait": "60"}, {"mailbox": "x"}],
)
async def test_a_wrong_parameter_is_a_bad_request(planning: Planning, parameters: dict[str, str]) -> None:
    answer = await planning.http.get("/v1/notices", headers=planning.municipality(), params=parameters)
    assert (answer.status_code, answer.json()["code"]) == (400, "request.parameter_invalid")


async def test_a_person_takes_a_notice_on_and_the_case_is_being_planned(planning: Planning) -> None:
    case = (await planning.tell(a_ward_event())).json()["case_id"]
    who = planning.municipality()
    (notice,) = (await planning.mailbox(who))["entries"]
    address = f"/v1/notices/{notice['id']}/acknowledgement"
    first = await planning.http.post(address, json={"acknowledged_by": "Anna Test"}, headers=who)
    again = await planning.http.post(address, json={"acknowledged_by": "Anna Test"}, headers=who)
    assert (first.status_code, first.json()["state"]) == (201, "acknowledged")
    assert again.json() == first.json()
    standing = (await planning.http.get(f"/v1/notices/{notice['id']}", headers=who)).json()["standing"]
    assert (standing["state"], standing["acknowledged_by"]) == ("acknowledged", "Anna Test")
    assert (await planning.http.get(f"/v1/cases/{case}", headers=who)).json()["state"] == "planning"
    history = (await planning.http.get(f"/v1/cases/{case}/history", headers=who)).json()["history"]
    assert [line["what"] for line in history] == ["stay.admitted", "notice.acknowledged"]


async def test_what_somebody_else_took_on_cannot_be_taken_on_again(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    who = planning.municipality()
    (notice,) = (await planning.mailbox(who))["entries"]
    address = f"/v1/notices/{notice['id']}/acknowledgement"
    await planning.http.post(address, json={"acknowledged_by": "Anna Test"}, headers=who)
    other = await planning.http.post(address, json={"acknowledged_by": "Bo Test"}, headers=who)
    assert (other.status_code, other.json()["code"]) == (409, "notice.acknowledged_by_another")


async def test_two_persons_at_once_leave_one_acknowledgement(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    who = planning.municipality()
    (notice,) = (await planning.mailbox(who))["entries"]
    address = f"/v1/notices/{notice['id']}/acknowledgement"
    answers = await asyncio.gather(
        *(planning.http.post(address, json={"acknowledged_by": name}, headers=who) for name in ("Anna Test", "Bo Test") * 4)
    )
    assert sorted({answer.status_code for answer in answers}) == [201, 409]
    assert len({answer.json()["acknowledged_by"] for answer in answers if answer.status_code == 201}) == 1


async def test_a_cancelled_notice_cannot_be_taken_on(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    who = planning.municipality()
    (notice,) = (await planning.mailbox(who))["entries"]
    await planning.tell(a_ward_event("stay.event_cancelled", id="SU-2", time="2026-11-03T16:00:00+01:00"))
    answer = await planning.http.post(f"/v1/notices/{notice['id']}/acknowledgement", json={"acknowledged_by": "Anna Test"}, headers=who)
    assert (answer.status_code, answer.json()["code"]) == (409, "notice.cancelled")
    assert [entry["type"] for entry in (await planning.mailbox(who))["entries"]] == ["notice.admission", "notice.cancelled"]


@pytest.mark.parametrize("body", [{}, {"acknowledged_by": ""}, {"acknowledged_by": "a\u202eb"}, {"acknowledged_by": "A", "x": 1}, []])
async def test_an_acknowledgement_names_a_person_and_nothing_else(planning: Planning, body: Any) -> None:
    await planning.tell(a_ward_event())
    who = planning.municipality()
    (notice,) = (await planning.mailbox(who))["entries"]
    answer = await planning.http.post(f"/v1/notices/{notice['id']}/acknowledgement", json=body, headers=who)
    assert (answer.status_code, answer.json()["code"]) == (422, "request.malformed")


async def test_a_foreign_notice_and_case_look_like_unknown_ones(planning: Planning) -> None:
    case = (await planning.tell(a_ward_event())).json()["case_id"]
    (notice,) = (await planning.mailbox(planning.municipality()))["entries"]
    stranger = planning.municipality(HARRYDA)
    unknown = "0190a000-0000-7000-8000-000000000000"
    for known, other in (
        (f"/v1/notices/{notice['id']}", f"/v1/notices/{unknown}"),
        (f"/v1/cases/{case}", f"/v1/cases/{unknown}"),
        (f"/v1/cases/{case}/history", f"/v1/cases/{unknown}/history"),
    ):
        foreign, missing = await asyncio.gather(planning.http.get(known, headers=stranger), planning.http.get(other, headers=stranger))
        assert foreign.status_code == missing.status_code == 404
        assert {k: v for k, v in foreign.json().items() if k != "request_id"} == {
            k: v for k, v in missing.json().items() if k != "request_id"
        }


async def test_a_person_s_cases_are_found_without_a_number_in_any_url(planning: Planning) -> None:
    case = (await planning.tell(a_ward_event())).json()["case_id"]
    sought = {"person": {"type": "personnummer", "id": a_person()["id"]}}
    mine = await planning.http.post("/v1/cases/search", json=sought, headers=planning.municipality())
    assert [found["id"] for found in mine.json()["cases"]] == [case]
    theirs = await planning.http.post("/v1/cases/search", json=sought, headers=planning.municipality(HARRYDA))
    assert theirs.json() == {"cases": []}


async def test_every_reading_of_personal_data_leaves_a_line_in_the_access_log(planning: Planning) -> None:
    case = (await planning.tell(a_ward_event())).json()["case_id"]
    who = planning.municipality()
    await planning.mailbox(who)
    await planning.http.get(f"/v1/cases/{case}", headers=who)
    await planning.number()
    async with planning.database.transaction() as work:
        page = await feeds.read(work, ACCESS_FEED, after=0, limit=10)
    lines = [json.loads(entry.body) for entry in page.entries]
    assert [(line["action"], line["client"], line["cases"]) for line in lines] == [
        ("notices.read", f"kommun-{GOTEBORG}", [case]),
        ("case.read", f"kommun-{GOTEBORG}", [case]),
    ]


async def test_a_reading_that_cannot_be_logged_does_not_happen(planning: Planning) -> None:
    case = (await planning.tell(a_ward_event())).json()["case_id"]
    owner = Database(planning.owner_url, role=None)
    async with owner.transaction() as work:
        await work.connection.execute(text(f"REVOKE INSERT ON outbox FROM {app_role('planning')}, dirigent_planning_worker"))
    await owner.close()
    answer = await planning.http.get(f"/v1/cases/{case}", headers=planning.municipality())
    assert answer.status_code == 500
    assert a_person()["id"] not in answer.text


async def test_a_case_lists_only_for_its_parties(planning: Planning) -> None:
    for number in range(3):
        await planning.tell(a_ward_event(id=f"SU-{number}", subject=f"stay-{number}"))
    other = admission_data(person=a_person(registered_municipality=HARRYDA))
    await planning.tell(a_ward_event(id="SU-9", subject="stay-9", data=other))
    assert len((await planning.http.get("/v1/cases", headers=planning.municipality())).json()["cases"]) == 3
    assert len((await planning.http.get("/v1/cases", headers=planning.municipality(HARRYDA))).json()["cases"]) == 1
    first = await planning.http.get("/v1/cases", headers=planning.ward, params={"limit": 3})
    assert len(first.json()["cases"]) == 3
    rest = await planning.http.get(first.headers["link"].split(";")[0].strip("<>"), headers=planning.ward)
    assert len(rest.json()["cases"]) == 1


def test_cases_can_be_asked_for_by_every_state_they_are_shown_in() -> None:
    assert set(get_args(StateShown)) == {*CaseStatus, "followed_up", "closed"}


async def test_a_state_or_finding_that_there_is_not_is_refused_and_not_answered_with_nothing(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    known = await planning.http.get("/v1/cases", headers=planning.ward, params={"state": "admitted", "limit": 1})
    assert (len(known.json()["cases"]), "state=admitted" in known.headers["link"]) == (1, True)
    assert (await planning.http.get("/v1/findings", headers=planning.ward, params={"code": "two_admissions"})).json() == {"findings": []}
    for path, name in (("/v1/cases", "state"), ("/v1/findings", "code")):
        answer = await planning.http.get(path, headers=planning.ward, params={name: "admited"})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, f"/{name}")


async def test_a_caller_sees_its_mailboxes(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    await planning.number()
    (box,) = (await planning.http.get("/v1/mailboxes", headers=planning.care)).json()["mailboxes"]
    assert (box["recipient"], box["head"]) == (f"unit:{CARE_CENTRE}", 1)


async def test_a_municipality_that_was_wrongly_told_loses_the_personal_part_everywhere(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    old = planning.municipality(GOTEBORG)
    before = await planning.mailbox(old)
    number = a_person()["id"]
    assert number in json.dumps(before)
    etag = (await planning.http.get("/v1/notices", headers=old)).headers["etag"]
    moved = admission_data(person=a_person(registered_municipality=HARRYDA)) | {"corrects": "SU-1"}
    await planning.tell(a_ward_event(id="SU-2", data=moved))
    after = await planning.mailbox(old)
    chain(after["entries"])
    assert [entry["personal"]["withheld"] for entry in after["entries"] if entry["personal"]] == ["returned"]
    again = await planning.http.get("/v1/notices", headers={**old, "If-None-Match": etag})
    assert again.status_code == 200
    one = await planning.http.get(f"/v1/notices/{before['entries'][0]['id']}", headers=old)
    assert one.json()["personal"]["withheld"] == "returned"
    assert number not in after["entries"][0]["personal"]["basis"] + again.text + one.text
    assert number in json.dumps(await planning.mailbox(planning.municipality(HARRYDA))), "positive control: the right one reads it"


async def test_a_protected_person_is_shown_to_named_readers_of_the_admission_notice_only(planning: Planning) -> None:
    protected = admission_data(person=a_person(protected=True))
    case = (await planning.tell(a_ward_event(data=protected))).json()["case_id"]
    await planning.tell(a_ward_event("stay.ready", id="SU-2", time="2026-11-05T10:00:00+01:00"))
    ordinary, named = planning.municipality(), planning.municipality(GOTEBORG, "persons:protected")
    number = a_person()["id"]
    listed = await planning.mailbox(named)
    admission, ready = listed["entries"]
    assert [(entry["personal"].get("person") or entry["personal"])["withheld"] for entry in listed["entries"]] == ["protected"] * 2
    chain(listed["entries"])
    path = f"/v1/notices/{admission['id']}"
    untaken = await planning.http.get(path, headers=named)
    await planning.http.post(f"{path}/acknowledgement", json={"acknowledged_by": "Handläggare A"}, headers=named)
    everywhere = [
        untaken,
        await planning.http.get(path, headers=ordinary),
        await planning.http.get(f"/v1/notices/{ready['id']}", headers=named),
        await planning.http.get(f"/v1/cases/{case}", headers=named),
        await planning.http.post("/v1/cases/search", json={"person": {"type": "personnummer", "id": number}}, headers=named),
    ]
    assert [answer.status_code for answer in everywhere] == [200] * 5
    assert not [answer.request.url for answer in everywhere if number in answer.text or "Testgatan" in answer.text]
    shown = (await planning.http.get(path, headers=named)).json()
    assert shown["personal"]["person"]["id"] == number
