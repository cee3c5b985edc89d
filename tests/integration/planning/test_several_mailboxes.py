"""Municipalities with several mailboxes: what goes where, what is sent on, what is returned as wrongly addressed."""

import asyncio
from typing import Any

import httpx
import pytest

from services.planning.usecases import DirectoryEntries, MailboxAt, Unit, load_directory
from services.planning.usecases.billing_facts import INVOICE_ISSUED, tell_invoices
from shared.events.facts import InvoiceIssued
from shared.identifiers import uuid7
from shared.streams.consumer import Delivered
from tests.builders import CARE_CENTRE, GOTEBORG, HARRYDA, START, WARD, a_person, a_ward_event, admission_data
from tests.integration.planning.conftest import GOTEBORG_NUMBER, GOTEBORG_UNIT, Planning
from tests.integration.planning.plan_calls import facts
from tests.services import REGION, bearer

SOCIAL_UNIT, HEALTH_UNIT = f"SE{GOTEBORG_NUMBER}-S1", f"SE{GOTEBORG_NUMBER}-H1"
RECIPIENT = f"municipality:{GOTEBORG}"
UNKNOWN = "0190a000-0000-7000-8000-000000000000"


def keeper(planning: Planning) -> dict[str, str]:
    return bearer(planning.tokens.token("controller", scopes=["directory:write"], role="controller"))


def ward(planning: Planning) -> dict[str, str]:
    scopes = ["events:write", "cases:read", "notices:read", "notices:acknowledge"]
    return bearer(planning.tokens.token("ward-su", scopes=scopes, units=[WARD]))


async def with_several(planning: Planning) -> dict[str, str]:
    """Göteborg gets mailboxes by function; their ids by function."""
    units = [Unit(SOCIAL_UNIT, GOTEBORG_NUMBER, "Bistånd", "municipal"), Unit(HEALTH_UNIT, GOTEBORG_NUMBER, "Hemsjukvård", "municipal")]
    boxes = [
        MailboxAt(SOCIAL_UNIT, GOTEBORG_NUMBER, RECIPIENT, "social_services"),
        MailboxAt(HEALTH_UNIT, GOTEBORG_NUMBER, RECIPIENT, "health_care"),
        MailboxAt(GOTEBORG_UNIT, GOTEBORG_NUMBER, RECIPIENT, "controller"),
        MailboxAt(WARD, REGION, f"unit:{WARD}", "ward"),
    ]
    async with planning.database.transaction() as work:
        await load_directory(work, DirectoryEntries((), units, boxes))
    rules = [
        {"function": "social_services", "need": "municipal_social", "valid_from": "2020-01-01"},
        {"function": "health_care", "need": "municipal_health", "valid_from": "2020-01-01"},
    ]
    answer = await planning.http.put(f"/v1/addressing/{RECIPIENT}", json={"rules": rules}, headers=keeper(planning))
    assert answer.status_code == 200, answer.text
    found = (await planning.http.get("/v1/mailboxes", headers=planning.municipality())).json()["mailboxes"]
    return {box["function"]: box["id"] for box in found}


async def entries(planning: Planning, mailbox: str, who: dict[str, str] | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await planning.mailbox(who or planning.municipality(), mailbox=mailbox))["entries"]
    return found


def types(found: list[dict[str, Any]]) -> list[str]:
    return [entry["type"].removeprefix("notice.") for entry in found]


async def post(planning: Planning, path: str, body: dict[str, Any], who: dict[str, str] | None = None) -> httpx.Response:
    return await planning.http.post(path, json=body, headers=who or planning.municipality())


async def test_each_need_reaches_its_own_mailbox_and_nothing_reaches_the_others(planning: Planning) -> None:
    boxes = await with_several(planning)
    await planning.tell(a_ward_event())
    await planning.tell(a_ward_event(id="SU-2", subject="another", data=admission_data(needs=["municipal_social"])))
    assert types(await entries(planning, boxes["social_services"])) == ["admission", "admission"]
    assert types(await entries(planning, boxes["health_care"])) == ["admission"]
    assert types(await entries(planning, boxes["municipality"])) == types(await entries(planning, boxes["controller"])) == []


async def test_a_need_that_goes_takes_its_mailbox_s_notices_back_and_one_that_comes_brings_them(planning: Planning) -> None:
    boxes = await with_several(planning)
    await planning.tell(a_ward_event(data=admission_data(needs=["municipal_social"])))
    await planning.tell(a_ward_event(id="SU-2", data=admission_data(needs=["municipal_health"], corrects="SU-1")))
    assert types(await entries(planning, boxes["social_services"])) == ["admission", "cancelled"]
    assert types(await entries(planning, boxes["health_care"])) == ["admission"]


async def test_a_unit_names_its_mailbox_where_the_caller_has_several(planning: Planning) -> None:
    await with_several(planning)
    await planning.tell(a_ward_event())
    who = planning.municipality()
    ambiguous = await planning.http.get("/v1/notices", headers=who)
    assert (ambiguous.status_code, ambiguous.json()["code"]) == (400, "mailbox.ambiguous")
    assert types((await planning.mailbox(who, unit=SOCIAL_UNIT))["entries"]) == ["admission"]
    foreign = await planning.http.get("/v1/notices", headers=who, params={"unit": CARE_CENTRE})
    assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")


async def test_what_is_about_money_reaches_the_controller_s_mailbox(planning: Planning) -> None:
    boxes = await with_several(planning)
    fact = InvoiceIssued(number="2026-000001", municipality=GOTEBORG, month="2026-10", amount="65600.00", issued_at=START)
    async with planning.database.transaction() as work:
        await tell_invoices(work, [Delivered(1, uuid7(), None, fact)])
    assert [entry["type"] for entry in await entries(planning, boxes["controller"])] == [INVOICE_ISSUED]
    assert await entries(planning, boxes["municipality"]) == []


async def test_a_notice_that_is_sent_on_stands_in_both_mailboxes_with_the_trace(planning: Planning) -> None:
    boxes = await with_several(planning)
    await planning.tell(a_ward_event(data=admission_data(needs=["municipal_social"])))
    (notice,) = await entries(planning, boxes["social_services"])
    body = {"mailbox": boxes["health_care"], "forwarded_by": "Anna Test"}
    first = await post(planning, f"/v1/notices/{notice['id']}/forward", body)
    again = await post(planning, f"/v1/notices/{notice['id']}/forward", body)
    assert (first.status_code, again.json()) == (201, first.json()), first.text
    (copy,) = await entries(planning, boxes["health_care"])
    assert copy["id"] == first.json()["forwarded_as"]
    assert copy["about"]["forwarded_from"] == notice["id"]
    assert (copy["sent_at"], copy["legal_basis"], copy["acknowledge_by"]) == (
        notice["sent_at"],
        notice["legal_basis"],
        notice["acknowledge_by"],
    )
    assert copy["personal"]["person"] == notice["personal"]["person"]
    assert copy["personal"]["salt"] != notice["personal"]["salt"]
    standing = (await planning.http.get(f"/v1/notices/{notice['id']}", headers=planning.municipality())).json()["standing"]
    assert (standing["forwarded_to"], standing["forwarded_as"], standing["forwarded_by"]) == (boxes["health_care"], copy["id"], "Anna Test")
    history = (await planning.http.get(f"/v1/cases/{notice['case_id']}/history", headers=planning.municipality())).json()["history"]
    assert [line["what"] for line in history] == ["stay.admitted", "notice.forwarded"]
    (fact,) = await facts(planning, "notice.forwarded")
    assert (fact["notice_id"], fact["forwarded_as"], fact["mailbox"]) == (notice["id"], copy["id"], boxes["health_care"])
    assert "Anna" not in str(fact)


async def test_a_copy_follows_its_notice(planning: Planning) -> None:
    boxes = await with_several(planning)
    await planning.tell(a_ward_event(data=admission_data(needs=["municipal_social"])))
    (notice,) = await entries(planning, boxes["social_services"])
    await post(planning, f"/v1/notices/{notice['id']}/forward", {"mailbox": boxes["health_care"], "forwarded_by": "Anna Test"})
    changed = a_person(name={"given": "Test", "family": "Annansson"})
    await planning.tell(a_ward_event(id="SU-2", data=admission_data(needs=["municipal_social"], person=changed, corrects="SU-1")))
    copy, newer = await entries(planning, boxes["health_care"])
    assert newer["supersedes"] == copy["id"]
    await planning.tell(a_ward_event("stay.event_cancelled", id="SU-3", time="2026-11-03T16:00:00+01:00"))
    assert types(await entries(planning, boxes["health_care"])) == ["admission", "admission", "cancelled"]


async def test_a_copy_that_is_taken_on_starts_the_planning(planning: Planning) -> None:
    boxes = await with_several(planning)
    case = (await planning.tell(a_ward_event(data=admission_data(needs=["municipal_social"])))).json()["case_id"]
    (notice,) = await entries(planning, boxes["social_services"])
    copy = await post(planning, f"/v1/notices/{notice['id']}/forward", {"mailbox": boxes["health_care"], "forwarded_by": "Anna Test"})
    await planning.number()
    taken = await post(planning, f"/v1/notices/{copy.json()['forwarded_as']}/acknowledgement", {"acknowledged_by": "Bo Test"})
    assert taken.status_code == 201
    assert (await planning.http.get(f"/v1/cases/{case}", headers=planning.municipality())).json()["state"] == "planning"


async def test_a_notice_leaves_its_organisation_by_no_forwarding(planning: Planning) -> None:
    boxes = await with_several(planning)
    await planning.tell(a_ward_event())
    (notice,) = await entries(planning, boxes["social_services"])
    (care,) = (await planning.http.get("/v1/mailboxes", headers=planning.care)).json()["mailboxes"]
    for mailbox in (care["id"], UNKNOWN, boxes["social_services"]):
        answer = await post(planning, f"/v1/notices/{notice['id']}/forward", {"mailbox": mailbox, "forwarded_by": "Anna Test"})
        assert (answer.status_code, answer.json()["code"]) == (422, "notice.mailbox_unknown")
    foreign = {"mailbox": boxes["health_care"], "forwarded_by": "Anna Test"}
    answer = await post(planning, f"/v1/notices/{notice['id']}/forward", foreign, planning.municipality(HARRYDA))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_care_centre_forwards_to_none_of_the_others_that_share_its_region(planning: Planning) -> None:
    other = "SE2321000131-E000000000902"
    async with planning.database.transaction() as work:
        entered = DirectoryEntries(
            (), [Unit(other, REGION, "Vårdcentral 2", "care_centre")], [MailboxAt(other, REGION, f"unit:{other}", "care_unit")]
        )
        await load_directory(work, entered)
    await planning.tell(a_ward_event())
    (notice,) = (await planning.mailbox(planning.care))["entries"]
    there = bearer(planning.tokens.token("care-2", scopes=["notices:read"], role="care", units=[other]))
    (mailbox,) = (await planning.http.get("/v1/mailboxes", headers=there)).json()["mailboxes"]
    body = {"mailbox": mailbox["id"], "forwarded_by": "Anna Test"}
    answer = await post(planning, f"/v1/notices/{notice['id']}/forward", body, planning.care)
    assert (answer.status_code, answer.json()["code"]) == (422, "notice.mailbox_unknown")
    assert (await planning.mailbox(there))["entries"] == []


async def test_what_was_sent_on_once_is_sent_on_from_its_copy(planning: Planning) -> None:
    boxes = await with_several(planning)
    await planning.tell(a_ward_event(data=admission_data(needs=["municipal_social"])))
    (notice,) = await entries(planning, boxes["social_services"])
    address = f"/v1/notices/{notice['id']}/forward"
    first = await post(planning, address, {"mailbox": boxes["health_care"], "forwarded_by": "Anna Test"})
    other = await post(planning, address, {"mailbox": boxes["controller"], "forwarded_by": "Anna Test"})
    assert (other.status_code, other.json()["code"]) == (409, "notice.forwarded")
    onward = f"/v1/notices/{first.json()['forwarded_as']}/forward"
    assert (await post(planning, onward, {"mailbox": boxes["controller"], "forwarded_by": "Bo Test"})).status_code == 201
    assert types(await entries(planning, boxes["controller"])) == ["admission"]


async def a_return(planning: Planning) -> tuple[str, dict[str, str], dict[str, Any]]:
    """A stay whose admission notice Göteborg's social services return; the case, the mailboxes, the notice."""
    boxes = await with_several(planning)
    case = (await planning.tell(a_ward_event())).json()["case_id"]
    await planning.tell(a_ward_event("stay.ready", id="SU-2", time="2026-11-05T10:00:00+01:00"))
    notice, _ready = await entries(planning, boxes["social_services"])
    body = {"returned_by": "Anna Test", "reason": "Inte folkbokförd här"}
    first = await post(planning, f"/v1/notices/{notice['id']}/return", body)
    assert (first.status_code, first.json()["state"]) == (201, "returned"), first.text
    assert (await post(planning, f"/v1/notices/{notice['id']}/return", body)).json() == first.json()
    return case, boxes, notice


async def test_who_returns_a_notice_loses_the_case_and_everything_personal_in_all_its_mailboxes(planning: Planning) -> None:
    case, boxes, notice = await a_return(planning)
    who = planning.municipality()
    assert (await planning.http.get(f"/v1/cases/{case}", headers=who)).status_code == 404
    assert types(await entries(planning, boxes["social_services"])) == ["admission", "ready", "cancelled"]
    assert types(await entries(planning, boxes["health_care"])) == ["admission", "ready", "cancelled", "cancelled"]
    for box in ("social_services", "health_care"):
        for entry in (await entries(planning, boxes[box]))[:2]:
            assert set(entry["personal"]) == {"withheld", "at", "basis"}
            assert entry["personal"]["withheld"] == "returned"
            assert "2009:400" in entry["personal"]["basis"]
    assert a_person()["id"] not in (await planning.http.get(f"/v1/notices/{notice['id']}", headers=who)).text
    standing = (await planning.http.get(f"/v1/notices/{notice['id']}", headers=who)).json()["standing"]
    assert (standing["state"], standing["returned_by"]) == ("returned", "Anna Test")


async def test_the_chain_of_a_mailbox_still_verifies_when_something_is_withheld(planning: Planning) -> None:
    _, boxes, _ = await a_return(planning)
    found = await entries(planning, boxes["social_services"])
    digest = await planning.http.get(
        "/v1/notices/digest", params={"through": len(found), "mailbox": boxes["social_services"]}, headers=planning.municipality()
    )
    assert digest.json()["hash"] == found[-1]["hash"]


async def test_the_ward_finds_the_return_in_its_mailbox_and_on_the_case(planning: Planning) -> None:
    case, _, notice = await a_return(planning)
    found = (await planning.mailbox(ward(planning), unit=WARD))["entries"]
    told = next(entry for entry in found if entry["type"] == "notice.returned")
    assert told["about"] == {"notice_id": notice["id"], "recipient": RECIPIENT}
    assert told["personal"]["content"] == {"reason": "Inte folkbokförd här", "returned_by": "Anna Test"}
    shown = (await planning.http.get(f"/v1/cases/{case}", headers=ward(planning))).json()
    assert [finding["about"] for finding in shown["findings"] if finding["code"] == "wrongly_addressed"] == [GOTEBORG]
    assert [party["recipient"] for party in shown["parties"]] == [f"unit:{CARE_CENTRE}"]


async def test_the_right_municipality_hears_of_everything_once_the_ward_corrects(planning: Planning) -> None:
    case, boxes, _ = await a_return(planning)
    right = admission_data(person=a_person(registered_municipality=HARRYDA), corrects="SU-1")
    await planning.tell(a_ward_event(id="SU-3", data=right))
    assert types((await planning.mailbox(planning.municipality(HARRYDA)))["entries"]) == ["admission", "ready"]
    assert (await planning.http.get(f"/v1/cases/{case}", headers=planning.municipality(HARRYDA))).status_code == 200
    assert types(await entries(planning, boxes["social_services"])) == ["admission", "ready", "cancelled"]


async def test_a_municipality_that_a_correction_takes_out_loses_what_is_personal_too(planning: Planning) -> None:
    case = (await planning.tell(a_ward_event())).json()["case_id"]
    right = admission_data(person=a_person(registered_municipality=HARRYDA), corrects="SU-1")
    await planning.tell(a_ward_event(id="SU-2", data=right))
    admission, cancelled = (await planning.mailbox(planning.municipality()))["entries"]
    assert (admission["personal"]["withheld"], cancelled["type"]) == ("returned", "notice.cancelled")
    assert (await planning.http.get(f"/v1/cases/{case}", headers=planning.municipality())).status_code == 404


async def test_what_is_not_about_a_stay_or_was_taken_back_cannot_be_returned(planning: Planning) -> None:
    boxes = await with_several(planning)
    await planning.tell(a_ward_event())
    await planning.tell(a_ward_event("stay.event_cancelled", id="SU-2", time="2026-11-03T16:00:00+01:00"))
    admission, cancelled = await entries(planning, boxes["social_services"])
    body = {"returned_by": "Anna Test", "reason": "Fel"}
    for notice, code in ((admission, "notice.cancelled"), (cancelled, "notice.not_returnable")):
        answer = await post(planning, f"/v1/notices/{notice['id']}/return", body)
        assert (answer.status_code, answer.json()["code"]) == (409, code)


async def test_two_returns_at_once_leave_one(planning: Planning) -> None:
    boxes = await with_several(planning)
    await planning.tell(a_ward_event())
    (notice,) = await entries(planning, boxes["social_services"])
    answers = await asyncio.gather(
        *(
            post(planning, f"/v1/notices/{notice['id']}/return", {"returned_by": name, "reason": "Fel"})
            for name in ("Anna Test", "Bo Test") * 3
        )
    )
    assert sorted({answer.status_code for answer in answers}) == [201, 409]
    assert len({answer.json()["returned_by"] for answer in answers if answer.status_code == 201}) == 1
    assert types((await planning.mailbox(ward(planning), unit=WARD))["entries"]).count("returned") == 1


@pytest.mark.parametrize("body", [{}, {"returned_by": "Anna Test"}, {"returned_by": "Anna Test", "reason": ""}, {"reason": "Fel"}])
async def test_a_return_names_a_person_and_a_reason(planning: Planning, body: dict[str, Any]) -> None:
    await planning.tell(a_ward_event())
    (notice,) = (await planning.mailbox(planning.municipality()))["entries"]
    answer = await post(planning, f"/v1/notices/{notice['id']}/return", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "request.malformed")
