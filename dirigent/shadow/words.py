"""What is said about a row that cannot be read, and about a stay that differs; the codes are those of the file's reader and of billing."""

from typing import Final

ROWS: Final = {
    "too_many_cells": "more cells than the heading has columns",
    "quotation": "a quotation mark is left open",
    "too_long": "the line is too long to be a row",
    "missing": "a value is needed here",
    "municipality_format": "not a municipality's code of four digits",
    "municipality_unknown": "no municipality that owes anything for the month",
    "month_format": "not a month such as 2026-03",
    "month_other": "another month than the first row; --month picks one",
    "provider_format": "not an organisation number of ten digits, or the name of a record system",
    "days_format": "not a number of days",
    "days_fraction": "a stay waits whole days",
    "yes_or_no": "neither ja nor nej",
    "counts_unexpected": "a total row says nothing here",
    "amount_format": "not an amount such as 65600,00, without a point or comma between thousands",
    "repeated": "stands in an earlier row already",
    "total_missing": "stays of a municipality that has no total row",
    "ambiguous": "several stays of ours have this id; name the record system instead of the care provider",
}
"""Why a row cannot be compared."""

DIFFERENCES: Final = {
    "days": "days",
    "counted": "counts",
    "amount": "amount",
    "municipality": "municipality",
    "only_theirs": "only in the file",
    "only_ours": "only in Dirigent",
}
"""What differs, as the table says it."""
