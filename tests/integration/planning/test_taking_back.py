"""What was stated with a command taken back by who stated it, and a SIP requirement that is contested."""

from typing import Any

import httpx

from tests.builders import CARE_CENTRE, GOTEBORG, HARRYDA, WARD, a_ward_event
from tests.integration.planning.conftest import GOTEBORG_UNIT, Planning
from tests.integration.planning.test_parties import admitted, care, municipality, ward
from tests.integration.planning.test_transfers import case_of, stays_told

READY = a_ward_event("stay.ready", id="SU-2", time="2026-11-05T10:00:00+01:00")
PLACEMENT = {"municipality": HARRYDA, "decision_date": "2026-10-01", "reference": "SN 2026/123"}
BLOCK = {"state": "started", "kind": "missing", "at": "2026-11-06T10:00:00+01:00"}
DECLINED = {"unit": GOTEBORG_UNIT, "measures": ["municipal_social"], "declined_at": "2026-11-05T09:00:00+01:00", "recorded_by": "Anna Test"}


async def post(planning: Planning, who: dict[str, str], path: str, key: str, body: dict[str, Any]) -> httpx.Response:
    return await planning.http.post(f"/v1/cases/{path}", json=body, headers={**who, "Idempotency-Key": key})


async def withdraw(planning: Planning, who: dict[str, str], case: str, event_id: str, key: str = "w1") -> httpx.Response:
    return await post(planning, who, f"{case}/statements/{event_id}/withdrawal", key, {"reason": "Fel patient"})


def codes(case: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in case["findings"]]


async def test_a_placement_stated_by_mistake_is_withdrawn_and_its_municipality_loses_the_case(planning: Planning) -> None:
    case = await admitted(planning)
    await planning.tell(READY)
    address = f"/v1/cases/{case}/liable-municipality"
    stated = (await planning.http.put(address, json=PLACEMENT, headers=municipality(planning))).json()
    assert (await stays_told(planning))[case].municipality == HARRYDA
    gone = await withdraw(planning, municipality(planning), case, stated["event_id"])
    assert (gone.status_code, gone.json()["case_version"]) == (201, stated["case_version"] + 1), gone.text
    told = (await stays_told(planning))[case]
    assert (told.municipality, told.placements) == (GOTEBORG, ())
    assert (await planning.http.get(f"/v1/cases/{case}", headers=municipality(planning, HARRYDA))).status_code == 404
    types = [entry["type"] for entry in (await planning.mailbox(planning.municipality(HARRYDA)))["entries"]]
    assert types == ["notice.admission", "notice.ready", "notice.cancelled", "notice.cancelled"]
    again = await withdraw(planning, municipality(planning), case, stated["event_id"], "w2")
    assert (again.status_code, again.json()["code"]) == (409, "case.statement_withdrawn")
    anew = (await planning.http.put(address, json=PLACEMENT, headers=municipality(planning))).json()
    assert anew["event_id"] != stated["event_id"]
    assert (await stays_told(planning))[case].municipality == HARRYDA


async def test_a_block_is_withdrawn_by_who_stated_it_and_by_nobody_else(planning: Planning) -> None:
    case = await admitted(planning)
    stated = (await post(planning, municipality(planning), f"{case}/outpatient-block", "k1", BLOCK)).json()
    other = await withdraw(planning, care(planning), case, stated["event_id"])
    assert (other.status_code, other.json()["code"]) == (403, "access.denied")
    assert (await withdraw(planning, municipality(planning, HARRYDA), case, stated["event_id"])).status_code == 404
    unknown = await withdraw(planning, municipality(planning), case, "0192f0c1-0000-7000-8000-000000000001")
    assert unknown.status_code == 404
    assert (await withdraw(planning, municipality(planning), case, stated["event_id"], "w3")).status_code == 201
    assert (await case_of(planning, case))["outpatient_blocks"] == []
    assert (await stays_told(planning))[case].outpatient_blocks == ()


async def test_measures_that_were_declined_by_mistake_are_declined_no_more(planning: Planning) -> None:
    case = await admitted(planning)
    kept = (await post(planning, municipality(planning), f"{case}/declined", "k1", DECLINED)).json()
    right = (await post(planning, municipality(planning), f"{case}/declined", "k2", DECLINED)).json()
    (first, second) = (await stays_told(planning))[case].declined
    assert (str(first.decline_id), first.municipality, first.stated_by, first.withdrawn) == (kept["id"], GOTEBORG, GOTEBORG_UNIT, False)
    assert (first.measures, first.stated_at > first.declined_at) == (("municipal_social",), True)
    assert (await withdraw(planning, municipality(planning), case, kept["id"])).status_code == 201
    told = (await stays_told(planning))[case].declined
    assert [(str(one.decline_id), one.withdrawn) for one in told] == [(kept["id"], True), (right["id"], False)]
    assert (str(second.decline_id)) == right["id"]
    shown = (await planning.http.get(f"/v1/cases/{case}", headers=municipality(planning))).json()
    assert [one["id"] for one in shown["declined"]] == [right["id"]]


async def test_ward_and_municipality_may_contest_that_a_sip_is_required_and_nobody_else(planning: Planning) -> None:
    case = await admitted(planning)
    said = {"contested": True, "reason": "Patienten har redan en plan."}
    by_ward = await post(planning, ward(planning), f"{case}/sip-contested", "k1", said | {"unit": WARD})
    by_municipality = await post(planning, municipality(planning), f"{case}/sip-contested", "k2", said)
    assert (by_ward.status_code, by_municipality.status_code) == (201, 201), by_ward.text
    refused = await post(planning, care(planning), f"{case}/sip-contested", "k3", said | {"unit": CARE_CENTRE})
    assert (refused.status_code, refused.json()["code"]) == (403, "access.denied")
    shown = await case_of(planning, case)
    assert (shown["sip_contested"], codes(shown).count("sip_requirement_contested")) == (True, 2)
    told = (await stays_told(planning))[case]
    assert (told.sip_contested, "redan" in told.model_dump_json()) == (True, False)


async def test_who_contested_a_sip_requirement_can_stop(planning: Planning) -> None:
    case = await admitted(planning)
    await post(planning, municipality(planning), f"{case}/sip-contested", "k1", {"contested": True})
    await post(planning, municipality(planning), f"{case}/sip-contested", "k2", {"contested": False})
    shown = await case_of(planning, case)
    assert (shown["sip_contested"], "sip_requirement_contested" in codes(shown)) == (False, False)
    assert not (await stays_told(planning))[case].sip_contested
