"""What the handlers share: who reads, who acts, and how money and months are written."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Final

from fastapi import Path, Query, Request
from pydantic import Field

from services.billing.domain.closing import CalculationName, MonthAction
from services.billing.domain.persons import Actor
from services.billing.settings import Settings
from services.billing.usecases.bulk import ClosingTerms
from services.billing.usecases.closing import SilenceTerms
from shared.dates import Month, parse_day, parse_instant
from shared.errors import FieldError, NotFound
from shared.http.acting import acting_person, acting_person_or_client
from shared.http.auth import Caller
from shared.http.call import Call
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, ShortText, Whole
from shared.http.problems import HttpProblem
from shared.money import Money

REGION_ROLES: Final = frozenset({"finance", "controller", "approver", "auditor"})
MUNICIPALITY_CODE: Final = r"^[0-9]{4}$"


MonthPath = Annotated[str, Path(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", examples=["2026-10"])]
MonthQuery = Annotated[str, Query(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", examples=["2026-10"])]
KnownAtQuery = Annotated[
    str | None, Query(description="An earlier instant (RFC 3339): the answer as it was known then", examples=["2026-12-01T08:00:00Z"])
]
MunicipalityPath = Annotated[str, Path(pattern=MUNICIPALITY_CODE, examples=["1480"])]
Code = Annotated[str, Field(strict=True, pattern=MUNICIPALITY_CODE)]


class Amount(Answer):
    """Money as every answer writes it."""

    amount: str
    currency: str = "SEK"

    @classmethod
    def of(cls, money: Money | None) -> "Amount | None":
        """None while a price is missing."""
        return None if money is None else cls(amount=str(money))


class Calculation(Body):
    """The calculation a step is taken on."""

    version: Whole = Field(ge=1, lt=2**31)
    sha256: str = Field(strict=True, pattern=r"^[0-9a-f]{64}$")

    @property
    def name(self) -> CalculationName:
        """The name the use cases compare."""
        return CalculationName(self.version, self.sha256)


class Acting(Body):
    """A body that may name the person a client acts for."""

    model_config = with_example({"acted_by": "Anna Test"})

    acted_by: ShortText | None = None


def months_between(first: str, last: str) -> tuple[Month, Month]:
    """Two months of an address, in their order.

    Raises:
        HttpProblem: 400, the second lies before the first.
    """
    begin, end = month_of_text(first), month_of_text(last)
    if end < begin:
        raise HttpProblem("request.parameter_invalid")
    return begin, end


def month_of_text(text: str) -> Month:
    """The month of an address.

    Raises:
        HttpProblem: 400, outside the years that can be.
    """
    try:
        return Month.parse(text)
    except ValueError as error:
        raise HttpProblem("request.parameter_invalid") from error


def day_of_text(text: str | None, today: date) -> date:
    """The day of an address; today when none is given.

    Raises:
        HttpProblem: 400, no such day, or outside the years that can be.
    """
    try:
        return today if text is None else parse_day(text)
    except ValueError as error:
        raise _refused("as_of", "day.format") from error


def known_at_of(text: str | None, at: datetime) -> datetime | None:
    """The earlier instant of an address; None = now.

    Raises:
        HttpProblem: 400, no RFC 3339 time with offset, or one that has not come yet.
    """
    if text is None:
        return None
    try:
        known_at = parse_instant(text)
    except ValueError as error:
        raise _refused("known_at", "time.format") from error
    if known_at > at:
        raise _refused("known_at", "in_future")
    return known_at


def _refused(parameter: str, code: str) -> HttpProblem:
    problem = HttpProblem("request.parameter_invalid")
    problem.errors = (FieldError(f"/{parameter}", code),)
    return problem


def actor_of(call: Call, acting: Acting) -> Actor:
    """Who acts: whoever signed in, the person the body names, or the client itself.

    Raises:
        Malformed: A member of staff names somebody else.
    """
    return Actor(call.caller.client_id, acting_person_or_client(call.caller, acting.acted_by, "/acted_by"))


def person_of(call: Call, acting: Acting) -> Actor:
    """Who decides where a person must: whoever signed in, or the one the body names. Only a demo's clients stand in for persons.

    Raises:
        Malformed: Nobody is named, or a member of staff names somebody else.
    """
    return Actor(call.caller.client_id, acting_person(call.caller, acting.acted_by, "/acted_by"))


def reader_of(caller: Caller) -> str | None:
    """The municipality that reads, None for the region's own offices.

    Raises:
        NotFound: Anybody else.
    """
    if caller.role == "municipality" and caller.municipality is not None:
        return caller.municipality
    if caller.role in REGION_ROLES:
        return None
    raise NotFound


def require_side(call: Call, action: MonthAction, municipalities: Iterable[str]) -> None:
    """Let nobody but the municipality itself accept what it owes, and only the region take the other steps, whatever the scopes say.

    Raises:
        NotFound: One of the months is somebody else's to sign.
        HttpProblem: 403 for a step of the region's by anybody else.
    """
    if action is not MonthAction.SIGN:
        require_region(call)
    elif any(municipality != reader_of(call.caller) for municipality in municipalities):
        raise NotFound


def require_region(call: Call) -> None:
    """Let only the region's own offices decide, whatever scope somebody else was given.

    Raises:
        HttpProblem: 403 for wards, care centres and municipalities.
    """
    if call.caller.role not in REGION_ROLES:
        raise HttpProblem("access.denied")


def require_scope(call: Call, scope: str) -> None:
    """Ask for one scope of those that the address accepts.

    Raises:
        HttpProblem: 403 without it.
    """
    if not call.caller.may(scope):
        raise HttpProblem("access.denied")


def closing_terms(request: Request) -> ClosingTerms:
    """What this installation says about closing months."""
    settings: Settings = request.app.state.settings
    return ClosingTerms(SilenceTerms(settings.dispute_window, settings.polled_within), settings.issuing, settings.comparison_required)
