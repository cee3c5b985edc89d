"""Public keys of others: as they stand in a document, or fetched from where they are published.

Fetched keys are kept five minutes. A key id we do not know makes us look again, so that a key may be changed without a refused request;
an address that stops answering does not shut its clients out for an hour.

Who asks has proved nothing yet: anybody may name a key that is not there. So an address has a few looks, and gets one back every ten
seconds; whoever names a key we do not know while there are none is told when to come again, not that the key is wrong. Such a flood makes
us fetch every ten seconds, which brings a new key just as well.
"""

import asyncio
import json
import math
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from services.gateway.auth import NotAuthenticated
from shared.targets import TargetRefused, read_target, refuse_private

KEPT_SECONDS: Final = 300.0
LOOKS: Final = 5
LOOK_AGAIN_SECONDS: Final = 10.0
STALE_SECONDS: Final = 3_600.0
_AFTER_FAILURE_SECONDS: Final = 5.0
_FETCH_SECONDS: Final = 5.0
_DOCUMENT_LIMIT: Final = 64 * 1024
_KEYS_LIMIT: Final = 50
_RSA_BITS: Final = 2_048
_OK: Final = 200
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

_log = structlog.get_logger(__name__)
Resolve = Callable[[str, int], Awaitable[list[str]]]


def public_keys(document: object) -> KeySet:
    """The signature keys of a JWK set that we can verify with: P-256, and RSA of at least 2 048 bits. Private parts are left behind.

    Raises:
        ValueError: It is no JWK set, or none of its keys can be used.
    """
    listed = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(listed, list) or len(listed) > _KEYS_LIMIT:
        raise ValueError("not a JWK set")
    found = [key for key in map(_public_key, listed) if key is not None]
    if not found:
        raise ValueError("no key that can be used")
    return KeySet(list(found))


def _public_key(stated: object) -> ECKey | RSAKey | None:
    if not isinstance(stated, dict) or stated.get("use", "sig") != "sig":
        return None
    public = {name: value for name, value in stated.items() if name not in _PRIVATE}
    try:
        if public.get("kty") == "EC" and public.get("crv") == "P-256":
            return ECKey.import_key(public)
        if public.get("kty") == "RSA" and len(str(public.get("n", ""))) * 6 >= _RSA_BITS:
            key = RSAKey.import_key(public)
            return key if key.public_key.key_size >= _RSA_BITS else None
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None


async def resolve(host: str, port: int) -> list[str]:
    """Every address of a host name, as the system's resolver gives them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class KeyNotSeenYet(Exception):
    """A key was named that we do not have, and its address was asked too often of late to be asked again now."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.headers = {"Retry-After": str(max(1, math.ceil(seconds)))}


@dataclass(slots=True)
class _Kept:
    keys: KeySet | None = None
    fetched: float = float("-inf")
    tried: float = float("-inf")
    begun: int = 0
    """How many fetches were begun: one that was begun after somebody came brought whatever was there when he came."""
    looks: float = LOOKS
    counted: float = float("-inf")
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    def looks_at(self, at: float) -> float:
        """How many looks are left."""
        self.looks = min(float(LOOKS), self.looks + (at - self.counted) / LOOK_AGAIN_SECONDS)
        self.counted = at
        return self.looks


class KeySources:
    """The keys behind the addresses that clients and issuers publish theirs at. No proxy, no redirect; one connection a fetch."""

    def __init__(
        self,
        allowed: Sequence[str] = (),
        *,
        resolver: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Fetch nothing yet.

        Args:
            allowed: Origins that may be private or unencrypted, by the operator's word.
            resolver: Finds the addresses of a host name.
            tls: What certificates to believe; None: those of the system.
            clock: Seconds of a clock that never goes back.
        """
        self._allowed = tuple(allowed)
        self._resolve = resolver
        self._tls = tls
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    async def find(self, url: str, kid: str | None) -> KeySet:
        """The keys at an address, fetched again when they are old or do not hold `kid`.

        Raises:
            NotAuthenticated: There are none to be had.
            KeyNotSeenYet: `kid` is not among them, and may not be looked for again yet.
        """
        kept = self._kept.setdefault(url, _Kept())
        if self._is_fresh(kept) and _knows(kept.keys, kid):
            return _held(kept)
        begun = kept.begun
        # Whoever comes while somebody fetches waits for what that brings.
        async with kept.one_at_a_time:
            if not self._is_fresh(kept):
                if self._clock() - kept.tried >= _AFTER_FAILURE_SECONDS:
                    await self._renew(url, kept)
            elif not _knows(kept.keys, kid) and kept.begun == begun:
                await self._look(url, kept)
        return _held(kept)

    async def find_other(self, url: str, unfit: KeySet) -> KeySet:
        """The keys at an address when those that a signature did not fit are no longer the ones: a key without an id may be another now.

        Raises:
            NotAuthenticated: They are the same, as far as we may know now.
        """
        kept = self._kept.setdefault(url, _Kept())
        async with kept.one_at_a_time:
            if kept.keys is unfit:
                try:
                    await self._look(url, kept)
                except KeyNotSeenYet as barred:
                    raise NotAuthenticated from barred
        if kept.keys is unfit:
            raise NotAuthenticated
        return _held(kept)

    def _is_fresh(self, kept: _Kept) -> bool:
        return kept.keys is not None and self._clock() - kept.fetched < KEPT_SECONDS

    async def _look(self, url: str, kept: _Kept) -> None:
        looks = kept.looks_at(self._clock())
        if looks < 1:
            raise KeyNotSeenYet((1 - looks) * LOOK_AGAIN_SECONDS)
        kept.looks -= 1
        await self._renew(url, kept)

    async def _renew(self, url: str, kept: _Kept) -> None:
        at = kept.tried = self._clock()
        kept.begun += 1
        try:
            async with asyncio.timeout(_FETCH_SECONDS):
                keys = public_keys(json.loads(await self._fetch(url)))
        except (TimeoutError, TargetRefused, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RecursionError) as error:
            _log.warning("keys.not_fetched", url=url, error=type(error).__name__)
            if at - kept.fetched >= STALE_SECONDS:
                kept.keys = None
            return
        kept.keys, kept.fetched = keys, at

    async def _fetch(self, url: str) -> bytes:
        """Resolve now, check what came back, and connect to exactly that: a name may mean something else a moment later."""
        target = read_target(url, self._allowed)
        addresses = await self._resolve(target.host, target.port)
        if not target.allowed:
            refuse_private(addresses)
        if not addresses:
            raise TargetRefused("url_not_resolvable")
        where = httpx.URL(scheme=target.scheme, host=addresses[0], port=target.port, raw_path=target.path.encode("ascii"))
        headers = {"Host": target.authority, "Accept": "application/json", "User-Agent": "Dirigent"}
        async with (
            httpx.AsyncClient(trust_env=False, follow_redirects=False, verify=self._tls or True, timeout=_FETCH_SECONDS) as client,
            client.stream("GET", where, headers=headers, extensions={"sni_hostname": target.host}) as answer,
        ):
            if answer.status_code != _OK:
                raise ValueError("no keys there")
            found = bytearray()
            async for piece in answer.aiter_raw():
                found += piece
                if len(found) > _DOCUMENT_LIMIT:
                    raise ValueError("too much to be keys")
        return bytes(found)


def _knows(keys: KeySet | None, kid: str | None) -> bool:
    return kid is None or any(key.kid == kid for key in keys or ())


def _held(kept: _Kept) -> KeySet:
    if kept.keys is None:
        raise NotAuthenticated
    return kept.keys
