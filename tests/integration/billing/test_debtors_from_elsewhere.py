"""Patients from outside the region fall under the statute; their municipality is a debtor like any other, once somebody has entered it."""

from typing import Any

from shared.dates import now
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
