"""What the proxy in front of us may say about a connection: its client certificate (RFC 9440) and where it comes from.

Only a proxy that the operator named is believed; what anybody else puts into these headers is dropped, never read.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from cryptography import x509
from starlette.types import Scope

SAID_BY_PROXIES: Final = frozenset({b"client-cert", b"client-cert-chain"})
_FORWARDED_FOR: Final = b"x-forwarded-for"
_HOPS_READ: Final = 20
_CERTIFICATE_LIMIT: Final = 16 * 1024

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


class TrustedProxies:
    """The proxies that may speak for the connections behind them. With none, nothing but the connection itself is believed."""

    def __init__(self, networks: Sequence[str] = ()) -> None:
        """Take addresses and networks (CIDR).

        Raises:
            ValueError: One of them is neither.
        """
        self._networks: tuple[Network, ...] = tuple(ip_network(one) for one in networks)

    def thumbprint(self, scope: Scope) -> str | None:
        """The SHA-256 thumbprint (base64url) of the client certificate that a trusted proxy verified; none when nobody trusted says so."""
        if not self._networks or not self._trusts(_peer(scope)):
            return None
        stated = [value for name, value in scope["headers"] if name == b"client-cert"]
        return _thumbprint(stated[0]) if len(stated) == 1 else None

    def address(self, scope: Scope) -> str:
        """Where a request comes from: the peer, or the last address before our proxies that `X-Forwarded-For` names."""
        client = scope.get("client")
        peer = str(client[0]) if client else "unknown"
        if not self._networks or not self._trusts(_peer(scope)):
            return peer
        stated = b",".join(value for name, value in scope["headers"] if name == _FORWARDED_FOR).decode("latin-1").split(",")
        for hop in reversed(stated[-_HOPS_READ:]):
            address = _read(hop.strip())
            if address is None:
                return peer
            if not self._trusts(address):
                return str(address)
        return peer

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


def thumbprint_of(der: bytes) -> str:
    """The SHA-256 thumbprint of a certificate as `x5t#S256` writes it (RFC 8705 3.1)."""
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode("ascii")


@lru_cache(maxsize=1024)
def _thumbprint(stated: bytes) -> str | None:
    """Read a structured-field byte sequence (RFC 8941 3.3.5) that must be a certificate; anything else is none."""
    text = stated.strip()
    if len(text) > _CERTIFICATE_LIMIT or not (text.startswith(b":") and text.endswith(b":")):
        return None
    try:
        der = base64.b64decode(text[1:-1], validate=True)
        x509.load_der_x509_certificate(der)
    except (binascii.Error, ValueError):
        return None
    return thumbprint_of(der)


def _peer(scope: Scope) -> Address | None:
    client = scope.get("client")
    return _read(str(client[0])) if client else None


@lru_cache(maxsize=4096)
def _read(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
