"""Where the law wants a person: whoever signed in acts, a system names somebody, and only a demo's clients stand in for persons."""

from typing import Any
from uuid import uuid4

import pytest

from tests.builders import CARE_CENTRE, WARD, a_ward_event
from tests.integration.planning.conftest import GOTEBORG_NUMBER, Planning
from tests.services import REGION, bearer

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
OUTAGE = {"started_at": "2026-03-02T14:00:00+01:00", "ended_at": "2026-03-02T17:30:00+01:00", "unit": WARD, "cause": "network"}
PERSONS = [
    ("POST", f"/v1/notices/{ID}/acknowledgement", "acknowledged_by", {}),
    ("POST", f"/v1/notices/{ID}/return", "returned_by", {"reason": "Inte folkbokförd här"}),
    ("POST", f"/v1/notices/{ID}/forward", "forwarded_by", {"mailbox": ID}),
    ("PUT", f"/v1/cases/{ID}/admission-reason", "stated_by", {"unit": WARD, "reason": "Fall"}),
    ("POST", f"/v1/cases/{ID}/messages", "written_by", {"unit": WARD, "to": CARE_CENTRE, "topic": "medication"}),
    (
        "POST",
        f"/v1/cases/{ID}/declined",
        "recorded_by",
        {"unit": CARE_CENTRE, "measures": ["outpatient"], "declined_at": "2026-11-05T09:00:00+01:00"},
    ),
    ("POST", "/v1/consents", "asked_by", {"case_id": ID, "answer": "given", "purposes": ["free_text"], "unit": WARD}),
    ("POST", f"/v1/consents/{ID}/withdraw", "told_by", {}),
    ("PUT", f"/v1/plans/{ID}/consent", "asked_by", {"consent": "given"}),
    ("POST", f"/v1/plans/{ID}/invitations/{ID}/answer", "answered_by", {"answer": "accepted"}),
    ("POST", f"/v1/deviations/{ID}/answer", "answered_by", {"text": "Åtgärdat", "measures": []}),
    ("POST", f"/v1/outages/{ID}/confirmation", "confirmed_by", {}),
]
SCOPES = [
    "notices:read",
    "notices:acknowledge",
    "cases:read",
    "cases:write",
    "events:write",
    "plans:write",
    "consents:write",
    "deviations:write",
    "reviews:decide",
]


def a_caller(planning: Planning, **claims: Any) -> dict[str, str]:
    return bearer(planning.tokens.token("somebody", scopes=SCOPES, role="controller", **claims))


async def send(planning: Planning, who: dict[str, str], method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    answer = await planning.http.request(method, path, json=body, headers={**who, "Idempotency-Key": str(uuid4())})
    return answer.status_code, answer.json().get("errors")


@pytest.mark.parametrize(("method", "path", "field", "body"), PERSONS, ids=[field + path for _, path, field, _ in PERSONS])
async def test_somebody_acts(planning: Planning, method: str, path: str, field: str, body: dict[str, Any]) -> None:
    wrong = {"pointer": f"/{field}"}
    system, staff, demo = a_caller(planning), a_caller(planning, name="Anna Test"), a_caller(planning, demo=True)
    assert await send(planning, system, method, path, body) == (422, [wrong | {"code": "person_missing"}])
    assert await send(planning, staff, method, path, body | {field: "Berit Test"}) == (422, [wrong | {"code": "person_differs"}])
    # Whoever is somebody gets further: there is no such thing.
    for who, named in ((system, {field: "Anna Test"}), (staff, {}), (staff, {field: "anna  TEST"}), (demo, {})):
        status, _ = await send(planning, who, method, path, body | named)
        assert status == 404, (who, named)


async def test_a_notice_is_acknowledged_by_the_person_who_signed_in(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    (notice,) = (await planning.mailbox(planning.municipality()))["entries"]
    claims: dict[str, Any] = {
        "organisation": GOTEBORG_NUMBER,
        "units": [f"SE{GOTEBORG_NUMBER}-"],
        "municipality": "1480",
        "role": "municipality",
    }
    officer = bearer(planning.tokens.token("staff:demo:maja", scopes=SCOPES, name="Maja Test", **claims))
    answer = await planning.http.post(f"/v1/notices/{notice['id']}/acknowledgement", json={}, headers=officer)
    assert (answer.status_code, answer.json()["acknowledged_by"]) == (201, "Maja Test")


async def test_an_outage_is_stated_by_who_signed_in_or_else_by_the_system_itself(planning: Planning) -> None:
    stated = []
    for name in ({"name": "Anna Test"}, {}):
        who = bearer(planning.tokens.token("ward-su", scopes=SCOPES, units=[WARD], organisation=REGION, **name))
        answer = await planning.http.post("/v1/outages", json=OUTAGE, headers={**who, "Idempotency-Key": str(uuid4())})
        assert answer.status_code == 201, answer.text
        stated.append(answer.json()["stated_by"])
    assert stated == ["Anna Test", "ward-su"]
    other = bearer(planning.tokens.token("ward-su", scopes=SCOPES, units=[WARD], organisation=REGION, name="Anna Test"))
    assert await send(planning, other, "POST", "/v1/outages", OUTAGE | {"stated_by": "Bo Test"}) == (
        422,
        [{"pointer": "/stated_by", "code": "person_differs"}],
    )
