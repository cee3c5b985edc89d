"""Months that are over: counted, published, signed or passed over in silence, approved by another person, issued, pulled."""

from datetime import date
from typing import Any

from dirigent.demo.invoices import pull
from tests.journeys.stories import County, Stay
from tests.patience import until

MONTH = "2024-05"  # the price of 2024 is shipped
PRICE = 11_600


def day(number: int) -> date:
    return date(2024, 5, number)


async def import_stays(county: County, municipality: str, *days: int, month: date = date(2024, 5, 20)) -> None:
    events = [event for n in days for event in Stay(municipality=municipality).as_history(month, n)]
    await county.import_events(events)


async def prepare(county: County, code: str, month: str = MONTH) -> dict[str, Any]:
    prepared = await county.post("controller", f"/v1/months/{month}/{code}/prepare", {})
    assert prepared.ok, prepared
    return dict(prepared.body)


async def step(county: County, client: str, code: str, action: str, calculation: object, month: str = MONTH) -> Any:
    return await county.post(client, f"/v1/months/{month}/{code}/{action}", {"calculation": calculation})


async def published(county: County, code: str) -> dict[str, Any]:
    """Prepare and publish, and wait until the notice has come to the municipality."""
    calculation = (await prepare(county, code))["calculation"]
    shown = await step(county, "controller", code, "publish", calculation)
    assert shown.ok, shown

    async def came() -> bool:
        entries = (await county.mailbox(f"kommun-{code}")).entries
        return any((entry.get("about") or {}).get("calculation") == calculation["sha256"] for entry in entries)

    await until(came)
    return dict(calculation)


async def accepted(county: County, code: str, calculation: object) -> None:
    """Approve as soon as silence counts."""

    async def approved() -> bool:
        return bool((await step(county, "approver", code, "approve", calculation)).ok)

    await until(approved)


async def test_an_average_over_three_becomes_an_invoice(county: County) -> None:
    code = "1430"
    await import_stays(county, code, 2, 5, 6, 7)
    average = await county.counted(code, MONTH, 4)
    assert (average["average"], average["excess_days"]) == ("5.000000", 8)
    calculation = await published(county, code)
    signed = await step(county, f"kommun-{code}", code, "sign", calculation)
    assert (signed.ok, signed.body["accepted"]) == (True, "signed")
    assert (await step(county, "approver", code, "approve", calculation)).ok
    issued = await step(county, "finance", code, "issue", calculation)
    assert issued.body["state"] == "issued", issued

    number = issued.body["invoice"]
    for reader in ("finance", f"kommun-{code}"):
        read = await pull(county.api, reader, awaiting={number})
        assert not read.faults
        invoice = read.of_month(MONTH)[code]
        assert (invoice["number"], invoice["amount"]["amount"]) == (number, f"{8 * PRICE}.00")
        assert len(invoice["lines"][0]["stays"]) == 4

    async def told() -> bool:
        entries = (await county.mailbox(f"kommun-{code}")).entries
        return any(entry["type"] == "notice.invoice_issued" for entry in entries)

    await until(told)


async def test_a_long_stay_is_charged_from_day_four_and_silence_is_a_yes(county: County) -> None:
    code = "1435"
    await import_stays(county, code, 0, 1, 2, 3, 12)
    await county.counted(code, MONTH, 5)
    calculation = await published(county, code)
    await accepted(county, code, calculation)
    issued = await step(county, "finance", code, "issue", calculation)
    assert (issued.body["accepted"], issued.body["amount"]["amount"]) == ("silent", f"{9 * PRICE}.00")


async def test_a_month_without_excess_ends_without_an_invoice(county: County) -> None:
    code = "1438"
    await import_stays(county, code, 2, 3, 4)
    assert (await county.counted(code, MONTH, 3))["average"] == "3.000000"
    calculation = await published(county, code)
    await accepted(county, code, calculation)
    ended = await step(county, "finance", code, "issue", calculation)
    assert (ended.body["state"], ended.body["invoice"]) == ("settled", None)


async def test_a_late_fact_makes_the_calculation_outdated(county: County) -> None:
    code = "1439"
    await import_stays(county, code, 5)
    await county.counted(code, MONTH, 1)
    calculation = (await prepare(county, code))["calculation"]
    await import_stays(county, code, 1)
    await county.counted(code, MONTH, 2)
    refused = await step(county, "controller", code, "publish", calculation)
    assert (refused.status, refused.code) == (409, "calculation.outdated")
    again = (await prepare(county, code))["calculation"]
    assert again["version"] == calculation["version"] + 1


async def test_nobody_approves_what_she_published(county: County) -> None:
    code = "1440"
    await import_stays(county, code, 6)
    await county.counted(code, MONTH, 1)
    calculation = await published(county, code)
    refused = await step(county, "controller", code, "approve", calculation)
    assert refused.status == 403
    body = {"calculation": calculation, "acted_by": "controller"}
    refused = await county.post("approver", f"/v1/months/{MONTH}/{code}/approve", body)
    assert (refused.status, refused.code) == (409, "month.same_person")


async def test_a_missing_price_blocks_and_never_falls_back(county: County) -> None:
    code, month = "1441", "2021-05"
    await import_stays(county, code, 9, month=date(2021, 5, 20))
    await county.counted(code, month, 1)
    prepared = await prepare(county, code, month)
    assert prepared["amount"] is None
    refused = await step(county, "controller", code, "publish", prepared["calculation"], month)
    assert (refused.status, refused.code) == (409, "month.blocked")


async def test_a_late_admission_notice_holds_the_month_until_a_person_decides(county: County) -> None:
    code = "1461"
    events = Stay(municipality=code).as_history(day(25), 12)
    events[0]["sentat"] = events[0]["time"].replace("2024-05-11", "2024-05-12").replace("T12:", "T13:")
    outcomes = await county.import_events(events)
    case = outcomes[0]["accepted"]["case_id"]

    async def seen() -> bool:
        detail = await county.read("controller", f"/v1/months/{MONTH}/{code}")
        return [line["counted_as"] for line in detail["lines"]] == ["review"]

    await until(seen)
    calculation = (await prepare(county, code))["calculation"]
    refused = await step(county, "controller", code, "publish", calculation)
    assert (refused.status, refused.code) == (409, "month.blocked")
    decision = {"case": case, "reason": "late_admission_notice", "outcome": "accept"}
    decided = await county.post(
        "controller", "/v1/reviews/decide", {"decisions": [decision], "explanation": "The ward had told by telephone"}
    )
    assert decided.ok, decided
    await published(county, code)
    detail = await county.read("controller", f"/v1/months/{MONTH}/{code}")
    assert detail["amount"]["amount"] == f"{9 * PRICE}.00"


async def test_an_invoice_looks_unknown_to_everybody_else(county: County) -> None:
    code = "1442"
    await import_stays(county, code, 10)
    await county.counted(code, MONTH, 1)
    calculation = await published(county, code)
    await step(county, f"kommun-{code}", code, "sign", calculation)
    await step(county, "approver", code, "approve", calculation)
    number = (await step(county, "finance", code, "issue", calculation)).body["invoice"]
    foreign = await county.api.call("kommun-1443", "GET", f"/v1/invoices/{number}")
    unknown = await county.api.call("kommun-1443", "GET", "/v1/invoices/2024-999999")
    assert (foreign.status, foreign.code) == (unknown.status, unknown.code) == (404, "not_found")
