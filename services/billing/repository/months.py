"""Months on their way to money: state, calculations, history, and what is known of the debtor's mailbox."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Row, text

from services.billing.domain.closing import CalculationName, MonthState
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
           notice_entered_at, invoice_number
    FROM months
"""
_ONE: Final = text(_COLUMNS + " WHERE municipality = :municipality AND month = :month")
_OF_MONTH: Final = text(_COLUMNS + " WHERE month = :month")
_KEEP_CALCULATION: Final = text(
    """
    INSERT INTO calculations (municipality, month, version, sha256, agreement, amount_ore, body, prepared_at)
    VALUES (:municipality, :month, :version, :sha256, :agreement, :amount, :body, :at)
    """
)
_LAST_VERSION: Final = text("SELECT max(version) FROM calculations WHERE municipality = :municipality AND month = :month")
_BODY: Final = text("SELECT body FROM calculations WHERE municipality = :municipality AND month = :month AND version = :version")
_CLOSED: Final = text(
    """
    SELECT municipality, month, body FROM months JOIN calculations USING (municipality, month, version)
    WHERE state IN ('issued', 'settled') AND month BETWEEN :first AND :last
      AND (CAST(:municipality AS text) IS NULL OR municipality = :municipality)
    ORDER BY municipality, month
    """
)
_MOVE: Final = text(
    """
    UPDATE months SET state = :state, version = :version, sha256 = :sha256, amount_ore = :amount_ore, accepted = :accepted,
        approved_by = :approved_by, published_at = :published_at,
        notice_mailbox = :notice_mailbox, notice_entered_at = :notice_entered_at, invoice_number = :invoice_number
    WHERE municipality = :municipality AND month = :month
    """
)
_ACT: Final = text(
    """
    INSERT INTO month_actions (id, municipality, month, action, version, sha256, client, person, at)
    VALUES (:id, :municipality, :month, :action, :version, :sha256, :client, :person, :at)
    """
)
_ACTORS: Final = text(
    """
    SELECT DISTINCT client, person FROM month_actions
    WHERE municipality = :municipality AND month = :month AND version = :version AND action = ANY(CAST(:actions AS text[]))
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
_LAST_POLL: Final = text("SELECT polled_at FROM mailbox_polls WHERE mailbox = :mailbox")


@dataclass(frozen=True, slots=True)
class MonthRow:
    """Where a municipality's month stands, and on which calculation."""

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


async def lock(work: Work, municipality: str, month: Month) -> MonthRow:
    """Make the row of a month exist, lock it, and only then read it."""
    await lock_all(work, [municipality], month)
    return _row((await work.connection.execute(_ONE, _key(municipality, month))).one())


async def lock_all(work: Work, municipalities: Collection[str], month: Month) -> None:
    """Make the rows of a month exist and lock them in the order of their codes; whoever needs several takes them before anything else."""
    wanted = {"municipalities": sorted(municipalities), "month": month.first}
    await work.connection.execute(_OPEN, wanted)
    await work.connection.execute(_LOCK, wanted)


async def find(work: Work, municipality: str, month: Month) -> MonthRow:
    """Where a month stands; one that nobody has touched is open."""
    row = (await work.connection.execute(_ONE, _key(municipality, month))).one_or_none()
    return MonthRow(municipality, month) if row is None else _row(row)


async def of_month(work: Work, month: Month) -> Mapping[str, MonthRow]:
    """Every municipality's row of a month that has one."""
    return {row.municipality: _row(row) for row in await work.connection.execute(_OF_MONTH, {"month": month.first})}


async def move(work: Work, row: MonthRow) -> None:
    """Write where a locked month stands now."""
    values = {name: getattr(row, name) for name in MonthRow.__slots__}
    await work.connection.execute(_MOVE, values | {"month": row.month.first, "state": row.state.value})


async def note(work: Work, row: MonthRow, action: str, actor: Actor) -> None:
    """Add a step to the month's history."""
    await work.connection.execute(
        _ACT,
        {
            **_key(row.municipality, row.month),
            "id": uuid7(),
            "action": action,
            "version": row.version,
            "sha256": row.sha256,
            "client": actor.client,
            "person": actor.person,
            "at": work.at,
        },
    )


async def actors(work: Work, row: MonthRow, actions: Collection[str]) -> list[Actor]:
    """Who took these steps on the calculation a month stands on."""
    values = {**_key(row.municipality, row.month), "version": row.version, "actions": list(actions)}
    return [Actor(found.client, found.person) for found in await work.connection.execute(_ACTORS, values)]


async def keep_calculation(work: Work, row: MonthRow, agreement: str, body: str) -> None:
    """Keep a calculation for ever, in its canonical form."""
    await work.connection.execute(
        _KEEP_CALCULATION,
        {
            **_key(row.municipality, row.month),
            "version": row.version,
            "sha256": row.sha256,
            "agreement": agreement,
            "amount": row.amount_ore,
            "body": body,
            "at": work.at,
        },
    )


async def last_version(work: Work, municipality: str, month: Month) -> int:
    """The number of the last calculation of a month, 0 when there is none."""
    return (await work.connection.execute(_LAST_VERSION, _key(municipality, month))).scalar_one() or 0


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


async def last_poll(work: Work, mailbox: str | None) -> datetime | None:
    """When a mailbox was last read, None when never."""
    found: datetime | None = (await work.connection.execute(_LAST_POLL, {"mailbox": mailbox})).scalar_one_or_none()
    return found


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
    )
