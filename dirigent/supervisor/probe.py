"""Asks a listener of ours whether it is ready: one plain HTTP request, which no proxy setting of the environment can divert."""

import asyncio
from typing import Final

_ANSWERS_WITHIN: Final = 5.0


async def is_ready(host: str, port: int, path: str) -> bool:
    """Whether a listener answers 200 to GET path."""
    try:
        async with asyncio.timeout(_ANSWERS_WITHIN):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode("ascii"))
                status = await reader.readline()
            finally:
                writer.close()
    except TimeoutError:
        return False
    return status.split(b" ")[1:2] == [b"200"]
