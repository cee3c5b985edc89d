"""The one place where a request of one debtor reads rows of the others; what it may show of them is the use case's to pick.

Row-level security shows a municipality its own rows only. Two answers rest on more, and each checks first who asks: the averages of closed
months of the others, and whether a month is more than its stays added up.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import text

from shared.db import Role, Work

_SEE: Final = text("SELECT current_setting('role'), set_config('role', :auditor, true)")
_GO_BACK: Final = text("SELECT set_config('role', :role, true)")


@asynccontextmanager
async def read_everybodys(work: Work) -> AsyncIterator[None]:
    """Read as the auditor, who sees everything and changes nothing, for as long as the block lasts.

    After an error nothing needs to be put back: the role ends with the transaction or the savepoint.
    """
    before = (await work.connection.execute(_SEE, {"auditor": Role.AUDITOR.of(work.login)})).scalar_one()
    yield
    await work.connection.execute(_GO_BACK, {"role": before})
