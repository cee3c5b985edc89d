"""What is kept of a request with an `Idempotency-Key` says nothing of the person in its body, and knows the request again."""

from hashlib import sha256
from typing import Any

from sqlalchemy import text

from shared.streams.canonical import canonical
from tests.builders import a_personnummer
from tests.integration.planning.conftest import Planning
from tests.integration.planning.plan_calls import ADULT, care

BODY = {"person": ADULT, "kind": "sip"}
OTHER = {"person": ADULT | {"id": a_personnummer(5)}, "kind": "sip"}


def plain(body: dict[str, Any]) -> bytes:
    """The fingerprint as it was kept before there was a key: whoever has a register of all people finds the number by trying."""
    return sha256(f"POST /v1/plans\n{canonical(body)}".encode()).digest()


async def asked(planning: Planning, body: dict[str, Any]) -> tuple[int, str | None, Any]:
    answer = await planning.http.post("/v1/plans", json=body, headers={**care(planning), "Idempotency-Key": "one"})
    return answer.status_code, answer.headers.get("Idempotent-Replayed"), answer.json().get("id")


async def test_no_stored_answer_can_be_tried_against_a_register_of_all_people(planning: Planning) -> None:
    first = await asked(planning, BODY)
    assert first[:2] == (201, None)
    async with planning.database.transaction() as work:
        kept = [bytes(one) for one in (await work.connection.execute(text("SELECT fingerprint FROM idempotency_keys"))).scalars()]
    assert len(kept) == 1
    assert plain(BODY) not in kept
    assert await asked(planning, BODY) == (201, "true", first[2])
    assert (await asked(planning, OTHER))[0] == 422


async def test_a_request_that_was_kept_before_there_was_a_key_is_known_again(planning: Planning) -> None:
    first = await asked(planning, BODY)
    async with planning.database.transaction() as work:
        await work.connection.execute(text("DELETE FROM idempotency_keys"))
        await work.connection.execute(
            text("INSERT INTO idempotency_keys (client, key, fingerprint, status, body) VALUES ('care-1', 'one', :print, 201, :body)"),
            {"print": plain(BODY), "body": f'{{"id":"{first[2]}"}}'},
        )
    assert await asked(planning, BODY) == (201, "true", first[2])
    assert (await asked(planning, OTHER))[0] == 422
