"""The stay ledger and its rollup: replaced, never incremented; the same whatever the order, repetition or batching of the facts."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from services.billing.domain.persons import Actor
from services.billing.domain.reasons import Reason, ReviewOutcome
from services.billing.usecases.gathering import gather_one
from services.billing.usecases.ledger import turn_month
from services.billing.usecases.reviews import Verdict, decide_reviews
from shared.dates import Month
from shared.errors import Malformed, NotFound
from shared.events.facts import Fact, StayChanged
from shared.events.stay_parts import ReadyNotice
from shared.identifiers import uuid7
from tests.integration.billing.parts import Billing, a_stay_fact, an_invitation, apply, local

AT = datetime(2026, 6, 15, 10, tzinfo=UTC)


async def averages(billing: Billing) -> dict[tuple[str, str], dict[str, Any]]:
    async with billing.database.transaction() as work:
        rows = (await work.connection.execute(text("SELECT * FROM averages ORDER BY municipality, month"))).mappings().all()
    return {
        (row["municipality"], str(Month.of(row["month"]))): {
            name: value for name, value in row.items() if name not in {"counted_at", "municipality", "month"}
        }
        for row in rows
        if row["stays"] or row["open_stays"] or row["individual_days"]
    }


async def test_a_fact_that_moves_a_stay_recounts_the_month_it_left_and_the_one_it_entered(billing: Billing) -> None:
    first = a_stay_fact(5, discharged="2026-03-31T10:00")
    await billing.tell(first, at=AT)
    moved = first.model_copy(update={"case_version": 2, "discharged_at": local("2026-04-02T10:00")})
    await billing.tell(moved, at=AT)
    found = await averages(billing)
    march, april = found["1480", "2026-03"], found["1480", "2026-04"]
    assert (march["stays"], march["sum_days"], march["open_stays"]) == (0, 0, 1)
    assert (april["stays"], april["sum_days"], april["open_stays"]) == (1, 7, 0)


async def test_a_stay_that_changes_its_municipality_leaves_the_old_one(billing: Billing) -> None:
    first = a_stay_fact(5)
    await billing.tell(first, first.model_copy(update={"case_version": 2, "municipality": "1481"}), at=AT)
    assert list(await averages(billing)) == [("1481", "2026-03")]


async def test_a_cancelled_stay_leaves_nothing_behind(billing: Billing) -> None:
    first = a_stay_fact(12)
    await billing.tell(first, at=AT)
    await billing.tell(first.model_copy(update={"case_version": 2, "cancelled": True}), at=AT)
    assert await averages(billing) == {}


async def test_an_older_version_that_comes_late_changes_nothing(billing: Billing) -> None:
    newer = a_stay_fact(5, version=3)
    await billing.tell(newer, at=AT)
    await billing.tell(newer.model_copy(update={"case_version": 2, "discharged_at": None}), at=AT)
    assert (await averages(billing))["1480", "2026-03"]["sum_days"] == 5


async def test_an_invitation_counts_whether_it_comes_before_or_after_its_stay(billing: Billing) -> None:
    for order in (1, -1):
        stay = a_stay_fact(6, sip_required=True)
        facts: list[Fact] = [stay, an_invitation(stay.case_id, "2026-03-15T09:00")]
        await billing.tell(*facts[::order], at=AT)
    assert (await averages(billing))["1480", "2026-03"]["in_average"] == 2


async def test_a_month_that_ends_charges_the_patients_who_are_still_waiting(billing: Billing) -> None:
    during = datetime(2026, 3, 31, 10, tzinfo=UTC)
    await billing.tell(a_stay_fact(None, ready="2026-03-10T09:00", discharged=None), at=during)
    assert (await averages(billing))["1480", "2026-03"]["individual_days"] == 0
    async with billing.database.transaction(datetime(2026, 3, 31, 21, 59, tzinfo=UTC)) as work:
        assert not await turn_month(work)
    async with billing.database.transaction(datetime(2026, 3, 31, 22, 1, tzinfo=UTC)) as work:
        assert await turn_month(work)
        assert not await turn_month(work)
    found = await averages(billing)
    assert (found["1480", "2026-03"]["individual_days"], found["1480", "2026-03"]["complete"]) == (19, True)
    assert found["1480", "2026-04"]["open_stays"] == 1


async def test_a_price_that_comes_later_counts_every_month_that_waited_for_it(billing: Billing) -> None:
    await billing.tell(a_stay_fact(12), a_stay_fact(6, municipality="1481"), at=AT)
    before = await averages(billing)
    assert [row["amount_ore"] for row in before.values()] == [None, None]
    await billing.price()
    after = await averages(billing)
    assert [row["amount_ore"] for row in after.values()] == [9 * 1_200_000, 3 * 1_200_000]


async def test_a_decided_review_counts_at_once(billing: Billing) -> None:
    stay = a_stay_fact(5, late_notice=True)
    await billing.tell(stay, at=AT)
    assert await averages(billing) == {}
    async with billing.database.transaction(AT) as work:
        decision = Verdict(stay.case_id, Reason.LATE_ADMISSION_NOTICE, ReviewOutcome.ACCEPT)
        await decide_reviews(work, [decision], "The notice was given by telephone in time", Actor("approver", "Attestant"))
    assert (await averages(billing))["1480", "2026-03"]["sum_days"] == 5


async def test_a_review_of_an_unknown_stay_or_of_what_nobody_may_decide_is_refused(billing: Billing) -> None:
    stay = a_stay_fact(5)
    await billing.tell(stay, at=AT)
    unknown = Verdict(uuid7(), Reason.LATE_ADMISSION_NOTICE, ReviewOutcome.ACCEPT)
    lawless = Verdict(stay.case_id, Reason.NO_ADMISSION_NOTICE, ReviewOutcome.ACCEPT)
    async with billing.database.transaction(AT) as work:
        with pytest.raises(NotFound):
            await decide_reviews(work, [unknown], "x", Actor("a", "a"))
        with pytest.raises(Malformed):
            await decide_reviews(work, [lawless], "x", Actor("a", "a"))


def a_random_story(random: Random) -> list[StayChanged]:
    """A few versions of one stay: ready, perhaps withdrawn and ready again, gone or not, moved, cancelled."""
    start = local("2026-02-10T09:00") + timedelta(days=random.randint(0, 90), minutes=random.randint(0, 1439))
    values = a_stay_fact(None, ready="2026-03-01T09:00", discharged=None).model_dump()
    admitted = start - timedelta(days=3)
    values |= {
        "municipality": random.choice(["1480", "1480", "1481", "1490", None]),
        "care_type": random.choice(["somatic", "psychiatric"]),
        "admitted_at": admitted,
        "need_judged_at": admitted,
        "admission_notice_sent_at": random.choice([None] + [admitted + timedelta(hours=hours) for hours in (1, 2, 5, 30)]),
        "ready": (),
        "last_sign_of_life_at": start,
    }
    versions = [dict(values)]
    notice = ReadyNotice(notice_sent_at=start, ready_at=start)
    versions.append({**versions[-1], "ready": (notice,)})
    if random.random() < 0.3:
        withdrawn = notice.model_copy(update={"withdrawn_at": start + timedelta(days=1)})
        versions.append({**versions[-1], "ready": (withdrawn,)})
        again = start + timedelta(days=random.randint(1, 4))
        versions.append({**versions[-1], "ready": (withdrawn, ReadyNotice(notice_sent_at=again, ready_at=again))})
    if random.random() < 0.85:
        left = start + timedelta(days=random.choice([0, 1, 2, 3, 4, 7, 8, 20, 40]))
        versions.append({**versions[-1], "discharged_at": left, "last_sign_of_life_at": left})
        if random.random() < 0.2:
            versions.append({**versions[-1], "discharged_at": left + timedelta(days=2)})
        if random.random() < 0.1:
            versions.append({**versions[-1], "municipality": "1481"})
    if random.random() < 0.05:
        versions.append({**versions[-1], "cancelled": True})
    return [StayChanged(**{**values, "case_version": number + 1}) for number, values in enumerate(versions)]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_rollup_is_what_the_law_says_of_all_stays_whatever_the_order_of_the_facts(billing: Billing, seed: int) -> None:
    random = Random(seed)
    facts: list[Fact] = [version for _ in range(60) for version in a_random_story(random)]
    facts += [one for one in facts if random.random() < 0.1]
    random.shuffle(facts)
    await billing.price()
    while facts:
        size = random.randint(1, 40)
        await billing.tell(*facts[:size], at=AT)
        facts = facts[size:]
    found = await averages(billing)
    assert len(found) > 6
    for (municipality, month), row in found.items():
        async with billing.database.transaction(AT) as work:
            basis = (await gather_one(work, municipality, Month.parse(month))).basis()
        assert basis.amount is not None
        assert row == {
            "complete": basis.complete,
            "stays": basis.stays,
            "in_average": basis.in_average,
            "sum_days": basis.sum_days,
            "excess_days": basis.excess_days,
            "long_stays": basis.long_stays,
            "individual_days": basis.individual_days,
            "open_stays": basis.open_stays,
            "amount_ore": basis.amount.ore,
        }


async def test_every_version_of_a_stay_is_kept(billing: Billing) -> None:
    first = a_stay_fact(5)
    second = first.model_copy(update={"case_version": 2})
    await billing.tell(second, first, first, at=AT)
    async with billing.database.transaction() as work:
        versions = await work.connection.execute(text("SELECT case_version FROM stay_versions ORDER BY case_version"))
    assert versions.scalars().all() == [1, 2]


async def test_a_transaction_that_fails_leaves_neither_stay_nor_sums(billing: Billing) -> None:
    async def fail() -> None:
        async with billing.database.transaction(AT) as work:
            await apply(work, [a_stay_fact(5)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await averages(billing) == {}


async def test_the_running_month_is_shown_to_the_region_and_the_municipality_itself_only(billing: Billing) -> None:
    today = billing.at.replace(hour=8)
    month = f"{today.year}-{today.month:02d}"
    gone = a_stay_fact(None, ready="2026-03-01T09:00").model_copy(
        update={"ready": (ReadyNotice(notice_sent_at=today - timedelta(days=4), ready_at=today),), "discharged_at": today}
    )
    waiting = gone.model_copy(update={"case_id": uuid7(), "discharged_at": None})
    await billing.tell(gone, waiting)
    own = (await billing.get("/v1/averages", billing.municipality("1480"), month=month)).json()["averages"]
    assert [row["municipality"] for row in own] == ["1480"]
    assert (own[0]["stays"], own[0]["open_stays"]) == (1, 1)
    assert (own[0]["if_all_left_now"]["stays"], own[0]["if_all_left_now"]["average"]) == (2, "4.000000")
    assert len((await billing.get("/v1/averages", billing.controller(), month=month)).json()["averages"]) == 3


async def test_the_exposure_is_what_the_month_would_cost_if_everybody_left_now(billing: Billing) -> None:
    await billing.price("2027-01-01", "2099-12-31")
    await billing.price("2026-01-01", "2026-12-31")
    now = billing.at
    template = a_stay_fact(None, ready="2026-03-01T09:00", discharged=None)
    waiting = [
        template.model_copy(update={"case_id": uuid7(), "ready": (ReadyNotice(notice_sent_at=now - timedelta(days=days), ready_at=now),)})
        for days in (0, 5, 6)
    ]
    gone = [fact.model_copy(update={"case_id": uuid7(), "discharged_at": now}) for fact in waiting]
    await billing.tell(*waiting)
    month = f"{Month.of(now.date())}"
    left = (await billing.get("/v1/averages", billing.controller(), month=month)).json()["averages"][0]["if_all_left_now"]
    await billing.tell(*(replace_version(one, two) for one, two in zip(waiting, gone, strict=True)))
    then = (await billing.get("/v1/averages", billing.controller(), month=month)).json()["averages"][0]
    assert (left["stays"], left["average"], left["amount"]) == (then["stays"], then["average"], then["exposure"]["amount"])


def replace_version(one: StayChanged, two: StayChanged) -> StayChanged:
    return two.model_copy(update={"case_id": one.case_id, "case_version": 2})


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/averages", 400),
        ("/v1/averages?month=2026-13", 400),
        ("/v1/averages?month=1800-01", 400),
        ("/v1/averages/abcd?from=2026-01&to=2026-02", 400),
        ("/v1/averages/1480?from=2026-03&to=2026-02", 400),
        ("/v1/averages/9999?from=2026-01&to=2026-02", 404),
        ("/v1/months/2026-3", 400),
        ("/v1/months/2026-03/14800", 400),
        ("/v1/invoices?after=-1", 400),
        ("/v1/invoices?after=99999999999999999999", 400),
        ("/v1/invoices?after=5", 410),
        ("/v1/invoices?limit=0", 400),
        ("/v1/invoices/" + "9" * 21, 400),
    ],
)
async def test_an_address_that_makes_no_sense_has_a_defined_answer(billing: Billing, path: str, status: int) -> None:
    assert (await billing.get(path, billing.controller())).status_code == status


async def test_nobody_without_a_role_in_finance_reads_anything(billing: Billing) -> None:
    ward = billing.token("ward-su", "ward", "averages:read invoices:read")
    for path in ("/v1/averages?month=2026-03", "/v1/months/2026-03", "/v1/invoices", "/v1/agreements", "/v1/tariffs"):
        assert (await billing.get(path, ward)).status_code == 404
    assert (await billing.http.get("/v1/averages?month=2026-03")).status_code == 401
    assert (await billing.get("/v1/averages?month=2026-03", billing.token("x", "finance", "invoices:read"))).status_code == 403


async def test_agreements_and_prices_tell_unit_source_and_mark(billing: Billing) -> None:
    agreements = (await billing.get("/v1/agreements", billing.municipality())).json()["agreements"]
    (vgr,) = [one for one in agreements if one["name"] == "vgr-2018"]
    assert vgr["average"][0]["threshold"]["value"] == "3.0"
    assert set(vgr["average"][0]["threshold"]) == {"value", "unit", "mark", "source"}
    tariffs = (await billing.get("/v1/tariffs", billing.municipality())).json()["tariffs"]
    assert [row["price"] for row in tariffs if row["first"] == "2026-01-01"] == [None]


async def test_reading_the_stays_of_a_month_leaves_an_access_log_row(billing: Billing) -> None:
    stay = a_stay_fact(5)
    await billing.tell(stay)
    await billing.get("/v1/months/2026-03/1480", billing.municipality())
    await billing.number()
    async with billing.database.transaction() as work:
        rows = (await work.connection.execute(text("SELECT kind, body FROM feed_entries WHERE feed = 'access'"))).all()
    assert [row.kind for row in rows] == ["month.read"]
    assert str(stay.case_id) in rows[0].body
