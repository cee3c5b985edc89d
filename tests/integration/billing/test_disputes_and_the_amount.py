"""What a dispute does to money: the lower amount while nobody has decided, and the difference after, before the invoice or after it."""

from typing import Any

import pytest

from shared.events.facts import StayChanged
from tests.integration.billing.parts import Billing, a_notice, a_stay_fact
from tests.integration.billing.test_disputes import MONTH, creditor, debtor, decide, escalate, opened, shown

ALL_COUNTED, WITHOUT_THE_LONGEST = "96000.00", "48000.00"


def example_4() -> list[StayChanged]:
    """n = 2, 5, 6, 7: 8 days above the average of 3.0; without the last one 4."""
    return [a_stay_fact(days) for days in (2, 5, 6, 7)]


async def month(billing: Billing) -> dict[str, Any]:
    found: dict[str, Any] = (await billing.get(f"/v1/months/{MONTH}/1480", billing.controller())).json()
    return found


async def prepared(billing: Billing) -> tuple[str, int]:
    """Prepare again; the amount and the version."""
    answer = await billing.step("prepare", billing.controller())
    assert answer.status_code == 200, answer.text
    return answer.json()["amount"]["amount"], answer.json()["calculation"]["version"]


async def test_while_nobody_has_decided_the_lower_amount_is_billed(billing: Billing) -> None:
    stays = example_4()
    await shown(billing, *stays)
    assert (await month(billing))["amount"]["amount"] == ALL_COUNTED
    await opened(billing, stays[-1])
    assert (await month(billing))["outdated"] is True
    stale = await billing.step("sign", debtor(billing))
    assert (stale.status_code, stale.json()["code"]) == (409, "calculation.outdated")
    assert await prepared(billing) == (WITHOUT_THE_LONGEST, 2)
    for action, who in (("publish", billing.controller()), ("sign", debtor(billing)), ("approve", creditor(billing))):
        assert (await billing.step(action, who)).status_code == 200
    assert (await billing.step("issue", creditor(billing))).json()["amount"]["amount"] == WITHOUT_THE_LONGEST


@pytest.mark.parametrize(("outcome", "amount"), [("rejected", ALL_COUNTED), ("upheld", WITHOUT_THE_LONGEST)])
async def test_a_decision_before_the_invoice_settles_the_amount(billing: Billing, outcome: str, amount: str) -> None:
    stays = example_4()
    await shown(billing, *stays)
    dispute = await opened(billing, stays[-1])
    await prepared(billing)
    assert (await decide(billing, dispute, outcome)).status_code == 200
    assert (await month(billing))["outdated"] is True
    assert (await prepared(billing))[0] == amount


async def test_days_upheld_are_taken_out_of_the_wait_and_the_rest_is_charged(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    assert (await month(billing))["amount"]["amount"] == "108000.00"
    dispute = await opened(billing, stay, ["2026-03-10", "2026-03-11"])
    assert (await prepared(billing))[0] == "84000.00"
    assert (await decide(billing, dispute, "partly", days=["2026-03-10"])).status_code == 200
    assert (await prepared(billing))[0] == "96000.00"


async def test_escalated_or_in_court_it_is_undecided_again(billing: Billing) -> None:
    stays = example_4()
    await shown(billing, *stays)
    dispute = await opened(billing, stays[-1])
    amounts = [(await prepared(billing))[0]]
    for decision, further in (("rejected", "review"), ("rejected", "court"), ("upheld", None)):
        assert (await decide(billing, dispute, decision)).status_code == 200
        amounts.append((await prepared(billing))[0])
        if further is not None:
            assert (await escalate(billing, dispute, further)).status_code == 200
            amounts.append((await prepared(billing))[0])
    counted, without = ALL_COUNTED, WITHOUT_THE_LONGEST
    assert amounts == [without, counted, without, counted, without, without]


async def test_contesting_a_stay_that_lowers_the_average_raises_nothing(billing: Billing) -> None:
    stays = [a_stay_fact(days) for days in (0, 5, 6, 7)]
    await shown(billing, *stays)
    before = (await month(billing))["amount"]
    dispute = await opened(billing, stays[0])
    assert (await prepared(billing))[0] == before["amount"] == "72000.00"
    assert (await decide(billing, dispute, "upheld")).status_code == 200
    assert (await prepared(billing))[0] == "108000.00"


async def test_a_dispute_upheld_after_the_invoice_is_credited(billing: Billing) -> None:
    stays = example_4()
    await shown(billing, *stays)
    for action, who in (("sign", debtor(billing)), ("approve", creditor(billing)), ("issue", creditor(billing))):
        assert (await billing.step(action, who)).status_code == 200
    dispute = await opened(billing, stays[-1])
    assert (await decide(billing, dispute, "upheld", acted_by="Berit Test")).status_code == 200
    assert await prepared(billing) == (WITHOUT_THE_LONGEST, 2)
    for action, who in (("publish", billing.controller()), ("approve", creditor(billing)), ("issue", creditor(billing))):
        answer = await billing.step(action, who)
        assert answer.status_code == 200, (action, answer.text)
    await billing.number()
    entries = (await billing.get("/v1/invoices", debtor(billing))).json()["entries"]
    documents = [entry.get("invoice", entry) for entry in entries]
    assert [str(one).count("credit_note") > 0 for one in documents] == [False, True]


async def test_the_notice_of_a_correction_starts_the_window_as_that_of_a_publication_does(billing: Billing) -> None:
    await shown(billing, *example_4())
    sha256 = (await month(billing))["calculation"]["sha256"]
    notice = a_notice(MONTH, sha256, billing.at)
    await billing.tell(notice.model_copy(update={"notice_type": "notice.dispute_decided"}))
    assert (await month(billing))["notice_entered_at"] is None
    await billing.tell(notice.model_copy(update={"notice_type": "notice.month_corrected"}))
    assert (await month(billing))["notice_entered_at"] is not None


@pytest.mark.parametrize("outcome", [None, "upheld"])
async def test_what_one_municipality_contested_is_neither_told_to_nor_taken_off_the_one_the_stay_turned_out_to_be_of(
    billing: Billing, outcome: str | None
) -> None:
    stay = a_stay_fact(12, municipality="1481")
    await billing.price()
    await billing.tell(stay)
    for action in ("prepare", "publish"):
        assert (await billing.step(action, billing.controller(), code="1481")).status_code == 200
    dispute = await opened(billing, stay, who=debtor(billing, "1481"), reason="wrong_municipality")
    if outcome is not None:
        assert (await decide(billing, dispute, outcome)).status_code == 200
    await billing.tell(stay.model_copy(update={"case_version": 2, "municipality": "1480"}))
    theirs = await month(billing)
    assert (theirs["amount"]["amount"], theirs["lines"][0]["counted_as"], theirs["disputed"]) == ("108000.00", "long", None)
    explained = await billing.get(f"/v1/months/{MONTH}/1480/explanation", debtor(billing))
    assert explained.status_code == 200
    assert dispute not in explained.text
    assert (await prepared(billing))[0] == "108000.00"
    assert (await billing.step("publish", billing.controller())).status_code == 200
    await opened(billing, stay, reason="wrong_municipality")
