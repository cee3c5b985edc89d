"""Disputes over HTTP: the debtor contests what it was shown, the creditor decides, and each step is taken by who may take it, once."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.billing.domain.disputing import DisputeOutcome
from services.billing.domain.persons import Actor
from services.billing.usecases.disputes import Ruling, decide_dispute
from shared.errors import Refused
from shared.events.facts import DisputeDecided, StayChanged
from shared.identifiers import uuid7
from tests.integration.billing.parts import Billing, a_stay_fact

MONTH = "2026-03"


def debtor(billing: Billing, code: str = "1480") -> dict[str, str]:
    scopes = "averages:read months:sign invoices:read disputes:write"
    return billing.token(f"kommun-{code}", "municipality", scopes, code)


def creditor(billing: Billing) -> dict[str, str]:
    return billing.token("approver", "approver", "averages:read disputes:decide months:approve months:issue agreements:write")


async def shown(billing: Billing, *stays: StayChanged, month: str = MONTH) -> None:
    """Publish a month of these stays."""
    await billing.price()
    await billing.tell(*stays)
    for action in ("prepare", "publish"):
        answer = await billing.step(action, billing.controller(), month)
        assert answer.status_code == 200, answer.text


async def contest(
    billing: Billing, stay: StayChanged, days: list[str] | None = None, who: dict[str, str] | None = None, **changed: Any
) -> Any:
    body = {"month": MONTH, "case": str(stay.case_id), "reason": "readiness_contested", "explanation": "Not ready on those days"} | changed
    if days is not None:
        body["days"] = days
    return await billing.post("/v1/disputes", who or debtor(billing), body)


async def opened(billing: Billing, stay: StayChanged, days: list[str] | None = None, **changed: Any) -> str:
    answer = await contest(billing, stay, days, **changed)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def decide(billing: Billing, dispute: str, outcome: str = "rejected", who: dict[str, str] | None = None, **more: Any) -> Any:
    body = {"outcome": outcome, "explanation": "The ward's record says so"} | more
    return await billing.post(f"/v1/disputes/{dispute}/decision", who or creditor(billing), body)


async def escalate(billing: Billing, dispute: str, to: str = "review", who: dict[str, str] | None = None, **more: Any) -> Any:
    body = {"to": to, "explanation": "The decision does not answer what we wrote"} | more
    return await billing.post(f"/v1/disputes/{dispute}/escalation", who or debtor(billing), body)


def said(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("code")


async def test_a_debtor_contests_a_stay_and_reads_where_it_stands_with_its_history(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    answer = await contest(billing, stay, acted_by="Anna Test")
    told = answer.json()
    assert (answer.status_code, told["state"], told["outcome"], told["days"], told["opened_by"]) == (201, "open", None, None, "Anna Test")
    assert (await decide(billing, told["id"], acted_by="Berit Test")).status_code == 200
    assert (await escalate(billing, told["id"], acted_by="Anna Test")).status_code == 200
    assert (await decide(billing, told["id"], "upheld", acted_by="Cecilia Test")).status_code == 200
    found = (await billing.get(f"/v1/disputes/{told['id']}", debtor(billing))).json()
    steps = [(event["state"], event["outcome"], event["by"]) for event in found["history"]]
    assert (found["state"], found["outcome"]) == ("decided", "upheld")
    assert steps == [("decided", "rejected", "Berit Test"), ("escalated", None, "Anna Test"), ("decided", "upheld", "Cecilia Test")]


async def test_only_the_debtor_contests_and_only_the_region_decides(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    everything = "disputes:write disputes:decide averages:read"
    region = billing.token("controller", "controller", everything)
    assert said(await contest(billing, stay, who=region)) == (403, "access.denied")
    dispute = await opened(billing, stay)
    for role, code in (("municipality", "1480"), ("municipality", "1481"), ("ward", None), ("care", None)):
        who = billing.token(f"{role}-client", role, everything, code)
        assert said(await decide(billing, dispute, who=who)) == (403, "access.denied"), role


@pytest.mark.parametrize("foreign", [True, False], ids=["foreign", "unknown"])
async def test_another_municipality_s_dispute_looks_like_one_that_is_not_there(billing: Billing, foreign: bool) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    dispute = await opened(billing, stay) if foreign else str(uuid7())
    other = debtor(billing, "1481")
    assert said(await billing.get(f"/v1/disputes/{dispute}", other)) == (404, "not_found")
    assert said(await escalate(billing, dispute, "court", who=other)) == (404, "not_found")
    assert (await billing.get("/v1/disputes", other)).json()["disputes"] == []


async def test_a_stay_of_somebody_else_or_of_nobody_is_not_in_the_debtor_s_month(billing: Billing) -> None:
    own, foreign = a_stay_fact(12), a_stay_fact(12, municipality="1481")
    await shown(billing, own, foreign)
    for case in (str(foreign.case_id), str(uuid7())):
        answer = await contest(billing, own, case=case)
        assert said(answer) == (422, "dispute.not_contestable")
        assert answer.json()["errors"] == [{"pointer": "/case", "code": "not_in_calculation"}]


async def test_what_was_never_published_cannot_be_contested(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await billing.price()
    await billing.tell(stay)
    assert said(await contest(billing, stay)) == (409, "dispute.month_not_published")
    await billing.step("prepare", billing.controller())
    assert said(await contest(billing, stay)) == (409, "dispute.month_not_published")


async def test_the_days_contested_are_days_the_patient_waited(billing: Billing) -> None:
    stay = a_stay_fact(12, discharged="2026-03-20T11:00")
    await shown(billing, stay)
    for days, pointers in (
        (["2026-03-07"], ["/days/0"]),
        (["2026-03-08", "2026-03-20"], ["/days/1"]),
        (["2026-03-08", "2026-03-08"], ["/days"]),
    ):
        answer = await contest(billing, stay, days)
        assert said(answer) == (422, "dispute.not_contestable")
        assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    assert said(await contest(billing, stay, [])) == (422, "request.malformed")
    assert (await contest(billing, stay, ["2026-03-08", "2026-03-19"])).status_code == 201


async def test_the_same_days_are_contested_once_at_a_time_and_others_beside_them(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    first = await opened(billing, stay, ["2026-03-10", "2026-03-11"])
    assert said(await contest(billing, stay, ["2026-03-11"], reason="other")) == (409, "dispute.open")
    assert said(await contest(billing, stay, reason="other")) == (409, "dispute.open")
    await opened(billing, stay, ["2026-03-12"])
    assert (await decide(billing, first)).status_code == 200
    assert said(await contest(billing, stay, ["2026-03-11"])) == (409, "dispute.decided")
    assert (await contest(billing, stay, ["2026-03-11"], reason="notice_missing")).status_code == 201


async def test_the_same_days_contested_at_once_make_one_dispute(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    answers = await asyncio.gather(*(contest(billing, stay, ["2026-03-10"]) for _ in range(4)))
    assert sorted(said(answer) for answer in answers) == [(201, None)] + [(409, "dispute.open")] * 3


async def test_who_decides_while_another_one_is_deciding_waits_and_is_refused(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    dispute = UUID(await opened(billing, stay))

    async def ruled(outcome: DisputeOutcome, deciding: asyncio.Event, go_on: asyncio.Event) -> None:
        async with billing.database.transaction() as work:
            await decide_dispute(work, dispute, Ruling(outcome, None, "Because"), Actor("approver", outcome.value))
            deciding.set()
            await go_on.wait()

    first_is_deciding, second_has_decided, go_on, at_once = (asyncio.Event() for _ in range(4))
    at_once.set()
    first = asyncio.create_task(ruled(DisputeOutcome.UPHELD, first_is_deciding, go_on))
    await first_is_deciding.wait()
    second = asyncio.create_task(ruled(DisputeOutcome.REJECTED, second_has_decided, at_once))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(second_has_decided.wait(), 0.5)
    go_on.set()
    await first
    with pytest.raises(Refused) as refusal:
        await second
    assert refusal.value.code == "dispute.decided"


async def test_what_was_decided_is_contested_again_only_on_other_facts(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    dispute = await opened(billing, stay)
    assert (await decide(billing, dispute)).status_code == 200
    assert said(await contest(billing, stay)) == (409, "dispute.decided")
    async with billing.database.transaction() as work:
        at = work.at
    await billing.tell(stay.model_copy(update={"case_version": 2, "sip_contested": False}), at=at)
    assert (await contest(billing, stay)).status_code == 201


async def test_a_dispute_is_decided_once_and_escalated_once(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    dispute = await opened(billing, stay)
    assert said(await escalate(billing, dispute)) == (409, "dispute.not_decided")
    assert (await decide(billing, dispute)).status_code == 200
    assert said(await decide(billing, dispute, "upheld")) == (409, "dispute.decided")
    assert (await escalate(billing, dispute)).json()["state"] == "escalated"
    assert (await decide(billing, dispute)).status_code == 200
    assert said(await escalate(billing, dispute)) == (409, "dispute.escalated")
    court = await escalate(billing, dispute, "court", reference="Mål 1234-26")
    assert (court.json()["state"], court.json()["history"][-1]["reference"]) == ("in_court", "Mål 1234-26")
    assert said(await escalate(billing, dispute, "court")) == (409, "dispute.escalated")


async def test_either_side_notes_that_a_court_has_it_but_only_the_debtor_asks_for_another_look(billing: Billing) -> None:
    first, second = a_stay_fact(12), a_stay_fact(12)
    await shown(billing, first, second)
    ours, theirs = await opened(billing, first), await opened(billing, second)
    assert (await decide(billing, ours)).status_code == 200
    assert said(await escalate(billing, ours, "review", who=creditor(billing))) == (409, "dispute.debtor_only")
    assert (await escalate(billing, ours, "court", who=creditor(billing))).json()["state"] == "in_court"
    assert (await escalate(billing, theirs, "court")).json()["state"] == "in_court"
    ruled = await decide(billing, ours, "upheld", explanation="Kammarrätten has ruled")
    assert (ruled.json()["state"], ruled.json()["outcome"]) == ("decided", "upheld")
    assert said(await escalate(billing, ours)) == (409, "dispute.escalated")


@pytest.mark.parametrize("name", ["Cecilia Test", "cecilia  TEST", "\uff23ecilia Test"])
async def test_who_prepared_or_published_does_not_decide(billing: Billing, name: str) -> None:
    await billing.price()
    stay = a_stay_fact(12)
    await billing.tell(stay)
    for action, who in (("prepare", "Cecilia Test"), ("publish", "Doris Test")):
        assert (await billing.step(action, billing.controller(), acted_by=who)).status_code == 200
    dispute = await opened(billing, stay)
    assert said(await decide(billing, dispute, acted_by=name)) == (409, "dispute.same_person")
    assert said(await decide(billing, dispute, acted_by="doris test")) == (409, "dispute.same_person")
    assert (await decide(billing, dispute, acted_by="Berit Test")).status_code == 200


async def test_nobody_decides_the_dispute_that_she_raised_or_had_looked_at_again_for_the_debtor(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    dispute = await opened(billing, stay, acted_by="Doris Test")
    assert said(await decide(billing, dispute, "upheld", acted_by="doris  test")) == (409, "dispute.same_person")
    assert (await decide(billing, dispute, acted_by="Berit Test")).status_code == 200
    assert (await escalate(billing, dispute, acted_by="Eva Test")).status_code == 200
    for name in ("Doris Test", "EVA TEST"):
        assert said(await decide(billing, dispute, "upheld", acted_by=name)) == (409, "dispute.same_person")
    assert (await decide(billing, dispute, "upheld", acted_by="Berit Test")).status_code == 200


@pytest.mark.parametrize(
    ("contested", "outcome", "days", "code"),
    [
        (["2026-03-10", "2026-03-11"], "partly", ["2026-03-10"], None),
        (["2026-03-10", "2026-03-11"], "partly", None, "dispute.days_malformed"),
        (["2026-03-10", "2026-03-11"], "partly", ["2026-03-10", "2026-03-11"], "dispute.days_malformed"),
        (["2026-03-10", "2026-03-11"], "partly", ["2026-03-12"], "dispute.days_malformed"),
        (["2026-03-10", "2026-03-11"], "upheld", ["2026-03-10"], "dispute.days_malformed"),
        (["2026-03-10", "2026-03-11"], "rejected", ["2026-03-10"], "dispute.days_malformed"),
        (None, "partly", ["2026-03-10"], None),
        (None, "partly", ["2026-03-25"], "dispute.not_contestable"),
    ],
)
async def test_the_days_of_a_decision_are_a_part_of_those_contested(
    billing: Billing, contested: list[str] | None, outcome: str, days: list[str] | None, code: str | None
) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    answer = await decide(billing, await opened(billing, stay, contested), outcome, days=days)
    assert said(answer) == ((200, None) if code is None else (422, code))


async def test_a_text_with_a_person_number_is_refused_and_not_kept(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    for number in ("18900101-9802", "189001019802", "900101-9802"):
        answer = await contest(billing, stay, explanation=f"Patient {number} was not ready")
        assert said(answer) == (422, "dispute.person_named")
        assert "9802" not in answer.text
    dispute = await opened(billing, stay)
    assert said(await decide(billing, dispute, explanation="189001019802")) == (422, "dispute.person_named")


@pytest.mark.parametrize(
    "changed",
    [
        {"month": "2026-13"},
        {"days": ["2026-02-30"]},
        {"days": "2026-03-10"},
        {"reason": "because"},
        {"explanation": ""},
        {"explanation": "a\u202eb"},
        {"municipality": "1481"},
        {"case": "x"},
    ],
)
async def test_malformed_disputes_are_refused(billing: Billing, changed: dict[str, Any]) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    assert said(await contest(billing, stay, **changed)) == (422, "request.malformed")


async def test_the_same_dispute_sent_twice_is_one(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    body = {"month": MONTH, "case": str(stay.case_id), "reason": "other", "explanation": "x"}
    first = await billing.post("/v1/disputes", debtor(billing), body, key="the-same")
    again = await billing.post("/v1/disputes", debtor(billing), body, key="the-same")
    assert (first.status_code, again.json()) == (201, first.json())
    assert len((await billing.get("/v1/disputes", debtor(billing))).json()["disputes"]) == 1


async def test_the_list_is_filtered_and_goes_on_where_it_ended(billing: Billing) -> None:
    stays = [a_stay_fact(12) for _ in range(3)]
    await shown(billing, *stays)
    ids = [await opened(billing, stay) for stay in stays]
    assert (await decide(billing, ids[1])).status_code == 200

    async def listed(who: dict[str, str], **params: Any) -> list[str]:
        answer = await billing.get("/v1/disputes", who, **params)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["disputes"]]

    assert await listed(debtor(billing)) == ids
    assert await listed(creditor(billing), month=MONTH, state="open") == [ids[0], ids[2]]
    assert await listed(creditor(billing), state="decided") == [ids[1]]
    assert await listed(creditor(billing), month="2026-02") == []
    page = await billing.get("/v1/disputes", creditor(billing), month=MONTH, limit=2)
    link = page.headers["link"].split(";")[0].strip("<>")
    rest = await billing.http.get(link, headers=creditor(billing))
    assert [one["id"] for one in rest.json()["disputes"]] == [ids[2]]
    for params in ({"month": "2026-3"}, {"month": "2026-13"}, {"state": "lost"}, {"limit": 0}, {"after": "x"}):
        assert said(await billing.get("/v1/disputes", creditor(billing), **params)) == (400, "request.parameter_invalid"), params


async def test_every_reading_of_disputes_is_in_the_access_log(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    dispute = await opened(billing, stay)
    for path in ("/v1/disputes", f"/v1/disputes/{dispute}"):
        assert (await billing.get(path, debtor(billing))).status_code == 200
    async with billing.database.transaction() as work:
        logged = (await work.connection.execute(text("SELECT body FROM outbox WHERE feed = 'access' AND kind = 'dispute.read'"))).scalars()
        assert [str(stay.case_id) in body for body in logged] == [True, True]


async def test_a_decision_is_made_known_once_and_a_refused_one_not_at_all(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    dispute = await opened(billing, stay)
    assert (await decide(billing, dispute, "partly", days=["2026-03-10"])).status_code == 200
    assert (await decide(billing, dispute)).status_code == 409
    async with billing.database.transaction() as work:
        statement = text("SELECT body FROM outbox WHERE feed = 'facts' AND kind = :kind")
        bodies = (await work.connection.execute(statement, {"kind": DisputeDecided.kind})).scalars().all()
    (fact,) = [DisputeDecided.model_validate_json(body) for body in bodies]
    assert (str(fact.dispute_id), fact.municipality, fact.month, fact.case_id) == (dispute, "1480", MONTH, stay.case_id)
    assert fact.outcome == "partly"
