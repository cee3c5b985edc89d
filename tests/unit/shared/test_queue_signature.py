"""What travels on the queue is believed only when it is signed with the service key, whole and unaltered."""

import hashlib
import hmac

import msgspec
import pytest

from shared.streams.queue import REJECTED_ACTOR, SignedEncoder, derived_key

KEY, OTHER = derived_key("0123456789abcdef" * 4, "queue"), derived_key("f" * 64, "queue")
MESSAGE = {
    "queue_name": "billing.planning",
    "actor_name": "billing.planning",
    "args": ["planning", 1, []],
    "kwargs": {},
    "options": {"redis_message_id": "r-1"},
    "message_id": "m-1",
    "message_timestamp": 1,
}
SIGNED = SignedEncoder(KEY).encode(MESSAGE)


def test_a_signed_message_is_read_as_it_was_written() -> None:
    assert SignedEncoder(KEY).decode(SIGNED) == MESSAGE


def test_what_a_message_carries_cannot_be_read_where_it_waits() -> None:
    fact = MESSAGE | {"args": ["billing", 1, [[1, "id", "access.logged", None, '{"user":"Anna Test"}']]]}
    written = SignedEncoder(KEY).encode(fact)
    assert b"Anna" not in written
    assert b"access.logged" not in written
    assert b"billing.planning" in written, "positive control: where it goes can be read"
    assert SignedEncoder(KEY).decode(written) == fact


def test_a_message_of_the_version_before_is_still_read() -> None:
    payload = msgspec.json.encode(MESSAGE)
    signature = hmac.new(KEY, payload, hashlib.sha256).hexdigest().encode()
    assert SignedEncoder(KEY).decode(signature + payload) == MESSAGE


@pytest.mark.parametrize(
    "data",
    [
        SIGNED.replace(b"billing.planning", b"billing.stopping"),
        SignedEncoder(OTHER).encode(MESSAGE),
        b"0" * 64 + SIGNED[64:],
        SIGNED[64:],
    ],
    ids=["altered", "signed by another", "no signature", "unsigned"],
)
def test_what_is_not_ours_never_reaches_its_actor(data: bytes) -> None:
    assert SignedEncoder(KEY).decode(data)["actor_name"] == REJECTED_ACTOR


def test_a_rejected_message_can_still_be_taken_off_its_queue() -> None:
    rejected = SignedEncoder(KEY).decode(b"0" * 64 + SIGNED[64:])
    assert rejected["options"]["redis_message_id"] == "r-1"


@pytest.mark.parametrize("data", [b"", b"x", b"0" * 64 + b"[1]", b"\xff" * 80])
def test_rubbish_is_rejected_and_breaks_nothing(data: bytes) -> None:
    assert SignedEncoder(KEY).decode(data)["actor_name"] == REJECTED_ACTOR
