from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.billing.parts import Billing, a_billing


@pytest.fixture
async def billing(billing_database: str, tmp_path: Path) -> AsyncIterator[Billing]:
    """Billing with a dispute window of 0 days, as in the demo."""
    async with a_billing(billing_database, tmp_path, dispute_window_days=0) as running:
        yield running
