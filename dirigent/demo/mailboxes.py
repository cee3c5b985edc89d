"""Reading mailboxes as a careful client does: to their end, checking for itself that nothing is missing, doubled or changed.

The hashes are made here from what came over HTTP, with RFC 8785 and SHA-256 alone, as any other client would have to.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

import rfc8785

from dirigent.replay.api import PublicApi

PAGE: Final = 1_000
AT_ONCE: Final = 6
BESIDE_THE_ENVELOPE: Final = frozenset({"number", "hash", "personal"})
GENESIS: Final = bytes(32)


class MailboxError(Exception):
    """The mailbox could not be read at all."""


@dataclass(slots=True)
class MailboxRead:
    """One mailbox read to its end: its entries, and everything that is not as it must be."""

    client: str
    recipient: str
    entries: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    running: bytes = GENESIS
    personal_parts: int = 0

    def take(self, entry: dict[str, Any]) -> None:
        """Add the next entry: its number must follow the last one, its hash must follow from all before it."""
        expected = len(self.entries) + 1
        if entry["number"] != expected:
            self.faults.append(f"number {entry['number']} where {expected} was due")
        self.running = follow(self.running, entry)
        if self.running.hex() != entry["hash"]:
            self.faults.append(f"the hash of number {entry['number']} does not follow from the entries before it")
        if not self._binds_personal_part(entry):
            self.faults.append(f"the personal part of number {entry['number']} is not the one that was sent")
        self.entries.append(entry)

    def _binds_personal_part(self, entry: dict[str, Any]) -> bool:
        personal = entry["personal"]
        if personal is None or "withheld" in personal:
            return True
        self.personal_parts += 1
        return bool(sha256(rfc8785.dumps(personal)).hexdigest() == entry["personal_sha256"])


def follow(previous: bytes, entry: dict[str, Any]) -> bytes:
    """The running hash after one more entry: SHA-256(previous ‖ SHA-256(canonical envelope))."""
    envelope = {name: member for name, member in entry.items() if name not in BESIDE_THE_ENVELOPE}
    return sha256(previous + sha256(rfc8785.dumps(envelope)).digest()).digest()


async def read_to_end(api: PublicApi, client: str) -> list[MailboxRead]:
    """Read every mailbox of a client from its first notice to its last.

    Raises:
        MailboxError: It was refused.
    """
    boxes = await api.call(client, "GET", "/v1/mailboxes")
    if not boxes.ok:
        raise MailboxError(f"{client}: {boxes.status} {boxes.code}")
    return [await _read(api, client, box) for box in boxes.body["mailboxes"]]


async def read_all(api: PublicApi, clients: Iterable[str]) -> list[MailboxRead]:
    """Read the mailboxes of many clients, a few at a time."""
    room = asyncio.Semaphore(AT_ONCE)

    async def read(client: str) -> list[MailboxRead]:
        async with room:
            return await read_to_end(api, client)

    return [box for boxes in await asyncio.gather(*(read(client) for client in clients)) for box in boxes]


async def _read(api: PublicApi, client: str, box: dict[str, Any]) -> MailboxRead:
    read = MailboxRead(client, box["recipient"])
    after = 0
    while True:
        params: dict[str, str | int] = {"mailbox": box["id"], "after": after, "limit": PAGE}
        page = await api.call(client, "GET", "/v1/notices", params=params)
        if not page.ok:
            raise MailboxError(f"{client}: {page.status} {page.code}")
        for entry in page.body["entries"]:
            read.take(entry)
        after = page.body["next"]
        if after >= page.body["head"]:
            break
    digest = await api.call(client, "GET", "/v1/notices/digest", params={"mailbox": box["id"], "through": after})
    if not digest.ok or (digest.body["count"], digest.body["hash"]) != (len(read.entries), read.running.hex()):
        read.faults.append("the digest the server tells is not the one of what was read")
    return read
