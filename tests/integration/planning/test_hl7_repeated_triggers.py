"""A system that tells the same thing again under another control id says nothing new, and what cancels it takes all of it away."""

from tests.adt import NEEDS, admission, message, pid, pv1, pv2
from tests.builders import OTHER_WARD, SOURCE
from tests.integration.planning.conftest import Planning
from tests.integration.planning.test_hl7v2 import events, taken, tell, the_case

WARD = SOURCE.removeprefix("urn:hsa:")


async def test_an_admission_told_twice_is_cancelled_once(planning: Planning) -> None:
    await taken(planning, admission("A-1"))
    assert await taken(planning, admission("A-2")) == ["hl7.nothing_new"]
    await taken(planning, message("A11", "A-3", pid(), pv1(), when="20261103150500"))
    assert (await planning.http.get("/v1/cases", headers=planning.ward)).json()["cases"][0]["state"] == "cancelled"


async def test_a_discharge_told_twice_is_cancelled_once(planning: Planning) -> None:
    await taken(planning, admission())
    await taken(planning, message("A03", "D-1", pid(), pv1(disposition="01"), when="20261105100000"))
    assert await taken(planning, message("A03", "D-2", pid(), pv1(disposition="01"), when="20261105100000")) == ["hl7.nothing_new"]
    await taken(planning, message("A13", "D-3", pid(), pv1(), when="20261105110000"))
    assert (await the_case(planning))["state"] == "admitted"


async def test_a_transfer_told_twice_is_cancelled_once(planning: Planning) -> None:
    await taken(planning, admission())
    move = pid(), pv1(OTHER_WARD, before=WARD)
    await taken(planning, message("A02", "T-1", *move, when="20261104080000"))
    assert await taken(planning, message("A02", "T-2", *move, when="20261104080000")) == ["hl7.nothing_new"]
    await taken(planning, message("A12", "T-3", pid(), pv1(), when="20261104090000"))
    assert (await the_case(planning))["ward"] == WARD


async def test_a_discharge_told_again_with_something_else_corrects_the_first(planning: Planning) -> None:
    await taken(planning, admission())
    await taken(planning, message("A03", "D-1", pid(), pv1(disposition="01"), when="20261105100000"))
    code, remarks = await tell(planning, message("A03", "D-2", pid(), pv1(disposition="03"), when="20261105100000"))
    assert (code, [one[2] for one in remarks if one[2] == "two_discharges"]) == ("AA", [])
    await taken(planning, message("A13", "D-3", pid(), pv1(), when="20261105110000"))
    assert (await the_case(planning))["state"] == "admitted"


async def test_leave_told_twice_is_one_leave(planning: Planning) -> None:
    await taken(planning, admission())
    for control_id in ("L-1", "L-2"):
        await taken(planning, message("A21", control_id, pid(), pv1(), when="20261105100000"))
    assert len((await the_case(planning))["leaves"]) == 1
    assert len(await events(planning)) == 2


async def test_an_admission_told_again_with_more_in_it_is_an_update(planning: Planning) -> None:
    await taken(planning, admission("A-1"))
    again = message("A01", "A-2", pid(name="Testsson^Test Maria"), pv1(), pv2(planned="20261111"), NEEDS)
    for _ in range(2):
        await taken(planning, again)
    case = await the_case(planning)
    assert (case["person"]["name"]["given"], case["planned_discharge_date"]) == ("Test Maria", "2026-11-11")
    assert await events(planning) == ["MILLENNIUM:A-1", "MILLENNIUM:A-2.person", "MILLENNIUM:A-2.planned"]


async def test_a_readiness_told_again_with_another_form_of_care_is_corrected(planning: Planning) -> None:
    await taken(planning, message("A01", "A-1", pid(), pv1(), NEEDS.replace("somatic", "psychiatric")))
    await taken(planning, message("A08", "R-1", pid(), pv1(), "ZRD|READY|20261105090000|none"))
    again = message("A08", "R-2", pid(), pv1(), "ZRD|READY|20261105090000|opt|Y")
    for _ in range(2):
        assert await taken(planning, again) == []
    assert await taken(planning, message("A08", "R-3", pid(), pv1(), "ZRD|READY|20261105090000|opt|Y")) == ["hl7.nothing_new"]
    assert await events(planning) == [f"MILLENNIUM:{name}" for name in ("A-1", "R-1.ready", "R-2.ready")]


async def test_another_kind_of_care_in_an_update_corrects_the_admission(planning: Planning) -> None:
    await taken(planning, admission())
    await taken(planning, message("A08", "A-2", pid(), pv1(), NEEDS.replace("somatic", "psychiatric")))
    assert (await the_case(planning))["care_type"] == "psychiatric"
