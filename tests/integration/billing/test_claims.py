"""What disputes claim: as they stood at any earlier instant, and of the stay that a transfer proved theirs to be."""

from typing import Any
from uuid import UUID

from services.billing.domain.contested import Standing
from services.billing.repository import disputes
from tests.integration.billing.parts import Billing, a_stay_fact
from tests.integration.billing.test_disputes import contest, decide, escalate, opened, said, shown


async def test_claims_are_what_they_were_at_any_earlier_instant(billing: Billing) -> None:
    stay = a_stay_fact(12)
    await shown(billing, stay)
    seen: list[tuple[Any, list[Standing]]] = []

    async def look() -> None:
        async with billing.database.transaction() as work:
            seen.append((work.at, [claim.standing for claim in await disputes.claims(work, [stay.case_id])]))

    await look()
    dispute = await opened(billing, stay)
    await look()
    await decide(billing, dispute, "upheld")
    await look()
    await escalate(billing, dispute, "court")
    await look()
    assert [standings for _, standings in seen] == [[], [Standing.UNDECIDED], [Standing.UPHELD], [Standing.UNDECIDED]]
    async with billing.database.transaction() as work:
        for at, standings in seen:
            assert [claim.standing for claim in await disputes.claims(work, [stay.case_id], at)] == standings


async def test_a_dispute_follows_its_stay_to_the_case_that_a_transfer_proved_it_to_be(billing: Billing) -> None:
    stay, other = a_stay_fact(12), a_stay_fact(12)
    await shown(billing, stay, other)
    dispute = await opened(billing, stay)
    before = await _claimed(billing, stay.case_id, other.case_id)
    async with billing.database.transaction() as work:
        at = work.at
    await billing.tell(
        stay.model_copy(update={"case_version": 2, "cancelled": True}),
        other.model_copy(update={"case_version": 2, "joined_cases": (stay.case_id,)}),
        at=(at_joined := await _now(billing)),
    )
    assert before == [stay.case_id]
    assert await _claimed(billing, other.case_id) == [other.case_id]
    async with billing.database.transaction() as work:
        assert [claim.stay for claim in await disputes.claims(work, [other.case_id], at)] == []
        assert [claim.stay for claim in await disputes.claims(work, [other.case_id], at_joined)] == [other.case_id]
    assert said(await contest(billing, other)) == (409, "dispute.open")
    assert (await decide(billing, dispute, "rejected")).status_code == 200


async def _claimed(billing: Billing, *cases: UUID) -> list[UUID]:
    async with billing.database.transaction() as work:
        return [claim.stay for claim in await disputes.claims(work, cases)]


async def _now(billing: Billing) -> Any:
    async with billing.database.transaction() as work:
        return work.at
