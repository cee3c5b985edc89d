"""Where we may call an address that somebody else named: https on the public internet, or an origin the operator has allowed by name.

For webhooks and for the keys of clients. Checked when the address is stated, and again on the resolved addresses each time it is called:
a name may change its mind.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

URL_LIMIT: Final = 1_000
HTTPS_PORT: Final = 443
_VISIBLE: Final = re.compile(r"[!-~]+", re.ASCII)
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.ASCII)
_NUMBER_LIKE: Final = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)
_HOST_LIMIT: Final = 253
_LOCAL_ENDINGS: Final = frozenset(
    {"localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "test", "invalid", "example", "onion", "arpa"}
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
# Not for the public internet, which the oldest Python we run on does not know: NAT64 of one's own, documentation, segment routing; protocol
# assignments (Oracle's metadata service is among them) and former 6to4 relays. The last one is the host to whatever runs in Azure.
_NOT_PUBLIC: Final = tuple(
    map(ip_network, ("64:ff9b:1::/48", "3fff::/20", "5f00::/16", "192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"))
)

Address = IPv4Address | IPv6Address


class TargetRefused(Exception):
    """The address may not be called; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """An address in its parts. `allowed` when the operator named its origin: then it may be private and unencrypted."""

    url: str
    scheme: str
    host: str
    port: int
    path: str
    allowed: bool = False

    @property
    def authority(self) -> str:
        """What stands in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (HTTPS_PORT if self.scheme == "https" else 80) else f"{host}:{self.port}"


def read_target(url: str, allowed: Sequence[str] = (), permitted: Sequence[str] = ()) -> Target:
    """Take an address apart and check everything that can be checked without asking anybody.

    Args:
        url: What was stated.
        allowed: Origins the operator allows whatever they are, such as `http://127.0.0.1:9000`; `*` as port allows every port.
        permitted: Public hosts that may be called, exact ones or `.suffix` for all below it; empty: every one.

    Raises:
        TargetRefused: Not https, not a plain public host name, user information, a fragment, an odd port, not readable in one way only, or
            not among the permitted hosts.
    """
    if len(url) > URL_LIMIT or not _VISIBLE.fullmatch(url) or "\\" in url:
        raise TargetRefused("url_malformed")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TargetRefused("url_malformed") from error
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if scheme not in {"http", "https"} or not host:
        raise TargetRefused("url_malformed")
    if "@" in parts.netloc:
        raise TargetRefused("url_with_credentials")
    if "#" in url:
        raise TargetRefused("url_with_fragment")
    port = port if port is not None else (HTTPS_PORT if scheme == "https" else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(url, scheme, host, port, path)
    if _is_allowed(target, allowed):
        return Target(url, scheme, host, port, path, allowed=True)
    if scheme != "https":
        raise TargetRefused("url_not_https")
    if port != HTTPS_PORT:
        raise TargetRefused("url_port_not_allowed")
    if "[" in parts.netloc:
        raise TargetRefused("url_not_a_name")
    _refuse_unless_public_name(host)
    _refuse_unless_permitted(host, permitted)
    return target


def is_permission(entry: str) -> bool:
    """Whether this names a public host or, as `.suffix`, all below one: a plain name in lower case, no address, port or pattern."""
    try:
        _refuse_unless_public_name(entry.removeprefix("."))
    except TargetRefused:
        return False
    return not entry.endswith(".")


def refuse_private(addresses: Sequence[str]) -> None:
    """Check every address a host name resolved to; one that is not public is enough to refuse.

    Raises:
        TargetRefused: There is none, or one of them is loopback, private, link-local, shared, multicast or otherwise not public.
    """
    if not addresses:
        raise TargetRefused("url_not_resolvable")
    for text in addresses:
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError as error:
            raise TargetRefused("url_not_resolvable") from error
        if not all(map(_is_public, _forms(address))):
            raise TargetRefused("url_not_public")


def _is_public(address: Address) -> bool:
    local = (isinstance(address, IPv6Address) and address.is_site_local) or any(address in network for network in _NOT_PUBLIC)
    return address.is_global and not (address.is_multicast or address.is_reserved or local)


def _forms(address: Address) -> list[Address]:
    """Everything an address stands for: some IPv6 addresses carry an IPv4 address that the packet ends up at."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in _NAT64:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address, *([address.sixtofour] if address.sixtofour is not None else ()), *(address.teredo or ())]


def _refuse_unless_public_name(host: str) -> None:
    """A name with a dot, in plain labels; no address in any disguise (decimal, hexadecimal, octal, bracketed), no local name."""
    labels = host.removesuffix(".").split(".")
    if ":" in host or _NUMBER_LIKE.fullmatch(labels[-1]):
        raise TargetRefused("url_not_a_name")
    if len(host) > _HOST_LIMIT or len(labels) == 1 or labels[-1] in _LOCAL_ENDINGS or not all(map(_LABEL.fullmatch, labels)):
        raise TargetRefused("url_not_public")


def _refuse_unless_permitted(host: str, permitted: Sequence[str]) -> None:
    name = host.removesuffix(".")
    if permitted and not any(name.endswith(entry) if entry.startswith(".") else name == entry for entry in permitted):
        raise TargetRefused("url_not_permitted")


def _is_allowed(target: Target, allowed: Sequence[str]) -> bool:
    host = f"[{target.host}]" if ":" in target.host else target.host
    wanted = {f"{target.scheme}://{host}:{target.port}", f"{target.scheme}://{host}:*"}
    return any(entry.strip().lower().rstrip("/") in wanted for entry in allowed)
