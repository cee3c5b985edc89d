"""The one written form of a JSON value that every hash is made over: RFC 8785."""

import hashlib
from typing import Final

import msgspec
import rfc8785

from shared.errors import Malformed

_SORTED: Final = msgspec.json.Encoder(order="sorted")
GENESIS: Final = bytes(32)

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def canonical(value: Json) -> str:
    """Write any JSON value in its canonical form.

    Raises:
        Malformed: An integer beyond 2**53, which RFC 8785 cannot carry.
    """
    try:
        return rfc8785.dumps(value).decode()
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise Malformed("json.not_canonical", "a number or nesting that has no canonical form") from error


def canonical_plain(value: object) -> str:
    """The same form, much quicker, for values of ours that hold ASCII keys and no fractions."""
    return _SORTED.encode(value).decode()


def link(previous: bytes, body: str) -> bytes:
    """The running hash of a feed after one more entry: SHA-256(previous ‖ SHA-256(body))."""
    return hashlib.sha256(previous + hashlib.sha256(body.encode()).digest()).digest()
