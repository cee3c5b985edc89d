"""Reviews over HTTP: only what is held is decided, by the region, and the decision holds for the facts it was taken on."""

from typing import Any

import pytest

from shared.events.facts import StayChanged
from shared.identifiers import uuid7
from tests.integration.billing.parts import Billing, a_stay_fact, an_invitation, local

LATE_N1 = "late_admission_notice"
LATE_N8 = "late_sip_invitation"


def verdict(stay: StayChanged, reason: str = LATE_N1, outcome: str = "accept") -> dict[str, str]:
    return {"case": str(stay.case_id), "reason": reason, "outcome": outcome}


async def decide(billing: Billing, *verdicts: dict[str, str], who: dict[str, str] | None = None) -> tuple[int, Any]:
    body = {"decisions": list(verdicts), "explanation": "The notice was given by telephone in time"}
    answer = await billing.post("/v1/reviews/decide", who or billing.approver(), body)
    return answer.status_code, answer.json().get("code")


async def counted(billing: Billing, stay: StayChanged, month: str = "2026-03", code: str = "1480") -> str:
    lines = (await billing.get(f"/v1/months/{month}/{code}", billing.controller())).json()["lines"]
    return str(next(line["counted_as"] for line in lines if line["case"] == str(stay.case_id)))


@pytest.mark.parametrize("outcome", ["accept", "exclude"])
async def test_a_stay_that_nothing_holds_is_not_decided(billing: Billing, outcome: str) -> None:
    stay = a_stay_fact(12)
    await billing.tell(stay)
    for reason in (LATE_N1, LATE_N8, "contradictory_events", "no_sign_of_life", "no_admission_notice"):
        assert await decide(billing, verdict(stay, reason, outcome)) == (422, "review.not_decidable"), reason
    assert await counted(billing, stay) == "long"


async def test_one_item_that_is_not_held_stops_the_whole_body_and_is_named(billing: Billing) -> None:
    held, free = a_stay_fact(12, late_notice=True), a_stay_fact(12)
    await billing.tell(held, free)
    body = {"decisions": [verdict(held), verdict(free)], "explanation": "x"}
    answer = await billing.post("/v1/reviews/decide", billing.approver(), body)
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/decisions/1/reason"]
    assert await counted(billing, held) == "review"


async def test_a_stay_that_is_held_no_more_is_not_decided(billing: Billing) -> None:
    stay = a_stay_fact(12, late_notice=True)
    in_time = stay.model_copy(update={"case_version": 2, "admission_notice_sent_at": stay.admitted_at})
    await billing.tell(stay, in_time)
    assert await decide(billing, verdict(stay, outcome="exclude")) == (422, "review.not_decidable")
    assert await counted(billing, stay) == "long"


async def test_the_same_reason_of_a_stay_twice_in_one_body_is_malformed(billing: Billing) -> None:
    stay = a_stay_fact(12, late_notice=True)
    await billing.tell(stay)
    assert await decide(billing, verdict(stay), verdict(stay, outcome="exclude")) == (422, "request.malformed")
    assert await counted(billing, stay) == "review"


async def test_a_decision_does_not_silently_hold_for_facts_that_came_later(billing: Billing) -> None:
    stay = a_stay_fact(12, late_notice=True)
    await billing.tell(stay)
    assert (await decide(billing, verdict(stay)))[0] == 200
    assert await counted(billing, stay) == "long"
    worse = stay.model_copy(update={"case_version": 2, "admission_notice_sent_at": local("2026-03-20T10:00")})
    await billing.tell(worse)
    assert await counted(billing, stay) == "review"
    assert (await decide(billing, verdict(stay, outcome="exclude")))[0] == 200
    assert await counted(billing, stay) == "excluded"


async def test_a_decision_stands_while_facts_change_that_it_does_not_rest_on(billing: Billing) -> None:
    stay = a_stay_fact(12, late_notice=True)
    await billing.tell(stay)
    assert (await decide(billing, verdict(stay)))[0] == 200
    await billing.tell(stay.model_copy(update={"case_version": 2, "discharged_at": local("2026-03-19T10:00")}))
    assert await counted(billing, stay) == "long"


async def test_a_new_debtor_is_not_bound_by_a_decision_about_the_old_one(billing: Billing) -> None:
    stay = a_stay_fact(12, late_notice=True)
    await billing.tell(stay)
    assert (await decide(billing, verdict(stay)))[0] == 200
    await billing.tell(stay.model_copy(update={"case_version": 2, "municipality": "1481"}))
    assert await counted(billing, stay, code="1481") == "review"


async def test_a_decision_is_put_right_while_the_facts_stand(billing: Billing) -> None:
    stay = a_stay_fact(12, late_notice=True)
    await billing.tell(stay)
    for outcome, counts in (("accept", "long"), ("exclude", "excluded"), ("accept", "long")):
        assert (await decide(billing, verdict(stay, outcome=outcome)))[0] == 200
        assert await counted(billing, stay) == counts


async def test_two_reasons_of_one_stay_are_decided_together_or_one_after_the_other(billing: Billing) -> None:
    stays = [a_stay_fact(12, late_notice=True, sip_required=True) for _ in range(2)]
    await billing.tell(*stays, *(an_invitation(stay.case_id, "2026-03-19T09:00") for stay in stays))
    together, apart = stays
    assert (await decide(billing, verdict(together), verdict(together, LATE_N8)))[0] == 200
    assert (await decide(billing, verdict(apart, outcome="exclude")))[0] == 200
    assert (await decide(billing, verdict(apart, LATE_N8)))[0] == 200
    assert (await counted(billing, together), await counted(billing, apart)) == ("long", "excluded")


async def test_a_ward_that_does_not_hold_the_patient_moves_no_bill_until_a_person_has_judged(billing: Billing) -> None:
    foreign, harmless = a_stay_fact(12, findings=("not_by_holder",)), a_stay_fact(12, findings=("leave_not_by_holder",))
    await billing.tell(foreign, harmless)
    assert (await counted(billing, foreign), await counted(billing, harmless)) == ("review", "long")
    assert (await decide(billing, verdict(foreign, "contradictory_events")))[0] == 200
    assert await counted(billing, foreign) == "long"


async def test_neither_ward_nor_debtor_decides_whatever_its_scope(billing: Billing) -> None:
    stay = a_stay_fact(12, late_notice=True)
    await billing.tell(stay)
    for role, municipality in (("municipality", "1480"), ("municipality", "1481"), ("ward", None), ("care", None), ("history", None)):
        who = billing.token(f"{role}-client", role, "reviews:decide", municipality)
        assert await decide(billing, verdict(stay), who=who) == (403, "access.denied"), role
    assert await counted(billing, stay) == "review"


async def test_a_missing_admission_notice_is_confirmed_but_never_accepted(billing: Billing) -> None:
    stay = a_stay_fact(12, admission_notice_sent_at=None)
    await billing.tell(stay)
    assert await decide(billing, verdict(stay, "no_admission_notice")) == (422, "review.not_decidable")
    assert (await decide(billing, verdict(stay, "no_admission_notice", "exclude")))[0] == 200
    findings = (await billing.get("/v1/months/2026-03/1480", billing.controller())).json()["findings"]
    assert "ready_without_admission_notice" not in [finding["code"] for finding in findings]


async def test_an_unknown_stay_is_not_found(billing: Billing) -> None:
    unknown = {"case": str(uuid7()), "reason": LATE_N1, "outcome": "accept"}
    assert await decide(billing, unknown) == (404, "not_found")
