"""What planning tells beside the stay itself moves its month in whatever order it comes, and leaves calculations behind (promise P3)."""

from datetime import timedelta
from itertools import permutations
from random import Random
from typing import Any, Literal
from uuid import UUID

import pytest

from services.billing.usecases.gathering import gather_one
from shared.dates import Month
from shared.events.facts import Fact, MeasuresDeclined, PlanConsentChanged, StayChanged
from shared.events.stay_parts import DeclinedStated, OutpatientBlock, Placed
from shared.identifiers import uuid7
from tests.integration.billing.parts import WARD, Billing, a_stay_fact, an_invitation, local

CENTRE = "SE2321000131-E000000000901"


def an_answer(case: UUID, consent: Literal["given", "refused", "withdrawn"], at: str, plan: UUID | None = None) -> PlanConsentChanged:
    return PlanConsentChanged(plan_id=plan or uuid7(), case_id=case, consent=consent, changed_at=local(at))


def a_decline(case: UUID, at: str = "2026-03-15T09:00") -> MeasuresDeclined:
    return MeasuresDeclined(
        case_id=case,
        decline_id=uuid7(),
        unit=WARD,
        measures=("municipal_health", "municipal_social"),
        declined_at=local(at),
        recorded_at=local(at),
    )


def a_block(start: str, end: str | None = None, *, contested: bool = False) -> OutpatientBlock:
    at = local(start)
    ended = None if end is None else local(end)
    return OutpatientBlock(started_at=at, ended_at=ended, block="missing", stated_at=at, stated_by=WARD, contested=contested)


def a_placement(code: str, stated_by: str) -> Placed:
    at = local("2026-03-02T09:00")
    return Placed(municipality=code, decision_date=at.date(), stated_at=at, stated_by=stated_by)


def newer(stay: StayChanged, **values: Any) -> StayChanged:
    return stay.model_copy(update={"case_version": stay.case_version + 1, **values})


async def lines(billing: Billing, code: str = "1480") -> list[tuple[str, list[str]]]:
    found = (await billing.get(f"/v1/months/2026-03/{code}", billing.controller())).json()["lines"]
    return [(line["counted_as"], [reason["reason"] for reason in line["reasons"]]) for line in found]


async def shown(billing: Billing, code: str = "1480") -> tuple[int, int]:
    row = (await billing.get(f"/v1/averages/{code}", billing.controller(), **{"from": "2026-03", "to": "2026-03"})).json()["averages"][0]
    return row["stays"], row["individual_days"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_refusal_counts_whether_it_comes_before_or_after_its_stay(billing: Billing, order: tuple[int, ...]) -> None:
    stay, plan = a_stay_fact(12, sip_required=True), uuid7()
    facts: list[Fact] = [
        stay,
        an_answer(stay.case_id, "given", "2026-03-08T09:00", plan),
        an_answer(stay.case_id, "refused", "2026-03-09T09:00", plan),
    ]
    await billing.tell(*(facts[index] for index in order))
    assert await lines(billing) == [("long", ["sip_refused"])]
    assert await shown(billing) == (1, 9)
    await billing.tell(an_answer(stay.case_id, "given", "2026-03-13T09:00", plan), facts[order[0]])
    assert await lines(billing) == [("excluded", ["no_sip_invitation"])]
    assert await shown(billing) == (0, 0)


@pytest.mark.parametrize("stay_first", [True, False])
async def test_declined_measures_count_whether_they_come_before_or_after_the_stay(billing: Billing, stay_first: bool) -> None:
    stay = a_stay_fact(12)
    decline = a_decline(stay.case_id)
    await billing.tell(*((stay, decline, decline) if stay_first else (decline, decline, stay)))
    assert await lines(billing) == [("excluded", ["measures_declined"])]
    assert await shown(billing) == (0, 0)


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_declined_measures_that_were_withdrawn_count_no_more_in_any_order(billing: Billing, order: tuple[int, ...]) -> None:
    stay = a_stay_fact(12)
    decline = a_decline(stay.case_id)
    told = DeclinedStated(
        decline_id=decline.decline_id,
        measures=decline.measures,
        declined_at=decline.declined_at,
        stated_at=decline.recorded_at,
        stated_by=decline.unit,
    )
    facts: list[Fact] = [
        newer(stay, declined=(told,)),
        decline,
        newer(newer(stay), declined=(told.model_copy(update={"withdrawn": True}),)),
    ]
    await billing.tell(stay, *(facts[index] for index in order))
    assert await lines(billing) == [("long", [])]
    assert await shown(billing) == (1, 9)


async def test_what_planning_asked_of_the_municipality_says_when_everything_was_declined(billing: Billing) -> None:
    stay = a_stay_fact(12, municipal_needs=("municipal_health",))
    decline = a_decline(stay.case_id).model_copy(update={"measures": ("municipal_social",)})
    await billing.tell(stay, decline)
    assert await lines(billing) == [("long", [])]
    await billing.tell(newer(stay, municipal_needs=("municipal_social",)))
    assert await lines(billing) == [("excluded", ["measures_declined"])]


async def test_a_block_leaves_a_prepared_month_behind_and_shows_in_an_issued_one(billing: Billing) -> None:
    await billing.price()
    first, second = a_stay_fact(12), a_stay_fact(12, municipality="1481")
    await billing.tell(first, second)
    assert (await billing.close_month()).json()["state"] == "issued"
    await billing.step("prepare", billing.controller(), code="1481")
    blocks = (a_block("2026-03-10T09:00", "2026-03-12T09:00"),)
    await billing.tell(newer(first, outpatient_blocks=blocks), newer(second, outpatient_blocks=blocks))
    refused = await billing.step("publish", billing.controller(), code="1481")
    assert (refused.status_code, refused.json()["code"]) == (409, "calculation.outdated")
    months = (await billing.get("/v1/months/2026-03", billing.controller())).json()["months"]
    assert {row["municipality"]: row["outdated"] for row in months} == {"1480": True, "1481": True, "1490": False}
    assert await lines(billing) == [("long", [])]  # what was issued stands as it was issued
    again = await billing.step("prepare", billing.controller(), code="1481")
    assert again.json()["calculation"]["version"] == 2
    assert await lines(billing, "1481") == [("excluded", ["outpatient_block"])]


@pytest.mark.parametrize("kind", ["refused", "declined"])
async def test_a_late_statement_leaves_a_prepared_month_behind(billing: Billing, kind: str) -> None:
    await billing.price()
    stay = a_stay_fact(12, sip_required=True)
    await billing.tell(stay, *(() if kind == "refused" else (an_invitation(stay.case_id, "2026-03-09T09:00"),)))
    await billing.step("prepare", billing.controller())
    late = an_answer(stay.case_id, "refused", "2026-03-09T09:00") if kind == "refused" else a_decline(stay.case_id)
    await billing.tell(late)
    assert (await billing.step("publish", billing.controller())).json()["code"] == "calculation.outdated"


async def test_a_contested_block_is_decided_by_a_person_over_http(billing: Billing) -> None:
    await billing.price()
    stay = a_stay_fact(12, outpatient_blocks=(a_block("2026-03-10T09:00", "2026-03-10T10:00", contested=True),))
    await billing.tell(stay)
    assert await lines(billing) == [("review", ["outpatient_block_contested"])]
    detail = (await billing.get("/v1/months/2026-03/1480", billing.controller())).json()
    assert [(one["code"], one["blocks"], one["unit"]) for one in detail["findings"]] == [("undecided_review", True, WARD)]
    decision = {"case": str(stay.case_id), "reason": "outpatient_block_contested", "outcome": "accept"}
    answer = await billing.post("/v1/reviews/decide", billing.approver(), {"decisions": [decision], "explanation": "Nothing was missing"})
    assert answer.status_code == 200, answer.text
    assert await lines(billing) == [("long", ["outpatient_block_contested"])]


async def test_a_disputed_placement_holds_the_stay_and_agreement_moves_it_to_the_placing_municipality(billing: Billing) -> None:
    stay = a_stay_fact(12, placements=(a_placement("1481", "1480"), a_placement("1480", "1481")))
    await billing.tell(stay)
    assert await lines(billing) == [("review", ["placement_disputed"])]
    agreed = (a_placement("1481", "1480"), a_placement("1481", "1481"))
    await billing.tell(newer(stay, placements=agreed, municipality="1481"))
    assert (await lines(billing), await lines(billing, "1481")) == ([], [("long", [])])


async def test_a_time_on_paper_is_held_until_an_outage_explains_it(billing: Billing) -> None:
    stay = a_stay_fact(12)
    (notice,) = stay.ready
    on_paper = notice.notice_sent_at - timedelta(hours=30)
    await billing.tell(newer(stay, ready=(notice.model_copy(update={"paper": "unconfirmed", "given_on_paper_at": on_paper}),)))
    assert await lines(billing) == [("review", ["paper_time_unconfirmed"])]
    counted = notice.model_copy(update={"paper": "counted", "given_on_paper_at": on_paper, "notice_sent_at": on_paper})
    await billing.tell(newer(newer(stay), ready=(counted,)))
    assert await lines(billing) == [("long", [])]


async def test_what_was_told_under_an_absorbed_id_counts_for_the_stay_that_absorbed_it_whenever_it_comes(billing: Billing) -> None:
    absorbed = uuid7()
    gone = a_stay_fact(None, ready="2026-03-08T09:00", discharged=None, case=absorbed)
    stay = a_stay_fact(12, sip_required=True, joined_cases=(absorbed,))
    await billing.tell(gone, stay, newer(gone, cancelled=True, ready=()))
    assert await lines(billing) == [("excluded", ["no_sip_invitation"])]
    await billing.tell(an_answer(absorbed, "refused", "2026-03-09T09:00"))
    assert (await lines(billing), await shown(billing)) == ([("long", ["sip_refused"])], (1, 9))
    await billing.tell(an_invitation(absorbed, "2026-03-09T10:00"))
    assert (await lines(billing), await shown(billing)) == ([("long", [])], (1, 9))
    await billing.tell(a_decline(absorbed))
    assert (await lines(billing), await shown(billing)) == ([("excluded", ["measures_declined"])], (0, 0))


def a_random_set(random: Random) -> list[Fact]:
    """A stay with everything that can bear on it, some of it under an id that it was known by before."""
    stay = a_stay_fact(random.choice((0, 2, 5, 9, 12)), municipality=random.choice(("1480", "1481")), sip_required=random.random() < 0.7)
    absorbed, plan = uuid7(), uuid7()
    versions = [stay, newer(stay, joined_cases=(absorbed,))]
    if random.random() < 0.5:
        block = a_block(f"2026-03-{random.randint(8, 20):02d}T09:00", contested=random.random() < 0.3)
        versions.append(newer(versions[-1], outpatient_blocks=(block,)))
    facts: list[Fact] = [*versions]
    for _ in range(random.randint(0, 3)):
        case, day = random.choice((stay.case_id, absorbed)), random.randint(8, 19)
        consent: Literal["given", "refused"] = random.choice(("given", "refused"))
        facts += [
            an_answer(case, consent, f"2026-03-{day:02d}T{random.randint(8, 16):02d}:{random.randint(0, 59):02d}", plan),
            *([a_decline(case)] if random.random() < 0.2 else []),
            *([an_invitation(case, f"2026-03-{day:02d}T09:00", (f"municipality:{stay.municipality}",))] if random.random() < 0.3 else []),
        ]
    return facts


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_rollup_is_what_the_whole_month_says_whatever_the_order_of_the_facts(billing: Billing, seed: int) -> None:
    random = Random(seed)
    facts = [fact for _ in range(40) for fact in a_random_set(random)]
    facts += [one for one in facts if random.random() < 0.1]
    kinds: set[str] = set()
    await billing.price()
    random.shuffle(facts)
    while facts:
        size = random.randint(1, 25)
        await billing.tell(*facts[:size])
        facts = facts[size:]
    for code in ("1480", "1481"):
        async with billing.database.transaction(billing.at) as work:
            basis = (await gather_one(work, code, Month.parse("2026-03"))).basis()
        kinds |= {line.counted_as.value for line in basis.lines}
        assert await shown(billing, code) == (basis.stays, basis.individual_days)
    assert kinds == {"average", "long", "excluded", "review"}
