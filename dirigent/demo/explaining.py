"""Every municipality's month explained, and each explanation recomputed offline with nothing but the law."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field

from dirigent.demo.asking import ask
from dirigent.replay.api import PublicApi
from services.billing.domain.verifying import verify


@dataclass(slots=True)
class Explained:
    """What came of it: how many stays the explanations hold, and every one that does not recompute."""

    stays: int = 0
    faults: list[str] = field(default_factory=list)


async def explain_all(api: PublicApi, month: str, municipalities: Collection[str]) -> Explained:
    """Fetch each explanation as the one who pays would, and make its amount again from what it says."""
    told = Explained()
    for code in municipalities:
        explanation = await ask(api, f"kommun-{code}", f"/v1/months/{month}/{code}/explanation")
        told.stays += len(explanation["stays"])
        difference = verify(json.dumps(explanation))
        if difference is not None:
            told.faults.append(f"{code}: {difference.where}")
    return told
