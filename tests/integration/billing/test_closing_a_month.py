"""From stays to an invoice over HTTP: states, persons, silence, outdated calculations, the gate."""

from datetime import timedelta

import pytest

from shared.dates import now
from tests.integration.billing.parts import Billing, a_notice, a_poll, a_stay_fact, local


async def a_month_with_money(billing: Billing) -> None:
    """2, 5, 6 and 7 days: average 5, 8 days too many; and one long stay of 12 days: 9 days."""
    await billing.price()
    await billing.tell(*(a_stay_fact(days) for days in (2, 5, 6, 7, 12)))


async def test_a_month_goes_from_stays_to_an_invoice_that_its_debtor_can_fetch(billing: Billing) -> None:
    await a_month_with_money(billing)
    issued = await billing.close_month()
    assert issued.status_code == 200, issued.text
    assert (issued.json()["state"], issued.json()["accepted"]) == ("issued", "signed")
    number = issued.json()["invoice"]
    assert number == f"{now().year}-000001"
    invoice = (await billing.get(f"/v1/invoices/{number}", billing.municipality())).json()
    assert invoice["amount"] == {"amount": "204000.00", "currency": "SEK"}
    assert [(line["kind"], line["days"], line["amount"]["amount"]) for line in invoice["lines"]] == [
        ("average", 8, "96000.00"),
        ("long", 9, "108000.00"),
    ]
    assert len(invoice["lines"][0]["stays"]) == 4
    assert all(stay["ready_notice_sent_at"] and stay["case"] for line in invoice["lines"] for stay in line["stays"])
    await billing.number()
    for who in (billing.finance(), billing.municipality()):
        feed = (await billing.get("/v1/invoices", who)).json()
        assert [(entry["position"], entry["number"]) for entry in feed["entries"]] == [(1, number)]
    assert (await billing.get("/v1/invoices", billing.municipality("1481"))).json()["entries"] == []


async def test_month_detail_names_every_stay_its_days_and_its_rule(billing: Billing) -> None:
    await a_month_with_money(billing)
    detail = (await billing.get("/v1/months/2026-03/1480", billing.municipality())).json()
    assert (detail["state"], detail["calculation"], detail["amount"]["amount"]) == ("open", None, "204000.00")
    assert sorted((line["days"], line["counted_as"], line["chargeable_days"]) for line in detail["lines"]) == [
        (2, "average", 0),
        (5, "average", 0),
        (6, "average", 0),
        (7, "average", 0),
        (12, "long", 9),
    ]
    assert all(line["rule"] for line in detail["lines"])


async def test_a_step_on_a_calculation_that_facts_have_left_behind_is_refused(billing: Billing) -> None:
    await a_month_with_money(billing)
    await billing.step("prepare", billing.controller())
    await billing.tell(a_stay_fact(9))
    refused = await billing.step("publish", billing.controller())
    assert (refused.status_code, refused.json()["code"]) == (409, "calculation.outdated")
    assert (await billing.get("/v1/months/2026-03/1480", billing.controller())).json()["outdated"] is True
    again = await billing.step("prepare", billing.controller())
    assert again.json()["calculation"]["version"] == 2
    assert (await billing.step("publish", billing.controller())).json()["state"] == "published"


async def test_a_step_that_names_another_calculation_is_refused(billing: Billing) -> None:
    await a_month_with_money(billing)
    await billing.step("prepare", billing.controller())
    billing.calculations["1480"] = {**billing.calculations["1480"], "version": 7}
    assert (await billing.step("publish", billing.controller())).json()["code"] == "calculation.outdated"


async def test_preparing_twice_on_the_same_facts_is_the_same_calculation(billing: Billing) -> None:
    await a_month_with_money(billing)
    first = (await billing.step("prepare", billing.controller())).json()
    assert (await billing.step("prepare", billing.controller())).json() == first


async def test_silence_accepts_only_after_the_notice_arrived_in_a_mailbox_that_is_read(billing: Billing) -> None:
    await a_month_with_money(billing)
    await billing.step("prepare", billing.controller())
    await billing.step("publish", billing.controller())
    not_delivered = await billing.step("approve", billing.approver())
    assert (not_delivered.status_code, not_delivered.json()["code"]) == (409, "month.not_accepted")
    await billing.tell(a_notice("2026-03", billing.calculations["1480"]["sha256"], now()))
    assert "mailbox_unread" in (await billing.step("approve", billing.approver())).json()["detail"]
    await billing.tell(a_poll(now() - timedelta(days=8)))
    assert "mailbox_unread" in (await billing.step("approve", billing.approver())).json()["detail"]
    await billing.tell(a_poll(now()))
    approved = await billing.step("approve", billing.approver())
    assert (approved.json()["state"], approved.json()["accepted"]) == ("approved", "silent")


async def test_the_notice_of_an_earlier_calculation_starts_no_window(billing: Billing) -> None:
    await a_month_with_money(billing)
    await billing.step("prepare", billing.controller())
    await billing.step("publish", billing.controller())
    await billing.tell(a_notice("2026-03", "0" * 64, now()), a_poll(now()))
    assert "not_delivered" in (await billing.step("approve", billing.approver())).json()["detail"]


async def test_a_late_notice_of_an_equal_earlier_calculation_starts_no_window(billing: Billing) -> None:
    """The facts go to and fro: the third calculation has the content of the first, and is another one all the same."""
    await billing.price()
    extra = a_stay_fact(9)
    await billing.tell(a_stay_fact(12), extra)
    names = []
    for version in (2, 3, 4):
        await billing.step("prepare", billing.controller())
        names.append(billing.calculations["1480"])
        assert (await billing.step("publish", billing.controller())).status_code == 200
        await billing.tell(extra.model_copy(update={"case_version": version, "cancelled": version == 2}), a_poll(now()))
    first, _, third = names
    assert (first["sha256"], first["version"], third["version"]) == (third["sha256"], 1, 3)
    await billing.tell(a_notice("2026-03", first["sha256"], now(), version=1))
    assert "not_delivered" in (await billing.step("approve", billing.approver())).json()["detail"]
    await billing.tell(a_notice("2026-03", third["sha256"], now(), version=3))
    assert (await billing.step("approve", billing.approver())).json()["state"] == "approved"


async def test_the_list_of_months_says_which_ones_facts_have_left_behind(billing: Billing) -> None:
    await a_month_with_money(billing)
    await billing.tell(a_stay_fact(12, municipality="1481"))
    assert (await billing.close_month()).json()["state"] == "issued"
    await billing.step("prepare", billing.controller(), code="1481")

    async def outdated() -> dict[str, bool]:
        months = (await billing.get("/v1/months/2026-03", billing.controller())).json()["months"]
        return {row["municipality"]: row["outdated"] for row in months}

    assert await outdated() == {"1480": False, "1481": False, "1490": False}
    await billing.tell(a_stay_fact(30), a_stay_fact(3, municipality="1490"))
    assert await outdated() == {"1480": True, "1481": False, "1490": False}
    assert (await billing.get("/v1/months/2026-03/1480", billing.controller())).json()["outdated"] is True
    await billing.tell(a_stay_fact(30, municipality="1481"))
    own = (await billing.get("/v1/months/2026-03", billing.municipality("1481"))).json()["months"]
    assert [(row["municipality"], row["outdated"]) for row in own] == [("1481", True)]


async def test_an_undecided_review_that_changes_the_amount_blocks_publication(billing: Billing) -> None:
    await billing.price()
    await billing.tell(a_stay_fact(12, late_notice=True))
    detail = (await billing.get("/v1/months/2026-03/1480", billing.controller())).json()
    assert [(finding["code"], finding["blocks"]) for finding in detail["findings"]] == [("undecided_review", True)]
    assert detail["lines"][0]["counted_as"] == "review"
    await billing.step("prepare", billing.controller())
    refused = await billing.step("publish", billing.controller())
    assert (refused.status_code, refused.json()["code"]) == (409, "month.blocked")


async def test_a_missing_price_blocks_until_two_persons_have_entered_it(billing: Billing) -> None:
    await billing.tell(a_stay_fact(12))
    prepared = await billing.step("prepare", billing.controller())
    assert prepared.json()["amount"] is None
    assert "missing_price" in (await billing.step("publish", billing.controller())).json()["detail"]
    await billing.price()
    assert (await billing.step("publish", billing.controller())).json()["code"] == "calculation.outdated"
    assert (await billing.step("prepare", billing.controller())).json()["amount"]["amount"] == "108000.00"
    assert (await billing.step("publish", billing.controller())).status_code == 200


async def test_one_person_alone_enters_no_price(billing: Billing) -> None:
    body = {"first": "2026-01-01", "last": "2026-12-31", "price": {"amount": "12000.00"}, "source": "x"}
    proposed = (await billing.post("/v1/tariffs", billing.controller(), body)).json()
    refused = await billing.post(f"/v1/tariffs/{proposed['id']}/approval", billing.controller(), {})
    assert (refused.status_code, refused.json()["code"]) == (409, "tariff.same_person")
    other_name = await billing.post(f"/v1/tariffs/{proposed['id']}/approval", billing.controller(), {"acted_by": "Someone Else"})
    assert other_name.status_code == 409
    states = [row["state"] for row in (await billing.get("/v1/tariffs", billing.finance())).json()["tariffs"] if row["id"]]
    assert states == ["proposed"]


async def test_a_month_of_amount_zero_is_settled_without_invoice_and_number(billing: Billing) -> None:
    await billing.tell(a_stay_fact(0), a_stay_fact(3))
    closed = await billing.close_month()
    assert (closed.json()["state"], closed.json()["invoice"]) == ("settled", None)
    await billing.price()
    await billing.tell(a_stay_fact(12, municipality="1481"))
    assert (await billing.close_month(code="1481")).json()["invoice"].endswith("-000001")


async def test_a_month_that_is_not_over_is_not_prepared(billing: Billing) -> None:
    month = f"{now().year}-{now().month:02d}"
    refused = await billing.step("prepare", billing.controller(), month)
    assert (refused.status_code, refused.json()["code"]) == (409, "month.not_over")


async def test_steps_out_of_order_are_refused(billing: Billing) -> None:
    await a_month_with_money(billing)
    await billing.step("prepare", billing.controller())
    for action, who in (("sign", billing.municipality()), ("issue", billing.approver()), ("approve", billing.approver())):
        refused = await billing.step(action, who)
        assert (refused.status_code, refused.json()["code"]) == (409, "month.state"), action


async def test_an_issued_month_takes_no_further_step_but_a_correction_when_facts_moved(billing: Billing) -> None:
    await a_month_with_money(billing)
    await billing.close_month()
    steps = (("prepare", billing.controller()), ("publish", billing.controller()), ("issue", billing.approver()))
    for action, who in steps:
        assert (await billing.step(action, who)).json()["code"] == "month.state"
    await billing.tell(a_stay_fact(30))
    for action, who in steps[1:]:
        assert (await billing.step(action, who)).json()["code"] == "month.state"
    assert (await billing.step(*steps[0])).json()["state"] == "prepared"


async def test_the_same_key_issues_once(billing: Billing) -> None:
    await a_month_with_money(billing)
    for action, who in (("prepare", billing.controller()), ("publish", billing.controller()), ("sign", billing.municipality())):
        await billing.step(action, who)
    await billing.step("approve", billing.approver())
    body = {"calculation": billing.calculations["1480"]}
    first = await billing.post("/v1/months/2026-03/1480/issue", billing.approver(), body, "only-once")
    again = await billing.post("/v1/months/2026-03/1480/issue", billing.approver(), body, "only-once")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content


async def test_one_step_for_many_has_one_outcome_each(billing: Billing) -> None:
    await billing.price()
    await billing.tell(*(a_stay_fact(days, municipality=code) for code in ("1480", "1481", "1490") for days in (5, 6)))
    items = [{"municipality": code} for code in ("1490", "1480", "1481", "9999")]
    prepared = (await billing.post("/v1/months/2026-03/actions", billing.controller(), {"action": "prepare", "items": items})).json()
    assert [(one["municipality"], one["status"], one["code"]) for one in prepared["outcomes"]] == [
        ("1480", "done", None),
        ("1481", "done", None),
        ("1490", "done", None),
        ("9999", "refused", "not_found"),
    ]
    named = [
        {"municipality": one["municipality"], "calculation": one["month"]["calculation"]} for one in prepared["outcomes"] if one["month"]
    ]
    named[1]["calculation"] = {"version": 9, "sha256": "0" * 64}
    body = {"action": "publish", "items": named}
    published = (await billing.post("/v1/months/2026-03/actions", billing.controller(), body)).json()
    assert [(one["status"], one["code"]) for one in published["outcomes"]] == [
        ("done", None),
        ("refused", "calculation.outdated"),
        ("done", None),
    ]
    assert [one["month"]["name"] for one in published["outcomes"] if one["month"]] == ["Göteborg", "Borås"]
    denied = await billing.post("/v1/months/2026-03/actions", billing.controller(), {"action": "approve", "items": named})
    assert denied.status_code == 403


async def test_every_answer_of_a_month_names_its_debtor_and_its_documents(billing: Billing) -> None:
    await a_month_with_money(billing)
    for action, who in (
        ("prepare", billing.controller()),
        ("publish", billing.controller()),
        ("sign", billing.municipality()),
        ("approve", billing.approver()),
    ):
        answer = (await billing.step(action, who)).json()
        assert (answer["name"], answer["documents"]) == ("Göteborg", []), action
    issued = (await billing.step("issue", billing.approver())).json()
    assert [one["number"] for one in issued["documents"]] == [issued["invoice"]]
    listed = (await billing.get("/v1/months/2026-03", billing.municipality())).json()["months"]
    detail = (await billing.get("/v1/months/2026-03/1480", billing.municipality())).json()
    assert [(one["name"], one["documents"]) for one in (*listed, detail)] == [("Göteborg", issued["documents"])] * 2


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ["the month is prepared; sign is not possible", "the month is prepared; approve is not possible"]),
        ("sv", ["Månaden är förberedd och kan inte signeras.", "Månaden är förberedd och kan inte attesteras."]),
    ],
)
async def test_a_step_out_of_turn_is_told_which_state_the_month_is_in(billing: Billing, language: str, told: list[str]) -> None:
    await a_month_with_money(billing)
    assert (await billing.step("prepare", billing.controller())).status_code == 200
    steps = (("sign", billing.municipality()), ("approve", billing.approver()))
    refused = [await billing.step(action, who | {"Accept-Language": language}) for action, who in steps]
    assert [(one.json()["code"], one.json()["detail"]) for one in refused] == [("month.state", one) for one in told]


async def test_a_month_that_nothing_has_changed_in_is_told_where_it_stands_in_both_languages(billing: Billing) -> None:
    await a_month_with_money(billing)
    await billing.close_month()
    details = [
        (await billing.step("prepare", billing.controller() | {"Accept-Language": language})).json()["detail"] for language in ("en", "sv")
    ]
    assert details == ["the month is issued on this very calculation", "Månaden är fakturerad på just den här beräkningen."]


async def test_a_stay_from_a_notice_after_discharge_is_shown_with_its_reason(billing: Billing) -> None:
    await billing.tell(a_stay_fact(None, ready="2026-03-25T09:00"))
    detail = (await billing.get("/v1/months/2026-03/1480", billing.controller())).json()
    assert [(line["counted_as"], line["reason"]) for line in detail["lines"]] == [("excluded", "ready_after_discharge")]


async def test_what_a_caller_may_not_see_looks_like_what_does_not_exist(billing: Billing) -> None:
    await a_month_with_money(billing)
    issued = await billing.close_month()
    other = billing.municipality("1481")
    foreign = await billing.get("/v1/months/2026-03/1480", other)
    unknown = await billing.get("/v1/months/2026-03/9999", other)
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert {**foreign.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}
    assert (await billing.get(f"/v1/invoices/{issued.json()['invoice']}", other)).status_code == 404
    assert (await billing.get("/v1/invoices/2026-999999", other)).status_code == 404
    body = {"calculation": billing.calculations["1480"]}
    assert (await billing.post("/v1/months/2026-03/1480/sign", other, body)).status_code == 404
    assert [row["municipality"] for row in (await billing.get("/v1/months/2026-03", other)).json()["months"]] == ["1481"]


async def test_the_sent_times_of_a_stay_are_those_of_its_facts(billing: Billing) -> None:
    await billing.tell(a_stay_fact(None, ready="2026-03-28T23:30", discharged="2026-03-30T00:15"))
    detail = (await billing.get("/v1/months/2026-03/1480", billing.controller())).json()
    (line,) = detail["lines"]
    assert (line["days"], line["ready_notice_sent_at"]) == (2, "2026-03-28T22:30:00.000000Z")
    assert local("2026-03-28T23:30").hour == 22
