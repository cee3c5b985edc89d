"""What the follow-up counts: one row for each stay, without the person. Derived, except what was closed: that stands as it was shown."""

from typing import Any

from sqlalchemy import ARRAY, Column, Date, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from services.planning.tables.metadata import INSTANT, metadata


def _measured() -> list[Column[Any]]:
    """What both tables hold of a stay; `month` = the first day of the month in which it ended."""
    labels = ("admission_notice", "notice_order", "care_contact", "sip_called", "sip_held", "ready_from", "planned", "outcome")
    numbers = ("days", "called_after_days", "planned_days", "days_before", "days_after")
    columns: list[Column[Any]] = [
        Column("care_type", Text, nullable=False),
        Column("municipality", Text),
        Column("ward", Text, nullable=False),
        Column("outpatient_unit", Text),
        Column("month", Date),
        Column("waiting", Text, nullable=False),
        *(Column(name, Text) for name in labels),
        *(Column(name, Integer) for name in numbers),
    ]
    for party in ("municipal", "outpatient"):
        columns += [
            Column(f"{party}_notices", Text),
            Column(f"{party}_minutes", ARRAY(Integer), nullable=False),
            Column(f"{party}_late", Integer, nullable=False),
            Column(f"{party}_open_since", ARRAY(INSTANT), nullable=False),
        ]
    return [*columns, Column("deviations", JSONB, nullable=False)]


stay_measures = Table(
    "stay_measures",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("case_version", Integer, nullable=False),
    Column("stay", Text, nullable=False),
    Column("next_case", Uuid),
    *_measured(),
    Column("measured_at", INSTANT, nullable=False),
    Index("stay_measures_month", "month", "municipality"),
    Index("stay_measures_municipality", "municipality", "month"),
    Index("stay_measures_open", "municipality", postgresql_where=text("month IS NULL")),
    Index("stay_measures_next_case", "next_case", postgresql_where=text("next_case IS NOT NULL")),
    comment="derived: each stay in the follow-up; stay = what was told of it, next_case = the readmission",
)

closed_stay_measures = Table(
    "closed_stay_measures",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("closed_month", Date, primary_key=True),
    *_measured(),
    Index("closed_stay_measures_municipality", "municipality", "closed_month"),
    comment="each stay as it was when its month was closed: all that others ever see of it; append-only",
)

closed_months = Table(
    "closed_months",
    metadata,
    Column("month", Date, primary_key=True),
    Column("closed_at", INSTANT, nullable=False),
    comment="the months that others may see; append-only",
)

shown_blocks = Table(
    "shown_blocks",
    metadata,
    Column("municipality", Text, primary_key=True),
    Column("first_month", Date, primary_key=True),
    Column("last_month", Date, nullable=False),
    comment="closed months of a municipality that others see together, so that no group is small; append-only",
)
