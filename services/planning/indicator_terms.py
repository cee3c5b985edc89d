"""Read the terms of the follow-up from their data file, and hand them to the domain as values."""

import tomllib
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.planning.domain.measures import Terms

TERMS_FILE: Final = Path(__file__).parent / "indicators.toml"


class _Term(BaseModel):
    """One value with its unit, mark and source."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    value: int = Field(ge=1)
    unit: str = Field(min_length=1)
    mark: Literal["L", "A", "D"]
    source: str = Field(min_length=1)


class _TermsFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    readmission_within: _Term
    long_wait_over: _Term
    smallest_group: _Term
    closed_after: _Term
    unmoved_for: _Term


@cache
def load_indicator_terms(path: Path = TERMS_FILE) -> Terms:
    """The terms shipped."""
    told = _TermsFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    return Terms(
        readmission_days=told.readmission_within.value,
        long_wait_over=told.long_wait_over.value,
        smallest_group=told.smallest_group.value,
        closed_after_days=told.closed_after.value,
        unmoved_for=timedelta(minutes=told.unmoved_for.value),
    )
