"""The directory's days and stay spaces: who is reached when, what is told when an entry goes, and a whole county from one file."""

import csv
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from dirigent.county.load import load_county
from dirigent.importing.command import enter_all, refusals, report
from dirigent.importing.directory_file import HEADER, read_rows
from shared.dates import format_instant, local_date, now
from tests.builders import CARE_CENTRE, GOTEBORG, HARRYDA, OTHER_WARD, WARD, a_ward_event
from tests.integration.planning.conftest import GOTEBORG_NUMBER, GOTEBORG_UNIT, HARRYDA_NUMBER, HARRYDA_UNIT, Planning
from tests.integration.planning.plan_calls import ADULT, care, done, post, refused
from tests.integration.planning.test_directory import RECIPIENT, TEAM, facts, of_goteborg, put
from tests.integration.planning.test_reminders import tell
from tests.services import REGION, bearer

CENTRE: dict[str, Any] = {"organisation": REGION, "name": "Vårdcentral 1", "kind": "care_centre"}
MUNICIPAL: dict[str, Any] = {"organisation": GOTEBORG_NUMBER, "name": "Socialtjänst", "kind": "municipal"}
A_WARD: dict[str, Any] = {"organisation": REGION, "name": "Avdelning 1", "kind": "ward"}

THERE = {GOTEBORG: (GOTEBORG_NUMBER, GOTEBORG_UNIT), HARRYDA: (HARRYDA_NUMBER, HARRYDA_UNIT)}
"""What the directory of the tests has already."""


def today() -> date:
    return local_date(now())


async def admit(planning: Planning, number: int = 1, **changed: Any) -> dict[str, Any]:
    event = a_ward_event(id=f"SU-{number}", subject=f"stay-{number}", time=format_instant(now() - timedelta(minutes=1)), **changed)
    wards = bearer(planning.tokens.token("wards", scopes=["events:write"], units=[f"SE{REGION}-"]))
    answer = await planning.tell(event, **wards)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def codes(answer: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in answer["findings"]}


@pytest.mark.parametrize(
    ("days", "reached"),
    [({"valid_to": -1}, False), ({"valid_to": 0}, True), ({"valid_from": 1}, False), ({"valid_from": 0}, True)],
    ids=["ended yesterday", "ends today", "begins tomorrow", "begins today"],
)
async def test_a_unit_is_reached_by_a_new_stay_only_on_the_days_it_stands(planning: Planning, days: dict[str, int], reached: bool) -> None:
    dated = {name: (today() + timedelta(days=ahead)).isoformat() for name, ahead in days.items()}
    assert (await put(planning, f"/v1/units/{CARE_CENTRE}", CENTRE | dated)).status_code == 200
    answer = await admit(planning)
    assert ("outpatient_unit_unknown" not in codes(answer)) is reached
    assert bool((await planning.mailbox(planning.care))["entries"]) is reached
    assert (await planning.http.get(f"/v1/cases/{answer['case_id']}", headers=planning.care)).status_code == (200 if reached else 404)


async def test_an_organisation_that_has_ended_is_not_reached_either(planning: Planning) -> None:
    body = {"name": "Göteborg", "municipality": GOTEBORG, "valid_to": (today() - timedelta(days=1)).isoformat()}
    assert (await put(planning, f"/v1/organisations/{GOTEBORG_NUMBER}", body)).status_code == 200
    assert "municipality_unknown" in codes(await admit(planning))
    assert (await planning.mailbox(planning.municipality()))["entries"] == []


async def test_who_closes_during_a_stay_stays_its_party_and_gets_what_follows(planning: Planning) -> None:
    await tell(planning, "stay.admitted", now() - timedelta(days=3))
    closed = CENTRE | {"valid_to": (today() - timedelta(days=1)).isoformat()}
    assert (await put(planning, f"/v1/units/{CARE_CENTRE}", closed)).status_code == 200
    await tell(planning, "stay.ready", now(), id="SU-2")
    entries = (await planning.mailbox(planning.care))["entries"]
    assert [entry["type"] for entry in entries] == ["notice.admission", "notice.ready"]
    assert (await planning.http.get(f"/v1/cases/{entries[0]['case_id']}", headers=planning.care)).status_code == 200
    assert "outpatient_unit_unknown" in codes(await admit(planning, 3)), "a new stay does not reach it"


async def test_an_end_entered_for_days_gone_by_takes_back_what_was_sent_after_it(planning: Planning) -> None:
    await admit(planning)
    closed = CENTRE | {"valid_to": (today() - timedelta(days=1)).isoformat()}
    assert (await put(planning, f"/v1/units/{CARE_CENTRE}", closed)).status_code == 200
    await planning.tell(a_ward_event("stay.ready", id="SU-r", subject="stay-1", time=format_instant(now())))
    types = [entry["type"] for entry in (await planning.mailbox(planning.care))["entries"]]
    assert types == ["notice.admission", "notice.cancelled"]


async def test_of_several_mailboxes_those_at_units_that_stand_are_taken(planning: Planning) -> None:
    new_unit = f"SE{GOTEBORG_NUMBER}-NY"
    boxes = {"mailboxes": [{"function": "social_services"}]}
    assert (await put(planning, f"/v1/units/{new_unit}", MUNICIPAL | boxes)).status_code == 200
    closed = MUNICIPAL | {"valid_to": (today() - timedelta(days=1)).isoformat()}
    assert (await put(planning, f"/v1/units/{GOTEBORG_UNIT}", closed)).status_code == 200
    await admit(planning)
    found = (await planning.http.get("/v1/mailboxes", headers=planning.municipality())).json()["mailboxes"]
    by_function = {box["function"]: box["id"] for box in found}
    counts = {name: len((await planning.mailbox(planning.municipality(), mailbox=box))["entries"]) for name, box in by_function.items()}
    assert counts == {"municipality": 0, "social_services": 1}


async def test_nothing_is_sent_on_to_a_unit_that_has_closed(planning: Planning) -> None:
    home = f"SE{GOTEBORG_NUMBER}-H1"
    boxes = {"mailboxes": [{"function": "health_care"}]}
    (box,) = (await put(planning, f"/v1/units/{home}", MUNICIPAL | boxes)).json()["mailboxes"]
    await put(planning, f"/v1/units/{home}", MUNICIPAL | {"valid_to": (today() - timedelta(days=1)).isoformat()})
    await admit(planning)
    own = next(
        one["id"]
        for one in (await planning.http.get("/v1/mailboxes", headers=planning.municipality())).json()["mailboxes"]
        if one["function"] == "municipality"
    )
    notice = (await planning.mailbox(planning.municipality(), mailbox=own))["entries"][0]["id"]
    on = post(planning, planning.municipality(), f"/v1/notices/{notice}/forward", {"mailbox": box["id"], "forwarded_by": "Maja Test"})
    assert await refused(on) == (422, "notice.mailbox_unknown")


async def test_a_unit_that_has_closed_is_not_called_to_a_plan(planning: Planning) -> None:
    closed = MUNICIPAL | {"valid_to": (today() - timedelta(days=1)).isoformat()}
    assert (await put(planning, f"/v1/units/{GOTEBORG_UNIT}", closed)).status_code == 200
    plan = (await done(post(planning, care(planning), "/v1/plans", {"person": ADULT, "consent": "given"})))["id"]
    call = post(planning, care(planning), f"/v1/plans/{plan}/invitations", {"units": [GOTEBORG_UNIT]})
    assert await refused(call) == (422, "plan.unit_unknown")


async def test_rules_and_members_that_go_are_told_as_removed_and_what_stays_is_not_told(planning: Planning) -> None:
    unit = MUNICIPAL | {"mailboxes": [{"function": "on_call"}, {"function": "health_care"}]}
    await put(planning, f"/v1/units/{GOTEBORG_UNIT}", unit)
    both = [{"function": name, "valid_from": "2020-01-01"} for name in ("on_call", "health_care")]
    members = [{"unit": one, "valid_from": "2020-01-01"} for one in (CARE_CENTRE, HARRYDA_UNIT)]
    team = {"organisation": REGION, "name": "Mobil närvård", "kind": "team"}
    for rules, who in ((both, members), (both, members), (both[:1], members[:1])):
        assert (await put(planning, f"/v1/addressing/{RECIPIENT}", {"rules": rules})).status_code == 200
        assert (await put(planning, f"/v1/units/{TEAM}", team | {"members": who})).status_code == 200
    told = {(fact["entry"], fact["key"], fact["change"]) for fact in await facts(planning) if fact["entry"] in {"addressing", "member"}}
    assert told == {
        ("addressing", f"{RECIPIENT}/on_call/", "added"),
        ("addressing", f"{RECIPIENT}/health_care/", "added"),
        ("addressing", f"{RECIPIENT}/health_care/", "removed"),
        ("member", f"{TEAM}/{CARE_CENTRE}", "added"),
        ("member", f"{TEAM}/{HARRYDA_UNIT}", "added"),
        ("member", f"{TEAM}/{HARRYDA_UNIT}", "removed"),
    }
    shown = (await planning.http.get(f"/v1/addressing/{RECIPIENT}", headers=planning.ward)).json()["rules"]
    assert [rule["function"] for rule in shown] == ["on_call"]


async def test_two_wards_of_one_stay_space_share_a_case_and_of_two_do_not(planning: Planning) -> None:
    await put(planning, f"/v1/units/{WARD}", A_WARD | {"stay_space": "SU"})
    answer = await put(planning, f"/v1/units/{OTHER_WARD}", A_WARD | {"stay_space": "NAL"})
    assert (answer.status_code, answer.json()["stay_space"]) == (200, "NAL")
    third = f"SE{REGION}-E000000000103"
    await put(planning, f"/v1/units/{third}", A_WARD | {"stay_space": "SU"})
    found = [(await admit(planning, source=f"urn:hsa:{ward}"))["case_id"] for ward in (WARD, third, OTHER_WARD)]
    assert (found[0] == found[1], found[0] == found[2]) == (True, False)


async def test_the_stay_space_of_a_ward_with_stays_stands(planning: Planning) -> None:
    await admit(planning)
    kept = await put(planning, f"/v1/units/{WARD}", A_WARD)
    assert (kept.status_code, kept.json()["stay_space"]) == (200, None)
    same = await put(planning, f"/v1/units/{WARD}", A_WARD | {"stay_space": REGION})
    assert same.status_code == 200, "the care provider is what it counted within"
    changed = await put(planning, f"/v1/units/{WARD}", A_WARD | {"stay_space": "SU"})
    assert (changed.status_code, changed.json()["code"]) == (409, "directory.stay_space_in_use")


async def test_nobody_counts_within_the_stay_space_of_another_organisation(planning: Planning) -> None:
    await put(planning, f"/v1/units/{WARD}", A_WARD | {"stay_space": "SU"})
    own = {"organisation": GOTEBORG_NUMBER, "name": "Korttid", "kind": "ward"}
    for space in ("SU", REGION):
        answer = await put(planning, f"/v1/units/SE{GOTEBORG_NUMBER}-K1", own | {"stay_space": space}, of_goteborg(planning))
        assert (answer.status_code, answer.json()["code"]) == (409, "directory.stay_space_taken")
    centre = await put(planning, f"/v1/units/{CARE_CENTRE}", CENTRE | {"stay_space": "SU"})
    assert centre.status_code == 422


def write_county(path: Path) -> int:
    """The demo county as a file: for each municipality two units, three mailboxes, rules and a duty calendar; care centres and wards."""
    county = load_county()
    lines: list[dict[str, str]] = [{"record": "organisation", "id": county.organisation, "name": "Region"}]
    for one in county.municipalities:
        number, unit = THERE.get(one.code, (one.organisation, one.unit))
        recipient, home = f"municipality:{one.code}", f"{unit}H"
        lines += [
            {"record": "organisation", "id": number, "name": one.name, "municipality": one.code},
            {"record": "unit", "id": unit, "organisation": number, "name": "Socialtjänst", "kind": "municipal"},
            {"record": "unit", "id": home, "organisation": number, "name": "Hemsjukvård", "kind": "municipal"},
            {"record": "mailbox", "id": unit, "function": "municipality"},
            {"record": "mailbox", "id": home, "function": "health_care"},
            {"record": "mailbox", "id": unit, "function": "on_call"},
            {"record": "addressing", "id": recipient, "function": "health_care", "need": "municipal_health", "valid_from": "2026-01-01"},
            {
                "record": "duty_calendar",
                "id": recipient,
                "function": "municipality",
                "hours": "mon 08:00-16:30, fri 08:00-15:00",
                "outside": "on_call",
            },
        ]
    lines.append({"record": "unit", "id": f"SE{REGION}-AVD1", "organisation": REGION, "name": "Avd", "kind": "ward", "stay_space": "SU"})
    lines.append(
        {"record": "unit", "id": f"SE{REGION}-VC1", "organisation": REGION, "name": "Vc", "kind": "care_centre", "stay_space": "SU"}
    )
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerows(lines)
    return len(county.municipalities)


async def test_a_file_of_49_municipalities_is_rehearsed_with_a_report_and_entered(planning: Planning, tmp_path: Path) -> None:
    path = tmp_path / "county.csv"
    assert write_county(path) == 49
    rows = read_rows(path)
    entries = [row.entry for row in rows if row.entry is not None]
    url = planning.database.engine.url.render_as_string(hide_password=False)
    rehearsed = await enter_all(url, entries, dry_run=True)
    assert len((await planning.http.get("/v1/organisations", headers=planning.ward)).json()["organisations"]) == 3
    entered = await enter_all(url, entries, dry_run=False)
    counts = report(rows, entered)
    assert counts == report(rows, rehearsed)
    assert counts["addressing"] == counts["duty_calendar"] == {"added": 49}
    assert counts["organisation"].keys() <= {"added", "changed", "unchanged"}
    assert sum(counts["mailbox"].values()) == 3 * 49
    assert refusals(rows, entered) == [(len(rows) + 1, "unit", f"SE{REGION}-VC1", "stay_space_of_ward_only")]
    found = (await planning.http.get("/v1/organisations", headers=planning.ward)).json()["organisations"]
    assert len([one for one in found if one["municipality"]]) == 49
