"""Listening sockets, owned by the supervisor: a restarted api process finds its callers waiting in the backlog."""

import socket
from typing import Final

from dirigent.failure import CannotStart

LOOPBACK: Final = "127.0.0.1"
_BACKLOG: Final = 2048
_ALL_ADDRESSES: Final = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104  # looked up, not bound


def free_port() -> int:
    """A loopback port that is free now; only for servers that must bind their port themselves."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket; port 0 takes any free one.

    Raises:
        CannotStart: The port is taken or may not be used.
    """
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        opened = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotStart(f"cannot listen on {host}: {error.strerror}") from None
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(where)
        opened.listen(_BACKLOG)
    except OSError as error:
        opened.close()
        raise CannotStart(f"port {port} on {host}: {error.strerror}; choose another with --port or DIRIGENT_PORT") from None
    return opened


def reached_at(opened: socket.socket) -> tuple[str, int]:
    """Host and port where a listening socket can be reached from this machine; a listener on all addresses is reached on loopback."""
    host, port = opened.getsockname()[:2]
    return _ALL_ADDRESSES.get(host, host), port


def url_of(opened: socket.socket) -> str:
    """The plain HTTP address of a listening socket."""
    host, port = reached_at(opened)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def port_of(opened: socket.socket) -> int:
    """The port a socket listens on."""
    return int(opened.getsockname()[1])
