"""`Idempotency-Key`: the first answer is stored in the transaction that did the work, and given again to a repetition."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy import text

from shared.db import Work
from shared.errors import Refused
from shared.http.call import Call
from shared.http.problems import HttpProblem
from shared.streams.canonical import canonical
from shared.streams.queue import derived_key

_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
# Keys were kept as sent once: one of those is still known for as long as it is kept.
_FIND: Final = text("SELECT fingerprint, status, body FROM idempotency_keys WHERE client = :client AND key IN (:key, :sent)")
_KEEP: Final = text(
    "INSERT INTO idempotency_keys (client, key, fingerprint, status, body) VALUES (:client, :key, :fingerprint, :status, :body)"
)


async def once(
    work: Work, call: Call, request: Request, act: Callable[[], Awaitable[BaseModel]], *, status: HTTPStatus = HTTPStatus.CREATED
) -> Response:
    """Do what was asked for once per client and key; a repetition gets the first answer.

    Of the key a keyed hash is kept: a client may have made it of anything, also of a patient's number.

    A refused request leaves no key behind: its transaction is rolled back, and the same key may be tried again later.

    Raises:
        HttpProblem: 422 when the key was used for something else.
        Refused: 409 while the first request is still running.
    """
    if call.idempotency_key is None:
        return _answer((await act()).model_dump_json(), status)
    client, key = call.caller.client_id, _keyed(request, call.idempotency_key.encode()).hex()
    if not (await work.connection.execute(_LOCK, {"name": f"{client}\n{key}"})).scalar_one():
        raise Refused("idempotency.in_progress")
    sent = await request.json() if await request.body() else None
    target = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    asked = f"{request.method} {target}\n{canonical(sent)}".encode()
    fingerprint = _keyed(request, asked)
    known = (await work.connection.execute(_FIND, {"client": client, "key": key, "sent": call.idempotency_key})).one_or_none()
    if known is not None:
        if bytes(known.fingerprint) not in {fingerprint, hashlib.sha256(asked).digest()}:  # a row written before there was a key
            raise HttpProblem("idempotency.key_reused")
        return _answer(known.body, HTTPStatus(known.status), repeated=True)
    body = (await act()).model_dump_json()
    await work.connection.execute(_KEEP, {"client": client, "key": key, "fingerprint": fingerprint, "status": status.value, "body": body})
    return _answer(body, status)


def _keyed(request: Request, asked: bytes) -> bytes:
    """What a request is known again by; keyed, as a body may hold a person's number, which a plain hash would give away to a guess."""
    service_key = request.app.state.settings.service_key.get_secret_value()
    return hmac.new(derived_key(service_key, "idempotency"), asked, hashlib.sha256).digest()


def _answer(body: str, status: HTTPStatus, *, repeated: bool = False) -> Response:
    headers = {"Idempotent-Replayed": "true"} if repeated else {}
    return Response(body, status_code=status, media_type="application/json", headers=headers)
