"""Explaining a month: the calculation it stands on, made again from what was kept of it, with everything it rests on."""

from datetime import datetime

from services.billing.domain.charge import last_day
from services.billing.domain.correcting import Document
from services.billing.domain.explanation import Explained, explain, rule_sets
from services.billing.domain.identity import Json
from services.billing.domain.month import MonthInputs
from services.billing.domain.retelling import inputs_of
from services.billing.repository import debtors, history, months
from services.billing.repository.history import Kept
from services.billing.usecases.gathering import gather_one
from services.billing.usecases.replaying import rows_then
from services.billing.usecases.rules import rule_texts
from shared.dates import Month
from shared.db import Work
from shared.errors import NotFound


async def explanation_of(
    work: Work, municipality: str, month: Month, reader: str | None, known_at: datetime | None = None
) -> dict[str, Json]:
    """The explanation of the calculation that a month stands on; of an open month what it would be.

    Args:
        work: The transaction.
        municipality: SCB code of the debtor.
        month: Which month.
        reader: The municipality that reads, None for the region.
        known_at: As it was known at that instant; None = now.

    Raises:
        NotFound: There is no such municipality, it is not the reader's, or no rule set was in force.
    """
    if municipality not in await debtors.on(work, last_day(month)) or reader not in {None, municipality}:
        raise NotFound
    if known_at is None:
        row = await months.find(work, municipality, month)
    else:
        found = await rows_then(work, [municipality], month, known_at)
        row = found.get(municipality, months.MonthRow(municipality, month))
    kept = await history.calculation(work, municipality, month, row.version)
    if kept is None:
        inputs, then = await gather_one(work, municipality, month, known_at), known_at
    else:
        inputs, then = await inputs_of_kept(work, municipality, month, kept), kept.prepared_at
    texts = await rule_texts(work, then)
    issued = await history.documents(work, [municipality], month, known_at or work.at)
    return explain(
        Explained(
            inputs,
            row.version,
            known_at,
            [texts[name] for name in rule_sets(inputs.basis()) if name in texts],
            [_document(one.document, one.version) for one in issued.get(municipality, ())],
        )
    )


async def inputs_of_kept(work: Work, municipality: str, month: Month, kept: Kept) -> MonthInputs:
    """Everything that a kept calculation was made from; of one made before that was kept, what was known when it was made.

    Raises:
        NotFound: It was not kept, and no rule set was in force then.
    """
    if kept.inputs is not None:
        return inputs_of(kept.inputs)
    return await gather_one(work, municipality, month, kept.prepared_at)


def _document(document: Document, version: int) -> dict[str, Json]:
    return {
        "number": document.number,
        "kind": document.kind.value,
        "amount": str(document.amount),
        "issued_on": document.issued_on.isoformat(),
        "due_on": document.due_on.isoformat(),
        "refers_to": document.refers_to,
        "version": version,
    }
