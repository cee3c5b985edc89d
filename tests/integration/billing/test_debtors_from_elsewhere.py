"""Patients from outside the region fall under the statute; their municipality is a debtor like any other, once somebody has entered it."""

from typing import Any

from shared.dates import format_instant, now
from tests.integration.billing.parts import Billing, a_notice, a_poll, a_stay_fact

STOCKHOLM, MONTH = "0180", "2026-03"
ENTRY = {"valid_from": "2026-01-01", "name": "Stockholms stad", "organisation": "2120000142"}


async def read_months(billing: Billing, who: dict[str, str]) -> dict[str, Any]:
    answer = await billing.get(f"/v1/months/{MONTH}", who)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def enter(billing: Billing) -> None:
    headers = billing.controller() | {"Idempotency-Key": "stockholm"}
    answer = await billing.http.put(f"/v1/debtors/{STOCKHOLM}", headers=headers, json=ENTRY)
    assert answer.status_code == 200, answer.text


async def test_money_of_a_municipality_that_nobody_entered_as_debtor_is_seen(billing: Billing) -> None:
    await billing.price()
    await billing.tell(a_stay_fact(12), a_stay_fact(12, municipality=STOCKHOLM), a_stay_fact(1, municipality="0181"))
    assert (await read_months(billing, billing.controller()))["without_debtor"] == [STOCKHOLM]
    assert (await read_months(billing, billing.municipality()))["without_debtor"] == []
    for who, seen in ((billing.finance(), [STOCKHOLM]), (billing.municipality(), [])):
        assert (await billing.get("/v1/accruals", who, as_of="2026-03-31")).json()["without_debtor"] == seen
    await enter(billing)
    after = await read_months(billing, billing.controller())
    assert after["without_debtor"] == []
    assert STOCKHOLM in {one["municipality"] for one in after["months"]}


async def test_without_a_price_a_municipality_that_nobody_entered_is_seen_too(billing: Billing) -> None:
    await billing.tell(a_stay_fact(12, municipality=STOCKHOLM))
    assert (await read_months(billing, billing.controller()))["without_debtor"] == [STOCKHOLM]


async def test_a_municipality_outside_the_region_is_billed_under_the_statute_like_any_other(billing: Billing) -> None:
    await billing.price()
    await enter(billing)
    await billing.tell(a_stay_fact(5, municipality=STOCKHOLM), a_stay_fact(0, municipality=STOCKHOLM))
    issued = await billing.close_month(MONTH, STOCKHOLM)
    assert (issued.status_code, issued.json()["amount"]["amount"]) == (200, "24000.00")
    document = (await billing.get(f"/v1/invoices/{issued.json()['invoice']}", billing.municipality(STOCKHOLM))).json()
    assert (document["agreement"], document["debtor"]["name"]) == ("law-2018", "Stockholms stad")


async def test_a_municipality_outside_the_region_that_reads_its_mailbox_can_accept_by_silence(billing: Billing) -> None:
    await billing.price()
    await enter(billing)
    await billing.tell(a_stay_fact(5, municipality=STOCKHOLM))
    for action in ("prepare", "publish"):
        assert (await billing.step(action, billing.controller(), MONTH, STOCKHOLM)).status_code == 200
    await billing.tell(a_notice(MONTH, billing.calculations[STOCKHOLM]["sha256"], now(), STOCKHOLM), a_poll(now(), STOCKHOLM))
    approved = await billing.step("approve", billing.approver(), MONTH, STOCKHOLM)
    assert approved.json()["accepted"] == "silent"


async def published(billing: Billing) -> dict[str, Any]:
    await billing.price()
    await enter(billing)
    await billing.tell(a_stay_fact(5, municipality=STOCKHOLM))
    for action in ("prepare", "publish"):
        answer = await billing.step(action, billing.controller(), MONTH, STOCKHOLM)
        assert answer.status_code == 200, answer.text
    return billing.calculations[STOCKHOLM]


def on_paper(signed: dict[str, Any], **changed: Any) -> dict[str, Any]:
    told = {"signed_by": "Eva Test, ekonomichef", "signed_on": now().date().isoformat(), "reference": "KS 2026/12"}
    return told | {"calculation": signed, "acted_by": "Anna Test"} | changed


PAPER = f"/v1/months/{MONTH}/{STOCKHOLM}/signature-on-paper"


async def test_a_debtor_without_a_mailbox_accepts_on_paper_and_another_person_than_who_recorded_it_approves(billing: Billing) -> None:
    calculation = await published(billing)
    assert "not_delivered" in (await billing.step("approve", billing.approver(), MONTH, STOCKHOLM)).json()["detail"]
    recorded = await billing.post(PAPER, billing.controller(), on_paper(calculation))
    assert (recorded.status_code, recorded.json()["state"], recorded.json()["accepted"]) == (200, "accepted", "signed")
    same = await billing.step("approve", billing.approver(), MONTH, STOCKHOLM, acted_by="Anna  Test")
    assert (same.status_code, same.json()["code"]) == (409, "month.same_person")
    assert (await billing.step("approve", billing.approver(), MONTH, STOCKHOLM)).status_code == 200
    issued = await billing.step("issue", billing.approver(), MONTH, STOCKHOLM)
    assert issued.json()["state"] == "issued"
    detail = (await billing.get(f"/v1/months/{MONTH}/{STOCKHOLM}", billing.municipality(STOCKHOLM))).json()
    assert detail["signed_on_paper"] == {
        "signed_by": "Eva Test, ekonomichef",
        "signed_on": now().date().isoformat(),
        "reference": "KS 2026/12",
    }


async def test_a_paper_that_cannot_be_is_refused_and_leaves_the_month_as_it_was(billing: Billing) -> None:
    calculation = await published(billing)
    answers = [
        await billing.post(PAPER, who, on_paper(calculation, **changed))
        for who, changed in (
            (billing.controller(), {"signed_on": "2199-01-01"}),
            (billing.controller(), {"signed_on": "2026-01-01"}),
            (billing.controller(), {"calculation": {**calculation, "version": 7}}),
            (billing.token("k", "municipality", "months:publish", STOCKHOLM), {}),
        )
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (422, "request.malformed"),
        (422, "request.malformed"),
        (409, "calculation.outdated"),
        (403, "access.denied"),
    ]
    detail = (await billing.get(f"/v1/months/{MONTH}/{STOCKHOLM}", billing.controller())).json()
    assert (detail["state"], detail["signed_on_paper"]) == ("published", None)


async def test_a_paper_holds_for_the_calculation_that_was_signed_alone_and_is_known_from_then_on(billing: Billing) -> None:
    calculation = await published(billing)
    before = format_instant(now())
    assert (await billing.post(PAPER, billing.controller(), on_paper(calculation))).status_code == 200
    then = (await billing.get(f"/v1/months/{MONTH}/{STOCKHOLM}", billing.controller(), known_at=before)).json()
    assert (then["state"], then["signed_on_paper"]) == ("published", None)
    as_now = (await billing.get(f"/v1/months/{MONTH}/{STOCKHOLM}", billing.controller(), known_at=format_instant(now()))).json()
    assert (as_now["state"], as_now["accepted"], as_now["signed_on_paper"]["reference"]) == ("accepted", "signed", "KS 2026/12")
    await billing.tell(a_stay_fact(9, municipality=STOCKHOLM))
    assert (await billing.step("prepare", billing.controller(), MONTH, STOCKHOLM)).json()["state"] == "prepared"
    detail = (await billing.get(f"/v1/months/{MONTH}/{STOCKHOLM}", billing.controller())).json()
    assert (detail["accepted"], detail["signed_on_paper"]) == (None, None)
