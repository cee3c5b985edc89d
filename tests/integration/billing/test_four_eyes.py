"""Two persons for every month and every price: a spelling, a client or a missing name is no second pair of eyes."""

from itertools import product
from typing import Any

import pytest

from tests.integration.billing.parts import Billing, a_stay_fact

EVERYTHING = "months:prepare months:publish months:approve agreements:write averages:read"
PRICE = {"first": "2026-01-01", "last": "2026-12-31", "price": {"amount": "12000.00"}, "source": "Made up for a test"}


async def a_published_month(billing: Billing, who: dict[str, str], person: str | None) -> None:
    await billing.price()
    await billing.tell(*(a_stay_fact(days) for days in (2, 5, 6, 7, 12)))
    for action, client, name in (("prepare", who, person), ("publish", who, person), ("sign", billing.municipality(), None)):
        answer = await billing.step(action, client, acted_by=name)
        assert answer.status_code == 200, answer.text


async def approved(billing: Billing, who: dict[str, str], person: str | None) -> tuple[int, Any]:
    answer = await billing.step("approve", who, acted_by=person)
    return answer.status_code, answer.json().get("code")


async def priced(billing: Billing, who: dict[str, str], person: str | None) -> str:
    body = PRICE | ({} if person is None else {"acted_by": person})
    answer = await billing.post("/v1/tariffs", who, body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def price_approved(billing: Billing, tariff: str, who: dict[str, str], person: str | None) -> tuple[int, Any]:
    answer = await billing.post(f"/v1/tariffs/{tariff}/approval", who, {} if person is None else {"acted_by": person})
    return answer.status_code, answer.json().get("code")


@pytest.mark.parametrize("spelling", ["anna test", "ANNA  TEST", " Anna Test ", "\uff21nna Test"])
async def test_nobody_approves_what_she_published_under_another_spelling_of_her_name(billing: Billing, spelling: str) -> None:
    await a_published_month(billing, billing.controller(), "Anna Test")
    assert await approved(billing, billing.approver(), spelling) == (409, "month.same_person")


async def test_one_client_that_names_nobody_does_not_approve_what_it_published(billing: Billing) -> None:
    both = billing.token("one", "approver", EVERYTHING)
    await a_published_month(billing, both, None)
    assert await approved(billing, both, None) == (409, "month.same_person")
    assert await approved(billing, both, "Berit Test") == (409, "month.same_person")


async def test_a_client_that_named_her_before_does_not_approve_for_nobody(billing: Billing) -> None:
    both = billing.token("one", "approver", EVERYTHING)
    await a_published_month(billing, both, "Anna Test")
    assert await approved(billing, both, None) == (409, "month.same_person")


async def test_two_persons_at_one_client_are_two(billing: Billing) -> None:
    both = billing.token("one", "approver", EVERYTHING)
    await a_published_month(billing, both, "Anna Test")
    assert (await approved(billing, both, "Berit Test"))[0] == 200


async def test_two_clients_that_name_nobody_stand_for_two_persons(billing: Billing) -> None:
    await a_published_month(billing, billing.controller(), None)
    assert (await approved(billing, billing.approver(), None))[0] == 200


async def test_who_only_prepared_the_calculation_does_not_approve_it_either(billing: Billing) -> None:
    await billing.price()
    await billing.tell(a_stay_fact(12))
    for action, who, name in (
        ("prepare", billing.controller(), "Anna Test"),
        ("publish", billing.controller(), "Cecilia Test"),
        ("sign", billing.municipality(), None),
    ):
        assert (await billing.step(action, who, acted_by=name)).status_code == 200
    assert await approved(billing, billing.approver(), "anna test") == (409, "month.same_person")
    assert (await approved(billing, billing.approver(), "Berit Test"))[0] == 200


@pytest.mark.parametrize("spelling", ["anna test", "Anna   Test"])
async def test_nobody_approves_the_price_she_proposed_under_another_spelling_of_her_name(billing: Billing, spelling: str) -> None:
    tariff = await priced(billing, billing.controller(), "Anna Test")
    assert await price_approved(billing, tariff, billing.approver(), spelling) == (409, "tariff.same_person")


async def test_two_persons_at_one_client_enter_a_price(billing: Billing) -> None:
    tariff = await priced(billing, billing.controller(), "Anna Test")
    assert await price_approved(billing, tariff, billing.controller(), None) == (409, "tariff.same_person")
    assert (await price_approved(billing, tariff, billing.controller(), "Berit Test"))[0] == 200


@pytest.mark.parametrize("blank", [" ", "\u200b", "\u2800"])
async def test_a_blank_is_nobody_s_name_and_explains_nothing(billing: Billing, blank: str) -> None:
    stay = a_stay_fact(12, late_notice=True)
    await billing.tell(stay)
    decision = {"case": str(stay.case_id), "reason": "late_admission_notice", "outcome": "accept"}
    for path, body in (
        ("/v1/months/2026-03/1480/prepare", {"acted_by": blank}),
        ("/v1/tariffs", PRICE | {"acted_by": blank}),
        ("/v1/tariffs", PRICE | {"source": blank}),
        ("/v1/reviews/decide", {"decisions": [decision], "explanation": blank}),
        ("/v1/reviews/decide", {"decisions": [decision], "explanation": "x", "acted_by": blank}),
    ):
        who = billing.token("one", "controller", EVERYTHING + " reviews:decide")
        assert (await billing.post(path, who, body)).status_code == 422, path


@pytest.mark.parametrize("role", ["municipality", "ward", "care"])
async def test_no_scope_lets_anybody_but_the_region_take_its_steps_on_a_month(billing: Billing, role: str) -> None:
    await a_published_month(billing, billing.controller(), None)
    caller = billing.token("kommun-1480", role, f"{EVERYTHING} months:issue", "1480" if role == "municipality" else None)
    calculation = billing.calculations["1480"]
    for action, code in product(("prepare", "publish", "approve", "issue"), ("1480", "1481", "9999")):
        body = {} if action == "prepare" else {"calculation": calculation}
        one = await billing.post(f"/v1/months/2026-03/{code}/{action}", caller, body)
        many = await billing.post("/v1/months/2026-03/actions", caller, {"action": action, "items": [{"municipality": code} | body]})
        assert [(answer.status_code, answer.json()["code"]) for answer in (one, many)] == [(403, "access.denied")] * 2, (action, code)


async def test_no_scope_lets_anybody_but_the_region_enter_or_approve_a_price(billing: Billing) -> None:
    caller = billing.token("kommun-1480", "municipality", EVERYTHING, "1480")
    assert (await billing.post("/v1/tariffs", caller, PRICE)).json()["code"] == "access.denied"
    tariff = await priced(billing, billing.controller(), None)
    assert await price_approved(billing, tariff, caller, None) == (403, "access.denied")


async def test_no_scope_lets_the_region_sign_for_a_municipality_alone_or_among_many(billing: Billing) -> None:
    await billing.price()
    await billing.tell(a_stay_fact(12))
    for action in ("prepare", "publish"):
        assert (await billing.step(action, billing.controller())).status_code == 200
    caller = billing.token("approver", "approver", "months:sign months:approve")
    item = {"municipality": "1480", "calculation": billing.calculations["1480"]}
    many = await billing.post("/v1/months/2026-03/actions", caller, {"action": "sign", "items": [item]})
    assert ((await billing.step("sign", caller)).status_code, many.status_code) == (404, 404)
    own = await billing.post("/v1/months/2026-03/actions", billing.municipality(), {"action": "sign", "items": [item]})
    assert own.json()["outcomes"][0]["status"] == "done"


async def test_outside_a_demo_a_client_stands_in_for_nobody_where_a_person_must_act(billing: Billing) -> None:
    stay = a_stay_fact(12, late_notice=True)
    await billing.price(last="2026-11-30")
    await billing.tell(stay, a_stay_fact(9))
    client = billing.token("system", "approver", f"{EVERYTHING} reviews:decide disputes:decide", demo=False)
    town = billing.token("kommun-1480", "municipality", "months:sign disputes:write", "1480", demo=False)
    assert (await billing.step("prepare", client)).status_code == 200
    calculation = {"calculation": billing.calculations["1480"]}
    items = {"items": [{"municipality": "1480"} | calculation]}
    decision = {"case": str(stay.case_id), "reason": "late_admission_notice", "outcome": "accept"}
    nowhere = f"/v1/disputes/{stay.case_id}/decision"
    for who, path, body in (
        (client, "/v1/months/2026-03/1480/publish", calculation),
        (client, "/v1/months/2026-03/1480/approve", calculation),
        (client, "/v1/months/2026-03/actions", {"action": "approve"} | items),
        (town, "/v1/months/2026-03/1480/sign", calculation),
        (town, "/v1/months/2026-03/actions", {"action": "sign"} | items),
        (client, "/v1/tariffs", PRICE | {"first": "2026-12-01"}),
        (client, f"/v1/tariffs/{stay.case_id}/approval", {}),
        (client, f"/v1/agreements/{stay.case_id}/approval", {}),
        (client, "/v1/reviews/decide", {"decisions": [decision], "explanation": "Seen"}),
        (client, nowhere, {"outcome": "rejected", "explanation": "Seen"}),
    ):
        answer = await billing.post(path, who, body)
        assert (answer.status_code, answer.json().get("errors")) == (422, [{"pointer": "/acted_by", "code": "person_missing"}]), path
        named = await billing.post(path, who, body | {"acted_by": "Anna Test"})
        assert named.json().get("code") != "request.malformed", path


async def test_whoever_signed_in_acts_under_her_own_name_through_all_steps(billing: Billing) -> None:
    """Two tokens of one person are one person, also in two roles; her colleague is another."""
    publishing = billing.token("staff:demo:berit", "controller", EVERYTHING, demo=False, person="Berit Test")
    approving = billing.token("staff:demo:berit-too", "approver", EVERYTHING, demo=False, person="Berit Test")
    colleague = billing.token("staff:demo:lars", "approver", EVERYTHING, demo=False, person="Lars Test")
    await a_published_month(billing, publishing, None)
    assert await approved(billing, approving, None) == (409, "month.same_person")
    assert await approved(billing, approving, "Lars Test") == (422, "request.malformed")
    assert await approved(billing, colleague, None) == (200, None)


async def test_whoever_signed_in_names_nobody_else(billing: Billing) -> None:
    who = billing.token("staff:demo:berit", "controller", EVERYTHING, demo=False, person="Berit Test")
    answer = await billing.post("/v1/tariffs", who, PRICE | {"acted_by": "Lars Test"})
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": "/acted_by", "code": "person_differs"}])
    taken = await billing.post("/v1/tariffs", who, PRICE | {"acted_by": "berit test"})
    assert (taken.status_code, taken.json()["proposed_by"]) == (201, "Berit Test")
