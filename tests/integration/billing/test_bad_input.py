"""Everything that issue and rule book call bad input: each has a word of its own, and nothing of it stays behind."""

from typing import Any

from sqlalchemy import text

from services.billing.tables import metadata
from shared.dates import now
from shared.identifiers import uuid7
from tests.integration.billing.parts import Billing, a_stay_fact
from tests.integration.billing.test_entered_agreements import shipped, with_threshold

MONTH, ISSUED, SHOWN = "2026-03", "1480", "1481"
PERSON = "Anna Test"
PRICE = {"first": "2027-01-01", "last": "2027-12-31", "price": {"amount": "12000.00"}, "source": "Made up for a test"}
EVERYTHING = "averages:read invoices:read invoices:status months:prepare months:publish months:approve months:issue agreements:write"
REFUSALS = "idempotency_keys"


def anybody(billing: Billing) -> dict[str, str]:
    """A client of the region that may do everything, so that nothing but the rule stops it."""
    return billing.token("office", "approver", f"{EVERYTHING} simulations:run disputes:decide reviews:decide")


async def everything_kept(billing: Billing) -> dict[str, str]:
    """A fingerprint of every table of billing but the one that keeps the refusals themselves, the outbox included."""
    found = {}
    async with billing.database.transaction() as work:
        for name in sorted(set(metadata.tables) - {REFUSALS}):
            row = await work.connection.execute(text(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t"))  # noqa: S608
            found[name] = str(row.scalar_one())
    return found


async def a_county(billing: Billing) -> dict[str, str]:
    """One municipality with an invoice and one with a published month; a price, a rule set and a dispute that Anna proposed or decided."""
    await billing.price()
    contested = a_stay_fact(12, municipality=SHOWN)
    await billing.tell(a_stay_fact(12), contested)
    number = (await billing.close_month(MONTH, ISSUED)).json()["invoice"]
    for action in ("prepare", "publish"):
        answer = await billing.step(action, billing.controller(), MONTH, SHOWN, acted_by=PERSON)
        assert answer.status_code == 200, answer.text
    debtor = billing.token("kommun-1481", "municipality", "disputes:write averages:read months:sign", SHOWN)
    complaint = {"month": MONTH, "case": str(contested.case_id), "reason": "readiness_contested", "explanation": "She was not ready"}
    dispute = await billing.post("/v1/disputes", debtor, complaint)
    assert dispute.status_code == 201, dispute.text
    for action in ("prepare", "publish"):
        assert (await billing.step(action, billing.controller(), MONTH, SHOWN, acted_by=PERSON)).status_code == 200
    assert (await billing.step("sign", debtor, MONTH, SHOWN)).status_code == 200
    price = await billing.post("/v1/tariffs", billing.controller(), PRICE | {"acted_by": PERSON})
    rules = {"agreement": with_threshold("4.0"), "source": "Made up for a test", "acted_by": PERSON}
    agreement = await billing.post("/v1/agreements", billing.controller(), rules)
    return {"number": number, "dispute": dispute.json()["id"], "price": price.json()["id"], "agreement": agreement.json()["id"]}


def a_step(billing: Billing, code: str, **changed: Any) -> dict[str, Any]:
    return {"calculation": billing.calculations[code] | changed, "acted_by": PERSON}


def the_table(billing: Billing, names: dict[str, str]) -> list[tuple[str, str, str, Any, int, str]]:
    """What is bad about it, the call, and the answer it has."""
    today = now().date().isoformat()
    this_month = f"{now():%Y-%m}"
    paid = {"status": "paid", "amount": {"amount": "1.00"}, "paid_on": today}
    rival = shipped() | {"name": "rival", "parties": [ISSUED], "first": "2026-01-01"}
    unread = shipped() | {"made_up": True}
    trial = {"profiles": ["made-up"], "from": MONTH, "to": MONTH}
    status = f"/v1/invoices/{names['number']}/status"
    months = f"/v1/months/{MONTH}"
    return [
        ("unknown profile in a trial", "POST", "/v1/simulations", trial, 422, "simulation.profile_unknown"),
        ("unknown rule set approved", "POST", f"/v1/agreements/{uuid7()}/approval", {}, 404, "agreement.unknown"),
        ("rule set in no known form", "POST", "/v1/agreements", {"agreement": unread, "source": "x"}, 422, "agreement.malformed"),
        ("overlapping rule sets", "POST", "/v1/agreements", {"agreement": rival, "source": "x"}, 409, "agreement.overlap"),
        ("overlapping prices", "POST", "/v1/tariffs", PRICE | {"first": "2026-12-31"}, 409, "tariff.period_priced"),
        (
            "a debtor behind its documents",
            "PUT",
            f"/v1/debtors/{ISSUED}",
            {"valid_from": today, "name": "B", "organisation": "2120001561"},
            409,
            "debtor.invoiced",
        ),
        ("negative price", "POST", "/v1/tariffs", PRICE | {"price": {"amount": "-1.00"}}, 422, "tariff.price_negative"),
        ("price of nothing", "POST", "/v1/tariffs", PRICE | {"price": {"amount": "0.00"}}, 422, "tariff.price_negative"),
        ("period backwards", "POST", "/v1/tariffs", PRICE | {"last": "2026-01-01"}, 422, "tariff.period_reversed"),
        ("month not over", "POST", f"/v1/months/{this_month}/{SHOWN}/prepare", {}, 409, "month.not_over"),
        ("second approval of a month", "POST", f"{months}/{SHOWN}/approve", a_step(billing, SHOWN), 409, "month.same_person"),
        ("second approval of a price", "POST", f"/v1/tariffs/{names['price']}/approval", {"acted_by": PERSON}, 409, "tariff.same_person"),
        (
            "second approval of a rule set",
            "POST",
            f"/v1/agreements/{names['agreement']}/approval",
            {"acted_by": PERSON},
            409,
            "agreement.same_person",
        ),
        (
            "a dispute decided by who prepared",
            "POST",
            f"/v1/disputes/{names['dispute']}/decision",
            {"outcome": "rejected", "explanation": "No", "acted_by": PERSON},
            409,
            "dispute.same_person",
        ),
        ("outdated version", "POST", f"{months}/{SHOWN}/approve", a_step(billing, SHOWN, version=1), 409, "calculation.outdated"),
        ("another fingerprint", "POST", f"{months}/{SHOWN}/approve", a_step(billing, SHOWN, sha256="0" * 64), 409, "calculation.outdated"),
        ("a step too early", "POST", f"{months}/{SHOWN}/issue", a_step(billing, SHOWN), 409, "month.state"),
        ("status on an unknown number", "POST", "/v1/invoices/2026-999999/status", paid, 404, "invoice.unknown"),
        ("payment above the rest", "POST", status, paid | {"amount": {"amount": "9999999.00"}}, 409, "payment.above_rest"),
        ("rejected without a reason", "POST", status, {"status": "rejected"}, 422, "request.malformed"),
    ]


async def test_every_bad_input_has_its_own_word_and_leaves_nothing_half_done(billing: Billing) -> None:
    table = the_table(billing, await a_county(billing))
    before = await everything_kept(billing)
    answered = []
    for index, (what, method, path, body, _, _) in enumerate(table):
        headers = anybody(billing) | {"Idempotency-Key": f"bad-{index}"}
        answer = await billing.http.request(method, path, headers=headers, json=body)
        answered.append((what, answer.status_code, answer.json().get("code")))
        kept = await everything_kept(billing)
        assert [name for name in kept if kept[name] != before[name]] == [], what
    assert answered == [(what, status, code) for what, _, _, _, status, code in table]


async def test_a_good_call_does_change_what_is_kept(billing: Billing) -> None:
    """The other side of the table: the fingerprint sees what a call that is not refused leaves behind."""
    await billing.tell(a_stay_fact(12))
    before = await everything_kept(billing)
    assert (await billing.step("prepare", billing.controller())).status_code == 200
    kept = await everything_kept(billing)
    assert {"calculations", "months", "month_actions"} <= {name for name in kept if kept[name] != before[name]}
