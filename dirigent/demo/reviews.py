"""Deciding reviews: what the law lets be read in two ways is decided by a named person, with a reason, for many stays at once."""

from collections.abc import Iterable
from typing import Final

from dirigent.demo.asking import ask, tell
from dirigent.demo.recompute import OUTCOMES
from dirigent.replay.api import PublicApi

DECIDED_BY: Final = "Rut Granskare (demo)"
EXPLANATION: Final = "Demo: a late admission notice is not charged, a late SIP invitation is accepted"


async def open_reviews(api: PublicApi, month: str, codes: Iterable[str]) -> list[dict[str, str]]:
    """The decisions to take on every stay that is held in the months of these municipalities."""
    decisions: list[dict[str, str]] = []
    for code in codes:
        detail = await ask(api, "controller", f"/v1/months/{month}/{code}")
        for line in detail["lines"]:
            if line["counted_as"] == "review":
                reasons = [one["reason"] for one in line["reasons"]]
                decisions += [{"case": line["case"], "reason": reason, "outcome": OUTCOMES[reason]} for reason in reasons]
    return decisions


async def decide(api: PublicApi, month: str, decisions: list[dict[str, str]], run: str) -> None:
    """Take the decisions, all at once."""
    body = {"decisions": decisions, "explanation": EXPLANATION, "acted_by": DECIDED_BY}
    await tell(api, "controller", "/v1/reviews/decide", body, key=f"{run}/{month}/reviews")
