"""The debtor register."""

from collections.abc import Iterable

from services.billing.repository import debtors
from services.billing.repository.debtors import Debtor
from shared.db import Work
from shared.errors import FieldError, Malformed
from shared.identifiers import parse_municipality_code, parse_organisation_number


async def enter_debtors(work: Work, entries: Iterable[Debtor]) -> None:
    """Enter who pays for each municipality; done twice it changes nothing.

    Raises:
        Malformed: A code or organisation number is not valid.
    """
    for index, debtor in enumerate(sorted(entries, key=lambda entry: (entry.municipality, entry.first))):
        try:
            parse_municipality_code(debtor.municipality)
            parse_organisation_number(debtor.organisation)
        except ValueError as error:
            raise Malformed("debtor.malformed", errors=(FieldError(f"/{index}", str(error)),)) from error
        await debtors.enter(work, debtor)
