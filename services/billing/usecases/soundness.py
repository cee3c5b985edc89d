"""The invariants of money, each held against what is kept: calculations, months, documents, payments, postings; for `dirigent doctor`."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import Any, Final

from services.billing.domain.identity import canonical
from services.billing.domain.postings import EntryKind
from services.billing.domain.retelling import Unreadable, inputs_of
from services.billing.repository import months, postings, soundness
from services.billing.repository.months import MonthRow
from services.billing.repository.postings import EntryRow
from services.billing.repository.soundness import KeptCalculation, KeptDocument, KeptPaper, KeptPayment
from services.billing.usecases.invoicing import ISSUER_FEED, debtor_feed
from services.billing.usecases.postings import LEDGER_FEED, ledger_text
from services.billing.usecases.replaying import rows_then
from shared.dates import LATEST, local_date
from shared.db import Work
from shared.money import Money

CREDIT_NOTE: Final = "credit_note"
_BOOKED_SINCE: Final = '"ocr":'
"""Every document that was booked has a payment reference; those of before the ledger have none."""
_ENTRY_OF: Final = {True: EntryKind.CREDITED, False: EntryKind.INVOICED}


async def calculation_faults(work: Work) -> list[str]:
    """Calculations whose text is not what its fingerprint says, or that their kept inputs do not lead to."""
    return [f"calculation {_named(one)}: {what}" async for one in soundness.calculations(work) for what in _of_calculation(one)]


def _named(one: KeptCalculation) -> str:
    return f"{one.municipality} {one.month} version {one.version}"


def _of_calculation(one: KeptCalculation) -> Iterable[str]:
    if sha256(one.body.encode()).hexdigest() != one.sha256:
        yield "changed since it was prepared"
        return
    told: dict[str, Any] = json.loads(one.body)
    amount = None if told["amount"] is None else Money.of_kronor(told["amount"]).ore
    if (told["municipality"], told["month"], told["agreement"], amount) != (
        one.municipality,
        str(one.month),
        one.agreement,
        one.amount_ore,
    ):
        yield "its columns say something else than its text"
    if one.inputs is not None:
        try:
            recomputed = canonical(inputs_of(one.inputs).basis())
        except Unreadable:
            yield "its inputs cannot be read"
            return
        if recomputed != one.body:
            yield "its inputs lead to another calculation"


async def month_faults(work: Work) -> list[str]:
    """Months that do not stand where their recorded steps and documents lead."""
    found = []
    for month, codes in (await soundness.months(work)).items():
        kept = await months.of_month(work, month)
        try:
            led = await rows_then(work, codes, month, LATEST)
        except KeyError:
            found.append(f"month {month}: its steps cannot have been taken in this order")
            continue
        for code in codes:
            stands, leads = kept.get(code, MonthRow(code, month)), led.get(code, MonthRow(code, month))
            if _bare(stands) != _bare(leads):
                found.append(f"month {month} of {code}: stands as {stands.state}, its steps and documents lead to {leads.state}")
    return found


def _bare(row: MonthRow) -> MonthRow:
    """Without the arrival of its notice, which is no step."""
    return replace(row, notice_mailbox=None, notice_entered_at=None)


async def paper_faults(work: Work) -> list[str]:
    """Months accepted on paper without the paper, and papers that no step recorded, or that cannot be of it."""
    kept = await soundness.papers(work)
    return [f"month {one.month} of {one.municipality}, version {one.version}: {what}" for one in kept for what in _of_paper(one)]


def _of_paper(one: KeptPaper) -> Iterable[str]:
    if one.signed_on is None or one.recorded_at is None:
        yield "no paper is kept of the signature that was recorded"
        return
    if one.step_at is None:
        yield "a paper is kept that nobody recorded"
        return
    if one.recorded_at != one.step_at:
        yield "its paper was recorded at another time than its step"
    if one.published_at is None or not local_date(one.published_at) <= one.signed_on <= local_date(one.step_at):
        yield "its paper was signed before it was published or after it was recorded"


async def document_faults(work: Work) -> list[str]:
    """Documents that were changed, numbers that are missing, credits that exceed or refer wrongly, feeds that say something else."""
    kept: list[KeptDocument] = []
    found: list[str] = []
    async for document, body in soundness.documents(work):
        kept.append(document)
        found += [f"document {document.number}: {what}" for what in _of_body(document, body)]
    rests_on = await soundness.calculations_of(work, [one.number for one in kept])
    found += [f"document {one.number}: the calculation it rests on is not kept" for one in kept if one.number not in rests_on]
    found += _series_faults(kept, await soundness.series(work))
    found += _credit_faults(kept)
    return found + await _feed_faults(work, kept)


def _of_body(kept: KeptDocument, body: str) -> Iterable[str]:
    if sha256(body.encode()).hexdigest() != kept.sha256:
        yield "changed since it was issued"
        return
    told: dict[str, Any] = json.loads(body)
    says = (
        told["number"],
        told["kind"],
        told["refers_to"],
        told["debtor"]["municipality"],
        told["month"],
        told["calculation"]["version"],
        Money.of_kronor(told["amount"]["amount"]).ore,
        date.fromisoformat(told["due_on"]),
    )
    if says != (
        kept.number,
        kept.kind,
        kept.refers_to,
        kept.municipality,
        str(kept.month),
        kept.version,
        kept.amount_ore,
        kept.due_on,
    ):
        yield "its columns say something else than its text"
    if sum(Money.of_kronor(line["amount"]["amount"]).ore for line in told["lines"]) != kept.amount_ore:
        yield "its lines do not add up to its amount"


def _series_faults(kept: Sequence[KeptDocument], last: Mapping[tuple[str, int], int]) -> list[str]:
    given: dict[tuple[str, int], set[int]] = defaultdict(set)
    for one in kept:
        given[one.issuer, one.year].add(one.serial)
    found = []
    for issuer, year in sorted(given.keys() | last.keys()):
        serials, end = given[issuer, year], last.get((issuer, year), 0)
        missing = sorted(set(range(1, end + 1)) - serials)
        found += [f"series {issuer} {year}: number {serial} is missing" for serial in missing]
        found += [f"series {issuer} {year}: number {serial} was never given" for serial in sorted(serials) if serial > end]
    return found + [
        f"document {one.number}: its number is not that of its series" for one in kept if one.number != f"{one.year:04d}-{one.serial:06d}"
    ]


def _credit_faults(kept: Sequence[KeptDocument]) -> list[str]:
    found, originals = [], {one.number: one for one in kept}
    credited: dict[str, int] = defaultdict(int)
    for one in kept:
        if one.refers_to is None:
            continue
        original = originals.get(one.refers_to)
        if original is None or original.kind == CREDIT_NOTE or (original.municipality, original.month) != (one.municipality, one.month):
            found.append(f"document {one.number}: refers to no invoice of its month")
        elif one.kind == CREDIT_NOTE:
            credited[one.refers_to] += one.amount_ore
    return found + [
        f"document {number}: more is credited than it came to" for number in credited if credited[number] > _ore(originals, number)
    ]


def _ore(documents: Mapping[str, KeptDocument], number: str) -> int:
    return documents[number].amount_ore if number in documents else 0


async def _feed_faults(work: Work, kept: Sequence[KeptDocument]) -> list[str]:
    """The feeds that finance reads must tell of each document once, with its fingerprint."""
    wanted: dict[str, list[tuple[str, str]]] = {ISSUER_FEED: []}
    for one in kept:
        for feed in (ISSUER_FEED, debtor_feed(one.municipality)):
            wanted.setdefault(feed, []).append((one.number, one.sha256))
    found = []
    for feed, documents in wanted.items():
        told = [json.loads(body) for body in (await soundness.in_feed(work, feed)).values()]
        if sorted((one["number"], one["sha256"]) for one in told) != sorted(documents):
            found.append(f"feed {feed}: does not tell of every document once as it is")
    return found


async def ledger_faults(work: Work) -> list[str]:
    """Documents and payments without their one balanced entry, and a chain that says something else than the tables."""
    documents: dict[str, KeptDocument] = {}
    older = set()
    async for document, body in soundness.documents(work):
        documents[document.number] = document
        if _BOOKED_SINCE not in body:
            older.add(document.number)
    payments = await soundness.payments(work)
    entries = await postings.entries_of(work, date.min, date.max)
    found = [f"ledger entry {entry}: has no postings" for entry in await soundness.entries_without_postings(work)]
    found += _entry_faults({number: one for number, one in documents.items() if number not in older}, payments, entries)
    found += _payment_faults(documents, payments)
    return found + await _chain_faults(work, documents, entries)


def _entry_faults(documents: Mapping[str, KeptDocument], payments: Sequence[KeptPayment], entries: Sequence[EntryRow]) -> Iterable[str]:
    of_document: dict[str, list[EntryRow]] = defaultdict(list)
    of_payment: dict[object, list[EntryRow]] = defaultdict(list)
    for row in entries:
        if row.status_id is None:
            of_document[row.document].append(row)
        else:
            of_payment[row.status_id].append(row)
    for number, document in documents.items():
        kind = _ENTRY_OF[document.kind == CREDIT_NOTE]
        if [(one.entry.kind, _debit(one), one.municipality, one.month) for one in of_document.pop(number, [])] != [
            (kind, document.amount_ore, document.municipality, document.month)
        ]:
            yield f"document {number}: has not exactly one entry of its amount in the ledger"
    for payment in payments:
        if [(one.entry.kind, _debit(one), one.document) for one in of_payment.pop(payment.id, [])] != [
            (EntryKind.PAID, payment.amount_ore, payment.number)
        ]:
            yield f"payment {payment.id} on {payment.number}: has not exactly one entry of its amount in the ledger"
    for row in [*(row for rows in of_document.values() for row in rows), *(row for rows in of_payment.values() for row in rows)]:
        yield f"ledger entry {row.id}: is of nothing that is kept"


def _debit(row: EntryRow) -> int:
    return sum(one.amount.ore for one in row.entry.postings if one.amount.ore > 0)


def _payment_faults(documents: Mapping[str, KeptDocument], payments: Sequence[KeptPayment]) -> Iterable[str]:
    """What was paid never exceeded what was left of the document at that time; a credit that comes later may leave it overpaid."""
    paid: dict[str, int] = defaultdict(int)
    for payment in payments:
        paid[payment.number] += payment.amount_ore
        credited = sum(
            one.amount_ore
            for one in documents.values()
            if one.kind == CREDIT_NOTE and one.refers_to == payment.number and one.issued_at < payment.reported_at
        )
        if paid[payment.number] > _ore(documents, payment.number) - credited:
            yield f"payment {payment.id} on {payment.number}: is more than was left of it"


async def _chain_faults(work: Work, documents: Mapping[str, KeptDocument], entries: Sequence[EntryRow]) -> list[str]:
    chain = await soundness.in_feed(work, LEDGER_FEED)
    rows = {row.id: row for row in entries}
    found = [f"feed {LEDGER_FEED}: entry {entry} is not in the ledger" for entry in sorted(chain.keys() - rows.keys())]
    for entry, row in rows.items():
        document = documents.get(row.document)
        if document is None or chain.get(entry) != ledger_text(row, document.sha256):
            found.append(f"ledger entry {entry}: the feed {LEDGER_FEED} says something else, or nothing")
    return found
