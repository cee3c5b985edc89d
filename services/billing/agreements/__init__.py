"""Read the numbers of law and agreement from their data files, validate them, and hand them on as frozen values."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from services.billing.agreements.schema import AgreementFile, AverageTable, CareTable, Dated, StatuteFile, SwitchesTable, TariffFile
from services.billing.domain.tariff import DayPrice, Tariffs
from services.billing.domain.terms import Agreement, AverageTerms, CareTerms, Charging, FreeDays, Period, Statute, Switches
from shared.money import Money

AGREEMENTS_FOLDER: Final = Path(__file__).parent
BILLING_FOLDER: Final = AGREEMENTS_FOLDER.parent
Shape = TypeVar("Shape", bound=BaseModel)


class DataFileError(Exception):
    """A data file cannot be used; the message names the file, the place in it and what is wrong there.

    `place` is a path of names and positions inside the file (`average.0.threshold.value`), `fault` a word or sentence without any value.
    """

    def __init__(self, message: str, place: str = "", fault: str = "") -> None:
        super().__init__(message)
        self.place = place
        self.fault = fault


@cache
def load_agreements() -> tuple[Agreement, ...]:
    """All agreements shipped, by file name.

    Raises:
        DataFileError: A file is not valid.
    """
    return tuple(load_agreement(path, shipped_statute()) for path in sorted(AGREEMENTS_FOLDER.glob("*.toml")))


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
        raise DataFileError(f"{path.name}: name: must be the name of the file", "name", "must be the name of the file")
    return agreement_of(data, statute)


def parse_agreement(data: Mapping[str, Any], statute: Statute) -> Agreement:
    """Read an agreement that somebody enters: the same shape as a file, with days as text or dates.

    Raises:
        DataFileError: Something in it is missing, unknown or not possible; the first such place.
    """
    return agreement_of(agreement_file_of(data), statute)


def agreement_file_of(data: Mapping[str, Any]) -> AgreementFile:
    """An agreement that somebody enters, as it would stand in a file, each value with unit, mark and source.

    Raises:
        DataFileError: Something in it is missing, unknown or not possible; the first such place.
    """
    return _checked("agreement", dict(data), AgreementFile)


def agreement_of(data: AgreementFile, statute: Statute) -> Agreement:
    """The rule set that a file holds."""
    return Agreement(
        data.name,
        data.title,
        _period(data),
        None if data.parties is None else frozenset(data.parties),
        data.rule_set_by.value,
        tuple(_average(table) for table in data.average),
        tuple(_care(table) for table in data.care),
        tuple(_switches(table) for table in data.switches),
        statute,
        data.region,
        None if data.care_types is None else frozenset(data.care_types),
        data.only_for_simulation is not None and data.only_for_simulation.value,
        data.title_sv or "",
    )


def _average(table: AverageTable) -> AverageTerms:
    return AverageTerms(
        _period(table),
        table.exact_threshold,
        None if table.long_over.value == "none" else table.long_over.value,
        table.bill_from_day.value,
        None if table.excess_decimals.value == "none" else table.excess_decimals.value,
        table.smallest_number.value,
        table.open_long_stay.value,
        table.source,
        None if table.care_types is None else frozenset(table.care_types),
        table.cut_off_time,
        Charging.EXCESS if table.charges is None else table.charges.value,
        () if table.alert_above is None else tuple(sorted(Fraction(value) for value in table.alert_above.value)),
        table.source_sv or "",
    )


def _care(table: CareTable) -> CareTerms:
    return CareTerms(
        _period(table),
        table.care_type,
        table.model,
        table.source,
        0 if table.free_days is None else table.free_days.value,
        table.cut_off_time,
        FreeDays.CALENDAR if table.free_days_are is None else table.free_days_are.value,
        table.source_sv or "",
    )


def _switches(table: SwitchesTable) -> Switches:
    return Switches(
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
        table.no_registered_municipality.value,
        table.readmission.value,
    )


@cache
def shipped_statute() -> Statute:
    """The time limits of the law that no agreement changes.

    Raises:
        DataFileError: The file is not valid.
    """
    return load_statute(BILLING_FOLDER / "statute.toml")


def load_tariff_file(path: Path) -> Tariffs:
    """Read day prices; a missing one stays missing.

    Raises:
        DataFileError: The file is not valid.
    """
    return Tariffs(
        tuple(
            DayPrice(_period(table), None, table.missing or "")
            if table.price is None
            else DayPrice(_period(table), Money.of_kronor(table.price.value), table.price.source, table.source_sv or "")
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
    except FileNotFoundError as error:
        raise DataFileError(f"{path.name}: no such file") from error
    except tomllib.TOMLDecodeError as error:
        raise DataFileError(f"{path.name}: not TOML: {error}") from error
    return _checked(path.name, raw, shape)


def _checked(name: str, raw: dict[str, Any], shape: type[Shape]) -> Shape:
    try:
        return shape.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataFileError(f"{name}: {place or 'file'}: {first['msg']}", place, first["msg"]) from error
