"""Months on their way to money: state, calculations, history, and what is known of the debtor's mailbox."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Row, text

from services.billing.domain.closing import CalculationName, MonthState, PaperSignature
from services.billing.domain.persons import Actor
from shared.dates import Month
from shared.db import Work
from shared.identifiers import uuid7

_OPEN: Final = text(
    """
    INSERT INTO months (municipality, month, state)
    SELECT municipality, :month, 'open' FROM unnest(CAST(:municipalities AS text[])) AS wanted (municipality) ORDER BY municipality
    ON CONFLICT DO NOTHING
    """
)
_LOCK: Final = text(
    """
    SELECT municipality FROM months WHERE month = :month AND municipality = ANY(CAST(:municipalities AS text[]))
    ORDER BY municipality FOR UPDATE
    """
)
_COLUMNS: Final = """
    SELECT municipality, month, state, version, sha256, amount_ore, accepted, approved_by, published_at, notice_mailbox,
           notice_entered_at, invoice_number, issued_version, billed_ore, corrects
    FROM months
"""
_ONE: Final = text(_COLUMNS + " WHERE municipality = :municipality AND month = :month")
_OF_MONTH: Final = text(_COLUMNS + " WHERE month = :month")
_THESE: Final = text(_COLUMNS + " WHERE month = :month AND municipality = ANY(CAST(:municipalities AS text[]))")
_KEEP_CALCULATIONS: Final = text(
    """
    INSERT INTO calculations (municipality, month, version, sha256, agreement, amount_ore, body, inputs, prepared_at)
    SELECT municipality, :month, version, sha256, agreement, amount_ore, body, inputs, :at
    FROM unnest(CAST(:municipalities AS text[]), CAST(:versions AS integer[]), CAST(:sha256s AS text[]), CAST(:agreements AS text[]),
                CAST(:amounts AS bigint[]), CAST(:bodies AS text[]), CAST(:inputs AS text[]))
         AS kept (municipality, version, sha256, agreement, amount_ore, body, inputs)
    """
)
_LAST_VERSIONS: Final = text(
    """
    SELECT municipality, max(version) AS version FROM calculations
    WHERE month = :month AND municipality = ANY(CAST(:municipalities AS text[])) GROUP BY municipality
    """
)
_BODY: Final = text("SELECT body FROM calculations WHERE municipality = :municipality AND month = :month AND version = :version")
_CLOSED: Final = text(
    """
    SELECT municipality, month, body FROM months m JOIN calculations c USING (municipality, month)
    WHERE c.version = m.issued_version AND month BETWEEN :first AND :last
      AND (CAST(:municipality AS text) IS NULL OR municipality = :municipality)
    ORDER BY municipality, month
    """
)
_MOVE: Final = text(
    """
    UPDATE months m SET state = t.state, version = t.version, sha256 = t.sha256, amount_ore = t.amount_ore, accepted = t.accepted,
        approved_by = t.approved_by, published_at = t.published_at, notice_mailbox = t.notice_mailbox,
        notice_entered_at = t.notice_entered_at, invoice_number = t.invoice_number, issued_version = t.issued_version,
        billed_ore = t.billed_ore, corrects = t.corrects
    FROM unnest(CAST(:municipality AS text[]), CAST(:state AS text[]), CAST(:version AS integer[]), CAST(:sha256 AS text[]),
                CAST(:amount_ore AS bigint[]), CAST(:accepted AS text[]), CAST(:approved_by AS text[]),
                CAST(:published_at AS timestamptz[]), CAST(:notice_mailbox AS text[]), CAST(:notice_entered_at AS timestamptz[]),
                CAST(:invoice_number AS text[]), CAST(:issued_version AS integer[]), CAST(:billed_ore AS bigint[]),
                CAST(:corrects AS boolean[]))
         AS t (municipality, state, version, sha256, amount_ore, accepted, approved_by, published_at, notice_mailbox, notice_entered_at,
               invoice_number, issued_version, billed_ore, corrects)
    WHERE m.municipality = t.municipality AND m.month = :month
    """
)
_ACT: Final = text(
    """
    INSERT INTO month_actions (id, municipality, month, action, version, sha256, client, person, at)
    SELECT id, municipality, :month, action, version, sha256, :client, :person, :at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:municipalities AS text[]), CAST(:actions AS text[]), CAST(:versions AS integer[]),
                CAST(:sha256s AS text[])) AS taken (id, municipality, action, version, sha256)
    """
)
_FILE_PAPER: Final = text(
    """
    INSERT INTO paper_signatures (municipality, month, version, signed_by, signed_on, reference, recorded_at)
    VALUES (:municipality, :month, :version, :signed_by, :signed_on, :reference, :at)
    """
)
_PAPER: Final = text(
    """
    SELECT signed_by, signed_on, reference FROM paper_signatures
    WHERE municipality = :municipality AND month = :month AND version = :version AND recorded_at <= :at
    """
)
_ACTORS: Final = text(
    """
    SELECT DISTINCT a.municipality, a.client, a.person FROM month_actions a JOIN months m USING (municipality, month, version)
    WHERE month = :month AND municipality = ANY(CAST(:municipalities AS text[])) AND a.action = ANY(CAST(:actions AS text[]))
    """
)
_ENTERED: Final = text(
    """
    UPDATE months SET notice_mailbox = :mailbox, notice_entered_at = :at
    WHERE municipality = :municipality AND month = :month AND version = :version AND sha256 = :sha256
      AND notice_entered_at IS NULL AND published_at IS NOT NULL
    """
)
_POLLED: Final = text(
    """
    INSERT INTO mailbox_polls (mailbox, municipality, polled_at) VALUES (:mailbox, :municipality, :at)
    ON CONFLICT (mailbox) DO UPDATE SET polled_at = greatest(mailbox_polls.polled_at, excluded.polled_at)
    """
)
_LAST_POLLS: Final = text("SELECT mailbox, polled_at FROM mailbox_polls WHERE mailbox = ANY(CAST(:mailboxes AS text[]))")


@dataclass(frozen=True, slots=True)
class MonthRow:
    """Where a municipality's month stands, and on which calculation.

    `issued_version` is the calculation it was last closed on, `billed_ore` what its documents come to, `corrects` whether a correction of
    what was closed is under way, `invoice_number` the month's first document.
    """

    municipality: str
    month: Month
    state: MonthState = MonthState.OPEN
    version: int | None = None
    sha256: str | None = None
    amount_ore: int | None = None
    accepted: str | None = None
    approved_by: str | None = None
    published_at: datetime | None = None
    notice_mailbox: str | None = None
    notice_entered_at: datetime | None = None
    invoice_number: str | None = None
    issued_version: int | None = None
    billed_ore: int = 0
    corrects: bool = False


@dataclass(frozen=True, slots=True)
class KeptCalculation:
    """A calculation to keep for ever: its canonical form, and everything it was made from."""

    agreement: str
    body: str
    inputs: str | None


async def lock(work: Work, municipality: str, month: Month) -> MonthRow:
    """Make the row of a month exist, lock it, and only then read it."""
    return (await lock_all(work, [municipality], month))[municipality]


async def lock_all(work: Work, municipalities: Collection[str], month: Month) -> dict[str, MonthRow]:
    """Make the rows of a month exist and lock them in the order of their codes; whoever needs several takes them before anything else."""
    wanted = {"municipalities": sorted(municipalities), "month": month.first}
    await work.connection.execute(_OPEN, wanted)
    await work.connection.execute(_LOCK, wanted)
    return {row.municipality: _row(row) for row in await work.connection.execute(_THESE, wanted)}


async def find(work: Work, municipality: str, month: Month) -> MonthRow:
    """Where a month stands; one that nobody has touched is open."""
    row = (await work.connection.execute(_ONE, _key(municipality, month))).one_or_none()
    return MonthRow(municipality, month) if row is None else _row(row)


async def of_month(work: Work, month: Month) -> Mapping[str, MonthRow]:
    """Every municipality's row of a month that has one."""
    return {row.municipality: _row(row) for row in await work.connection.execute(_OF_MONTH, {"month": month.first})}


async def move(work: Work, month: Month, rows: Sequence[MonthRow]) -> None:
    """Write where locked rows of a month stand now."""
    values = {name: [getattr(row, name) for row in rows] for name in MonthRow.__slots__}
    await work.connection.execute(_MOVE, values | {"month": month.first, "state": [row.state.value for row in rows]})


async def note(work: Work, month: Month, taken: Sequence[tuple[MonthRow, str]], actor: Actor) -> None:
    """Add steps to the history of their months, in their order."""
    await work.connection.execute(
        _ACT,
        {
            "month": month.first,
            "ids": [uuid7() for _ in taken],
            "municipalities": [row.municipality for row, _ in taken],
            "actions": [action for _, action in taken],
            "versions": [row.version for row, _ in taken],
            "sha256s": [row.sha256 for row, _ in taken],
            "client": actor.client,
            "person": actor.person,
            "at": work.at,
        },
    )


async def file_paper(work: Work, row: MonthRow, paper: PaperSignature) -> None:
    """Keep which paper a debtor accepted a calculation on."""
    told = {"signed_by": paper.signed_by, "signed_on": paper.signed_on, "reference": paper.reference, "at": work.at}
    await work.connection.execute(_FILE_PAPER, {**_key(row.municipality, row.month), "version": row.version, **told})


async def paper_of(work: Work, row: MonthRow, at: datetime) -> PaperSignature | None:
    """The paper that the calculation a month stands on was accepted on, None when it was not, or not yet at that instant."""
    if row.version is None or row.accepted is None:
        return None
    values = {**_key(row.municipality, row.month), "version": row.version, "at": at}
    found = (await work.connection.execute(_PAPER, values)).one_or_none()
    return None if found is None else PaperSignature(found.signed_by, found.signed_on, found.reference)


async def actors(work: Work, municipalities: Collection[str], month: Month, actions: Collection[str]) -> dict[str, list[Actor]]:
    """Who took these steps on the calculation each month stands on."""
    values = {**_these(municipalities, month), "actions": list(actions)}
    found: dict[str, list[Actor]] = {}
    for row in await work.connection.execute(_ACTORS, values):
        found.setdefault(row.municipality, []).append(Actor(row.client, row.person))
    return found


async def keep_calculations(work: Work, month: Month, kept: Sequence[tuple[MonthRow, KeptCalculation]]) -> None:
    """Keep calculations for ever, in their canonical form."""
    await work.connection.execute(
        _KEEP_CALCULATIONS,
        {
            "month": month.first,
            "municipalities": [row.municipality for row, _ in kept],
            "versions": [row.version for row, _ in kept],
            "sha256s": [row.sha256 for row, _ in kept],
            "agreements": [one.agreement for _, one in kept],
            "amounts": [row.amount_ore for row, _ in kept],
            "bodies": [one.body for _, one in kept],
            "inputs": [one.inputs for _, one in kept],
            "at": work.at,
        },
    )


async def last_versions(work: Work, municipalities: Collection[str], month: Month) -> dict[str, int]:
    """The number of the last calculation of each month that has one."""
    rows = await work.connection.execute(_LAST_VERSIONS, _these(municipalities, month))
    return {row.municipality: row.version for row in rows}


async def calculation_body(work: Work, row: MonthRow) -> str | None:
    """The canonical text of the calculation a month stands on."""
    if row.version is None:
        return None
    values = {**_key(row.municipality, row.month), "version": row.version}
    return str((await work.connection.execute(_BODY, values)).scalar_one())


async def closed_calculations(work: Work, first: Month, last: Month, municipality: str | None = None) -> dict[tuple[str, Month], str]:
    """The canonical text of the calculation each closed month was issued or settled on, of one municipality or of all."""
    values = {"first": first.first, "last": last.first, "municipality": municipality}
    return {(row.municipality, Month.of(row.month)): row.body for row in await work.connection.execute(_CLOSED, values)}


async def notice_entered(work: Work, municipality: str, month: Month, calculation: CalculationName, mailbox: str, at: datetime) -> None:
    """Note when the notice of a publication entered the debtor's mailbox; the first mailbox counts, and no other calculation's notice."""
    named = {"version": calculation.version, "sha256": calculation.sha256}
    values = {**_key(municipality, month), **named, "mailbox": mailbox, "at": at}
    await work.connection.execute(_ENTERED, values)


async def mailbox_polled(work: Work, mailbox: str, municipality: str | None, at: datetime) -> None:
    """Note when a mailbox was read."""
    await work.connection.execute(_POLLED, {"mailbox": mailbox, "municipality": municipality, "at": at})


async def last_polls(work: Work, mailboxes: Collection[str]) -> dict[str, datetime]:
    """When each of these mailboxes was last read."""
    rows = await work.connection.execute(_LAST_POLLS, {"mailboxes": sorted(mailboxes)})
    return {row.mailbox: row.polled_at for row in rows}


def _these(municipalities: Collection[str], month: Month) -> dict[str, object]:
    return {"municipalities": sorted(municipalities), "month": month.first}


def _key(municipality: str, month: Month) -> dict[str, object]:
    return {"municipality": municipality, "month": month.first}


def _row(row: Row[tuple[object, ...]]) -> MonthRow:
    return MonthRow(
        row.municipality,
        Month.of(row.month),
        MonthState(row.state),
        row.version,
        row.sha256,
        row.amount_ore,
        row.accepted,
        row.approved_by,
        row.published_at,
        row.notice_mailbox,
        row.notice_entered_at,
        row.invoice_number,
        row.issued_version,
        row.billed_ore,
        row.corrects,
    )
