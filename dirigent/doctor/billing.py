"""What must hold in billing's database: every derived number, and every krona from a stay to a posting."""

from json import JSONDecodeError

from services.billing.usecases.recounting import months_that_differ, stays_that_differ
from services.billing.usecases.soundness import calculation_faults, document_faults, ledger_faults, month_faults, paper_faults
from shared.db import Work

_MONEY = (calculation_faults, month_faults, paper_faults, document_faults, ledger_faults)


async def faults(work: Work) -> list[str]:
    """Everything that is not as it must be, in words."""
    found = [f"stay {case}: counts otherwise than the law says of it" for case in await stays_that_differ(work)]
    found += [f"average {code} {month}: differs from what its stays come to" for code, month in await months_that_differ(work)]
    for check in _MONEY:
        try:
            found += await check(work)
        # What was damaged may not even be readable any more; the other checks still are.
        except (JSONDecodeError, KeyError, ValueError, TypeError) as error:
            found.append(f"{check.__name__.replace('_', ' ')}: cannot be read ({type(error).__name__})")
    return found
