"""The demo's live act against a small hand-written mailbox: other notices may come first, and are nothing to act upon."""

import json
from hashlib import sha256
from typing import Any

import httpx
import pytest
import rfc8785

from dirigent.demo.live import admit
from dirigent.demo.mailboxes import GENESIS, MailboxRead, follow
from dirigent.replay.api import PublicApi

OWN = "case-of-the-live-stay"


class SmallMailbox:
    """Posts an admission's notice after others that nobody asked for, a few at a time."""

    def __init__(self, *foreign: str | None, page: int = 1) -> None:
        self.foreign = foreign
        self.page = page
        self.entries: list[dict[str, Any]] = []
        self.acknowledged: list[str] = []
        self._running = GENESIS

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/oauth2/token":
            return httpx.Response(200, json={"access_token": "token", "expires_in": 300})
        if path == "/v1/events":
            for case in self.foreign:
                self.add("notice.invoice_issued", case, None)
            self.add("notice.admission", OWN, json.loads(request.content)["data"]["person"])
            return httpx.Response(201, json={"case_id": OWN})
        if path == "/v1/notices":
            after = int(request.url.params["after"])
            return httpx.Response(200, json={"entries": self.entries[after : after + self.page]})
        if path.endswith("/acknowledgement"):
            self.acknowledged.append(path.split("/")[-2])
            return httpx.Response(200, json={})
        return httpx.Response(200, json={"standing": {"state": "acknowledged", "acknowledged_by": "Test"}})

    def add(self, kind: str, case: str | None, person: dict[str, Any] | None) -> None:
        number = len(self.entries) + 1
        personal: Any = None if person is None else {"salt": "00", "person": person}
        bound = None if personal is None else sha256(rfc8785.dumps(personal)).hexdigest()
        envelope: dict[str, Any] = {"id": f"notice-{number}", "type": kind, "case_id": case, "personal_sha256": bound}
        self._running = follow(self._running, envelope)
        self.entries.append(envelope | {"number": number, "hash": self._running.hex(), "personal": personal})


@pytest.mark.parametrize("foreign", [(), (None,), ("another-case", None, "another-case")])
@pytest.mark.parametrize("page", [1, 100])
async def test_the_live_notice_is_found_behind_foreign_ones_and_it_alone_is_acknowledged(
    foreign: tuple[str | None, ...], page: int
) -> None:
    mailbox = SmallMailbox(*foreign, page=page)
    box = MailboxRead("kommun-1480", "municipality:1480")
    async with PublicApi("http://dirigent.test", lambda _client: "secret", transport=httpx.MockTransport(mailbox)) as api:
        live = await admit(api, box)
    own = f"notice-{len(foreign) + 1}"
    assert live.notice["id"] == own
    assert mailbox.acknowledged == [own]
    assert live.names_person
    assert live.chain_faults == ()
    assert len(box.entries) == len(foreign) + 1


async def test_a_broken_chain_is_told_wherever_it_breaks() -> None:
    mailbox = SmallMailbox(None)
    mailbox.add("notice.month_published", None, None)
    mailbox.entries[0]["type"] = "notice.invoice_issued"
    async with PublicApi("http://dirigent.test", lambda _client: "secret", transport=httpx.MockTransport(mailbox)) as api:
        live = await admit(api, MailboxRead("kommun-1480", "municipality:1480"))
    assert "the hash of number 1 does not follow" in live.chain_faults[0]
