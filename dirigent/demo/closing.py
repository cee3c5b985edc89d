"""Closing the month: a controller prepares and publishes, municipalities sign or stay silent, another person approves, finance issues."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from dirigent.demo.asking import ask, tell, until
from dirigent.replay.api import PublicApi

DONE: Final = frozenset({"issued", "settled"})
ACTED_BY: Final = {
    "controller": "Hanna Handläggare (demo)",
    "approver": "Atle Attestant (demo)",
    "finance": "Ebba Ekonom (demo)",
}


@dataclass(slots=True)
class Closing:
    """The months of all municipalities on their way to the invoice; every step is safe to repeat after an interruption."""

    api: PublicApi
    month: str
    run: str
    _steps: int = 0

    async def standing(self) -> dict[str, dict[str, Any]]:
        """Where every municipality's month stands."""
        found = await ask(self.api, "controller", f"/v1/months/{self.month}")
        return {one["municipality"]: one for one in found["months"]}

    async def in_state(self, *states: str) -> list[dict[str, Any]]:
        """The months in one of these states, by code."""
        return [one for _, one in sorted((await self.standing()).items()) if one["state"] in states]

    async def act(self, client: str, action: str, months: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Take one step for many municipalities; one outcome each."""
        items = [
            {"municipality": one["municipality"]} | ({} if action == "prepare" else {"calculation": one["calculation"]}) for one in months
        ]
        if not items:
            return {}
        self._steps += 1
        body = {"action": action, "items": items, "acted_by": ACTED_BY[client]}
        key = f"{self.run}/{self.month}/{action}/{self._steps}"
        answer = await tell(self.api, client, f"/v1/months/{self.month}/actions", body, key=key)
        return {one["municipality"]: one for one in answer["outcomes"]}

    async def publish(self) -> dict[str, str]:
        """Prepare and publish every month; returns those the data-quality gate holds back, with its reason."""
        await self.act("controller", "prepare", await self.in_state("open", "prepared"))

        async def once_more() -> dict[str, str] | None:
            outcomes = await self.act("controller", "publish", await self.in_state("prepared"))
            refused = {code: one for code, one in outcomes.items() if one["status"] == "refused"}
            outdated = [{"municipality": code} for code, one in refused.items() if one["code"] == "calculation.outdated"]
            await self.act("controller", "prepare", outdated)
            return None if outdated else {code: str(one["detail"]) for code, one in refused.items()}

        return await until("every month is published", once_more)

    async def delivered(self) -> None:
        """Wait until the notice of each publication stands in its municipality's mailbox."""

        async def look() -> bool | None:
            return all(one["notice_entered_at"] for one in await self.in_state("published")) or None

        await until("every municipality has its notice of publication", look)

    async def sign(self, codes: Collection[str]) -> list[str]:
        """Let some municipalities sign what was published; the others stay silent."""
        signing = [one for one in await self.in_state("published") if one["municipality"] in codes]
        for one in signing:
            code = one["municipality"]
            body = {"calculation": one["calculation"], "acted_by": f"Signe Chef, kommun {code} (demo)"}
            await tell(self.api, f"kommun-{code}", f"/v1/months/{self.month}/{code}/sign", body, key=f"{self.run}/{self.month}/sign/{code}")
        return [one["municipality"] for one in signing]

    async def approve(self) -> None:
        """Let another person approve every month that was accepted, by signature or by silence."""

        async def once_more() -> bool | None:
            await self.act("approver", "approve", await self.in_state("published", "accepted"))
            return not await self.in_state("published", "accepted") or None

        await until("every accepted month is approved", once_more)

    async def issue(self) -> None:
        """Issue the invoices; a month of amount 0 is settled without one."""
        await self.act("finance", "issue", await self.in_state("approved"))
