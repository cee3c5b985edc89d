"""The co-ordinated individual plan (SIP), so far what money needs of it."""

import json
from typing import Any

from sqlalchemy import text

from tests.builders import CARE_CENTRE, GOTEBORG, a_ward_event
from tests.integration.planning.conftest import GOTEBORG_UNIT, HARRYDA_UNIT, Planning


async def _opened(planning: Planning, **body: Any) -> Any:
    case = (await planning.tell(a_ward_event())).json()["case_id"]
    return await planning.http.post(
        "/v1/plans", json={"case_id": case, "consent": "given"} | body, headers={**planning.care, "Idempotency-Key": "plan-1"}
    )


async def _facts(planning: Planning, kind: str) -> list[dict[str, Any]]:
    await planning.number()
    async with planning.database.transaction() as work:
        rows = (await work.connection.execute(text("SELECT body FROM feed_entries WHERE kind = :kind"), {"kind": kind})).scalars().all()
    return [json.loads(row) for row in rows]


async def test_a_care_centre_calls_the_units_and_billing_learns_it(planning: Planning) -> None:
    plan = (await _opened(planning)).json()
    assert (plan["care_centre"], plan["state"]) == (CARE_CENTRE, "consented")
    answer = await planning.http.post(
        f"/v1/plans/{plan['id']}/invitations",
        json={"units": [GOTEBORG_UNIT], "meeting": {"at": "2026-11-05T10:00:00+01:00", "place": "Hemma"}},
        headers={**planning.care, "Idempotency-Key": "invite-1"},
    )
    assert answer.status_code == 201
    (fact,) = await _facts(planning, "plan.invited")
    assert (fact["case_id"], fact["invited_by"]) == (plan["case_id"], CARE_CENTRE)
    types = [entry["type"] for entry in (await planning.mailbox(planning.municipality()))["entries"]]
    assert types == ["notice.admission", "notice.sip_invitation"]
    shown = (await planning.http.get(f"/v1/plans/{plan['id']}", headers=planning.municipality())).json()
    assert [one["units"] for one in shown["invitations"]] == [[GOTEBORG_UNIT]]


async def test_a_repeated_command_is_done_once(planning: Planning) -> None:
    first = await _opened(planning)
    again = await planning.http.post(
        "/v1/plans", json=json.loads(first.request.content), headers={**planning.care, "Idempotency-Key": "plan-1"}
    )
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"


async def test_the_same_key_for_something_else_is_refused(planning: Planning) -> None:
    await _opened(planning)
    other = await planning.http.post("/v1/plans", json={"consent": "refused"}, headers={**planning.care, "Idempotency-Key": "plan-1"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency.key_reused")


async def test_a_command_without_a_key_is_refused(planning: Planning) -> None:
    answer = await planning.http.post("/v1/plans", json={"consent": "given"}, headers=planning.care)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency.key_missing")


async def test_without_consent_nobody_is_called(planning: Planning) -> None:
    plan = (await _opened(planning, consent="refused")).json()
    answer = await planning.http.post(
        f"/v1/plans/{plan['id']}/invitations",
        json={"units": [GOTEBORG_UNIT]},
        headers={**planning.care, "Idempotency-Key": "invite-1"},
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "plan.consent_refused")
    assert await _facts(planning, "plan.invited") == []


async def test_only_a_history_client_may_state_when_an_invitation_was_sent(planning: Planning) -> None:
    plan = (await _opened(planning)).json()
    body = {"units": [GOTEBORG_UNIT], "sent_at": "2026-11-05T10:00:00+01:00"}
    address = f"/v1/plans/{plan['id']}/invitations"
    refused = await planning.http.post(address, json=body, headers={**planning.care, "Idempotency-Key": "invite-1"})
    assert (refused.status_code, refused.json()["code"]) == (403, "event.sentat_denied")
    taken = await planning.http.post(address, json=body, headers={**planning.history, "Idempotency-Key": "invite-1"})
    assert taken.json()["sent_at"] == "2026-11-05T09:00:00.000000Z"


async def test_a_unit_without_a_mailbox_is_named_and_nobody_is_called(planning: Planning) -> None:
    plan = (await _opened(planning)).json()
    answer = await planning.http.post(
        f"/v1/plans/{plan['id']}/invitations",
        json={"units": [GOTEBORG_UNIT, "SE2120001355-NOBODY"]},
        headers={**planning.care, "Idempotency-Key": "invite-1"},
    )
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": "/units/1", "code": "unit_unknown"}])


async def test_only_who_is_concerned_in_the_stay_is_called_to_its_plan(planning: Planning) -> None:
    plan = (await _opened(planning)).json()
    address, key = f"/v1/plans/{plan['id']}/invitations", {**planning.care, "Idempotency-Key": "invite-1"}
    answer = await planning.http.post(address, json={"units": [HARRYDA_UNIT]}, headers=key)
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": "/units/0", "code": "unit_not_concerned"}])
    assert await _facts(planning, "plan.invited") == []


async def test_the_fact_says_who_was_called_and_the_notice_says_to_what(planning: Planning) -> None:
    plan = (await _opened(planning)).json()
    meeting = {"at": "2026-11-05T10:00:00+01:00", "place": "Hemma"}
    body = {"units": [GOTEBORG_UNIT, CARE_CENTRE], "meeting": meeting}
    await planning.http.post(f"/v1/plans/{plan['id']}/invitations", json=body, headers={**planning.care, "Idempotency-Key": "invite-1"})
    (fact,) = await _facts(planning, "plan.invited")
    assert fact["called"] == [f"municipality:{GOTEBORG}", f"unit:{CARE_CENTRE}"]
    invitation = (await planning.mailbox(planning.municipality()))["entries"][-1]
    assert invitation["personal"]["content"]["meeting"]["place"] == "Hemma"
