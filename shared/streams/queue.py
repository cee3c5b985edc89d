"""What travels on Redis: ranges of a stream, sealed and signed, on dramatiq. Redis carries and may lose; PostgreSQL remembers."""

import base64
import hashlib
import hmac
import os
from typing import Any, Final
from uuid import uuid4

import dramatiq
import msgspec
import redis
import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from dramatiq.brokers.redis import RedisBroker
from dramatiq.encoder import Encoder, MessageData
from dramatiq.middleware import Middleware
from redis.backoff import NoBackoff
from redis.retry import Retry

_log = structlog.get_logger(__name__)

REDIS_TIMEOUT_SECONDS: Final = 0.5
HEARTBEAT_TIMEOUT_MS: Final = 15_000
MAINTENANCE_CHANCE: Final = 100_000
REJECTED_ACTOR: Final = "streams.rejected"
_MAC_HEX: Final = 64
_NONCE_BYTES: Final = 12


def derived_key(service_key: str, purpose: str) -> bytes:
    """A key of its own for each use of the service key."""
    return hmac.new(bytes.fromhex(service_key), purpose.encode(), hashlib.sha256).digest()


class SignedEncoder(Encoder):
    """Signs every message with HMAC-SHA-256; what is unsigned or altered becomes a call of the rejecting actor, never of its own.

    What it carries is sealed: facts tell of no patient, but some of them name the member of staff who read, and Redis is no place for that.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cipher = AESGCM(hmac.digest(key, b"arguments", "sha256"))

    def encode(self, data: MessageData) -> bytes:
        """Write the message, its arguments sealed, with the signature in front."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, msgspec.json.encode(data["args"]), None)
        payload = msgspec.json.encode({**data, "args": [base64.b64encode(sealed).decode("ascii")]})
        return self._mac(payload) + payload

    def decode(self, data: bytes) -> MessageData:
        """Read a message; a bad signature turns it into a rejection that is acknowledged and counted."""
        mac, payload = data[:_MAC_HEX], data[_MAC_HEX:]
        if hmac.compare_digest(mac, self._mac(payload)):
            message: MessageData = msgspec.json.decode(payload)
            message["args"] = self._opened(message["args"])
            return message
        return _rejection(payload)

    def _opened(self, arguments: Any) -> Any:
        """The arguments of a message of ours; one from before they were sealed still has them in clear."""
        if len(arguments) != 1:
            return arguments
        sealed = base64.b64decode(arguments[0])
        return msgspec.json.decode(self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None))

    def _mac(self, payload: bytes) -> bytes:
        return hmac.new(self._key, payload, hashlib.sha256).hexdigest().encode()


def _rejection(payload: bytes) -> MessageData:
    """A call of the rejecting actor that still lets the broker take the forged message off its queue."""
    try:
        claimed: Any = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        claimed = None
    options = claimed.get("options") if isinstance(claimed, dict) else None
    redis_id = options.get("redis_message_id") if isinstance(options, dict) else None
    return {
        "queue_name": "rejected",
        "actor_name": REJECTED_ACTOR,
        "args": [],
        "kwargs": {},
        "options": {"redis_message_id": redis_id if isinstance(redis_id, str) else ""},
        "message_id": str(uuid4()),
        "message_timestamp": 0,
    }


def make_broker(redis_url: str, service_key: str, middleware: list[Middleware]) -> RedisBroker:
    """The process's one broker, with short time-outs and no retries: what fails here is repaired over HTTP."""
    dramatiq.set_encoder(SignedEncoder(derived_key(service_key, "queue")))
    client = redis.Redis.from_url(
        redis_url,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    broker = RedisBroker(  # type: ignore[no-untyped-call]  # dramatiq leaves the constructor untyped
        client=client,
        middleware=middleware,
        namespace="dirigent",
        heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
        maintenance_chance=MAINTENANCE_CHANCE,
    )
    dramatiq.set_broker(broker)
    return broker
