"""Read the numbers of law and agreement from their data files, validate them, and hand them on as frozen values."""

import tomllib
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from services.billing.agreements.schema import AgreementFile, Dated, StatuteFile, TariffFile
from services.billing.domain.tariff import DayPrice, Tariffs
from services.billing.domain.terms import Agreement, AverageTerms, CareTerms, Period, Statute, Switches
from shared.money import Money

AGREEMENTS_FOLDER: Final = Path(__file__).parent
BILLING_FOLDER: Final = AGREEMENTS_FOLDER.parent
Shape = TypeVar("Shape", bound=BaseModel)


class DataFileError(Exception):
    """A data file cannot be used; the message names the file, the place in it and what is wrong there."""


@cache
def load_agreements() -> tuple[Agreement, ...]:
    """All agreements shipped, by file name.

    Raises:
        DataFileError: A file is not valid.
    """
    statute = load_statute(BILLING_FOLDER / "statute.toml")
    return tuple(load_agreement(path, statute) for path in sorted(AGREEMENTS_FOLDER.glob("*.toml")))


@cache
def agreement_files() -> tuple[AgreementFile, ...]:
    """The same agreements as they stand in the files, each value with unit, mark and source, for those who want to read them.

    Raises:
        DataFileError: A file is not valid.
    """
    return tuple(_read(path, AgreementFile) for path in sorted(AGREEMENTS_FOLDER.glob("*.toml")))


@cache
def load_tariffs() -> Tariffs:
    """The prices shipped; what the region has entered comes on top.

    Raises:
        DataFileError: The file is not valid.
    """
    return load_tariff_file(BILLING_FOLDER / "tariffs.toml")


def load_agreement(path: Path, statute: Statute) -> Agreement:
    """Read one agreement.

    Raises:
        DataFileError: The file is not valid.
    """
    data = _read(path, AgreementFile)
    if data.name != path.stem:
        raise DataFileError(f"{path.name}: name: must be the name of the file")
    return Agreement(
        data.name,
        data.title,
        _period(data),
        None if data.parties is None else frozenset(data.parties),
        data.rule_set_by.value,
        tuple(
            AverageTerms(
                _period(table),
                table.exact_threshold,
                table.long_over.value,
                table.bill_from_day.value,
                None if table.excess_decimals.value == "none" else table.excess_decimals.value,
                table.smallest_number.value,
                table.open_long_stay.value,
                table.source,
            )
            for table in data.average
        ),
        tuple(
            CareTerms(
                _period(table),
                table.care_type,
                table.model,
                table.source,
                0 if table.free_days is None else table.free_days.value,
                table.cut_off_time,
            )
            for table in data.care
        ),
        tuple(
            Switches(
                _period(table),
                table.late_admission_notice.value,
                table.late_sip_invitation.value,
                table.withdrawn_readiness.value,
                table.death_while_ready.value,
                table.missing_sip_invitation.value,
                table.uninvited_counts_up_to_days.value,
                table.count_discharge_day.value,
                table.statutory_sunday_rule.value,
                table.silent_after_days.value,
                frozenset(table.contradictory_findings.value),
                table.sip_refused.value,
                table.outpatient_block.value,
                table.declined_measures.value,
                table.leave_days.value,
                table.transfer_clock.value,
                table.changed_registration.value,
            )
            for table in data.switches
        ),
        statute,
    )


def load_tariff_file(path: Path) -> Tariffs:
    """Read day prices; a missing one stays missing.

    Raises:
        DataFileError: The file is not valid.
    """
    return Tariffs(
        tuple(
            DayPrice(_period(table), None, table.missing or "")
            if table.price is None
            else DayPrice(_period(table), Money.of_kronor(table.price.value), table.price.source)
            for table in _read(path, TariffFile).price
        )
    )


def load_statute(path: Path) -> Statute:
    """Read the time limits of the law.

    Raises:
        DataFileError: The file is not valid.
    """
    data = _read(path, StatuteFile)
    return Statute(timedelta(hours=data.admission_notice_within.value), data.invitation_within.value, frozenset(data.holidays.days))


def _period(table: Dated) -> Period:
    return Period(table.first, table.last)


def _read(path: Path, shape: type[Shape]) -> Shape:
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return shape.model_validate(raw)
    except FileNotFoundError as error:
        raise DataFileError(f"{path.name}: no such file") from error
    except tomllib.TOMLDecodeError as error:
        raise DataFileError(f"{path.name}: not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise DataFileError(f"{path.name}: {where}: {first['msg']}") from error
