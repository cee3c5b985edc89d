"""Keeping the directory over HTTP and from a file."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from dirigent.importing.command import enter_all, refusals, report
from dirigent.importing.directory_file import read_rows
from services.planning.usecases.duty import reading_mailbox
from shared.dates import parse_instant
from shared.streams import feeds
from shared.streams.outbox import FACTS_FEED
from tests.builders import CARE_CENTRE, GOTEBORG, WARD, a_ward_event, admission_data
from tests.integration.planning.conftest import GOTEBORG_NUMBER, GOTEBORG_UNIT, HARRYDA_NUMBER, HARRYDA_UNIT, Planning
from tests.services import REGION, bearer

RECIPIENT = f"municipality:{GOTEBORG}"
TEAM = f"SE{REGION}-T1"
OFFICE = f"SE{REGION}-K1"
AN_OFFICE = {"organisation": REGION, "name": "Utskrivningskontoret", "kind": "office", "mailboxes": [{"function": "controller"}]}


def keeper(planning: Planning) -> dict[str, str]:
    return bearer(planning.tokens.token("controller", scopes=["directory:write"], role="controller"))


def of_goteborg(planning: Planning) -> dict[str, str]:
    token = planning.tokens.token(
        f"kommun-{GOTEBORG}",
        scopes=["directory:write", "notices:read"],
        role="municipality",
        organisation=GOTEBORG_NUMBER,
        units=[f"SE{GOTEBORG_NUMBER}-"],
        municipality=GOTEBORG,
    )
    return bearer(token)


async def put(planning: Planning, path: str, body: dict[str, Any], who: dict[str, str] | None = None) -> httpx.Response:
    return await planning.http.put(path, json=body, headers=who or keeper(planning))


async def facts(planning: Planning) -> list[dict[str, Any]]:
    await planning.number()
    async with planning.database.transaction() as work:
        page = await feeds.read(work, FACTS_FEED, after=0, limit=100)
    return [json.loads(entry.body) for entry in page.entries if entry.kind == "directory.changed"]


async def test_everybody_who_works_with_planning_reads_the_directory(planning: Planning) -> None:
    found = (await planning.http.get("/v1/organisations", headers=planning.ward)).json()["organisations"]
    assert {one["number"] for one in found} == {REGION, GOTEBORG_NUMBER, HARRYDA_NUMBER}
    units = (await planning.http.get("/v1/units", params={"kind": "care_centre"}, headers=planning.municipality())).json()["units"]
    assert [(one["hsa_id"], [box["function"] for box in one["mailboxes"]]) for one in units] == [(CARE_CENTRE, ["care_unit"])]


async def test_units_come_in_pages_that_keep_what_was_asked(planning: Planning) -> None:
    first = await planning.http.get("/v1/units", params={"limit": 1, "organisation": REGION}, headers=planning.ward)
    rest = await planning.http.get(first.headers["link"].split(";")[0].strip("<>"), headers=planning.ward)
    assert [one["hsa_id"] for answer in (first, rest) for one in answer.json()["units"]] == [WARD, CARE_CENTRE]


async def test_an_entry_that_changes_something_is_told_on_the_stream_and_one_that_does_not_is_not(planning: Planning) -> None:
    body = {"name": "Göteborgs stad", "municipality": GOTEBORG, "sub_region": "GR"}
    for _ in range(2):
        answer = await put(planning, f"/v1/organisations/{GOTEBORG_NUMBER}", body)
        assert (answer.status_code, answer.json()["sub_region"]) == (200, "GR")
    (told,) = await facts(planning)
    assert (told["entry"], told["key"], told["change"]) == ("organisation", GOTEBORG_NUMBER, "changed")


async def test_a_municipality_belongs_to_one_organisation(planning: Planning) -> None:
    answer = await put(planning, f"/v1/organisations/{HARRYDA_NUMBER}", {"name": "Härryda", "municipality": GOTEBORG})
    assert (answer.status_code, answer.json()["code"]) == (409, "directory.municipality_taken")


async def test_a_unit_has_owner_place_and_days_and_is_found_by_a_day(planning: Planning) -> None:
    body = {"organisation": REGION, "name": "Vårdcentral Ny", "kind": "care_centre", "owner": HARRYDA_NUMBER, "municipality": "1401"}
    dated = body | {"valid_from": "2026-01-01", "valid_to": "2026-06-30", "mailboxes": [{"function": "care_unit"}]}
    answer = await put(planning, f"/v1/units/SE{REGION}-NY1", dated)
    assert answer.status_code == 200, answer.text
    assert [box["recipient"] for box in answer.json()["mailboxes"]] == [f"unit:SE{REGION}-NY1"]
    for day, count in (("2025-12-31", 1), ("2026-06-30", 2), ("2026-07-01", 1)):
        found = await planning.http.get("/v1/units", params={"kind": "care_centre", "on": day}, headers=planning.ward)
        assert len(found.json()["units"]) == count, day


@pytest.mark.parametrize(
    ("path", "body", "pointer", "code"),
    [
        ("units/SE2321000131-X1", {"organisation": "5560125790", "name": "X", "kind": "ward"}, "/organisation", "organisation_unknown"),
        (
            f"units/{CARE_CENTRE}",
            {"organisation": REGION, "name": "X", "kind": "care_centre", "mailboxes": [{"function": "ward"}]},
            "/function",
            "function_of_other_kind",
        ),
        (
            f"units/{CARE_CENTRE}",
            {"organisation": REGION, "name": "X", "kind": "care_centre", "members": [{"unit": WARD, "valid_from": "2026-01-01"}]},
            "/members/0/team",
            "no_team",
        ),
        (
            f"addressing/{RECIPIENT}",
            {"rules": [{"function": "on_call", "valid_from": "2026-01-01"}]},
            "/rules/0/function",
            "mailbox_unknown",
        ),
        ("addressing/municipality:9999", {"rules": []}, "/recipient", "recipient_unknown"),
        (f"units/{OFFICE}", {"organisation": GOTEBORG_NUMBER, "name": "X", "kind": "office"}, "/kind", "office_of_a_municipality"),
        (f"units/{OFFICE}", AN_OFFICE | {"mailboxes": [{"function": "on_call"}]}, "/function", "function_of_other_kind"),
    ],
)
async def test_what_names_something_unknown_is_refused_with_its_place(
    planning: Planning, path: str, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await put(planning, f"/v1/{path}", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "directory.unknown"), answer.text
    assert answer.json()["errors"] == [{"pointer": pointer, "code": code}]


async def test_an_office_of_the_region_has_one_mailbox_and_is_no_party_of_any_stay(planning: Planning) -> None:
    answer = await put(planning, f"/v1/units/{OFFICE}", AN_OFFICE)
    assert answer.status_code == 200, answer.text
    (box,) = answer.json()["mailboxes"]
    assert (box["recipient"], box["function"]) == (f"unit:{OFFICE}", "controller")
    listed = await planning.http.get("/v1/units", params={"kind": "office"}, headers=planning.ward)
    assert [unit["hsa_id"] for unit in listed.json()["units"]] == [OFFICE]

    assert (await planning.tell(a_ward_event(data=admission_data(outpatient_unit=OFFICE)))).status_code == 201
    who = bearer(planning.tokens.token("office", scopes=["notices:read"], role="controller", units=[OFFICE]))
    assert (await planning.mailbox(who))["entries"] == []
    (notice,) = (await planning.mailbox(planning.municipality()))["entries"]
    assert notice["type"] == "notice.admission", "positive control: the stay was told of"


async def test_a_patients_notice_is_not_sent_on_to_an_office(planning: Planning) -> None:
    answer = await put(planning, f"/v1/units/{OFFICE}", AN_OFFICE)
    office = answer.json()["mailboxes"][0]["id"]
    assert (await planning.tell(a_ward_event("stay.admitted"))).status_code == 201
    scopes = ["notices:read", "notices:acknowledge"]
    who = bearer(planning.tokens.token("care-1", scopes=scopes, role="care", units=[CARE_CENTRE, OFFICE]))
    found = (await planning.mailbox(who, unit=CARE_CENTRE))["entries"]
    body = {"mailbox": office, "forwarded_by": "Karin Test"}
    sent = await planning.http.post(f"/v1/notices/{found[0]['id']}/forward", headers=who, json=body)
    assert (sent.status_code, sent.json()["code"]) == (422, "notice.mailbox_unknown")


async def test_a_municipality_keeps_its_own_part_only(planning: Planning) -> None:
    who = of_goteborg(planning)
    mine = {"organisation": GOTEBORG_NUMBER, "name": "Jour", "kind": "municipal", "mailboxes": [{"function": "on_call"}]}
    assert (await put(planning, f"/v1/units/SE{GOTEBORG_NUMBER}-J1", mine, who)).status_code == 200
    theirs = {"organisation": HARRYDA_NUMBER, "name": "Jour", "kind": "municipal"}
    for path, body in (
        (f"/v1/units/{HARRYDA_UNIT}", theirs),
        (f"/v1/units/{HARRYDA_UNIT}", mine | {"mailboxes": []}),
        ("/v1/addressing/municipality:1401", {"rules": []}),
        (f"/v1/organisations/{HARRYDA_NUMBER}", {"name": "Härryda"}),
    ):
        answer = await put(planning, path, body, who)
        assert (answer.status_code, answer.json()["code"]) == (403, "access.denied")
    reader = await put(planning, f"/v1/units/{GOTEBORG_UNIT}", mine, planning.municipality())
    assert (reader.status_code, reader.json()["code"]) == (403, "access.denied")


COMPANY = "5560000001"


def of_a_company(planning: Planning) -> dict[str, str]:
    token = planning.tokens.token(
        "foretag", scopes=["directory:write", "events:write", "reviews:decide"], role="care", organisation=COMPANY, units=[f"SE{COMPANY}-"]
    )
    return bearer(token)


async def test_whoever_is_no_municipality_is_not_the_region_for_that(planning: Planning) -> None:
    who = of_a_company(planning)
    assert (await put(planning, f"/v1/organisations/{COMPANY}", {"name": "Vård AB"})).status_code == 200
    mine = {"organisation": COMPANY, "name": "Vårdcentral", "kind": "care_centre", "mailboxes": [{"function": "care_unit"}]}
    assert (await put(planning, f"/v1/organisations/{COMPANY}", {"name": "Vård och Hälsa AB"}, who)).status_code == 200
    assert (await put(planning, f"/v1/units/SE{COMPANY}-V1", mine, who)).status_code == 200
    for path, body in (
        (f"/v1/organisations/{GOTEBORG_NUMBER}", {"name": "Göteborg", "municipality": GOTEBORG}),
        (f"/v1/units/{GOTEBORG_UNIT}", {"organisation": GOTEBORG_NUMBER, "name": "Jour", "kind": "municipal"}),
        (f"/v1/addressing/{RECIPIENT}", {"rules": []}),
        (f"/v1/organisations/{COMPANY}", {"name": "Vård AB", "municipality": "1499"}),
        (f"/v1/units/SE{REGION}-V9", mine),
        (f"/v1/units/SE{COMPANY}-K1", mine | {"kind": "office", "mailboxes": [{"function": "controller"}]}),
    ):
        answer = await put(planning, path, body, who)
        assert (answer.status_code, answer.json()["code"]) == (403, "access.denied"), path


async def test_a_company_confirms_no_outage_and_reads_its_own_only(planning: Planning) -> None:
    who = of_a_company(planning)
    body = {"started_at": "2026-10-01T08:00:00Z", "ended_at": "2026-10-01T09:00:00Z", "unit": WARD, "cause": "network"}
    stated = await planning.http.post("/v1/outages", json=body, headers=planning.ward | {"Idempotency-Key": "k1"})
    assert stated.status_code == 201, stated.text
    asked = f"/v1/outages/{stated.json()['id']}/confirmation"
    answer = await planning.http.post(asked, json={"confirmed_by": "Kim Test"}, headers=who | {"Idempotency-Key": "k2"})
    assert answer.status_code == 404, answer.text
    assert (await planning.http.get("/v1/outages", headers=who)).json()["outages"] == []


async def test_a_team_of_two_organisations_shares_a_mailbox_and_its_cases(planning: Planning) -> None:
    members = [{"unit": unit, "valid_from": "2020-01-01"} for unit in (CARE_CENTRE, HARRYDA_UNIT)]
    gone = {"unit": GOTEBORG_UNIT, "valid_from": "2020-01-01", "valid_to": "2020-12-31"}
    body = {"organisation": REGION, "name": "Mobil närvård", "kind": "team", "mailboxes": [{"function": "team"}]}
    answer = await put(planning, f"/v1/units/{TEAM}", body | {"members": [*members, gone]})
    assert answer.status_code == 200, answer.text
    (box,) = answer.json()["mailboxes"]
    case = (await planning.tell(a_ward_event(data=admission_data(needs=["outpatient"], outpatient_unit=TEAM)))).json()["case_id"]
    for who, status in ((planning.care, 200), (planning.municipality("1401"), 200), (planning.municipality(), 404)):
        await planning.number()
        read = await planning.http.get("/v1/notices", params={"mailbox": box["id"]}, headers=who)
        assert read.status_code == (await planning.http.get(f"/v1/cases/{case}", headers=who)).status_code == status


async def test_a_duty_calendar_says_who_reads_a_mailbox_now(planning: Planning) -> None:
    unit = {"organisation": GOTEBORG_NUMBER, "name": "Jour", "kind": "municipal", "mailboxes": [{"function": "on_call"}]}
    (jour,) = (await put(planning, f"/v1/units/SE{GOTEBORG_NUMBER}-J1", unit)).json()["mailboxes"]
    own = next(
        box["id"]
        for box in (await planning.http.get("/v1/mailboxes", headers=planning.municipality())).json()["mailboxes"]
        if box["function"] == "municipality"
    )
    address = f"/v1/mailboxes/{own}/duty-calendar"
    assert (await planning.http.get(address, headers=planning.ward)).status_code == 404
    week = {day: [{"start": "08:00", "end": "16:30"}] for day in ("mon", "tue", "wed", "thu", "fri")}
    body = {"weekly": week, "closed": ["2026-11-05"], "outside": "on_call"}
    answer = await put(planning, address, body)
    assert (answer.status_code, answer.json()["outside"]) == (200, jour["id"]), answer.text
    async with planning.database.transaction() as work:
        for instant, mailbox in (("2026-11-06T10:00:00+01:00", own), ("2026-11-06T18:00:00+01:00", jour["id"])):
            assert str(await reading_mailbox(work, UUID(own), parse_instant(instant))) == mailbox


FILE = """record,id,organisation,name,kind,municipality,function,need,valid_from,unit,hours,outside
addressing,municipality:1488,,,,,social_services,municipal_social,2026-01-01,,,
mailbox,SE2120001470-E1,,,,,social_services,,,,,
mailbox,SE2120001470-E1,,,,,on_call,,,,,
duty_calendar,municipality:1488,,,,,social_services,,,,mon 08:00-16:30,on_call
unit,SE2120001470-E1,2120001470,Bistånd,municipal,,,,,,,
organisation,2120001470,,Trollhättan,,1488,,,,,,
mailbox,SE2120001470-E9,,,,,on_call,,,,,
organisation,2120001471,,Fel siffra,,,,,,,,
"""


async def test_a_file_is_rehearsed_entered_and_entered_again(planning: Planning, tmp_path: Path) -> None:
    path = tmp_path / "directory.csv"
    path.write_text(FILE, encoding="utf-8")
    rows = read_rows(path)
    entries = [row.entry for row in rows if row.entry is not None]
    url = planning.database.engine.url.render_as_string(hide_password=False)
    rehearsed = await enter_all(url, entries, dry_run=True)
    assert await facts(planning) == []
    entered = await enter_all(url, entries, dry_run=False)
    assert report(rows, rehearsed) == report(rows, entered)
    assert report(rows, entered) == {
        "addressing": {"added": 1},
        "mailbox": {"added": 2, "rejected": 1},
        "duty_calendar": {"added": 1},
        "unit": {"added": 1},
        "organisation": {"added": 1, "rejected": 1},
    }
    assert refusals(rows, entered) == [
        (8, "mailbox", "SE2120001470-E9", "unit_unknown"),
        (9, "organisation", "2120001471", "organisation_number.check_digit"),
    ]
    assert {told["entry"] for told in await facts(planning)} == {"addressing", "mailbox", "duty_calendar", "unit", "organisation"}
    again = await enter_all(url, entries, dry_run=False)
    assert {outcome.change for outcome in again} == {"unchanged", None}
    found = (await planning.http.get("/v1/addressing/municipality:1488", headers=planning.ward)).json()["rules"]
    assert [(rule["function"], rule["need"]) for rule in found] == [("social_services", "municipal_social")]
