"""Adding the follow-up up: set-based, one scan for all aspects; and the closing of months, after which others see them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import TextClause, text

from services.planning.domain.measures import Aspect
from services.planning.repository.stay_measures import OWN_STREAM
from services.planning.tables.indicators import closed_stay_measures
from shared.dates import Month
from shared.db import Work
from shared.streams.outbox import FACTS_FEED

By = Literal["municipality", "hospital", "care_centre"]
Party = Literal["municipal", "outpatient"]
Key = tuple[str, date | None, str]
"""What is added up together: the key asked for, the block of months where there are several, the care type."""

# A hospital is what its wards' record system is: the stay space of the directory, else the care provider.
_KEYS: Final[Mapping[By, str]] = {
    "municipality": "m.municipality",
    "hospital": "coalesce(u.stay_space, substr(m.ward, 3, 10))",
    "care_centre": "m.outpatient_unit",
}
_OWN: Final = """
    SELECT {key} AS key, CAST(NULL AS date) AS cell, m.* FROM stay_measures m LEFT JOIN units u ON u.hsa_id = m.ward
    WHERE m.month BETWEEN :first AND :last AND {key} IS NOT NULL AND (CAST(:municipality AS text) IS NULL OR m.municipality = :municipality)
"""
_SHOWN: Final = """
    SELECT m.municipality AS key, b.first_month AS cell, m.* FROM shown_blocks b
    JOIN closed_stay_measures m ON m.municipality = b.municipality AND m.closed_month BETWEEN b.first_month AND b.last_month
    WHERE b.first_month >= :first AND b.last_month <= :last AND b.municipality <> :municipality
"""
_OF_TYPE: Final = "(CAST(:care_type AS text) IS NULL OR s.care_type = :care_type)"
_SETS: Final = ", ".join(
    f"(key, cell, care_type, {aspect.value}{', called_after_days' if aspect is Aspect.SIP_CALLED else ''})" for aspect in Aspect
)
_SUMS: Final = ", ".join(f"CAST(coalesce(sum({name}), 0) AS integer)" for name in ("days", "planned_days", "days_before", "days_after"))
# In each set of groups one aspect is not null: the one that the stays are counted by.
_TALLIES: Final = f"""
    SELECT key, cell, care_type, CASE {" ".join(f"WHEN {aspect} IS NOT NULL THEN '{aspect}'" for aspect in Aspect)} END AS aspect,
           coalesce({", ".join(Aspect)}) AS label, called_after_days, count(*), {_SUMS}
    FROM ({{source}}) AS s WHERE {_OF_TYPE} GROUP BY GROUPING SETS ({_SETS})
"""  # noqa: S608  # constant text
_TAKEN: Final = f"""
    SELECT key, cell, care_type, sum(cardinality({{party}}_minutes)) AS taken, sum({{party}}_late) AS late,
           sum(cardinality({{party}}_open_since)) AS still_open,
           sum((SELECT count(*) FROM unnest({{party}}_open_since) AS o (since) WHERE o.since < :overdue)) AS overdue
    FROM ({{source}}) AS s WHERE {_OF_TYPE} AND {{party}}_notices <> 'no_notice' GROUP BY key, cell, care_type
"""  # noqa: S608
_MINUTES: Final = f"""
    SELECT key, cell, care_type, array_agg(minute) AS minutes FROM ({{source}}) AS s CROSS JOIN unnest({{party}}_minutes) AS t (minute)
    WHERE {_OF_TYPE} GROUP BY key, cell, care_type
"""  # noqa: S608
_DEVIATIONS: Final = f"""
    SELECT key, cell, care_type, d.step, count(*) AS reported, count(d.minutes) AS answered, count(DISTINCT case_id) AS concerned,
           count(DISTINCT case_id) FILTER (WHERE d.minutes IS NOT NULL) AS concerned_answered,
           array_agg(d.minutes) FILTER (WHERE d.minutes IS NOT NULL) AS minutes
    FROM ({{source}}) AS s CROSS JOIN jsonb_to_recordset(s.deviations) AS d (step text, minutes integer)
    WHERE {_OF_TYPE} AND s.deviations <> '[]' GROUP BY key, cell, care_type, d.step
"""  # noqa: S608
_WAITING: Final = """
    SELECT {key} AS key, m.care_type, count(*) AS stays FROM stay_measures m LEFT JOIN units u ON u.hsa_id = m.ward
    WHERE m.month IS NULL AND m.waiting = 'still_waiting' AND {key} IS NOT NULL
      AND (CAST(:municipality AS text) IS NULL OR m.municipality = :municipality)
      AND (CAST(:care_type AS text) IS NULL OR m.care_type = :care_type)
    GROUP BY 1, 2
"""
_NAMES: Final = text(
    """
    SELECT municipality AS key, name FROM organisations WHERE municipality IS NOT NULL
    UNION ALL SELECT hsa_id, name FROM units WHERE hsa_id = ANY(CAST(:keys AS text[]))
    UNION ALL SELECT number, name FROM organisations WHERE number = ANY(CAST(:keys AS text[]))
    UNION ALL SELECT DISTINCT u.stay_space, o.name FROM units u JOIN organisations o ON o.number = u.organisation
    WHERE u.stay_space = ANY(CAST(:keys AS text[])) AND u.stay_space <> u.organisation
    """
)
_BLOCKS: Final = text("SELECT municipality, first_month, last_month FROM shown_blocks ORDER BY municipality, first_month")

# Everything that the stream holds was measured: what is closed now misses nothing that was told.
_CAUGHT_UP: Final = text(
    """
    SELECT NOT EXISTS (SELECT FROM outbox WHERE feed = :feed)
           AND coalesce((SELECT position FROM stream_cursors WHERE stream = :stream), 0)
             = coalesce((SELECT position FROM feed_heads WHERE feed = :feed), 0)
    """
)
_TAKE_TURNS: Final = text("SELECT pg_advisory_xact_lock(hashtext('planning/close-months'))")
# The oldest first, whatever waits behind it: what others see of later months begins where the earlier ones ended.
_DUE: Final = text(
    """
    SELECT month, max(measured_at) AS moved_at FROM stay_measures WHERE month <= :last AND month NOT IN (SELECT month FROM closed_months)
    GROUP BY month ORDER BY month LIMIT 1
    """
)
_COPIED: Final = ", ".join(column.name for column in closed_stay_measures.columns if column.name != "closed_month")
_COPY: Final = text(
    f"INSERT INTO closed_stay_measures (closed_month, {_COPIED}) SELECT month, {_COPIED} FROM stay_measures"  # noqa: S608
    " WHERE month = :month AND municipality IS NOT NULL"
)
# Months of the year before it that nobody was discharged in are over as well: what is imported into them later is not shown to others.
_CLOSE: Final = text(
    """
    INSERT INTO closed_months (month, closed_at)
    SELECT CAST(m AS date), :at FROM generate_series(CAST(:first AS timestamp), CAST(:month AS timestamp), interval '1 month') AS m
    ON CONFLICT DO NOTHING
    """
)
# The closed months of the year, up to this one, that are in no block yet.
_PENDING: Final = text(
    """
    SELECT m.municipality, m.closed_month, m.care_type, count(*) AS stays FROM closed_stay_measures m
    WHERE m.closed_month BETWEEN :first AND :month AND NOT EXISTS (
        SELECT FROM shown_blocks b WHERE b.municipality = m.municipality AND m.closed_month <= b.last_month AND b.last_month >= :first)
    GROUP BY m.municipality, m.closed_month, m.care_type
    """
)
_ADD_BLOCKS: Final = text(
    """
    INSERT INTO shown_blocks (municipality, first_month, last_month)
    SELECT municipality, :first, :last FROM unnest(CAST(:municipalities AS text[])) AS n (municipality)
    """
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is added up: whose stays, of which months, by what, of which care type. `municipality`: only its own, or all but its own."""

    by: By
    first: Month
    last: Month
    care_type: str | None
    municipality: str | None
    shown_to_others: bool = False

    def statement(self, template: str, party: Party = "municipal") -> TextClause:
        """A statement over the rows that are meant."""
        source = _SHOWN if self.shown_to_others else _OWN.format(key=_KEYS[self.by])
        return text(template.format(source=source, key=_KEYS[self.by], party=party))

    @property
    def parameters(self) -> dict[str, object]:
        """Its parameters."""
        months = {"first": self.first.first, "last": self.last.first}
        return months | {"care_type": self.care_type, "municipality": self.municipality}


async def tallies(work: Work, asked: Asked) -> Sequence[tuple[str, date | None, str, str, str, int | None, int, int, int, int, int]]:
    """How many stays have each label of each aspect: key, cell, care type, aspect, label, days until called, stays, and sums of days.

    The sums are of the days ready, of those after the planned date, and of those before and after the municipality could receive.
    """
    return [tuple(row) for row in await work.connection.execute(asked.statement(_TALLIES), asked.parameters)]


async def taken(work: Work, asked: Asked, party: Party, overdue: datetime) -> Sequence[Any]:
    """How notices to a party were taken on; overdue are those that nobody took on and that were sent before an instant."""
    return (await work.connection.execute(asked.statement(_TAKEN, party), asked.parameters | {"overdue": overdue})).all()


async def minutes(work: Work, asked: Asked, party: Party) -> Sequence[Any]:
    """The minutes until each notice was taken on."""
    return (await work.connection.execute(asked.statement(_MINUTES, party), asked.parameters)).all()


async def deviations(work: Work, asked: Asked) -> Sequence[Any]:
    """The deviations of the stays, by step of the chain."""
    return (await work.connection.execute(asked.statement(_DEVIATIONS), asked.parameters)).all()


async def waiting(work: Work, asked: Asked) -> Mapping[tuple[str, str], int]:
    """How many patients are ready and still there now, by key and care type."""
    parameters = {"municipality": asked.municipality, "care_type": asked.care_type}
    found = await work.connection.execute(asked.statement(_WAITING), parameters)
    return {(row.key, row.care_type): row.stays for row in found}


async def names(work: Work, keys: Collection[str]) -> Mapping[str, str]:
    """The names of all municipalities by their codes, of these units and organisations, and of whose these stay spaces are."""
    return {row.key: row.name for row in await work.connection.execute(_NAMES, {"keys": list(keys)})}


async def blocks(work: Work) -> Mapping[tuple[str, date], date]:
    """Where each block that others may see ends, by municipality and first month."""
    return {(row.municipality, row.first_month): row.last_month for row in await work.connection.execute(_BLOCKS)}


async def next_to_close(work: Work, last: date, unmoved_for: timedelta) -> date | None:
    """The oldest month that may be closed: it was over in time, none of its stays moved of late, and all that was told is measured."""
    await work.connection.execute(_TAKE_TURNS)
    if not (await work.connection.execute(_CAUGHT_UP, {"feed": FACTS_FEED, "stream": OWN_STREAM})).scalar_one():
        return None
    due = (await work.connection.execute(_DUE, {"last": last})).one_or_none()
    return None if due is None or due.moved_at > work.at - unmoved_for else due.month


async def close(work: Work, month: date) -> None:
    """Keep a month as it is now, for ever."""
    await work.connection.execute(_COPY, {"month": month})
    await work.connection.execute(_CLOSE, {"first": month.replace(month=1), "month": month, "at": work.at})


async def pending(work: Work, month: date) -> Mapping[str, Mapping[date, Mapping[str, int]]]:
    """The closed months up to this one, within its year, that others do not see yet: by municipality, month and care type their stays."""
    found: dict[str, dict[date, dict[str, int]]] = {}
    for row in await work.connection.execute(_PENDING, {"first": month.replace(month=1), "month": month}):
        found.setdefault(row.municipality, {}).setdefault(row.closed_month, {})[row.care_type] = row.stays
    return found


async def add_blocks(work: Work, first: date, last: date, municipalities: Sequence[str]) -> None:
    """Let others see these months of these municipalities together."""
    await work.connection.execute(_ADD_BLOCKS, {"first": first, "last": last, "municipalities": list(municipalities)})
