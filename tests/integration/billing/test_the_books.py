"""The ledger, the debtor register, receivables and accruals, over HTTP."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.billing.repository.postings import entries_of
from services.billing.usecases.debtors import enter_debtors
from shared.dates import local_date, now
from shared.streams import feeds
from tests.integration.billing.parts import DEBTORS, Billing, a_stay_fact

DEBTOR = {
    "valid_from": "2027-01-01",
    "name": "Göteborgs kommun",
    "organisation": "2120001355",
    "peppol_id": "0007:2120001355",
    "gln": "7300010000001",
    "buyer_reference": "ZZ1480",
    "payment_days": 10,
    "receivable_account": "1519",
    "revenue_account": "3999",
    "street": "Testgatan 1",
    "postal_code": "411 01",
    "city": "Göteborg",
}


async def an_invoice(billing: Billing, days: int = 12) -> str:
    await billing.price()
    await billing.tell(a_stay_fact(days))
    return str((await billing.close_month()).json()["invoice"])


async def put(billing: Billing, body: dict[str, Any], code: str = "1480") -> Any:
    return await billing.http.put(f"/v1/debtors/{code}", headers=billing.controller(), json=body)


async def test_every_document_and_every_payment_makes_one_balanced_entry_in_the_chain(billing: Billing) -> None:
    number = await an_invoice(billing)
    body = {"status": "paid", "amount": {"amount": "8000.00"}, "paid_on": local_date(now()).isoformat()}
    assert (await billing.post(f"/v1/invoices/{number}/status", billing.finance(), body)).status_code == 201
    await billing.number()
    feed = (await billing.get("/v1/ledger", billing.finance())).json()
    assert [(one["position"], one["kind"], one["document"]) for one in feed["entries"]] == [(1, "invoiced", number), (2, "paid", number)]
    assert [[(line["account"], line["amount"]) for line in one["postings"]] for one in feed["entries"]] == [
        [("1510", "108000.00"), ("3190", "-108000.00")],
        [("1930", "8000.00"), ("1510", "-8000.00")],
    ]
    async with billing.database.transaction() as work:
        assert await feeds.verify(work, "ledger") is None
        kept = await entries_of(work, date(2026, 1, 1), date(2199, 1, 1))
        sha256 = (await work.connection.execute(text("SELECT sha256 FROM invoices"))).scalar_one()
    assert [(row.document, row.entry.kind.value, str(row.month)) for row in kept] == [
        (number, "invoiced", "2026-03"),
        (number, "paid", "2026-03"),
    ]
    assert [one["document_sha256"] for one in feed["entries"]] == [sha256, sha256]
    assert (kept[0].status_id, kept[1].status_id is None) == (None, False)


async def test_a_municipality_reads_no_ledger(billing: Billing) -> None:
    assert (await billing.get("/v1/ledger", billing.municipality())).status_code == 403


async def test_postings_that_do_not_balance_are_refused_by_the_database_too(billing: Billing) -> None:
    await an_invoice(billing)
    uneven = "INSERT INTO ledger_postings SELECT entry_id, 3, account, 1 FROM ledger_postings LIMIT 1"
    with pytest.raises(Exception, match="balance"):
        async with billing.database.transaction() as work:
            await work.connection.execute(text(uneven))


async def test_a_new_entry_ends_the_one_before_it_and_the_next_document_names_it(billing: Billing) -> None:
    tomorrow = local_date(now()) + timedelta(days=1)
    entered = await put(billing, DEBTOR | {"valid_from": tomorrow.isoformat()})
    assert entered.status_code == 200, entered.text
    history = (await billing.get("/v1/debtors/1480", billing.municipality())).json()["entries"]
    assert [(one["valid_from"], one["valid_through"]) for one in history] == [
        (tomorrow.isoformat(), None),
        ("2018-01-01", local_date(now()).isoformat()),
    ]
    assert [one["municipality"] for one in (await billing.get("/v1/debtors", billing.municipality())).json()["debtors"]] == ["1480"]
    assert len((await billing.get("/v1/debtors", billing.finance())).json()["debtors"]) == 3


async def test_a_document_names_what_the_register_says_on_the_day_of_issue(billing: Billing) -> None:
    assert (await put(billing, DEBTOR | {"valid_from": local_date(now()).isoformat()})).status_code == 200
    number = await an_invoice(billing)
    document = (await billing.get(f"/v1/invoices/{number}", billing.municipality())).json()
    assert document["debtor"] | {"payment_days": document["payment_days"]} == {
        "municipality": "1480",
        **{name: value for name, value in DEBTOR.items() if not name.endswith("_account") and name != "valid_from"},
    }
    assert document["due_on"] == (date.fromisoformat(document["issued_on"]) + timedelta(days=10)).isoformat()
    await billing.number()
    (entry,) = (await billing.get("/v1/ledger", billing.finance())).json()["entries"]
    assert [line["account"] for line in entry["postings"]] == ["1519", "3999"]


async def test_an_entry_goes_in_before_a_later_one_and_ends_the_day_before_it(billing: Billing) -> None:
    mistyped = await put(billing, DEBTOR | {"valid_from": "2199-01-01"})
    assert mistyped.status_code == 200
    for name in ("Göteborgs stad", "Göteborgs kommun"):  # the same day again puts the entry right
        earlier = await put(billing, DEBTOR | {"valid_from": "2027-06-01", "name": name})
        assert (earlier.status_code, earlier.json()["valid_through"]) == (200, "2198-12-31")
    history = (await billing.get("/v1/debtors/1480", billing.municipality())).json()["entries"]
    assert [(one["name"], one["valid_from"], one["valid_through"]) for one in history] == [
        ("Göteborgs kommun", "2199-01-01", None),
        ("Göteborgs kommun", "2027-06-01", "2198-12-31"),
        ("Göteborg", "2018-01-01", "2027-05-31"),
    ]


async def test_the_register_is_not_changed_behind_a_document(billing: Billing) -> None:
    await an_invoice(billing)
    (await put(billing, DEBTOR | {"valid_from": "2199-01-01"}, "1490")).raise_for_status()
    body = DEBTOR | {"valid_from": local_date(now()).isoformat()}
    await billing.tell(a_stay_fact(12, municipality="1490"))
    await billing.close_month(code="1490")
    behind = await put(billing, body, "1490")
    assert (behind.status_code, behind.json()["code"]) == (409, "debtor.invoiced")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("organisation", "2120001356", "organisation_number.check_digit"),
        ("peppol_id", "0007:2120001356", "organisation_number.check_digit"),
        ("peppol_id", "0088:7300010000001", "peppol_id.scheme"),
        ("gln", "7300010000002", "gln.check_digit"),
        ("gln", "73000100", "gln.format"),
    ],
)
async def test_a_mistyped_address_is_refused(billing: Billing, field: str, value: str, code: str) -> None:
    refused = await put(billing, DEBTOR | {field: value})
    assert (refused.status_code, refused.json()["code"]) == (422, "debtor.malformed")
    assert refused.json()["errors"] == [{"pointer": f"/{field}", "code": code}]


async def test_seeding_again_does_not_overwrite_what_a_person_entered(billing: Billing) -> None:
    await put(billing, DEBTOR)
    async with billing.database.transaction() as work:
        await enter_debtors(work, DEBTORS)
    assert (await billing.get("/v1/debtors/1480", billing.finance())).json()["entries"][0]["payment_days"] == 10


async def test_receivables_tell_rest_overdue_days_and_interest(billing: Billing) -> None:
    number = await an_invoice(billing)
    today = local_date(now())
    body = {"status": "paid", "amount": {"amount": "8000.00"}, "paid_on": today.isoformat()}
    await billing.post(f"/v1/invoices/{number}/status", billing.finance(), body)
    due = today + timedelta(days=30)
    found = (await billing.get("/v1/receivables", billing.municipality(), as_of=(due + timedelta(days=5)).isoformat())).json()
    (one,) = found["receivables"]
    assert (one["number"], one["rest"]["amount"], one["paid"]["amount"], one["days_overdue"]) == (number, "100000.00", "8000.00", 5)
    assert (one["status"], one["due_on"], found["overdue"]["amount"]) == ("paid", due.isoformat(), "100000.00")
    assert one["interest"]["days"] == 5
    assert one["interest"]["reference_rate_missing"] is (one["interest"]["amount"] is None)
    before = (await billing.get("/v1/receivables", billing.finance(), as_of="2026-01-01")).json()
    assert (before["receivables"], before["rest"]["amount"]) == ([], "0.00")


async def test_a_municipality_sees_its_own_receivables_alone(billing: Billing) -> None:
    await an_invoice(billing)
    assert (await billing.get("/v1/receivables", billing.municipality("1481"))).json()["receivables"] == []
    assert (await billing.get("/v1/receivables", billing.municipality("1481"), municipality="1480")).json()["receivables"] == []
    assert len((await billing.get("/v1/receivables", billing.finance(), municipality="1480")).json()["receivables"]) == 1


async def accrued(billing: Billing, as_of: str, code: str = "1480") -> dict[str, Any]:
    told = (await billing.get("/v1/accruals", billing.municipality(code), as_of=as_of)).json()
    assert told["method"]
    (one,) = told["accruals"]
    found: dict[str, Any] = one
    return found


async def test_what_is_not_billed_yet_is_accrued_until_it_is(billing: Billing) -> None:
    await billing.price()
    await billing.tell(a_stay_fact(12))
    before = await accrued(billing, "2026-04-30")
    assert [(one["month"], one["difference"]["amount"]) for one in before["closed_months"]] == [("2026-03", "108000.00")]
    await billing.close_month()
    as_of = local_date(now()).isoformat()
    assert (await accrued(billing, as_of))["closed_months"] == []
    # Looked at from a day before the invoice, the month was not billed.
    assert (await accrued(billing, "2026-04-30"))["total"]["amount"] == "108000.00"


async def test_a_patient_still_there_on_the_day_is_accrued_as_if_she_had_left(billing: Billing) -> None:
    await billing.price()
    # Ready on 20 March; gone on 10 April, which is after the day looked at: 10 days by 30 March, 7 of them chargeable.
    await billing.tell(a_stay_fact(None, ready="2026-03-20T09:00", discharged="2026-04-10T11:00"))
    one = await accrued(billing, "2026-03-30")
    assert (one["running_month"]["open_stays"], one["running_month"]["difference"]["amount"]) == (1, "84000.00")
    assert one["total"]["amount"] == "84000.00"


async def test_on_the_last_day_of_a_month_the_accrual_is_what_the_month_itself_will_bill(billing: Billing) -> None:
    """By 1 April 12 days so far: 9 of them are charged in March, the last of them that of 31 March."""
    await billing.price()
    await billing.tell(a_stay_fact(None, ready="2026-03-20T09:00", discharged="2026-04-10T11:00"), a_stay_fact(7))
    month = (await billing.get("/v1/months/2026-03/1480", billing.controller())).json()
    assert month["amount"]["amount"] == f"{(9 + 4) * 12000}.00"
    one = await accrued(billing, "2026-03-31")
    assert (one["running_month"]["open_stays"], one["total"]) == (1, month["amount"])


async def test_a_ready_notice_sent_after_the_day_is_not_accrued(billing: Billing) -> None:
    await billing.price()
    await billing.tell(a_stay_fact(None, ready="2026-03-20T09:00", discharged="2026-04-10T11:00"))
    one = await accrued(billing, "2026-03-19")
    assert (one["running_month"]["open_stays"], one["total"]["amount"]) == (0, "0.00")


async def test_all_accruals_are_the_region_s_and_each_municipality_s_its_own(billing: Billing) -> None:
    assert len((await billing.get("/v1/accruals", billing.finance(), as_of="2026-03-31")).json()["accruals"]) == 3
    assert [one["municipality"] for one in (await billing.get("/v1/accruals", billing.municipality("1481"))).json()["accruals"]] == ["1481"]
    assert (await billing.get("/v1/accruals", billing.finance(), as_of="2026-02-30")).status_code == 400
