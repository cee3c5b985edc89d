"""Closing a month: prepare → publish → sign or silence → approve; every step names the calculation it was taken on.

A step is decided on what `standpoints` read, without the database, so that one for a whole county is written in a handful of statements.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from services.billing.domain.basis import MonthBasis
from services.billing.domain.charge import last_day
from services.billing.domain.closing import (
    ACTION_SV,
    CLOSED,
    STATE_SV,
    TRANSITIONS,
    Accepted,
    CalculationName,
    MonthAction,
    MonthState,
    PaperSignature,
    Silence,
    silence,
)
from services.billing.domain.correcting import Correction, Direction, Document, Wanted, billed
from services.billing.domain.identity import canonical, fingerprint
from services.billing.domain.month import MonthInputs
from services.billing.domain.owed import Payment
from services.billing.domain.persons import Actor
from services.billing.domain.retelling import inputs_text
from services.billing.repository import debtors, invoices, months, statuses
from services.billing.repository.debtors import Debtor
from services.billing.repository.months import KeptCalculation, MonthRow
from services.billing.usecases.gathering import gather
from shared.dates import Month, local_date
from shared.db import Work
from shared.errors import FieldError, Malformed, Refused
from shared.events.creditor_facts import MonthAccepted
from shared.events.facts import Fact, MonthCorrected, MonthPublished
from shared.money import Money

HANDLED = (MonthAction.PREPARE.value, MonthAction.PUBLISH.value, MonthAction.RECORD.value)


@dataclass(frozen=True, slots=True)
class SilenceTerms:
    """When a debtor's silence counts as a yes."""

    window: timedelta
    polled_within: timedelta


@dataclass(frozen=True, slots=True)
class Standpoint:
    """A locked month together with what the facts say of it in this transaction, and everything that steps on it are judged by."""

    row: MonthRow
    inputs: MonthInputs
    basis: MonthBasis
    debtor: Debtor
    at: datetime
    last_version: int = 0
    handled_by: tuple[Actor, ...] = ()
    polled_at: datetime | None = None
    documents: tuple[Document, ...] = ()
    payments: tuple[Payment, ...] = ()

    @property
    def correction(self) -> Correction:
        """What the month costs now beside what was billed for it."""
        return Correction(self.basis.amount, billed(self.documents))


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was decided on and is still to be written: where the month stands after it, and every move on the way there.

    `wanted` are the documents that it asks for, `written` those that it got.
    """

    row: MonthRow
    moves: tuple[tuple[MonthRow, MonthAction], ...] = ()
    calculation: KeptCalculation | None = None
    facts: tuple[Fact, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    written: tuple[Document, ...] = ()
    paper: PaperSignature | None = None


async def standpoints(work: Work, municipalities: Collection[str], month: Month) -> dict[str, Standpoint]:
    """Lock months and work out what the facts say of them now; a municipality that nobody knows, or without rule set, is left out."""
    known = await debtors.on(work, last_day(month))
    codes = [code for code in municipalities if code in known]
    rows = await months.lock_all(work, codes, month)
    versions = await months.last_versions(work, codes, month)
    handled = await months.actors(work, codes, month, HANDLED)
    polls = await months.last_polls(work, {row.notice_mailbox for row in rows.values() if row.notice_mailbox})
    documents = await invoices.of_month(work, codes, month)
    numbers = [one.number for found in documents.values() for one in found]
    payments = [one.payment for one in await statuses.of(work, numbers)] if numbers else []
    gathered = await gather(work, codes, month)
    return {
        code: Standpoint(
            rows[code],
            inputs,
            inputs.basis(),
            known[code],
            work.at,
            versions.get(code, 0),
            tuple(handled.get(code, ())),
            polls.get(rows[code].notice_mailbox or ""),
            tuple(documents.get(code, ())),
            tuple(one for one in payments if one is not None),
        )
        for code, inputs in gathered.items()
    }


def prepare(at: Standpoint) -> Taken:
    """Calculate a month that is over and keep the calculation; a month that stands on an unchanged calculation is left as it is.

    A month that was closed is prepared anew when facts moved its calculation: that begins a correction, and nothing issued changes.

    Raises:
        Refused: The month is not over, or stands further on this very calculation.
    """
    row = at.row
    if local_date(at.at) <= last_day(row.month):
        raise Refused("month.not_over", "a month is prepared when it is over")
    body = canonical(at.basis)
    digest = sha256(body.encode()).hexdigest()
    if row.state is MonthState.PREPARED and row.sha256 == digest:
        return Taken(row)
    if row.state is not MonthState.OPEN and row.sha256 == digest:
        swedish = f"Månaden är {STATE_SV[row.state]} på just den här beräkningen."
        raise Refused("month.state", f"the month is {row.state} on this very calculation", swedish=swedish)
    amount = None if at.basis.amount is None else at.basis.amount.ore
    prepared = MonthRow(
        row.municipality,
        row.month,
        after(row, MonthAction.PREPARE),
        at.last_version + 1,
        digest,
        amount,
        invoice_number=row.invoice_number,
        issued_version=row.issued_version,
        billed_ore=row.billed_ore,
        corrects=row.corrects or row.state in CLOSED,
    )
    kept = KeptCalculation(at.basis.agreement, body, inputs_text(at.inputs))
    return Taken(prepared, ((prepared, MonthAction.PREPARE),), kept)


def publish(at: Standpoint, named: CalculationName) -> Taken:
    """Show the month to its debtor, once the data-quality gate holds nothing back; the notice of it starts the dispute window.

    Raises:
        Refused: Outdated calculation, wrong state, or blocked by the gate.
    """
    require_current(at, named)
    state = after(at.row, MonthAction.PUBLISH)
    if at.basis.blocked or at.basis.amount is None:
        codes = sorted({finding.code.value for finding in at.basis.findings if finding.blocks})
        raise Refused("month.blocked", f"the data-quality gate holds the month back: {', '.join(codes)}")
    row = replace(at.row, state=state, published_at=at.at)
    return Taken(row, ((row, MonthAction.PUBLISH),), facts=(_told(at, named, at.basis.amount),))


def sign(at: Standpoint, named: CalculationName) -> Taken:
    """The debtor accepts the published month.

    Raises:
        Refused: Outdated calculation or wrong state.
    """
    require_current(at, named)
    row = replace(at.row, state=after(at.row, MonthAction.SIGN), accepted=Accepted.SIGNED.value)
    return Taken(row, ((row, MonthAction.SIGN),), facts=(_accepted(at, named, "signed"),))


def record(at: Standpoint, named: CalculationName, paper: PaperSignature) -> Taken:
    """Write down that the debtor accepted the published month on paper; whoever does so does not approve it.

    Raises:
        Malformed: The day has not come, or lies before the month was published.
        Refused: Outdated calculation or wrong state.
    """
    require_current(at, named)
    state = after(at.row, MonthAction.RECORD)
    published_on = None if at.row.published_at is None else local_date(at.row.published_at)
    if paper.signed_on > local_date(at.at):
        raise Malformed("request.malformed", errors=(FieldError("/signed_on", "in_future"),))
    if published_on is not None and paper.signed_on < published_on:
        raise Malformed("request.malformed", errors=(FieldError("/signed_on", "before_publication"),))
    row = replace(at.row, state=state, accepted=Accepted.SIGNED.value)
    return Taken(row, ((row, MonthAction.RECORD),), facts=(_accepted(at, named, "signed_on_paper"),), paper=paper)


def approve(at: Standpoint, named: CalculationName, actor: Actor, terms: SilenceTerms) -> Taken:
    """Another person than prepared or published the calculation approves what the debtor accepted, by signature or by silence.

    Whoever recorded a signature on paper has a part in it too.

    A correction that takes nothing from the debtor waits for nobody's acceptance.

    Raises:
        Refused: Outdated calculation, wrong state, not accepted yet, or the same person as before.
    """
    require_current(at, named)
    row, moves, facts = at.row, [], []
    if any(actor.is_same_person_as(one) for one in at.handled_by):
        raise Refused(
            "month.same_person",
            "the month must be approved by another person than who prepared, published or recorded it",
        )
    if row.state is MonthState.PUBLISHED:
        how, accepted = _acceptance(at, terms)
        row = replace(row, state=after(row, how), accepted=accepted.value)
        moves.append((row, how))
        facts.append(_accepted(at, named, "silent" if accepted is Accepted.SILENT else "credit"))
    row = replace(row, state=after(row, MonthAction.APPROVE), approved_by=actor.person)
    return Taken(row, (*moves, (row, MonthAction.APPROVE)), facts=tuple(facts))


def require_current(at: Standpoint, named: CalculationName) -> None:
    """Refuse a step on a calculation that is not the month's, or that the facts have left behind.

    Raises:
        Refused: It is outdated.
    """
    if (at.row.version, at.row.sha256) != (named.version, named.sha256):
        raise Refused("calculation.outdated", f"the month stands on version {at.row.version}")
    if at.row.state in CLOSED:
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
        swedish = f"Månaden är {STATE_SV[row.state]} och kan inte {ACTION_SV[action]}."
        raise Refused("month.state", f"the month is {row.state}; {action} is not possible", swedish=swedish)
    return state


def amount_of(row: MonthRow) -> Money | None:
    """The amount of the calculation a month stands on."""
    return None if row.amount_ore is None else Money(row.amount_ore)


def correction_of(row: MonthRow, basis: MonthBasis) -> Correction | None:
    """What correcting a month that was closed would come to, in both directions; None of a month that was never closed."""
    return None if row.issued_version is None else Correction(basis.amount, Money(row.billed_ore))


def _acceptance(at: Standpoint, terms: SilenceTerms) -> tuple[MonthAction, Accepted]:
    """How a published month counts as accepted without a signature.

    Raises:
        Refused: It does not.
    """
    if at.row.corrects and at.correction.direction is not Direction.SUPPLEMENTARY:
        return MonthAction.CONCEDE, Accepted.CREDIT
    meaning = silence(at.row.notice_entered_at, at.polled_at, at.at, window=terms.window, polled_within=terms.polled_within)
    if meaning is not Silence.ACCEPTS:
        raise Refused("month.not_accepted", f"the debtor has not signed, and its silence is no yes: {meaning}")
    return MonthAction.LAPSE, Accepted.SILENT


def _accepted(at: Standpoint, named: CalculationName, how: Literal["signed", "signed_on_paper", "silent", "credit"]) -> Fact:
    """What the creditor is told of an acceptance."""
    amount = at.basis.amount
    assert amount is not None  # noqa: S101  # nothing without an amount is ever published
    return MonthAccepted(
        municipality=at.row.municipality,
        month=str(at.row.month),
        calculation=named.sha256,
        version=named.version,
        amount=str(amount),
        accepted=how,
        accepted_at=at.at,
    )


def _told(at: Standpoint, named: CalculationName, amount: Money) -> Fact:
    """What others are told of a publication; of a correction also by how much it moves what was billed."""
    row = at.row
    if not row.corrects:
        return MonthPublished(
            municipality=row.municipality,
            month=str(row.month),
            calculation=named.sha256,
            version=named.version,
            amount=str(amount),
            published_at=at.at,
        )
    return MonthCorrected(
        municipality=row.municipality,
        month=str(row.month),
        calculation=named.sha256,
        version=named.version,
        amount=str(amount),
        difference=str(at.correction.difference),
        published_at=at.at,
    )
