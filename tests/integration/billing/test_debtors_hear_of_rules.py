"""What the months will be counted by is told on the stream for the debtors: once, when it counts, and without who decided it."""

from typing import Any

from services.billing.agreements import agreement_files
from tests.integration.billing.parts import Billing
from tests.integration.billing.test_entered_agreements import entered, proposed, shipped, with_threshold
from tests.integration.billing.test_what_the_creditor_hears import told


def parties_of(name: str) -> list[str] | None:
    parties = next(file for file in agreement_files() if file.name == name).model_dump(mode="json")["parties"]
    return None if parties is None else sorted(parties)


async def test_an_approved_version_is_told_with_whom_it_binds_and_a_proposal_is_not(billing: Billing) -> None:
    first = await proposed(billing, with_threshold("4.0"))
    assert await told(billing, "agreement.approved") == []
    answer = await billing.post(f"/v1/agreements/{first.json()['id']}/approval", billing.approver(), {})
    assert answer.status_code == 200, answer.text
    (fact,) = await told(billing, "agreement.approved")
    assert (fact["agreement_id"], fact["name"], fact["version"], fact["first"]) == (first.json()["id"], "vgr-2018", 1, "2018-09-25")
    assert fact["municipalities"] == parties_of("vgr-2018")
    assert "1480" in fact["municipalities"]
    assert not {"client", "person", "source"} & set(fact)


async def test_whoever_leaves_an_agreement_hears_of_the_version_without_it(billing: Billing) -> None:
    without: dict[str, Any] = with_threshold("3.0")
    without["parties"] = [code for code in without["parties"] if code != "1480"]
    await entered(billing, without)
    (fact,) = await told(billing, "agreement.approved")
    assert "1480" in fact["municipalities"]


async def test_a_rule_set_for_everybody_is_told_to_everybody_and_one_to_try_out_to_nobody(billing: Billing) -> None:
    await entered(billing, with_threshold("2.0", "next-month-trigger"))
    assert await told(billing, "agreement.approved") == []
    await entered(billing, shipped("law-2018"))
    (fact,) = await told(billing, "agreement.approved")
    assert (fact["name"], fact["municipalities"]) == ("law-2018", None)


async def test_an_approved_price_is_told_and_a_proposed_one_is_not(billing: Billing) -> None:
    body = {"price": {"amount": "12000.00"}, "first": "2026-01-01", "last": "2026-12-31", "source": "Made up for a test"}
    proposal = (await billing.post("/v1/tariffs", billing.controller(), body)).json()
    assert await told(billing, "tariff.approved") == []
    for status in (200, 409):
        assert (await billing.post(f"/v1/tariffs/{proposal['id']}/approval", billing.approver(), {})).status_code == status
    (fact,) = await told(billing, "tariff.approved")
    assert (fact["tariff_id"], fact["first"], fact["last"], fact["price"]) == (proposal["id"], "2026-01-01", "2026-12-31", "12000.00")
