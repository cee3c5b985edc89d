"""Reading everything that billing keeps for ever, piece by piece, so that it can be held against itself."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from services.billing.repository.ledger import Pair, StayMonth
from shared.dates import Month
from shared.db import Work

_NOTHING: Final = UUID(int=0)
AT_A_TIME: Final = 2_000
BODIES_AT_A_TIME: Final = 20

_CASES: Final = text("SELECT case_id FROM stays WHERE case_id > :after ORDER BY case_id LIMIT :limit")
_STRAYED: Final = text("SELECT DISTINCT case_id FROM stay_months m WHERE NOT EXISTS (SELECT FROM stays s WHERE s.case_id = m.case_id)")
_STAY_MONTHS: Final = text(
    """
    SELECT case_id, month, municipality, counted_as, ended, days, individual_days, amount_ore FROM stay_months
    WHERE case_id = ANY(CAST(:cases AS uuid[]))
    """
)
_UNTURNED: Final = text("SELECT municipality, month FROM averages WHERE NOT complete AND month < :this_month")
_NEWEST: Final = text(
    """
    SELECT s.case_id FROM stays s LEFT JOIN LATERAL (
        SELECT case_version, body FROM stay_versions v WHERE v.case_id = s.case_id ORDER BY case_version DESC LIMIT 1) newest ON true
    WHERE newest.case_version IS DISTINCT FROM s.case_version OR newest.body IS DISTINCT FROM s.body ORDER BY s.case_id
    """
)
_CALCULATIONS: Final = text(
    """
    SELECT municipality, month, version, sha256, agreement, amount_ore, body, inputs FROM calculations
    WHERE (municipality, month, version) > (:municipality, :month, :version) ORDER BY municipality, month, version LIMIT :limit
    """
)
_MONTHS: Final = text("SELECT DISTINCT month FROM months UNION SELECT DISTINCT month FROM month_actions ORDER BY month")
_PLACES: Final = text(
    "SELECT municipality FROM months WHERE month = :month UNION SELECT municipality FROM month_actions WHERE month = :month"
)
_DOCUMENTS: Final = text(
    """
    SELECT number, issuer, year, serial, kind, municipality, month, version, amount_ore, issued_at, sha256, refers_to, due_on, body
    FROM invoices WHERE (issuer, year, serial) > (:issuer, :year, :serial) ORDER BY issuer, year, serial LIMIT :limit
    """
)
_CALCULATION_OF: Final = text(
    """
    SELECT i.number, c.sha256 FROM invoices i JOIN calculations c USING (municipality, month, version)
    WHERE i.number = ANY(CAST(:numbers AS text[]))
    """
)
_PAPERS: Final = text(
    """
    SELECT municipality, month, version, p.signed_on, p.recorded_at, r.at AS step_at,
           (SELECT max(a.at) FROM month_actions a WHERE a.action = 'publish' AND (a.municipality, a.month, a.version)
               = (municipality, month, version)) AS published_at
    FROM paper_signatures p FULL JOIN (SELECT municipality, month, version, at FROM month_actions WHERE action = 'record') r
        USING (municipality, month, version)
    ORDER BY municipality, month, version
    """
)
_SERIES: Final = text("SELECT issuer, year, last_number FROM invoice_series ORDER BY issuer, year")
_PAYMENTS: Final = text("SELECT id, number, amount_ore, reported_at FROM invoice_statuses WHERE status = 'paid' ORDER BY reported_at, id")
_EMPTY_ENTRIES: Final = text(
    "SELECT id FROM ledger_entries e WHERE NOT EXISTS (SELECT FROM ledger_postings p WHERE p.entry_id = e.id) ORDER BY id"
)
# What is staged and has no position yet is in the feed all the same.
_IN_FEED: Final = text(
    """
    SELECT entry_id, body FROM feed_entries WHERE feed = :feed
    UNION ALL SELECT entry_id, body FROM outbox WHERE feed = :feed
    """
)


@dataclass(frozen=True, slots=True)
class KeptCalculation:
    """A calculation as it is kept."""

    municipality: str
    month: Month
    version: int
    sha256: str
    agreement: str
    amount_ore: int | None
    body: str
    inputs: str | None


@dataclass(frozen=True, slots=True)
class KeptDocument:
    """A document as it is kept, without its body."""

    number: str
    issuer: str
    year: int
    serial: int
    kind: str
    municipality: str
    month: Month
    version: int
    amount_ore: int
    issued_at: datetime
    sha256: str
    refers_to: str | None
    due_on: date


@dataclass(frozen=True, slots=True)
class KeptPayment:
    """A payment that finance reported."""

    id: UUID
    number: str
    amount_ore: int
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class KeptPaper:
    """A signature on paper (`signed_on`, `recorded_at`) beside the step that recorded it, either of them None where there is none."""

    municipality: str
    month: Month
    version: int
    signed_on: date | None
    recorded_at: datetime | None
    step_at: datetime | None
    published_at: datetime | None


async def cases(work: Work) -> AsyncIterator[list[UUID]]:
    """Every case that there is a stay of, some at a time."""
    after = _NOTHING
    while some := list((await work.connection.execute(_CASES, {"after": after, "limit": AT_A_TIME})).scalars()):
        yield some
        after = some[-1]


async def strayed(work: Work) -> list[UUID]:
    """Cases that are counted in some month without being kept."""
    return list((await work.connection.execute(_STRAYED)).scalars())


async def behind(work: Work) -> list[UUID]:
    """Cases whose stay is not the newest version of it that was told."""
    return list((await work.connection.execute(_NEWEST)).scalars())


async def stay_months(work: Work, some: Sequence[UUID]) -> set[StayMonth]:
    """How these stays are counted."""
    return {
        StayMonth(
            row.case_id,
            Month.of(row.month),
            row.municipality,
            row.counted_as,
            row.ended,
            row.days,
            row.individual_days,
            row.amount_ore,
        )
        for row in await work.connection.execute(_STAY_MONTHS, {"cases": list(some)})
    }


async def unturned(work: Work, this_month: Month) -> set[Pair]:
    """Months that have ended and wait to be counted as such."""
    rows = await work.connection.execute(_UNTURNED, {"this_month": this_month.first})
    return {(row.municipality, Month.of(row.month)) for row in rows}


async def calculations(work: Work) -> AsyncIterator[KeptCalculation]:
    """Every calculation."""
    after: dict[str, object] = {"municipality": "", "month": date.min, "version": 0}
    while rows := (await work.connection.execute(_CALCULATIONS, after | {"limit": BODIES_AT_A_TIME})).all():
        for row in rows:
            yield KeptCalculation(
                row.municipality, Month.of(row.month), row.version, row.sha256, row.agreement, row.amount_ore, row.body, row.inputs
            )
        after = {"municipality": rows[-1].municipality, "month": rows[-1].month, "version": rows[-1].version}


async def months(work: Work) -> dict[Month, list[str]]:
    """Every month that took a step, with its municipalities."""
    found = [Month.of(day) for day in (await work.connection.execute(_MONTHS)).scalars()]
    return {month: sorted((await work.connection.execute(_PLACES, {"month": month.first})).scalars()) for month in found}


async def documents(work: Work) -> AsyncIterator[tuple[KeptDocument, str]]:
    """Every document with its body, in the order of the series."""
    after: dict[str, object] = {"issuer": "", "year": 0, "serial": 0}
    while rows := (await work.connection.execute(_DOCUMENTS, after | {"limit": BODIES_AT_A_TIME})).all():
        for row in rows:
            kept = KeptDocument(
                row.number,
                row.issuer,
                row.year,
                row.serial,
                row.kind,
                row.municipality,
                Month.of(row.month),
                row.version,
                row.amount_ore,
                row.issued_at,
                row.sha256,
                row.refers_to,
                row.due_on,
            )
            yield kept, row.body
        after = {"issuer": rows[-1].issuer, "year": rows[-1].year, "serial": rows[-1].serial}


async def calculations_of(work: Work, numbers: Sequence[str]) -> dict[str, str]:
    """The SHA-256 of the calculation that each of these documents rests on."""
    return {row.number: row.sha256 for row in await work.connection.execute(_CALCULATION_OF, {"numbers": list(numbers)})}


async def papers(work: Work) -> list[KeptPaper]:
    """Every signature on paper and every step that recorded one."""
    return [
        KeptPaper(row.municipality, Month.of(row.month), row.version, row.signed_on, row.recorded_at, row.step_at, row.published_at)
        for row in await work.connection.execute(_PAPERS)
    ]


async def series(work: Work) -> dict[tuple[str, int], int]:
    """The last number given, by issuer and year."""
    return {(row.issuer, row.year): row.last_number for row in await work.connection.execute(_SERIES)}


async def payments(work: Work) -> list[KeptPayment]:
    """Every payment, in the order of reporting."""
    return [KeptPayment(row.id, row.number, row.amount_ore, row.reported_at) for row in await work.connection.execute(_PAYMENTS)]


async def entries_without_postings(work: Work) -> list[UUID]:
    """Entries of the ledger that say nothing."""
    return list((await work.connection.execute(_EMPTY_ENTRIES)).scalars())


async def in_feed(work: Work, feed: str) -> dict[UUID, str]:
    """The bodies in a feed by their ids, those included that have no position yet."""
    return {row.entry_id: row.body for row in await work.connection.execute(_IN_FEED, {"feed": feed})}
