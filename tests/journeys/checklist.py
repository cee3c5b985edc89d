"""The check lists of the parties of one case: what they owe, and doing it by the very call that the list names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from dirigent.replay.api import Answer
from tests.journeys.stories import County
from tests.patience import until

KEYED = "POST"


@dataclass(slots=True)
class Checklist:
    """One case as its parties see it; `clients` are the party's client by its short name in the story."""

    county: County
    case: str
    clients: dict[str, str]

    async def duties(self, party: str) -> list[dict[str, Any]]:
        listed = await self.county.read(self.clients[party], "/v1/worklist")
        return [duty for duty in listed["duties"] if duty["case_id"] == self.case]

    async def open(self) -> dict[str, list[str]]:
        """What every party owes now, by rule; a party that owes nothing is not here."""
        found = {party: sorted(duty["rule"] for duty in await self.duties(party)) for party in self.clients}
        return {party: rules for party, rules in found.items() if rules}

    async def duty(self, party: str, rule: str) -> dict[str, Any]:
        """The first duty of a rule, the most urgent one."""
        return next(duty for duty in await self.duties(party) if duty["rule"] == rule)

    async def follow(self, party: str, rule: str, body: dict[str, Any]) -> Answer:
        """Do what a duty asks, by the call that it names; the duty must be gone then."""
        before = await self.duties(party)
        duty = next(duty for duty in before if duty["rule"] == rule)
        answer = await self.call(party, duty["fulfilled_by"], body)
        assert answer.ok, (duty, answer)
        after = await self.duties(party)
        assert after.count(duty) < before.count(duty), (duty, after)
        return answer

    async def call(self, party: str, named: str, body: dict[str, Any]) -> Answer:
        """Make a call as a list or reminder names it: method and address."""
        method, path = named.split(" ")
        if method == KEYED and path != "/v1/events":
            return await self.county.post(self.clients[party], path, body)
        return await self.county.api.call(self.clients[party], method, path, body=body)

    async def take_on(self, party: str, by: str) -> int:
        """A named person takes on every notice of the case that waits for one; how many there were."""
        taken = 0
        while any(duty["rule"] == "acknowledge" for duty in await self.duties(party)):
            await self.follow(party, "acknowledge", {"acknowledged_by": by})
            taken += 1
        return taken

    async def boxes(self, party: str) -> Sequence[dict[str, Any]]:
        mailboxes: list[dict[str, Any]] = (await self.county.read(self.clients[party], "/v1/mailboxes"))["mailboxes"]
        return mailboxes

    async def told(self, party: str, kind: str, *, in_box: str | None = None, times: int = 1) -> dict[str, Any]:
        """The newest notice of a kind about the case in a mailbox of the party (of that function or unit), as soon as it stands there.

        `times`: how many of them there must be, counting the newest.
        """
        found: list[dict[str, Any]] = []

        async def came() -> bool:
            found[:] = [entry for entry in await self.entries(party, in_box=in_box) if entry["type"] == kind]
            return len(found) >= times

        await until(came)
        return found[-1]

    async def entries(self, party: str, *, in_box: str | None = None) -> list[dict[str, Any]]:
        """Everything the party was ever told of the case."""
        found: list[dict[str, Any]] = []
        for box in await self.boxes(party):
            if in_box in {None, box["function"], box["unit"]} and box["head"]:
                page = await self.county.read(self.clients[party], "/v1/notices", mailbox=box["id"], after=0, limit=1_000)
                found += [entry for entry in page["entries"] if entry["case_id"] == self.case]
        return found


async def page(county: County, client: str, path: str) -> str:
    """A page that is made to be printed."""
    headers = {"Authorization": f"Bearer {await county.api.token(client)}"}
    async with httpx.AsyncClient(base_url=county.api.url) as http:
        answer = await http.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    return answer.text
