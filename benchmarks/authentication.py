"""What finding out who calls costs: a token seen for the first time, and one seen a moment ago.

`python -m benchmarks.authentication [--rounds 5]` asks the gateway's own check (the token whole, then whether it was taken back, then the
connection it is bound to). Beside it, in turns in the same run, SHA-256 of the same token: a ratio to that holds on a busy machine.
"""

import argparse
import asyncio
import hashlib
import statistics
import sys
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Any, Final, TypeVar

from joserfc.jwk import ECKey, KeySet

from services.gateway.admission import Admission
from services.gateway.auth import Grant, SigningKeys
from services.gateway.limits import RateLimit
from services.gateway.revocations import KnownRevocations
from shared.dates import now
from shared.http.auth import TokenVerifier
from shared.http.problems import HttpProblem

T = TypeVar("T")
ISSUER: Final = "https://dirigent.example"
COLD_MICROSECONDS: Final = 500.0
WARM_MICROSECONDS: Final = 100.0
_TOKENS: Final = 500
_WARM_CALLS: Final = 20_000
_REVOKED: Final = 1_000
_UNLIMITED: Final = 10**9
GRANT: Final = Grant("ward-su", "2321000131", ("SE2321000131-SU",), "ward", ("events:write", "cases:read", "cases:write", "notices:read"))


def a_request(token: str) -> dict[str, Any]:
    """What a client of a ward sends, as the server hands it on."""
    headers = [(b"host", b"dirigent.example"), (b"accept", b"*/*"), (b"user-agent", b"journal/1"), (b"content-length", b"812")]
    return {
        "type": "http",
        "client": ("192.0.2.1", 50_000),
        "headers": [*headers, (b"content-type", b"application/cloudevents+json"), (b"authorization", f"Bearer {token}".encode())],
    }


class Ground:
    """Keys, tokens, and a gateway's check that knows of a thousand revoked clients."""

    def __init__(self) -> None:
        key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True)
        key.ensure_kid()
        self._signing = SigningKeys(dict(KeySet([key]).as_dict(private=True)), ISSUER)
        at = now()
        self.tokens = [self._signing.issue(GRANT, at) for _ in range(_TOKENS)]
        self.known = KnownRevocations()
        self.verifier, self.admission = self.fresh()
        self.revoke()

    def fresh(self) -> tuple[TokenVerifier, Admission]:
        """A check that has seen nobody yet."""
        verifier = TokenVerifier(self._signing.key_set(), issuer=ISSUER)
        return verifier, Admission(verifier, self.known, failures=RateLimit(_UNLIMITED, _UNLIMITED))

    def revoke(self, *more: str) -> None:
        """Take over who was revoked, as the watch does."""
        for client in self.known.take({f"other-{number}": None for number in range(_REVOKED)} | dict.fromkeys(more), self.known.clock()):
            self.verifier.drop(client)


async def _each(calls: int, call: Callable[[T], Awaitable[object]], on: Sequence[T]) -> float:
    """Microseconds of one call, as the mean over many."""
    begun = perf_counter()
    for number in range(calls):
        await call(on[number % len(on)])
    return (perf_counter() - begun) / calls * 1e6


async def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def measure(rounds: int) -> dict[str, float]:
    """Microseconds: the median of the rounds, all kinds in turns."""
    ground = Ground()
    requests = [a_request(token) for token in ground.tokens]
    found: dict[str, list[float]] = {"cold": [], "warm": [], "sha256": []}
    for _ in range(rounds):
        _, admission = ground.fresh()
        found["cold"].append(await _each(_TOKENS, admission.admit, requests))
        found["warm"].append(await _each(_WARM_CALLS, admission.admit, requests))
        found["sha256"].append(await _each(_WARM_CALLS, _digest, ground.tokens))
        ground.revoke()
    return {name: statistics.median(values) for name, values in found.items()}


async def dropped_on_revocation() -> bool:
    """Whether a remembered token is refused, and forgotten, the moment its client is known to be revoked."""
    ground = Ground()
    request = a_request(ground.tokens[0])
    await ground.admission.admit(request)
    ground.revoke(GRANT.client_id)
    try:
        await ground.admission.admit(request)
    except HttpProblem as problem:
        return problem.code == "token.invalid"
    return False


async def main() -> int:
    reader = argparse.ArgumentParser(prog="python -m benchmarks.authentication", description=__doc__)
    reader.add_argument("--rounds", type=int, default=5)
    found = await measure(reader.parse_args().rounds)
    dropped = await dropped_on_revocation()
    baseline = found["sha256"]
    print(f"who calls, beside SHA-256 of the token ({baseline:.2f} µs)")
    for name, target, words in (("cold", COLD_MICROSECONDS, "seen for the first time"), ("warm", WARM_MICROSECONDS, "seen a moment ago")):
        print(f"  {words:<24} {found[name]:7.1f} µs  {found[name] / baseline:6.1f} ×   target < {target:.0f} µs")
    print(f"  refused once revoked     {'yes' if dropped else 'NO'}")
    return 0 if dropped and found["cold"] < COLD_MICROSECONDS and found["warm"] < WARM_MICROSECONDS else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
