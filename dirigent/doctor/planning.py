"""What must hold in planning's database."""

from services.planning.usecases import accesses_not_found, measures_that_differ, persons_that_do_not_open
from shared.db import Work


async def faults(work: Work) -> list[str]:
    """Everything that is not as it must be, in words."""
    differing = [f"case {case_id}: the follow-up differs from what it is measured from" for case_id in await measures_that_differ(work)]
    return differing + await persons_that_do_not_open(work) + await accesses_not_found(work)
