"""Closing a month: prepare → publish → sign or silence → approve; every step names the calculation it was taken on."""

from dataclasses import dataclass, replace
from datetime import timedelta

from services.billing.domain.basis import MonthBasis
from services.billing.domain.charge import last_day
from services.billing.domain.closing import TRANSITIONS, Accepted, CalculationName, MonthAction, MonthState, Silence, silence
from services.billing.domain.identity import canonical, fingerprint
from services.billing.domain.month import MonthInputs
from services.billing.domain.persons import Actor
from services.billing.repository import debtors, months
from services.billing.repository.debtors import Debtor
from services.billing.repository.months import MonthRow
from services.billing.usecases.gathering import gather_one
from shared.dates import Month, local_date
from shared.db import Work
from shared.errors import NotFound, Refused
from shared.events.facts import MonthPublished
from shared.money import Money
from shared.streams.outbox import stage_facts


@dataclass(frozen=True, slots=True)
class SilenceTerms:
    """When a debtor's silence counts as a yes."""

    window: timedelta
    polled_within: timedelta


@dataclass(frozen=True, slots=True)
class Standpoint:
    """A locked month together with what the facts say of it in this transaction."""

    row: MonthRow
    inputs: MonthInputs
    basis: MonthBasis
    debtor: Debtor


async def prepare(work: Work, municipality: str, month: Month, actor: Actor) -> MonthRow:
    """Calculate a month that is over and keep the calculation; a month that stands on an unchanged calculation is left as it is.

    Raises:
        NotFound: There is no such debtor.
        Refused: The month is not over, or is beyond preparing.
    """
    if local_date(work.at) <= last_day(month):
        raise Refused("month.not_over", "a month is prepared when it is over")
    at = await standpoint(work, municipality, month)
    sha256 = fingerprint(at.basis)
    if at.row.state is MonthState.PREPARED and at.row.sha256 == sha256:
        return at.row
    if at.row.state is not MonthState.OPEN and at.row.sha256 == sha256:
        raise Refused("month.state", f"the month is {at.row.state} on this very calculation")
    amount = None if at.basis.amount is None else at.basis.amount.ore
    version = await months.last_version(work, municipality, month) + 1
    row = MonthRow(municipality, month, after(at.row, MonthAction.PREPARE), version, sha256, amount)
    await months.keep_calculation(work, row, at.basis.agreement, canonical(at.basis))
    return await moved(work, row, MonthAction.PREPARE, actor)


async def publish(work: Work, municipality: str, month: Month, named: CalculationName, actor: Actor) -> MonthRow:
    """Show the month to its debtor, once the data-quality gate holds nothing back; the notice of it starts the dispute window.

    Raises:
        Refused: Outdated calculation, wrong state, or blocked by the gate.
    """
    at = await standpoint(work, municipality, month)
    require_current(at, named)
    state = after(at.row, MonthAction.PUBLISH)
    if at.basis.blocked or at.basis.amount is None:
        codes = sorted({finding.code.value for finding in at.basis.findings if finding.blocks})
        raise Refused("month.blocked", f"the data-quality gate holds the month back: {', '.join(codes)}")
    row = replace(at.row, state=state, published_at=work.at)
    fact = MonthPublished(
        municipality=municipality,
        month=str(month),
        calculation=named.sha256,
        version=named.version,
        amount=str(at.basis.amount),
        published_at=work.at,
    )
    await stage_facts(work, [(fact, None)])
    return await moved(work, row, MonthAction.PUBLISH, actor)


async def sign(work: Work, municipality: str, month: Month, named: CalculationName, actor: Actor) -> MonthRow:
    """The debtor accepts the published month.

    Raises:
        Refused: Outdated calculation or wrong state.
    """
    at = await standpoint(work, municipality, month)
    require_current(at, named)
    row = replace(at.row, state=after(at.row, MonthAction.SIGN), accepted=Accepted.SIGNED.value)
    return await moved(work, row, MonthAction.SIGN, actor)


async def approve(work: Work, municipality: str, month: Month, named: CalculationName, actor: Actor, terms: SilenceTerms) -> MonthRow:
    """Another person than prepared or published the calculation approves what the debtor accepted, by signature or by silence.

    Raises:
        Refused: Outdated calculation, wrong state, not accepted yet, or the same person as before.
    """
    at = await standpoint(work, municipality, month)
    require_current(at, named)
    row = at.row
    before = await months.actors(work, row, (MonthAction.PREPARE.value, MonthAction.PUBLISH.value))
    if any(actor.is_same_person_as(one) for one in before):
        raise Refused("month.same_person", "the month must be approved by another person than the one who prepared or published it")
    if row.state is MonthState.PUBLISHED:
        polled_at = await months.last_poll(work, row.notice_mailbox)
        meaning = silence(row.notice_entered_at, polled_at, work.at, window=terms.window, polled_within=terms.polled_within)
        if meaning is not Silence.ACCEPTS:
            raise Refused("month.not_accepted", f"the debtor has not signed, and its silence is no yes: {meaning}")
        row = replace(row, state=after(row, MonthAction.LAPSE), accepted=Accepted.SILENT.value)
        row = await moved(work, row, MonthAction.LAPSE, actor)
    row = replace(row, state=after(row, MonthAction.APPROVE), approved_by=actor.person)
    return await moved(work, row, MonthAction.APPROVE, actor)


async def standpoint(work: Work, municipality: str, month: Month) -> Standpoint:
    """Lock a month and work out what the facts say of it now.

    Raises:
        NotFound: There is no such debtor, or no rule set was in force.
    """
    debtor = (await debtors.on(work, last_day(month))).get(municipality)
    if debtor is None:
        raise NotFound
    row = await months.lock(work, municipality, month)
    inputs = await gather_one(work, municipality, month)
    return Standpoint(row, inputs, inputs.basis(), debtor)


def require_current(at: Standpoint, named: CalculationName) -> None:
    """Refuse a step on a calculation that is not the month's, or that the facts have left behind.

    Raises:
        Refused: It is outdated.
    """
    if (at.row.version, at.row.sha256) != (named.version, named.sha256):
        raise Refused("calculation.outdated", f"the month stands on version {at.row.version}")
    if at.row.state in {MonthState.ISSUED, MonthState.SETTLED}:
        return
    if fingerprint(at.basis) != named.sha256:
        raise Refused("calculation.outdated", "facts came in after it was prepared: prepare the month again")


def after(row: MonthRow, action: MonthAction) -> MonthState:
    """The state a step leads to.

    Raises:
        Refused: The state does not allow the step.
    """
    state = TRANSITIONS.get((row.state, action))
    if state is None:
        raise Refused("month.state", f"the month is {row.state}; {action} is not possible")
    return state


async def moved(work: Work, row: MonthRow, action: MonthAction, actor: Actor) -> MonthRow:
    """Write the step and its history."""
    await months.move(work, row)
    await months.note(work, row, action.value, actor)
    return row


def amount_of(row: MonthRow) -> Money | None:
    """The amount of the calculation a month stands on."""
    return None if row.amount_ore is None else Money(row.amount_ore)
