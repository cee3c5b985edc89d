"""After the invoice (domain 3.8): a new calculation of the whole month, and the difference as another document; nothing issued changes."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.dates import now
from shared.db import sqlstate
from shared.events.facts import StayChanged
from tests.integration.billing.parts import Billing, a_billing, a_notice, a_poll, a_stay_fact

MONTH = "/v1/months/2026-03/1480"


async def an_invoiced_month(billing: Billing, *days: int) -> tuple[str, list[StayChanged]]:
    await billing.price()
    stays = [a_stay_fact(waited) for waited in days]
    await billing.tell(*stays)
    issued = await billing.close_month()
    assert issued.status_code == 200, issued.text
    return str(issued.json()["invoice"]), stays


def changed(stay: StayChanged, **changes: Any) -> StayChanged:
    return stay.model_copy(update={"case_version": stay.case_version + 1} | changes)


async def corrected(billing: Billing, *, signed: bool = False) -> dict[str, Any]:
    """All steps of a correction; returns the month after the last."""
    for action, who in (("prepare", billing.controller()), ("publish", billing.controller())):
        answer = await billing.step(action, who)
        assert answer.status_code == 200, (action, answer.text)
    if signed:
        assert (await billing.step("sign", billing.municipality())).status_code == 200
    answer = await billing.step("approve", billing.approver())
    assert answer.status_code == 200, answer.text
    answer = await billing.step("issue", billing.approver())
    assert answer.status_code == 200, answer.text
    month: dict[str, Any] = answer.json()
    return month


async def documents(billing: Billing) -> list[dict[str, Any]]:
    """Every document in the issuer's feed, whole."""
    await billing.number()
    feed = (await billing.get("/v1/invoices", billing.finance())).json()["entries"]
    return [(await billing.get(f"/v1/invoices/{entry['number']}", billing.finance())).json() for entry in feed]


async def paid(billing: Billing, number: str, amount: str, reference: str | None = None) -> Any:
    body: dict[str, Any] = {"status": "paid", "amount": {"amount": amount}, "paid_on": now().date().isoformat()}
    if reference:
        body["reference"] = reference
    return await billing.post(f"/v1/invoices/{number}/status", billing.finance(), body)


async def test_a_stay_that_proves_to_be_none_is_credited_and_the_first_invoice_stands(billing: Billing) -> None:
    number, stays = await an_invoiced_month(billing, 2, 5, 6, 7)
    before = await billing.get(f"/v1/invoices/{number}", billing.finance())
    await billing.tell(changed(stays[3], cancelled=True))
    month = await corrected(billing)
    assert (month["state"], month["accepted"], month["invoice"], month["calculation"]["version"]) == ("issued", "credit", number, 2)
    first, note = await documents(billing)
    assert month["name"] == "Göteborg"
    assert [(one["number"], one["kind"], one["refers_to"]) for one in month["documents"]] == [
        (number, "invoice", None),
        (note["number"], "credit_note", number),
    ]
    assert (note["kind"], note["refers_to"], note["original_issued_on"]) == ("credit_note", number, first["issued_on"])
    assert (first["amount"]["amount"], note["amount"]["amount"]) == ("96000.00", "48000.00")
    assert (await billing.get(f"/v1/invoices/{number}", billing.finance())).content == before.content


async def test_removing_a_stay_of_no_days_raises_the_month_and_the_difference_waits_for_acceptance(billing: Billing) -> None:
    number, stays = await an_invoiced_month(billing, 0, 4, 7)
    await billing.tell(changed(stays[0], cancelled=True))
    await billing.step("prepare", billing.controller())
    await billing.step("publish", billing.controller())
    refused = await billing.step("approve", billing.approver())
    assert (refused.status_code, refused.json()["code"]) == (409, "month.not_accepted")
    assert (await billing.step("sign", billing.municipality())).status_code == 200
    assert (await billing.step("approve", billing.approver())).status_code == 200
    month = (await billing.step("issue", billing.approver())).json()
    assert (month["state"], month["accepted"]) == ("issued", "signed")
    _, more = await documents(billing)
    assert (more["kind"], more["refers_to"], more["amount"]["amount"]) == ("supplementary", number, "36000.00")
    assert [line["quantity"] for line in more["lines"]] == [1, -1]


async def test_the_notice_of_a_correction_that_asks_for_more_starts_a_window_of_its_own(billing: Billing) -> None:
    _, stays = await an_invoiced_month(billing, 0, 4, 7)
    await billing.tell(changed(stays[0], cancelled=True))
    await billing.step("prepare", billing.controller())
    await billing.step("publish", billing.controller())
    calculation = billing.calculations["1480"]
    notice = a_notice("2026-03", calculation["sha256"], now(), version=calculation["version"])
    await billing.tell(notice.model_copy(update={"notice_type": "notice.month_corrected"}), a_poll(now()))
    approved = await billing.step("approve", billing.approver())
    assert (approved.status_code, approved.json()["accepted"]) == (200, "silent")


async def test_a_month_that_was_free_and_is_not_any_more_gets_an_ordinary_invoice(billing: Billing) -> None:
    await billing.price()
    await billing.tell(a_stay_fact(2))
    closed = await billing.close_month()
    assert (closed.json()["state"], closed.json()["invoice"]) == ("settled", None)
    await billing.tell(a_stay_fact(12))
    month = await corrected(billing, signed=True)
    (invoice,) = await documents(billing)
    assert (month["state"], month["invoice"], invoice["kind"], invoice["refers_to"]) == ("issued", invoice["number"], "invoice", None)


async def test_a_correction_that_changes_no_amount_makes_no_document(billing: Billing) -> None:
    number, _ = await an_invoiced_month(billing, 7)
    await billing.tell(a_stay_fact(3))
    month = await corrected(billing)
    assert (month["state"], month["accepted"], month["invoice"]) == ("issued", "credit", number)
    assert [one["number"] for one in await documents(billing)] == [number]


async def test_what_nobody_moved_is_not_prepared_again_after_the_invoice(billing: Billing) -> None:
    await an_invoiced_month(billing, 7)
    refused = await billing.step("prepare", billing.controller())
    assert (refused.status_code, refused.json()["code"]) == (409, "month.state")


async def test_who_published_a_correction_does_not_approve_it(billing: Billing) -> None:
    _, stays = await an_invoiced_month(billing, 7, 12)
    await billing.tell(changed(stays[0], cancelled=True))
    for action in ("prepare", "publish"):
        assert (await billing.step(action, billing.controller(), acted_by="Anna Test")).status_code == 200
    refused = await billing.step("approve", billing.approver(), acted_by="anna test")
    assert (refused.status_code, refused.json()["code"]) == (409, "month.same_person")


async def test_a_credit_takes_from_the_newest_document_first_and_never_above_its_rest(billing: Billing) -> None:
    number, stays = await an_invoiced_month(billing, 12)  # 9 days: 108 000
    more = a_stay_fact(15)  # 12 days: 144 000
    await billing.tell(more)
    await corrected(billing, signed=True)
    await billing.tell(changed(stays[0], cancelled=True), changed(more, cancelled=True), a_stay_fact(9))  # 6 days: 72 000
    await corrected(billing)
    first, supplementary, second_note, first_note = await documents(billing)
    assert [one["amount"]["amount"] for one in (first, supplementary)] == ["108000.00", "144000.00"]
    assert (second_note["refers_to"], second_note["amount"]["amount"]) == (supplementary["number"], "144000.00")
    assert (first_note["refers_to"], first_note["amount"]["amount"]) == (number, "36000.00")


async def test_the_database_itself_refuses_a_credit_above_the_rest(billing: Billing) -> None:
    number, stays = await an_invoiced_month(billing, 2, 5, 6, 7)
    await billing.tell(changed(stays[3], cancelled=True))
    await corrected(billing)
    copy = """
        INSERT INTO invoices SELECT '2026-999999', issuer, year, 999999, kind, municipality, month, 1, :amount, issued_at, sha256, body,
                                    refers_to, due_on FROM invoices WHERE refers_to = :number
    """
    with pytest.raises(DBAPIError) as refused:
        async with billing.database.transaction() as work:
            await work.connection.execute(text(copy), {"amount": 4_800_001, "number": number})
    assert sqlstate(refused.value) == "23001"


async def test_a_month_under_correction_looks_to_others_as_it_was_closed(billing: Billing) -> None:
    _, stays = await an_invoiced_month(billing, *[4] * 6)
    before = (await billing.get("/v1/averages/1480", billing.municipality("1481"), **{"from": "2026-03", "to": "2026-03"})).json()
    await billing.tell(changed(stays[0], cancelled=True))
    await billing.step("prepare", billing.controller())
    after = (await billing.get("/v1/averages/1480", billing.municipality("1481"), **{"from": "2026-03", "to": "2026-03"})).json()
    assert before == after != []


async def test_others_are_told_of_a_correction_with_its_difference(billing: Billing) -> None:
    _, stays = await an_invoiced_month(billing, 2, 5, 6, 7)
    await billing.tell(changed(stays[3], cancelled=True))
    await corrected(billing)
    await billing.number()
    async with billing.database.transaction() as work:
        rows = await work.connection.execute(
            text("SELECT kind, CAST(body AS jsonb) AS told FROM feed_entries WHERE feed = 'facts' ORDER BY position")
        )
        told = [(row.kind, row.told) for row in rows if row.kind.partition(".")[0] in {"month", "invoice"}]
    closing = ["month.accepted", "invoice.issued"]
    assert [kind for kind, _ in told] == ["month.published", *closing, "month.corrected", *closing]
    assert (told[1][1]["accepted"], told[4][1]["accepted"]) == ("signed", "credit")
    assert (told[3][1]["amount"], told[3][1]["difference"]) == ("48000.00", "-48000.00")
    assert (told[5][1]["document"], told[5][1]["refers_to"]) == ("credit_note", told[2][1]["number"])


async def test_paying_every_krona_in_parts_settles_the_month(billing: Billing) -> None:
    number, _ = await an_invoiced_month(billing, 12)
    booked = await billing.post(f"/v1/invoices/{number}/status", billing.finance(), {"status": "booked"})
    assert (booked.status_code, booked.json()["rest"]["amount"]) == (201, "108000.00")
    part = await paid(billing, number, "100000.00")
    assert (part.status_code, part.json()["rest"]["amount"], part.json()["month_state"]) == (201, "8000.00", "issued")
    above = await paid(billing, number, "8000.01")
    assert (above.status_code, above.json()["code"]) == (409, "payment.above_rest")
    last = await paid(billing, number, "8000.00")
    assert (last.json()["rest"]["amount"], last.json()["month_state"]) == ("0.00", "settled")
    assert (await billing.get(MONTH, billing.finance())).json()["state"] == "settled"


async def test_a_credit_on_a_paid_invoice_is_paid_out_before_the_month_is_settled_again(billing: Billing) -> None:
    number, stays = await an_invoiced_month(billing, 2, 5, 6, 7)
    assert (await paid(billing, number, "96000.00")).json()["month_state"] == "settled"
    await billing.tell(changed(stays[3], cancelled=True))
    assert (await corrected(billing))["state"] == "issued"
    _, note = await documents(billing)
    assert (await paid(billing, note["number"], "48000.01")).json()["code"] == "payment.above_rest"
    assert (await paid(billing, note["number"], "48000.00")).json()["month_state"] == "settled"


async def test_a_credit_of_everything_unpaid_settles_the_month_at_once(billing: Billing) -> None:
    number, stays = await an_invoiced_month(billing, 12)
    await billing.tell(changed(stays[0], cancelled=True))
    assert (await corrected(billing))["state"] == "settled"
    _, note = await documents(billing)
    assert (await paid(billing, note["number"], "1.00")).json()["code"] == "payment.above_rest"
    assert (await paid(billing, number, "1.00")).json()["code"] == "payment.above_rest"


async def test_a_payment_that_comes_while_a_correction_is_under_way_is_counted_at_its_end(billing: Billing) -> None:
    number, stays = await an_invoiced_month(billing, 2, 5, 6, 7)
    await billing.tell(changed(stays[3], cancelled=True))
    await billing.step("prepare", billing.controller())
    assert (await paid(billing, number, "48000.00")).json()["month_state"] == "prepared"
    await billing.step("publish", billing.controller())
    await billing.step("approve", billing.approver())
    assert (await billing.step("issue", billing.approver())).json()["state"] == "settled"


async def test_the_same_payment_reported_twice_is_counted_once(billing: Billing) -> None:
    number, _ = await an_invoiced_month(billing, 12)
    assert (await paid(billing, number, "100.00", "BG 4711")).status_code == 201
    for spelling in ("BG 4711", " bg  4711 ", "\uff22G 4711"):
        again = await paid(billing, number, "100.00", spelling)
        assert (again.status_code, again.json()["code"]) == (409, "payment.repeated")
    assert (await paid(billing, number, "100.00", "BG 4712")).status_code == 201


async def test_of_two_equal_payments_on_a_day_a_reference_tells_them_apart(billing: Billing) -> None:
    number, _ = await an_invoiced_month(billing, 12)
    assert (await paid(billing, number, "100.00")).status_code == 201
    again = await paid(billing, number, "100.00")
    assert (again.status_code, again.json()["code"]) == (409, "payment.repeated")
    assert (await paid(billing, number, "100.01")).status_code == 201
    assert (await paid(billing, number, "100.00", "BG 4711")).status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"status": "rejected"}, "/reason"),
        ({"status": "paid", "amount": {"amount": "1.00"}}, "/paid_on"),
        ({"status": "paid", "paid_on": "2026-04-01"}, "/amount"),
        ({"status": "booked", "amount": {"amount": "1.00"}}, "/amount"),
        ({"status": "paid", "amount": {"amount": "1.00"}, "paid_on": "2199-01-01"}, "/paid_on"),
        ({"status": "paid", "amount": {"amount": "1.00"}, "paid_on": "2026-01-01"}, "/paid_on"),
        ({"status": "paid", "amount": {"amount": "-1.00"}, "paid_on": "2026-04-01"}, "/amount/amount"),
        ({"status": "paid", "amount": {"amount": "0.00"}, "paid_on": "2026-04-01"}, "/amount/amount"),
        ({"status": "lost"}, "/status"),
    ],
)
async def test_a_report_that_lacks_what_its_status_needs_is_refused(billing: Billing, body: dict[str, Any], pointer: str) -> None:
    number, _ = await an_invoiced_month(billing, 12)
    refused = await billing.post(f"/v1/invoices/{number}/status", billing.finance(), body)
    assert (refused.status_code, [error["pointer"] for error in refused.json()["errors"]]) == (422, [pointer])


async def test_what_is_rejected_has_a_reason_and_nothing_paid_is_rejected(billing: Billing) -> None:
    number, _ = await an_invoiced_month(billing, 12)
    path = f"/v1/invoices/{number}/status"
    rejected = await billing.post(path, billing.finance(), {"status": "rejected", "reason": "Fel referens"})
    assert (rejected.status_code, rejected.json()["reason"]) == (201, "Fel referens")
    assert (await paid(billing, number, "1.00")).status_code == 201
    again = await billing.post(path, billing.finance(), {"status": "rejected", "reason": "Fel referens"})
    assert (again.status_code, again.json()["code"]) == (409, "invoice.paid")


async def test_a_status_on_an_unknown_number_says_so(billing: Billing) -> None:
    answer = await billing.post("/v1/invoices/2026-000099/status", billing.finance(), {"status": "booked"})
    assert (answer.status_code, answer.json()["code"]) == (404, "invoice.unknown")


async def test_a_debtor_reports_no_payment_of_its_own(billing: Billing) -> None:
    number, _ = await an_invoiced_month(billing, 12)
    who = billing.token("kommun-1480", "municipality", "invoices:read invoices:status", "1480")
    assert (await billing.post(f"/v1/invoices/{number}/status", who, {"status": "booked"})).status_code == 403


async def test_steps_for_many_and_for_one_lead_to_the_same_calculation(billing: Billing) -> None:
    await billing.price()
    for code in ("1480", "1481"):
        await billing.tell(a_stay_fact(12, municipality=code))
    items = [{"municipality": "1480"}, {"municipality": "1481"}]
    many = await billing.post("/v1/months/2026-03/actions", billing.controller(), {"action": "prepare", "items": items})
    assert [one["status"] for one in many.json()["outcomes"]] == ["done", "done"]
    one = await billing.step("prepare", billing.controller(), code="1481")
    assert one.json()["calculation"] == many.json()["outcomes"][1]["month"]["calculation"]


async def test_both_directions_are_shown_before_anyone_decides(billing: Billing) -> None:
    number, stays = await an_invoiced_month(billing, 2, 5, 6, 7)
    assert (await billing.get(MONTH, billing.municipality())).json()["correction"] is None
    await billing.tell(changed(stays[3], cancelled=True))
    credit = (await billing.get(MONTH, billing.municipality())).json()
    assert (credit["correction"]["direction"], credit["correction"]["difference"]["amount"]) == ("credit", "-48000.00")
    await billing.tell(a_stay_fact(20))
    more = (await billing.get(MONTH, billing.municipality())).json()
    assert (more["correction"]["direction"], more["correction"]["difference"]["amount"]) == ("supplementary", "156000.00")
    assert [one["number"] for one in more["documents"]] == [number]


async def test_nothing_is_issued_before_a_comparison_is_signed_where_that_is_asked_for(billing_database: str, tmp_path: Path) -> None:
    async with a_billing(billing_database, tmp_path, comparison_required=True) as billing:
        await billing.price()
        await billing.tell(a_stay_fact(12))
        refused = await billing.close_month()
        assert (refused.status_code, refused.json()["code"]) == (409, "month.comparison_unsigned")


async def test_of_two_payments_of_everything_at_the_same_time_one_is_taken(billing: Billing) -> None:
    number, _ = await an_invoiced_month(billing, 12)
    answers = await asyncio.gather(*(paid(billing, number, "108000.00") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    async with billing.database.transaction() as work:
        assert (await work.connection.execute(text("SELECT count(*) FROM ledger_entries WHERE kind = 'paid'"))).scalar_one() == 1


async def test_a_correction_issued_twice_at_the_same_time_credits_once(billing: Billing) -> None:
    _, stays = await an_invoiced_month(billing, 2, 5, 6, 7)
    await billing.tell(changed(stays[3], cancelled=True))
    for action, who in (("prepare", billing.controller()), ("publish", billing.controller()), ("approve", billing.approver())):
        assert (await billing.step(action, who)).status_code == 200
    answers = await asyncio.gather(*(billing.step("issue", billing.approver()) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert [one["kind"] for one in await documents(billing)] == ["invoice", "credit_note"]
    async with billing.database.transaction() as work:
        assert (await work.connection.execute(text("SELECT last_number FROM invoice_series"))).scalar_one() == 2


async def test_issuing_many_gives_numbers_without_gaps_past_those_that_are_refused(billing: Billing) -> None:
    await billing.price()
    for code in ("1480", "1481", "1490"):
        await billing.tell(a_stay_fact(12, municipality=code))
    for action, who in (("prepare", billing.controller()), ("publish", billing.controller())):
        for code in ("1480", "1481", "1490"):
            assert (await billing.step(action, who, code=code)).status_code == 200
    for code in ("1480", "1490"):
        await billing.step("sign", billing.municipality(code), code=code)
        await billing.step("approve", billing.approver(), code=code)
    items = [{"municipality": code, "calculation": billing.calculations[code]} for code in ("1480", "1481", "1490")]
    many = await billing.post("/v1/months/2026-03/actions", billing.approver(), {"action": "issue", "items": items})
    told = [(one["status"], one["code"], (one["month"] or {}).get("invoice")) for one in many.json()["outcomes"]]
    year = now().year
    assert told == [("done", None, f"{year}-000001"), ("refused", "month.state", None), ("done", None, f"{year}-000002")]


async def test_a_correction_of_a_paid_month_that_changes_no_amount_leaves_it_settled(billing: Billing) -> None:
    number, _ = await an_invoiced_month(billing, 12)
    assert (await paid(billing, number, "108000.00")).json()["month_state"] == "settled"
    await billing.tell(a_stay_fact(3))
    assert (await corrected(billing))["state"] == "settled"
    assert [one["number"] for one in await documents(billing)] == [number]
