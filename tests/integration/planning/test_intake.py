"""What a ward posts: kept exactly once, answered after it is safe, whatever order and however often it comes."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import text

from services.planning.repository.sealing import opened_event
from services.planning.usecases import DirectoryEntries, Unit, load_directory
from tests.builders import CARE_CENTRE, GOTEBORG, HARRYDA, WARD, a_person, a_personnummer, a_ward_event, admission_data
from tests.integration.planning.conftest import BOTH_WAYS, Planning
from tests.services import REGION, bearer

pytestmark = BOTH_WAYS


async def _events(planning: Planning) -> int:
    async with planning.database.transaction() as work:
        return int((await work.connection.execute(text("SELECT count(*) FROM events"))).scalar_one())


async def test_an_event_is_answered_with_its_case(planning: Planning) -> None:
    answer = await planning.tell(a_ward_event())
    assert answer.status_code == 201
    body = answer.json()
    assert (body["event_id"], body["case_version"]) == ("SU-1", 1)
    assert {(finding["code"], finding["about"]) for finding in body["findings"]} == {
        ("late_admission_notice", GOTEBORG),
        ("late_admission_notice", CARE_CENTRE),
    }


async def test_the_same_event_again_gets_the_same_bytes(planning: Planning) -> None:
    first = await planning.tell(a_ward_event())
    again = await planning.tell(a_ward_event())
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.content == again.content


async def test_the_same_event_at_the_same_time_has_one_effect_and_one_answer(planning: Planning) -> None:
    answers = await asyncio.gather(*(planning.tell(a_ward_event()) for _ in range(24)))
    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.status_code for answer in answers) == [200] * 23 + [201]
    assert await _events(planning) == 1


async def test_a_new_trace_header_does_not_make_it_another_event(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    again = await planning.tell(a_ward_event(traceparent=f"00-{'a' * 32}-{'b' * 16}-01"))
    assert again.status_code == 200


async def test_the_same_id_with_other_content_is_refused_and_changes_nothing(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    answer = await planning.tell(a_ward_event(time="2026-11-03T15:05:00+01:00"))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "event.id_reused"
    assert await _events(planning) == 1


async def test_events_in_the_wrong_order_are_kept_and_found_out(planning: Planning) -> None:
    early = await planning.tell(a_ward_event("stay.ready", id="SU-2", time="2026-11-05T10:00:00+01:00"))
    assert early.status_code == 201
    assert [finding["code"] for finding in early.json()["findings"]] == ["ready_without_admission"]
    await planning.tell(a_ward_event())
    case = (await planning.http.get(f"/v1/cases/{early.json()['case_id']}", headers=planning.ward)).json()
    assert case["state"] == "ready"
    assert "ready_without_admission" not in [finding["code"] for finding in case["findings"]]


async def test_a_batch_gives_every_event_its_own_outcome(planning: Planning) -> None:
    events = [
        a_ward_event(),
        a_ward_event(),
        a_ward_event("stay.ready", id="SU-2", time="not a time"),
        a_ward_event("stay.ready", id="SU-3", time="2026-11-05T10:00:00+01:00"),
        a_ward_event("stay.ready", id="SU-1", time="2026-11-05T10:00:00+01:00"),
    ]
    answer = await planning.http.post("/v1/events/batch", json=events, headers=planning.ward)
    assert answer.status_code == 200
    outcomes = answer.json()["outcomes"]
    assert [outcome["status"] for outcome in outcomes] == [201, 200, 422, 201, 422]
    assert outcomes[2]["problem"]["errors"] == [{"pointer": "/time", "code": "time.format"}]
    assert outcomes[4]["problem"]["code"] == "event.id_reused"
    assert await _events(planning) == 2


async def test_a_batch_may_be_sent_again_whole(planning: Planning) -> None:
    events = [a_ward_event(subject=f"stay-{number}", id=f"SU-{number}") for number in range(20)]
    first = await planning.http.post("/v1/events/batch", json=events, headers=planning.ward)
    again = await planning.http.post("/v1/events/batch", json=events, headers=planning.ward)
    assert {outcome["status"] for outcome in first.json()["outcomes"]} == {201}
    assert {outcome["status"] for outcome in again.json()["outcomes"]} == {200}
    assert [one["accepted"] for one in first.json()["outcomes"]] == [one["accepted"] for one in again.json()["outcomes"]]


async def test_overlapping_batches_never_deadlock(planning: Planning) -> None:
    events = [a_ward_event(subject=f"stay-{number % 7}", id=f"SU-{number}") for number in range(40)]
    batches = [events, list(reversed(events)), events[10:] + events[:10], events[::2] + events[1::2]]
    answers = await asyncio.gather(*(planning.http.post("/v1/events/batch", json=batch, headers=planning.ward) for batch in batches * 2))
    assert {answer.status_code for answer in answers} == {200}
    assert await _events(planning) == 40
    statuses = [outcome["status"] for answer in answers for outcome in answer.json()["outcomes"]]
    assert statuses.count(201) == 40


async def test_a_ward_cannot_speak_for_another(planning: Planning) -> None:
    answer = await planning.tell(a_ward_event(source="urn:hsa:SE2321000131-E000000000102"))
    assert (answer.status_code, answer.json()["code"]) == (403, "event.source_foreign")


async def test_only_a_history_client_may_state_when_an_event_was_sent(planning: Planning) -> None:
    event = a_ward_event(sentat="2026-11-03T14:06:00+01:00")
    assert (await planning.tell(event)).json()["code"] == "event.sentat_denied"
    answer = await planning.http.post("/v1/events", json=event, headers=planning.history)
    assert answer.status_code == 201
    before = a_ward_event("stay.ready", id="SU-9", sentat="2026-11-03T14:04:00+01:00")
    refused = await planning.http.post("/v1/events", json=before, headers=planning.history)
    assert (refused.status_code, refused.json()["code"]) == (422, "event.sentat_invalid")


async def test_a_day_ahead_of_our_clock_is_refused(planning: Planning) -> None:
    answer = await planning.tell(a_ward_event(time="2150-01-01T00:00:00Z"))
    assert (answer.status_code, answer.json()["code"]) == (422, "event.time_in_future")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xef\xbb\xbf{}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e400}',
        b'{"a": 1, "a": 2}',
        b"[" * 100_000,
        b"[" * 17 + b"]" * 17,
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": 1} x',
    ],
)
async def test_what_is_not_strict_json_is_unreadable(planning: Planning, body: bytes) -> None:
    answer = await planning.http.post("/v1/events", content=body, headers={**planning.ward, "content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "json.unreadable")


@pytest.mark.parametrize(("header", "value"), [("content-type", "text/plain"), ("content-type", ""), ("content-encoding", "gzip")])
async def test_another_content_type_is_refused(planning: Planning, header: str, value: str) -> None:
    headers = {**planning.ward, "content-type": "application/json", header: value}
    answer = await planning.http.post("/v1/events", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "request.content_type")


async def test_a_refusal_never_repeats_what_was_sent(planning: Planning) -> None:
    person = a_person(id="189001019809")
    answer = await planning.tell(a_ward_event(data=admission_data(person=person)))
    assert answer.status_code == 422
    assert "189001019809" not in answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/data/person/id"]


@pytest.mark.parametrize("token", ["", "x", "Bearer x.y.z", "Basic abc"])
async def test_without_a_valid_token_nothing_is_told(planning: Planning, token: str) -> None:
    answer = await planning.http.post("/v1/events", json=a_ward_event(), headers={"Authorization": token} if token else {})
    assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid")
    assert "www-authenticate" in answer.headers


async def test_a_municipality_may_not_post_events(planning: Planning) -> None:
    answer = await planning.http.post("/v1/events", json=a_ward_event(), headers=planning.municipality())
    assert (answer.status_code, answer.json()["code"]) == (403, "access.denied")


async def test_a_problem_speaks_the_language_of_the_caller(planning: Planning) -> None:
    headers = {**planning.ward, "Accept-Language": "sv-SE,sv;q=0.9,en;q=0.8", "X-Request-Id": "req-1"}
    answer = await planning.http.post("/v1/events", json={}, headers=headers)
    assert answer.json()["title"] == "Händelsen är inte som den ska vara"
    assert (answer.headers["x-request-id"], answer.json()["request_id"]) == ("req-1", "req-1")


async def test_no_person_number_leaves_planning_s_tables(planning: Planning) -> None:
    person = a_person()["id"]
    await planning.tell(a_ward_event())
    await planning.number()
    async with planning.database.transaction() as work:
        feeds = (await work.connection.execute(text("SELECT body FROM feed_entries"))).scalars().all()
        kept = (await work.connection.execute(text("SELECT body FROM events"))).scalars().all()
    assert len(feeds) > 3
    assert not [body for body in feeds if person in body]
    assert not [body for body in kept if person in body]
    told = [opened_event(body)["data"]["person"]["id"] for body in kept]
    assert told == [person], "positive control: it is in there, sealed"


async def test_a_corrected_registration_moves_the_case_to_the_right_municipality(planning: Planning) -> None:
    first = await planning.tell(a_ward_event())
    await planning.tell(a_ward_event("stay.ready", id="SU-2", time="2026-11-05T10:00:00+01:00"))
    moved = admission_data(person=a_person(registered_municipality=HARRYDA)) | {"corrects": "SU-1"}
    await planning.tell(a_ward_event(id="SU-3", data=moved, time="2026-11-03T14:05:00+01:00"))
    old = await planning.mailbox(planning.municipality(GOTEBORG))
    new = await planning.mailbox(planning.municipality(HARRYDA))
    assert [notice["type"] for notice in old["entries"]] == [
        "notice.admission",
        "notice.ready",
        "notice.cancelled",
        "notice.cancelled",
    ]
    assert [notice["type"] for notice in new["entries"]] == ["notice.admission", "notice.ready"]
    case = f"/v1/cases/{first.json()['case_id']}"
    assert (await planning.http.get(case, headers=planning.municipality(GOTEBORG))).status_code == 404
    assert (await planning.http.get(case, headers=planning.municipality(HARRYDA))).status_code == 200


async def test_the_stay_reaches_billing_s_stream_as_a_whole(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    await planning.tell(a_ward_event("stay.ready", id="SU-2", time="2026-11-05T10:00:00+01:00"))
    await planning.number()
    async with planning.database.transaction() as work:
        rows = (
            await work.connection.execute(text("SELECT body FROM feed_entries WHERE kind = 'stay.changed' ORDER BY position"))
        ).scalars()
        facts: list[dict[str, Any]] = [json.loads(row) for row in rows]
    assert [fact["case_version"] for fact in facts] == [1, 2]
    assert (facts[1]["municipality"], len(facts[1]["ready"]), facts[1]["sip_required"]) == (GOTEBORG, 1, True)


async def test_a_caller_without_the_scope_sees_no_case(planning: Planning) -> None:
    first = await planning.tell(a_ward_event())
    nobody = bearer(planning.tokens.token("x", scopes=["averages:read"]))
    answer = await planning.http.get(f"/v1/cases/{first.json()['case_id']}", headers=nobody)
    assert answer.status_code == 403


async def test_the_same_stay_id_of_another_record_system_is_another_stay(planning: Planning) -> None:
    """Two hospitals under one organisation number may count their stays alike; the directory says which wards count together."""
    other_ward = "SE2321000131-E000000000201"
    async with planning.database.transaction() as work:
        units = [Unit(WARD, REGION, "Avdelning 1", "ward"), Unit(other_ward, REGION, "Avdelning 2", "ward", f"{REGION}/other")]
        await load_directory(work, DirectoryEntries([], units, []))
    first = await planning.tell(a_ward_event())
    elsewhere = admission_data(person=a_person(id=a_personnummer(1), registered_municipality=HARRYDA))
    told = a_ward_event(id="OTHER-1", source=f"urn:hsa:{other_ward}", data=elsewhere)
    second = await planning.http.post("/v1/events", json=told, headers=planning.history)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["case_id"] != second.json()["case_id"]
    assert [entry["type"] for entry in (await planning.mailbox(planning.municipality(HARRYDA)))["entries"]] == ["notice.admission"]
