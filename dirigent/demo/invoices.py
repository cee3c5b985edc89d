"""Pulling invoices as a finance system does: the feed to its end with its own check of the chain, then every document."""

from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

import rfc8785

from dirigent.demo.asking import ask, until
from dirigent.demo.mailboxes import GENESIS
from dirigent.demo.prices import ore
from dirigent.replay.api import PublicApi

BESIDE_THE_ENVELOPE: Final = frozenset({"position", "hash", "id", "type"})
PAGE: Final = 100


@dataclass(slots=True)
class InvoicesRead:
    """The invoice feed of one reader to its end, and every document in it."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    running: bytes = GENESIS

    def take(self, entry: dict[str, Any]) -> None:
        """Add the next entry of the feed."""
        if entry["position"] != len(self.entries) + 1:
            self.faults.append(f"position {entry['position']} where {len(self.entries) + 1} was due")
        envelope = {name: member for name, member in entry.items() if name not in BESIDE_THE_ENVELOPE}
        self.running = sha256(self.running + sha256(rfc8785.dumps(envelope)).digest()).digest()
        if self.running.hex() != entry["hash"]:
            self.faults.append(f"the hash of position {entry['position']} does not follow from the entries before it")
        self.entries.append(entry)

    def keep(self, entry: dict[str, Any], document: dict[str, Any]) -> None:
        """Add the document of an entry: it must be the one the feed names, and its lines must add up to its amount."""
        number = entry["number"]
        if (document["number"], document["amount"]) != (number, entry["amount"]):
            self.faults.append(f"invoice {number} is not the one the feed names")
        if sum(ore(line["amount"]) for line in document["lines"]) != ore(document["amount"]):
            self.faults.append(f"the lines of invoice {number} do not add up to its amount")
        if sha256(rfc8785.dumps(document)).hexdigest() != entry["sha256"]:
            self.faults.append(f"invoice {number} is not the one that was issued")
        self.documents.append(document)

    def of_month(self, month: str) -> dict[str, dict[str, Any]]:
        """The documents of a month, by municipality."""
        return {document["debtor"]["municipality"]: document for document in self.documents if document["month"] == month}

    @property
    def numbers_unbroken(self) -> bool:
        """Whether the numbers of each year are 1..n without a gap."""
        years: dict[str, list[int]] = {}
        for entry in self.entries:
            year, _, number = entry["number"].partition("-")
            years.setdefault(year, []).append(int(number))
        return all(sorted(numbers) == list(range(1, len(numbers) + 1)) for numbers in years.values())


async def pull(api: PublicApi, client: str, *, awaiting: Collection[str] = ()) -> InvoicesRead:
    """Read a client's invoice feed to its end, and every invoice in it.

    Args:
        api: The public interface.
        client: Whose feed.
        awaiting: Numbers known to be issued; the feed gets them a moment later, so its end is only after them.

    Raises:
        DemoError: They did not come.
    """
    read = InvoicesRead()
    after = 0

    async def to_the_end() -> bool | None:
        nonlocal after
        while True:
            page = await ask(api, client, "/v1/invoices", {"after": after, "limit": PAGE})
            for entry in page["entries"]:
                read.take(entry)
            after = page["next"]
            if after >= page["head"]:
                return set(awaiting) <= {entry["number"] for entry in read.entries} or None

    await until("every issued invoice is in the feed", to_the_end)
    for entry in read.entries:
        read.keep(entry, await ask(api, client, f"/v1/invoices/{entry['number']}"))
    return read
