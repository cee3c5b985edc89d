"""What debtors do is told on the stream for the creditor: each acceptance, rejection and escalation once, without what was written."""

from typing import Any

from sqlalchemy import text

from shared.dates import now
from tests.integration.billing.parts import Billing, a_notice, a_poll, a_stay_fact
from tests.integration.billing.test_disputes import MONTH, creditor, decide, escalate, opened, shown

STAGED = text("SELECT CAST(body AS jsonb) AS body FROM outbox WHERE kind = :kind ORDER BY entry_id")


async def told(billing: Billing, kind: str) -> list[dict[str, Any]]:
    async with billing.database.transaction() as work:
        return list((await work.connection.execute(STAGED, {"kind": kind})).scalars())


async def test_a_signed_month_is_told_once_with_the_calculation_that_was_signed(billing: Billing) -> None:
    await shown(billing, a_stay_fact(12))
    assert await told(billing, "month.accepted") == []
    assert (await billing.step("sign", billing.municipality(), MONTH)).status_code == 200
    assert (await billing.step("sign", billing.municipality(), MONTH)).status_code == 409
    assert (await billing.step("approve", billing.approver(), MONTH)).status_code == 200
    (body,) = await told(billing, "month.accepted")
    name = billing.calculations["1480"]
    assert (body["municipality"], body["month"], body["accepted"]) == ("1480", MONTH, "signed")
    assert (body["calculation"], body["version"], body["amount"]) == (name["sha256"], name["version"], "108000.00")


async def test_a_signature_on_paper_is_told_without_whose_it_is(billing: Billing) -> None:
    await shown(billing, a_stay_fact(12))
    paper = {"signed_by": "Elsa Test", "signed_on": now().date().isoformat(), "reference": "Dnr 2026-17", "acted_by": "Berit Test"}
    body = {"calculation": billing.calculations["1480"]} | paper
    answer = await billing.post(f"/v1/months/{MONTH}/1480/signature-on-paper", billing.controller(), body)
    assert answer.status_code == 200, answer.text
    (fact,) = await told(billing, "month.accepted")
    assert fact["accepted"] == "signed_on_paper"
    assert "Test" not in str(fact)


async def test_silence_that_accepts_is_told_when_it_counts(billing: Billing) -> None:
    await shown(billing, a_stay_fact(12))
    assert (await billing.step("approve", billing.approver(), MONTH)).status_code == 409
    assert await told(billing, "month.accepted") == []
    await billing.tell(a_notice(MONTH, billing.calculations["1480"]["sha256"], now()), a_poll(now()))
    assert (await billing.step("approve", billing.approver(), MONTH)).status_code == 200
    assert [fact["accepted"] for fact in await told(billing, "month.accepted")] == ["silent"]


async def test_a_rejected_invoice_is_told_without_its_reason_and_a_booked_one_not_at_all(billing: Billing) -> None:
    await billing.price()
    await billing.tell(a_stay_fact(12))
    number = (await billing.close_month()).json()["invoice"]
    path = f"/v1/invoices/{number}/status"
    assert (await billing.post(path, billing.finance(), {"status": "booked"})).status_code == 201
    assert await told(billing, "invoice.rejected") == []
    report = {"status": "rejected", "reason": "Fel referens"}
    for _ in range(2):
        assert (await billing.post(path, billing.finance(), report, key="once")).status_code == 201
    (body,) = await told(billing, "invoice.rejected")
    assert set(body) == {"number", "municipality", "month", "document", "rejected_at"}
    assert (body["number"], body["municipality"], body["month"], body["document"]) == (number, "1480", MONTH, "invoice")


async def test_an_escalated_dispute_is_told_with_who_took_it_where(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    dispute = await opened(billing, stay)
    assert (await escalate(billing, dispute)).status_code == 409
    assert await told(billing, "dispute.escalated") == []
    assert (await decide(billing, dispute)).status_code == 200
    assert (await escalate(billing, dispute)).status_code == 200
    assert (await escalate(billing, dispute, "court", creditor(billing), reference="Mål 17-26")).status_code == 200
    facts = await told(billing, "dispute.escalated")
    assert [(fact["to"], fact["by"]) for fact in facts] == [("review", "debtor"), ("court", "creditor")]
    assert {fact["dispute_id"] for fact in facts} == {dispute}
    assert set(facts[0]) == {"dispute_id", "municipality", "month", "case_id", "to", "by", "escalated_at"}
