"""Nobody sees or does what is another's, and reading proves to the reader that it is whole."""

from datetime import timedelta
from pathlib import Path

from dirigent.replay.file import read_items
from dirigent.replay.player import Player
from shared.dates import now
from tests.journeys.stories import County, Stay

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "one-stay.ndjson"


async def test_a_foreign_case_and_notice_look_unknown(county: County) -> None:
    stay = Stay(municipality="1444")
    case = (await county.post_event(stay.admission(now() - timedelta(hours=1)))).body["case_id"]
    notice = await county.notice("kommun-1444", "notice.admission", case)
    nothing = "01900000-0000-7000-8000-000000000000"
    for path in ("/v1/cases/{}", "/v1/cases/{}/history"):
        foreign = await county.api.call("kommun-1445", "GET", path.format(case))
        unknown = await county.api.call("kommun-1445", "GET", path.format(nothing))
        assert (foreign.status, foreign.code) == (unknown.status, unknown.code) == (404, "not_found")
    foreign = await county.api.call("kommun-1445", "GET", f"/v1/notices/{notice['id']}")
    assert (foreign.status, foreign.code) == (404, "not_found")
    taken = await county.post("kommun-1445", f"/v1/notices/{notice['id']}/acknowledgement", {"acknowledged_by": "Någon Annan"})
    assert (taken.status, taken.code) == (404, "not_found")
    assert (await county.api.call("ward-sas", "GET", f"/v1/cases/{case}")).status == 404
    assert (await county.api.call("kommun-1444", "GET", f"/v1/cases/{case}")).status == 200, "positive control"


async def test_a_ward_speaks_for_its_own_hospital_only(county: County) -> None:
    refused = await county.post_event(Stay(municipality="1446").admission(now() - timedelta(hours=1)), client="ward-sas")
    assert (refused.status, refused.code) == (403, "event.source_foreign")


async def test_only_history_states_when_something_was_sent(county: County) -> None:
    at = now() - timedelta(days=2)
    refused = await county.post_event(Stay(municipality="1446").admission(at, sent=at + timedelta(hours=1)))
    assert (refused.status, refused.code) == (403, "event.sentat_denied")


async def test_each_client_has_the_rights_of_its_role_and_no_more(county: County) -> None:
    for client, method, path in (
        ("history", "GET", "/v1/notices"),
        ("kommun-1480", "POST", "/v1/events"),
        ("finance", "GET", "/v1/cases"),
        ("ward-su", "GET", "/v1/averages"),
        ("auditor", "POST", "/v1/months/2024-05/1480/prepare"),
    ):
        answer = await county.api.call(
            client, method, path, body={} if method == "POST" else None, key="rights" if method == "POST" else None
        )
        assert (answer.status, answer.code) == (403, "access.denied"), (client, path, answer.body)


async def test_the_recorded_example_plays_and_plays_again(county: County) -> None:
    first = await Player(county.api, "history").play(read_items(EXAMPLE))
    again = await Player(county.api, "history").play(read_items(EXAMPLE))
    assert not first.refused
    assert not again.refused
    assert (first.accepted, first.repeated, first.commands) == (7, 1, 2)
    assert (again.accepted, again.repeated, again.commands) == (0, 8, 2)


async def test_a_mailbox_read_to_its_end_proves_itself_whole(county: County) -> None:
    told = await county.post_event(Stay(municipality="1447").admission(now() - timedelta(hours=1)))
    await county.notice("kommun-1447", "notice.admission", told.body["case_id"])
    read = await county.mailbox("kommun-1447")
    assert not read.faults
    assert read.personal_parts == len(read.entries) > 0


async def test_nothing_new_costs_a_304(county: County) -> None:
    told = await county.post_event(Stay(municipality="1452").admission(now() - timedelta(hours=1)))
    await county.notice("kommun-1452", "notice.admission", told.body["case_id"])
    page = await county.api.call("kommun-1452", "GET", "/v1/notices", params={"after": 0})
    again = await county.api.call("kommun-1452", "GET", "/v1/notices", params={"after": 0}, headers={"If-None-Match": page.headers["etag"]})
    assert again.status == 304


async def test_a_cursor_beyond_the_head_is_told_so(county: County) -> None:
    answer = await county.api.call("kommun-1460", "GET", "/v1/notices", params={"after": 1_000})
    assert (answer.status, answer.code) == (410, "feed.rewound")
