"""Where a month stood at an earlier instant: its recorded steps, taken once more through the table of states."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from services.billing.domain.closing import CLOSED, TRANSITIONS, Accepted, MonthAction
from services.billing.domain.correcting import billed
from services.billing.repository import history, months
from services.billing.repository.history import Issued, Step
from services.billing.repository.months import MonthRow
from shared.dates import Month
from shared.db import Work


async def rows_then(work: Work, municipalities: Collection[str], month: Month, known_at: datetime) -> Mapping[str, MonthRow]:
    """The row of each of these municipalities that had taken a step, as it stood."""
    steps = await history.steps(work, municipalities, month, known_at)
    documents = await history.documents(work, municipalities, month, known_at)
    now = await months.of_month(work, month)
    return {
        code: _with_notice(replayed(code, month, taken, documents.get(code, ())), now.get(code), known_at) for code, taken in steps.items()
    }


def replayed(municipality: str, month: Month, steps: Sequence[Step], documents: Sequence[Issued]) -> MonthRow:
    """A month's row after these steps, when these documents had been issued."""
    row = MonthRow(municipality, month)
    for step in steps:
        state = TRANSITIONS.get((row.state, step.action))
        # One that was taken on a step whose transaction began later is not known yet without it.
        if state is not None:
            row = replace(_EFFECTS.get(step.action, _unchanged)(row, step), state=state)
    issued = [one.document for one in documents]
    return replace(row, invoice_number=issued[0].number if issued else None, billed_ore=billed(issued).ore)


def _with_notice(row: MonthRow, now: MonthRow | None, known_at: datetime) -> MonthRow:
    """The arrival of the notice is kept with the publication that it tells of, and with no other."""
    if now is None or now.notice_entered_at is None or row.published_at is None or now.notice_entered_at > known_at:
        return row
    if (now.version, now.published_at) != (row.version, row.published_at):
        return row
    return replace(row, notice_mailbox=now.notice_mailbox, notice_entered_at=now.notice_entered_at)


def _prepared(row: MonthRow, step: Step) -> MonthRow:
    return MonthRow(
        row.municipality,
        row.month,
        version=step.version,
        sha256=step.sha256,
        amount_ore=step.amount_ore,
        issued_version=row.issued_version,
        corrects=row.corrects or row.state in CLOSED,
    )


def _published(row: MonthRow, step: Step) -> MonthRow:
    return replace(row, published_at=step.at)


def _accepted(how: Accepted) -> Callable[[MonthRow, Step], MonthRow]:
    return lambda row, _: replace(row, accepted=how.value)


def _approved(row: MonthRow, step: Step) -> MonthRow:
    return replace(row, approved_by=step.person)


def _closed(row: MonthRow, step: Step) -> MonthRow:
    return replace(row, issued_version=step.version, corrects=False)


def _unchanged(row: MonthRow, _: Step) -> MonthRow:
    return row


_EFFECTS: Final[Mapping[MonthAction, Callable[[MonthRow, Step], MonthRow]]] = {
    MonthAction.PREPARE: _prepared,
    MonthAction.PUBLISH: _published,
    MonthAction.SIGN: _accepted(Accepted.SIGNED),
    MonthAction.RECORD: _accepted(Accepted.SIGNED),
    MonthAction.LAPSE: _accepted(Accepted.SILENT),
    MonthAction.CONCEDE: _accepted(Accepted.CREDIT),
    MonthAction.APPROVE: _approved,
    MonthAction.ISSUE: _closed,
    MonthAction.CLOSE: _closed,
    MonthAction.KEEP: _closed,
}
