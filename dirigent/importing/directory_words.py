"""Why a row of a directory file was left out, in words; the codes are those of the file's reader and of the directory itself."""

from collections.abc import Mapping
from typing import Final

from shared.http.problems import catalogue

_WORDS: Final[Mapping[str, str]] = {
    "record_unknown": "the first column names no kind of row that there is",
    "too_many_columns": "more cells than the heading has columns; is a separator inside a cell without quotation marks?",
    "unexpected": "this kind of row has nothing in this column",
    "missing": "a value is needed here",
    "period_reversed": "the last day lies before the first",
    "district_missing": "a mailbox with the function district names its district",
    "district_unexpected": "only a mailbox with the function district names one",
    "stay_space_of_ward_only": "only a ward has a stay space",
    "format": "not in the form that is needed here",
    "closed_or_open": "neither closed nor open",
    "literal_error": "none of the words that may stand here",
    "string_pattern_mismatch": "not in the form that is needed here",
    "string_too_long": "too long",
    "day.format": "not a day such as 2026-03-04",
    "hsa_id.format": "not an HSA-id",
    "hsa_id.check_digit": "an HSA-id with a wrong check digit",
    "organisation_number.format": "not an organisation number of ten digits",
    "organisation_number.check_digit": "an organisation number with a wrong check digit",
    "municipality_code.format": "not a municipality's code of four digits",
    "organisation_unknown": "no such organisation in the directory or the file",
    "unit_unknown": "no such unit in the directory or the file",
    "office_of_a_municipality": "only the region has units of kind office",
    "function_of_other_kind": "a unit of this kind has no mailbox of this function",
}


def in_words(reason: str) -> str:
    """One sentence of what is wrong; a reason is a code, or a column and a code."""
    place, colon, code = reason.rpartition(": ")
    row = catalogue().get(code)
    told = _WORDS.get(code) or (row.title["en"] if row is not None else "cannot be entered")
    return f"{place}{colon}{told}"
