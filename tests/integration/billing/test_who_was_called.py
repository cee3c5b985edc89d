"""A call to a SIP makes a municipality liable only when it was itself called (lag 2017:612 4 kap. 3 §, 5 kap. 3 §)."""

import pytest

from tests.integration.billing.parts import Billing, a_stay_fact, an_invitation


async def line(billing: Billing, code: str = "1480") -> tuple[str, str | None, str | None]:
    (found,) = (await billing.get(f"/v1/months/2026-03/{code}", billing.controller())).json()["lines"]
    return found["counted_as"], found["reason"], found["invited_at"]


@pytest.mark.parametrize("called", [(), ("municipality:1490",), ("unit:SE2120001355-E000000001480",), ("municipality:148",)])
async def test_a_call_that_did_not_go_to_the_municipality_leaves_it_free(billing: Billing, called: tuple[str, ...]) -> None:
    stay = a_stay_fact(12, sip_required=True)
    await billing.tell(stay, an_invitation(stay.case_id, "2026-03-09T09:00", called))
    assert await line(billing) == ("excluded", "no_sip_invitation", None)


async def test_the_call_that_counts_is_the_first_one_to_the_municipality(billing: Billing) -> None:
    stay = a_stay_fact(12, sip_required=True)
    await billing.tell(
        an_invitation(stay.case_id, "2026-03-08T12:00", ("municipality:1490",)),
        an_invitation(stay.case_id, "2026-03-19T09:00", ("municipality:1480", "municipality:1490")),
        stay,
    )
    assert await line(billing) == ("review", "late_sip_invitation", "2026-03-19T08:00:00.000000Z")
    await billing.tell(an_invitation(stay.case_id, "2026-03-09T09:00", ("municipality:1480",)))
    assert await line(billing) == ("long", None, "2026-03-09T08:00:00.000000Z")


async def test_a_stay_that_changes_its_municipality_needs_a_call_to_the_new_one(billing: Billing) -> None:
    stay = a_stay_fact(12, sip_required=True)
    await billing.tell(stay, an_invitation(stay.case_id, "2026-03-09T09:00"))
    await billing.tell(stay.model_copy(update={"case_version": 2, "municipality": "1481"}))
    assert await line(billing, "1481") == ("excluded", "no_sip_invitation", None)
