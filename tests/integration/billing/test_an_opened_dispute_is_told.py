"""That a debtor contests something is told on the stream, once, without what it wrote."""

from sqlalchemy import text

from tests.integration.billing.parts import Billing, a_stay_fact
from tests.integration.billing.test_disputes import MONTH, opened, shown


async def test_an_opened_dispute_is_a_fact_with_its_month_and_stay_alone(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    dispute = await opened(billing, stay)
    staged = "SELECT CAST(body AS jsonb) AS body FROM outbox WHERE kind = 'dispute.opened'"
    async with billing.database.transaction() as work:
        (body,) = (await work.connection.execute(text(staged))).scalars().all()
    assert set(body) == {"dispute_id", "municipality", "month", "case_id", "opened_at"}
    assert (body["dispute_id"], body["municipality"], body["month"], body["case_id"]) == (dispute, "1480", str(MONTH), str(stay.case_id))
