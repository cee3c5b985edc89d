"""The debtor register: who pays for a municipality and on what terms, dated."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Row, text

from shared.db import Work

_COLUMNS: Final = (
    "municipality, first_day, last_day, name, organisation, peppol_id, gln, buyer_reference, payment_days, receivable_account, "
    "revenue_account, street, postal_code, city, entered_by, entered_at"
)
_ENTER: Final = text(
    f"""
    INSERT INTO debtors ({_COLUMNS})
    VALUES (:municipality, :first_day, :last_day, :name, :organisation, :peppol_id, :gln, :buyer_reference, :payment_days,
            :receivable_account, :revenue_account, :street, :postal_code, :city, :entered_by, :entered_at)
    ON CONFLICT (municipality, first_day) DO UPDATE SET last_day = excluded.last_day, name = excluded.name,
        organisation = excluded.organisation, peppol_id = excluded.peppol_id, gln = excluded.gln,
        buyer_reference = excluded.buyer_reference, payment_days = excluded.payment_days,
        receivable_account = excluded.receivable_account, revenue_account = excluded.revenue_account, street = excluded.street,
        postal_code = excluded.postal_code, city = excluded.city, entered_by = excluded.entered_by, entered_at = excluded.entered_at
    """  # noqa: S608  # names of ours
)
_ON: Final = text(
    f"""
    SELECT {_COLUMNS} FROM debtors
    WHERE first_day <= :day AND (last_day IS NULL OR last_day >= :day) ORDER BY municipality, first_day
    """  # noqa: S608
)
_OF: Final = text(f"SELECT {_COLUMNS} FROM debtors WHERE municipality = :municipality ORDER BY first_day")  # noqa: S608
_LOCK: Final = text("SELECT first_day FROM debtors WHERE municipality = :municipality ORDER BY first_day FOR UPDATE")
_END: Final = text("UPDATE debtors SET last_day = :day WHERE municipality = :municipality AND first_day = :first")


@dataclass(frozen=True, slots=True)
class Debtor:
    """A municipality as payer from a day on: name and organisation number, its addresses, terms and accounts.

    `payment_days` None = the issuer's own terms, accounts None = those of the data file.
    """

    municipality: str
    name: str
    organisation: str
    first: date = date(2018, 1, 1)
    last: date | None = None
    peppol_id: str | None = None
    gln: str | None = None
    buyer_reference: str | None = None
    payment_days: int | None = None
    receivable_account: str | None = None
    revenue_account: str | None = None
    street: str | None = None
    postal_code: str | None = None
    city: str | None = None
    entered_by: str | None = None
    entered_at: datetime | None = None


async def enter(work: Work, debtor: Debtor) -> None:
    """Enter a debtor, or bring the entry of the same day up to date."""
    told = {name: getattr(debtor, name) for name in Debtor.__slots__}
    await work.connection.execute(_ENTER, told | {"first_day": debtor.first, "last_day": debtor.last})


async def on(work: Work, day: date) -> dict[str, Debtor]:
    """All debtors of a day by municipality."""
    return {row.municipality: _debtor(row) for row in await work.connection.execute(_ON, {"day": day})}


async def entries_of(work: Work, municipality: str) -> list[Debtor]:
    """Every entry of one municipality, the earliest first."""
    return [_debtor(row) for row in await work.connection.execute(_OF, {"municipality": municipality})]


async def lock(work: Work, municipality: str) -> None:
    """Let one transaction at a time change the entries of a municipality."""
    await work.connection.execute(_LOCK, {"municipality": municipality})


async def end(work: Work, entry: Debtor, day: date) -> None:
    """Let an entry end on a day."""
    await work.connection.execute(_END, {"municipality": entry.municipality, "first": entry.first, "day": day})


def _debtor(row: Row[tuple[object, ...]]) -> Debtor:
    told = row._asdict()
    first, last = told.pop("first_day"), told.pop("last_day")
    return Debtor(first=first, last=last, **told)
