"""Prices the region enters: only where there is none, and only for days that can be."""

import pytest

from tests.integration.billing.parts import Billing

PRICE = {"price": {"amount": "12000.00"}, "source": "Made up for a test"}


@pytest.mark.parametrize(
    ("first", "last"),
    [("1899-12-31", "2026-12-31"), ("0001-01-01", "0001-12-31"), ("2026-01-01", "2200-01-01"), ("2026-01-01", "9999-12-31")],
)
async def test_a_price_for_days_that_cannot_be_is_refused(billing: Billing, first: str, last: str) -> None:
    answer = await billing.post("/v1/tariffs", billing.controller(), PRICE | {"first": first, "last": last})
    assert (answer.status_code, answer.json()["code"]) == (422, "request.malformed")


@pytest.mark.parametrize(
    ("first", "last"),
    [("2023-01-01", "2023-12-31"), ("2023-12-31", "2023-12-31"), ("2022-06-01", "2026-12-31"), ("2021-01-01", "2022-01-01")],
)
async def test_a_shipped_price_is_not_replaced(billing: Billing, first: str, last: str) -> None:
    answer = await billing.post("/v1/tariffs", billing.controller(), PRICE | {"first": first, "last": last})
    assert (answer.status_code, answer.json()["code"]) == (409, "tariff.period_priced")


async def test_an_approved_price_is_not_replaced(billing: Billing) -> None:
    await billing.price("2026-01-01", "2026-06-30")
    for first, last in (("2026-01-01", "2026-12-31"), ("2026-06-30", "2026-07-31")):
        answer = await billing.post("/v1/tariffs", billing.controller(), PRICE | {"first": first, "last": last})
        assert (answer.status_code, answer.json()["code"]) == (409, "tariff.period_priced")
    await billing.price("2026-07-01", "2026-12-31", "13000.00")


async def test_of_two_proposals_for_one_day_only_the_first_is_approved(billing: Billing) -> None:
    proposals = []
    for amount in ("12000.00", "99000.00"):
        body = PRICE | {"first": "2026-01-01", "last": "2026-12-31", "price": {"amount": amount}}
        proposals.append((await billing.post("/v1/tariffs", billing.controller(), body)).json()["id"])
    answers = [await billing.post(f"/v1/tariffs/{one}/approval", billing.approver(), {}) for one in proposals]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert answers[1].json()["code"] == "tariff.period_priced"


async def test_a_gap_that_is_known_to_be_missing_is_filled(billing: Billing) -> None:
    await billing.price("2018-09-25", "2018-12-31")
    await billing.price("2021-01-01", "2021-12-31")
