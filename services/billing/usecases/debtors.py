"""The debtor register: who pays for a municipality, where documents must arrive, and on what terms; dated, never changed backwards."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from stdnum import ean

from services.billing.domain.persons import Actor
from services.billing.repository import debtors, invoices
from services.billing.repository.debtors import Debtor
from shared.dates import local_date
from shared.db import Work
from shared.errors import FieldError, Malformed, NotFound, Refused
from shared.identifiers import parse_municipality_code, parse_organisation_number

SWEDISH_ORGANISATION: Final = "0007:"
_GLN: Final = re.compile(r"[0-9]{13}")


async def enter_debtors(work: Work, entries: Iterable[Debtor]) -> None:
    """Enter who pays for each municipality; done twice it changes nothing, and never what a person entered.

    Raises:
        Malformed: A code, organisation number or address is not valid.
    """
    for index, debtor in enumerate(sorted(entries, key=lambda entry: (entry.municipality, entry.first))):
        errors = [FieldError(f"/{index}{one.pointer}", one.code) for one in _faults(debtor)]
        if errors:
            raise Malformed("debtor.malformed", errors=tuple(errors))
        known = await debtors.entries_of(work, debtor.municipality)
        if not any(entry.entered_by for entry in known):
            await debtors.enter(work, debtor)


async def put_debtor(work: Work, debtor: Debtor, actor: Actor) -> Debtor:
    """Enter a debtor from a day on: the entry before it ends the day before, and it ends the day before a later one.

    The entry of the same day may be put right.

    Raises:
        Malformed: A number or address is not valid.
        Refused: Documents that name the present entry were issued on that day or later.
    """
    errors = _faults(debtor)
    if errors:
        raise Malformed("debtor.malformed", errors=tuple(errors))
    await debtors.lock(work, debtor.municipality)
    known = await debtors.entries_of(work, debtor.municipality)
    issued = await invoices.last_issued(work, debtor.municipality)
    if issued is not None and debtor.first <= local_date(issued):
        raise Refused("debtor.invoiced", "documents were issued on that day or later")
    for entry in known:
        if entry.first < debtor.first and (entry.last is None or entry.last >= debtor.first):
            await debtors.end(work, entry, debtor.first - timedelta(days=1))
    later = min((entry.first for entry in known if entry.first > debtor.first), default=None)
    last = None if later is None else later - timedelta(days=1)
    entered = replace(debtor, last=last, entered_by=actor.person, entered_at=work.at)
    await debtors.enter(work, entered)
    return entered


async def debtors_of(work: Work, reader: str | None) -> list[Debtor]:
    """Who pays today, for every municipality or the reader's own."""
    return [one for code, one in (await debtors.on(work, local_date(work.at))).items() if reader in {None, code}]


async def history_of(work: Work, municipality: str, reader: str | None) -> list[Debtor]:
    """Every entry of one municipality, the latest first.

    Raises:
        NotFound: There is none, or it is not the reader's.
    """
    found = await debtors.entries_of(work, municipality) if reader in {None, municipality} else []
    if not found:
        raise NotFound
    return found[::-1]


def _faults(debtor: Debtor) -> list[FieldError]:
    """Everything that is wrong with an entry: a mistyped address sends somebody's invoice to somebody else."""
    faults = []
    for pointer, value, parse in (
        ("/municipality", debtor.municipality, parse_municipality_code),
        ("/organisation", debtor.organisation, parse_organisation_number),
        ("/peppol_id", debtor.peppol_id, _parse_peppol),
        ("/gln", debtor.gln, _parse_gln),
    ):
        try:
            if value is not None:
                parse(value)
        except ValueError as error:
            faults.append(FieldError(pointer, str(error)))
    return faults


def _parse_peppol(text: str) -> str:
    """A Peppol participant in the scheme of Swedish organisation numbers.

    Raises:
        ValueError: Another scheme, or no valid organisation number.
    """
    if not text.startswith(SWEDISH_ORGANISATION):
        raise ValueError("peppol_id.scheme")
    return parse_organisation_number(text.removeprefix(SWEDISH_ORGANISATION))


def _parse_gln(text: str) -> str:
    """A GS1 location number: thirteen digits with their check digit.

    Raises:
        ValueError: Any other form, or a wrong check digit.
    """
    if not _GLN.fullmatch(text):
        raise ValueError("gln.format")
    if not ean.is_valid(text):
        raise ValueError("gln.check_digit")
    return text
