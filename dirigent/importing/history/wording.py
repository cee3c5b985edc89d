"""What is wrong with a cell, in words; the codes are those of the row reader and of the models that read the interface."""

from collections.abc import Mapping
from typing import Final

from dirigent.importing.history.reading import Problem

_WORDS: Final[Mapping[str, str]] = {
    "missing": "a value is needed here",
    "time.format": "not a time such as 2019-03-04 10:15",
    "time.skipped": "this hour is left out when summer time begins",
    "day.format": "not a day such as 2019-03-04",
    "in_future": "lies in the future",
    "before_it_happened": "sent before it happened",
    "not_yes_or_no": "neither yes nor no",
    "not_allowed": "none of the words that may stand here",
    "spreadsheet_number": "the spreadsheet cut the number; format the column as text and export again",
    "too_long": "too long",
    "holds_person_id": "holds a person's number; a stay's id may not, because it stands in addresses and logs",
    "format": "not in the form that is needed here",
    "type": "not in the form that is needed here",
    "needs.repeated": "a need stands twice",
    "consent_refused": "nobody is called to a plan that was refused",
    "not_in_directory": "no unit of the directory with a mailbox",
    "municipality_code.format": "not a municipality's code of four digits",
    "hsa_id.format": "not an HSA-id",
    "hsa_id.check_digit": "an HSA-id with a wrong check digit",
    "person_id.format": "not a number of this kind",
    "person_id.check_digit": "a wrong check digit",
    "person_id.date": "no such day of birth",
    "person_id.birth_number": "no such birth number",
    "text.not_printable": "holds characters that cannot be printed",
    "text.not_nfc": "letters with accents are not in composed form (NFC)",
    "text.blank": "shows nothing",
    "too_many_columns": "more cells than the heading has columns; is a separator inside a cell without quotation marks?",
    "quotation": "a quotation mark is not closed on its line, or stands inside a cell",
    "line_too_long": "the line is too long to be a row",
    "encoding": "not in the encoding of the file; --encoding names another",
    "event.id_reused": "taken in before with other content; to correct it, see docs/history.md",
    "idempotency.key_reused": "taken in before with other content; to correct it, see docs/history.md",
    "event.source_foreign": "the client may not speak for this ward",
    "access.denied": "the client may not do this",
}


def in_words(problem: Problem) -> str:
    """One sentence of what is wrong."""
    first = problem.code.partition(" ")[0]
    return _WORDS.get(problem.code) or _WORDS.get(first) or problem.title or "cannot be taken in"
