"""One month with every kind of stay, from the agreement to the paid invoice, a correction behind it, and every number explained."""

import asyncio
import io
import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from lxml import etree
from pypdf import PdfReader

from dirigent.demo.invoices import pull
from dirigent.simulate.course import at_clock
from shared.dates import format_instant, now
from tests.journeys.stories import County, Stay
from tests.patience import until

CODE, MONTH, PRICE = "1463", "2024-05", 11_600  # the price of 2024 is shipped
CALCULATION = "calculation"
SOON = timedelta(minutes=10)
UBL = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"


def may(number: int) -> date:
    return date(2024, 5, number)


def whole_month() -> dict[str, list[dict[str, Any]]]:
    """Stays by what becomes of them: four of the average (5.0), a long one, and one of each kind that is not counted like them."""
    told = {name: Stay(CODE).as_history(may(20), days) for name, days in (("two", 2), ("five", 5), ("six", 6), ("seven", 7), ("long", 12))}
    told["nothing to wait for"] = Stay(CODE).as_history(may(21), 0)
    late = Stay(CODE).as_history(may(25), 12)
    late[0]["sentat"] = format_instant(datetime.fromisoformat(late[0]["time"]).astimezone(UTC) + timedelta(hours=25))
    told["admission told late"] = late
    told["never called to a SIP"] = Stay(CODE, needs=("municipal_social", "outpatient")).as_history(may(24), 10)
    withdrawn = Stay(CODE)
    told["readiness withdrawn"] = [
        *withdrawn.as_history(may(22), 9)[:2],
        withdrawn.tell("ready_withdrawn", at_clock(may(15), 10), {"reason": "care_need"}, sent=at_clock(may(15), 11)),
        withdrawn.tell("discharged", at_clock(may(22), 15), {"discharged_to": "home"}, sent=at_clock(may(22), 16)),
    ]
    dead = Stay(CODE)
    died = dead.tell("deceased", at_clock(may(19), 4), sent=at_clock(may(19), 5))
    told["deceased"] = [*dead.as_history(may(20), 8)[:2], died]
    told["still there"] = Stay(CODE).as_history(date(2024, 6, 12), 25)[:2]
    return told


async def as_step(county: County, client: str, action: str, calculation: object = None, month: str = MONTH) -> dict[str, Any]:
    answer = await county.post(client, f"/v1/months/{month}/{CODE}/{action}", {CALCULATION: calculation} if calculation else {})
    assert answer.ok, (action, answer)
    return dict(answer.body)


async def month(county: County, client: str = "controller", **params: str) -> dict[str, Any]:
    return dict(await county.read(client, f"/v1/months/{MONTH}/{CODE}", **params))


async def lines(county: County, cases: dict[str, str]) -> dict[str, str]:
    names = {case: name for name, case in cases.items()}
    return {names[line["case"]]: line["counted_as"] for line in (await month(county))["lines"]}


async def amount_is(county: County, kronor: int) -> None:
    async def counted() -> bool:
        return bool((await month(county))["amount"] == {"amount": f"{kronor}.00", "currency": "SEK"})

    await until(counted)


async def published(county: County) -> dict[str, Any]:
    calculation = (await as_step(county, "controller", "prepare"))[CALCULATION]
    await as_step(county, "controller", "publish", calculation)

    async def came() -> bool:
        entries = (await county.mailbox(f"kommun-{CODE}")).entries
        return any((entry.get("about") or {}).get(CALCULATION) == calculation["sha256"] for entry in entries)

    await until(came)
    return dict(calculation)


async def issued(county: County, calculation: object, *, signed: bool = True) -> dict[str, Any]:
    if signed:
        await as_step(county, f"kommun-{CODE}", "sign", calculation)
    await as_step(county, "approver", "approve", calculation)
    return await as_step(county, "finance", "issue", calculation)


async def dirigent(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dirigent", *arguments]
    return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=120, check=False)


async def fetched(county: County, client: str, path: str) -> bytes:
    """A file as a finance client gets it, whatever its kind."""
    headers = {"Authorization": f"Bearer {await county.api.token(client)}"}
    async with httpx.AsyncClient(base_url=county.api.url, timeout=30, trust_env=False) as http:
        answer = await http.get(path, headers=headers)
    assert answer.status_code == 200, (path, answer.text)
    return answer.content


async def in_all_formats(county: County, number: str, kronor: str) -> None:
    """The document as finance and debtor fetch it: one amount, no person, whatever the format."""
    for client in ("finance", f"kommun-{CODE}"):
        document = await county.read(client, f"/v1/invoices/{number}")
        assert document["amount"]["amount"] == kronor
        ubl = await fetched(county, client, f"/v1/invoices/{number}.xml")
        assert [one.text for one in etree.fromstring(ubl).iter(f"{UBL}PayableAmount")] == [kronor]
        pdf = await fetched(county, client, f"/v1/invoices/{number}.pdf")
        read = PdfReader(io.BytesIO(pdf))
        assert ubl in [content for found in read.attachments.values() for content in found]
        assert kronor.replace(".", ",") in "".join(page.extract_text() for page in read.pages).replace("\u00a0", "").replace(" ", "")
        table = (await fetched(county, client, f"/v1/invoices/{number}.csv")).decode("utf-8-sig")
        assert table.count("\r\n") > 1
        assert number in table
    assert (await county.api.call("kommun-1443", "GET", f"/v1/invoices/{number}.xml")).status == 404


async def paid(county: County, number: str, kronor: str, reference: str) -> None:
    body = {"status": "paid", "amount": {"amount": kronor}, "paid_on": now().date().isoformat(), "reference": reference}
    answer = await county.post("finance", f"/v1/invoices/{number}/status", body)
    assert answer.ok, answer


async def test_a_month_goes_from_the_agreement_to_the_paid_invoice_and_explains_itself(
    county: County, data_folder: Path, tmp_path: Path
) -> None:
    told = whole_month()
    cases = {name: (await county.import_events(events))[0]["accepted"]["case_id"] for name, events in told.items()}
    await county.counted(CODE, MONTH, 6)

    # Prepared: every kind of stay stands where the law puts it, and the gate holds the month until a person has judged.
    await amount_is(county, (5 + 9 + 11) * PRICE)
    assert await lines(county, cases) == {
        "two": "average",
        "five": "average",
        "six": "average",
        "seven": "average",
        "nothing to wait for": "average",
        "long": "long",
        "still there": "long",
        "admission told late": "review",
        "never called to a SIP": "excluded",
        "readiness withdrawn": "excluded",
        "deceased": "excluded",
    }
    prepared = await as_step(county, "controller", "prepare")
    held = await county.post("controller", f"/v1/months/{MONTH}/{CODE}/publish", {CALCULATION: prepared[CALCULATION]})
    assert (held.status, held.code) == (409, "month.blocked")
    decision = {"case": cases["admission told late"], "reason": "late_admission_notice", "outcome": "accept"}
    body = {"decisions": [decision], "explanation": "The ward had told by telephone"}
    assert (await county.post("controller", "/v1/reviews/decide", body)).ok
    await published(county)
    assert (await month(county))["amount"]["amount"] == f"{(5 + 9 + 9 + 11) * PRICE}.00"

    # Disputed: while nobody has decided, the lower amount is what is billed.
    dispute = await county.post(
        f"kommun-{CODE}",
        "/v1/disputes",
        {"month": MONTH, "case": cases["long"], "reason": "readiness_contested", "explanation": "She was back in intensive care"},
    )
    assert dispute.ok, dispute
    calculation = await published(county)
    first = await issued(county, calculation)
    assert (first["state"], first["amount"]["amount"]) == ("issued", f"{(5 + 9 + 11) * PRICE}.00")
    assert (await lines(county, cases))["long"] == "disputed"
    read = await pull(county.api, "finance", awaiting={first["invoice"]})
    assert not read.faults
    await in_all_formats(county, first["invoice"], f"{25 * PRICE}.00")
    known_at = format_instant(now())

    # Decided for the region: the difference is billed, and the first invoice stands.
    decided = await county.post(
        "approver", f"/v1/disputes/{dispute.body['id']}/decision", {"outcome": "rejected", "explanation": "The chart shows no such care"}
    )
    assert decided.ok, decided
    seen = await month(county)
    assert (seen["correction"]["direction"], seen["correction"]["difference"]["amount"]) == ("supplementary", f"{9 * PRICE}.00")
    await issued(county, await published(county))
    more = (await month(county))["documents"][-1]["number"]
    await in_all_formats(county, more, f"{9 * PRICE}.00")
    assert (await county.read("finance", f"/v1/invoices/{more}"))["refers_to"] == first["invoice"]

    # A late fact: the stay of seven days was no stay. The month is calculated anew and the difference credited.
    seven = told["seven"]
    cancelled = {
        **seven[0],
        "id": f"{seven[0]['id']}-cancelled",
        "type": "stay.event_cancelled",
        "data": {"event": seven[0]["id"], "reason": "registered by mistake"},
        "time": seven[0]["time"],
    }
    await county.import_events([cancelled])
    await county.counted(CODE, MONTH, 6)

    async def to_credit() -> bool:
        correction = (await month(county))["correction"]
        return bool(correction and correction["difference"]["amount"] == f"-{4 * PRICE}.00")

    await until(to_credit)
    await issued(county, await published(county), signed=False)
    credited = (await month(county))["documents"][-1]["number"]
    await in_all_formats(county, credited, f"{4 * PRICE}.00")
    credit = await county.read(f"kommun-{CODE}", f"/v1/invoices/{credited}")
    assert (credit["kind"], credit["refers_to"]) == ("credit_note", more)

    # Paid, in parts; then nothing is left and the month is settled.
    await paid(county, first["invoice"], f"{20 * PRICE}.00", "BG-1")
    await paid(county, first["invoice"], f"{5 * PRICE}.00", "BG-2")
    again = await county.post(
        "finance",
        f"/v1/invoices/{first['invoice']}/status",
        {"status": "paid", "amount": {"amount": "1.00"}, "paid_on": now().date().isoformat()},
    )
    assert (again.status, again.code) == (409, "payment.above_rest")
    await paid(county, more, f"{5 * PRICE}.00", "BG-3")
    settled = await month(county)
    assert (settled["state"], settled["amount"]["amount"]) == ("settled", f"{(1 + 9 + 9 + 11) * PRICE}.00")

    # Asked for as it was known then, the month still gives the first invoice.
    then = await month(county, known_at=known_at)
    assert (then["state"], then["invoice"], then["calculation"]) == ("issued", first["invoice"], calculation)
    assert then["amount"]["amount"] == f"{25 * PRICE}.00"
    assert [one["number"] for one in then["documents"]] == [first["invoice"]]

    # Explained, then and now; each explanation recomputes with nothing but the law.
    for name, params in (("now", {}), ("then", {"known_at": known_at})):
        told_how = await county.read(f"kommun-{CODE}", f"/v1/months/{MONTH}/{CODE}/explanation", **params)
        told_in = tmp_path / f"{name}.json"
        told_in.write_text(json.dumps(told_how), encoding="utf-8")
        verified = await dirigent("explain", "--verify", str(told_in))
        assert verified.returncode == 0, verified.stdout + verified.stderr
    file = tmp_path / "then.json"
    broken = file.read_text(encoding="utf-8").replace('"counted_as": "disputed"', '"counted_as": "long"')
    file.write_text(broken, encoding="utf-8")
    assert (await dirigent("explain", "--verify", str(file))).returncode == 1

    vouchers = await fetched(county, "finance", f"/v1/exports/sie?month={now():%Y-%m}")
    assert f'"{first["invoice"]}"'.encode("cp437") in vouchers or first["invoice"].encode() in vouchers
    examined = await dirigent("doctor", "--data", str(data_folder))
    assert examined.returncode == 0, examined.stdout + examined.stderr
