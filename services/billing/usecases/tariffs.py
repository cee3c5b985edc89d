"""Prices the region enters: one person proposes, another approves; only then does a price count."""

from datetime import date
from uuid import UUID

from services.billing.domain.persons import Actor
from services.billing.repository import averages, ledger, turns
from services.billing.repository import tariffs as rows
from services.billing.repository.tariffs import TariffRow
from services.billing.usecases.ledger import recount
from services.billing.usecases.rules import rules_now
from shared.dates import Month
from shared.db import Role, Work
from shared.errors import FieldError, Malformed, NotFound, Refused
from shared.events.debtor_facts import TariffApproved
from shared.identifiers import uuid7
from shared.money import ZERO, Money
from shared.streams.outbox import stage_facts


async def propose_tariff(work: Work, first: date, last: date, price: Money, source: str, actor: Actor) -> TariffRow:
    """Propose a price per care day for a period.

    Raises:
        Malformed: The period ends before it begins, or the price is not above zero.
        Refused: A day of it has a price already.
    """
    if price <= ZERO:
        raise Malformed("tariff.price_negative", errors=(FieldError("/price/amount", "not_above_zero"),))
    if last < first:
        raise Malformed("tariff.period_reversed", errors=(FieldError("/last", "before_first"),))
    await rows.take_turns(work)
    await _refuse_taken(work, first, last)
    row = TariffRow(uuid7(), first, last, price, source, actor.client, actor.person, work.at, None, None, None)
    await rows.propose(work, row)
    return row


async def approve_tariff(work: Work, tariff: UUID, actor: Actor) -> TariffRow:
    """Let a proposed price count, and count anew every month that waited for it; the debtors hear of it.

    Raises:
        NotFound: There is no such proposal.
        Refused: It is approved already, or by the one who proposed it, or another price for its days came first.
    """
    await rows.take_turns(work)
    found = await rows.find(work, tariff)
    if found is None:
        raise NotFound
    if found.approved_at is not None:
        raise Refused("tariff.approved", "the price is approved already")
    if actor.is_same_person_as(Actor(found.client, found.person)):
        raise Refused("tariff.same_person", "a price must be approved by another person than the one who proposed it")
    await _refuse_taken(work, found.first, found.last)
    await work.become(Role.INTAKE)  # everybody's months are counted anew
    await turns.count_in_turn(work)
    await rows.approve(work, tariff, actor.client, actor.person)
    cases = await ledger.charged_since(work, Month.of(found.first))
    await recount(work, cases, also=await averages.with_excess_between(work, found.first, found.last))
    approved = await rows.find(work, tariff)
    assert approved is not None  # noqa: S101  # read above in the same transaction
    fact = TariffApproved(tariff_id=tariff, first=found.first, last=found.last, price=str(found.price), approved_at=work.at)
    await stage_facts(work, [(fact, None)])
    return approved


async def _refuse_taken(work: Work, first: date, last: date) -> None:
    """A price is entered where there is none; one that stands is never replaced, for months were calculated on it.

    Raises:
        Refused: Some day of the period has an approved or shipped price.
    """
    if any(entry.price is not None and entry.period.overlaps(first, last) for entry in (await rules_now(work)).tariffs.prices):
        raise Refused("tariff.period_priced", "a day of the period has a price already")


async def tariffs_entered(work: Work) -> list[TariffRow]:
    """Every price the region has proposed or approved."""
    return await rows.all_of_them(work)
