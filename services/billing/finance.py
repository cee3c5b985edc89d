"""Accounts and interest rates, read from their data files: dated, each value with unit, mark and source."""

import tomllib
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, Field, StringConstraints, ValidationError, model_validator

from services.billing.agreements import DataFileError
from services.billing.agreements.schema import Dated, DecimalText, Sourced, Table, Text
from services.billing.domain.interest import InterestTerms, ReferenceRate
from services.billing.domain.postings import Accounts
from services.billing.domain.terms import Period

FOLDER: Final = Path(__file__).parent
Account = Annotated[str, StringConstraints(pattern=r"^[0-9]{3,10}$", strict=True)]
SignedDecimal = Annotated[str, StringConstraints(pattern=r"^-?[0-9]+\.[0-9]{2}$", strict=True)]
Shape = TypeVar("Shape", bound=BaseModel)


class AccountsTable(Dated):
    """The accounts of a period."""

    receivable: Sourced[Account]
    revenue: Sourced[Account]
    bank: Sourced[Account]


class AccountsFile(Table):
    """accounts.toml."""

    accounts: Annotated[tuple[AccountsTable, ...], Field(min_length=1)]


class RateTable(Dated):
    """The reference rate of a period, or why there is none."""

    rate: Sourced[SignedDecimal] | None = None
    missing: Text | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "RateTable":
        if (self.rate is None) == (self.missing is None):
            raise ValueError("rate_or_missing")
        return self


class InterestFile(Table):
    """interest.toml."""

    margin: Sourced[DecimalText]
    days_of_year: Sourced[Annotated[int, Field(ge=1, strict=True)]]
    rate: tuple[RateTable, ...]


@cache
def load_interest() -> InterestTerms:
    """How interest on late payment is counted.

    Raises:
        DataFileError: The file is not valid.
    """
    data = _read("interest.toml", InterestFile)
    rates = tuple(
        ReferenceRate(Period(table.first, table.last), None if table.rate is None else Fraction(table.rate.value)) for table in data.rate
    )
    return InterestTerms(Fraction(data.margin.value), data.days_of_year.value, rates)


def accounts_on(day: date, receivable: str | None = None, revenue: str | None = None) -> Accounts:
    """The accounts in force on a day; what the debtor register names goes before the file.

    Raises:
        DataFileError: The file is not valid, or has no accounts for that day.
    """
    for table in load_accounts().accounts:
        if day in Period(table.first, table.last):
            return Accounts(receivable or table.receivable.value, revenue or table.revenue.value, table.bank.value)
    raise DataFileError("accounts.toml: no accounts for that day")


@cache
def load_accounts() -> AccountsFile:
    """The accounts shipped.

    Raises:
        DataFileError: The file is not valid.
    """
    return _read("accounts.toml", AccountsFile)


def _read(name: str, shape: type[Shape]) -> Shape:
    path = FOLDER / name
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return shape.model_validate(raw)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise DataFileError(f"{name}: cannot be read") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise DataFileError(f"{name}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from error
