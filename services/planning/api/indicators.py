"""GET /v1/indicators: the follow-up by municipality, hospital or care centre. Every field is defined in docs/indicators.md."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from fastapi import APIRouter, Query
from pydantic import Field

from services.planning import usecases
from services.planning.domain.figures import median, quotient
from services.planning.domain.measures import Aspect, Label
from services.planning.usecases.indicators import By, DeviationsOfStep, FollowUp, Group, NoticesTaken, stays_of
from shared.dates import Month
from shared.errors import FieldError
from shared.http.call import Checked, StrictRoute, Working
from shared.http.fields import Answer
from shared.http.problems import HttpProblem

router = APIRouter(tags=["Follow-up"], route_class=StrictRoute)
MonthQuery = Annotated[str, Query(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", examples=["2026-10"])]
MINUTES_PER_HOUR: Final = 60
_L = Label
_DAYS: Final = (_L.SOME_DAYS, _L.LONG)
_READY: Final = (_L.ZERO_DAYS, *_DAYS)
_CALLED: Final = (_L.IN_TIME, _L.LATE)
_MET: Final = (_L.HELD, _L.HELD_BY_VIDEO)
_ON_A_DATE: Final = (_L.BEFORE, _L.ON_THE_DAY, _L.AFTER)


class Share(Answer):
    """So many of so many stays."""

    of: int
    count: int
    share: str | None = Field(description="six decimals; null of nothing", examples=["0.750000"])

    @classmethod
    def within(cls, group: Group, aspect: Aspect, counted: Iterable[Label], others: Iterable[Label]) -> Self | None:
        """Those with some labels, of those with these and some others; none when it may not be seen."""
        tallies = group.tallies.get(aspect)
        if tallies is None:
            return None
        count = stays_of(tallies, counted)
        of = count + stays_of(tallies, others)
        return cls(of=of, count=count, share=quotient(count, of))


class MeanDays(Answer):
    """Days, of so many stays, and their mean."""

    stays: int
    days: int
    mean: str | None = Field(description="six decimals; null of nothing", examples=["2.800000"])

    @classmethod
    def of(cls, group: Group, labels: Iterable[Label]) -> Self | None:
        """Of the stays that waited like this."""
        tallies = group.tallies.get(Aspect.WAITING)
        if tallies is None:
            return None
        kinds = list(labels)
        stays, days = stays_of(tallies, kinds), sum(tallies[label].days for label in kinds if label in tallies)
        return cls(stays=stays, days=days, mean=quotient(days, stays))


class LongWaits(Answer):
    """Stays that waited longer than the agreement takes into the average, and their days beyond that."""

    over_days: int
    stays: int
    days_over: int


class MedianDays(Answer):
    """The median of days, of so many stays."""

    stays: int
    median: str | None = Field(description="one decimal; null of nothing", examples=["2.0"])


class PlannedDischarge(Answer):
    """How the discharge fell against the planned date."""

    of: int
    before: int
    on_the_day: int
    after: int
    mean_days_after: str | None = Field(description="days from the planned date, fewer than none when before; null of nothing")


class WaitSplit(Answer):
    """The wait before and after the day from which the municipality could receive the patient."""

    of: int
    answered: int
    days_before: int
    days_after: int


class Acknowledged(Answer):
    """How the notices to the party were taken on."""

    notices: int
    acknowledged: int
    acknowledged_in_time: int
    median_hours: str | None = Field(description="one decimal; null of nothing", examples=["3.5"])
    unacknowledged: int
    longer_than_hours: int
    unacknowledged_longer: int

    @classmethod
    def of(cls, taken: NoticesTaken, overdue_after: timedelta) -> Self:
        """What was counted."""
        return cls(
            notices=taken.taken + taken.still_open,
            acknowledged=taken.taken,
            acknowledged_in_time=taken.taken - taken.late,
            median_hours=median(taken.minutes, MINUTES_PER_HOUR),
            unacknowledged=taken.still_open,
            longer_than_hours=int(overdue_after / timedelta(hours=1)),
            unacknowledged_longer=taken.overdue,
        )


class StepDeviations(Answer):
    """The deviations of one step of the chain."""

    step: str
    reported: int
    answered: int
    median_hours: str | None = Field(description="from report to answer; null of nothing")

    @classmethod
    def of(cls, step: str, found: DeviationsOfStep) -> Self:
        """What was counted."""
        return cls(step=step, reported=found.reported, answered=found.answered, median_hours=median(found.minutes, MINUTES_PER_HOUR))


class Period(Answer):
    """Months that figures are of, the first and the last included."""

    first: str
    last: str


class Indicators(Answer):
    """The follow-up of one key and care type. Of others null is what may not be seen; `suppressed` says what is kept back."""

    key: str
    name: str | None
    care_type: Literal["somatic", "psychiatric"]
    own: bool
    small_group: bool
    suppressed: list[str]
    periods: list[Period]
    stays: int | None
    waiting_now: int | None
    mean_days_ready: MeanDays | None
    mean_days_ready_with_zero: MeanDays | None
    zero_day_stays: Share | None
    long_waits: LongWaits | None
    admission_notice_in_time: Share | None
    ready_after_admission_notice: Share | None
    care_contact_before_discharge: Share | None
    sip_called_in_time: Share | None
    sip_called: Share | None
    sip_held: Share | None
    sip_called_after: MedianDays | None
    meetings_by_video: Share | None
    notices: Acknowledged | None
    planned_discharge: PlannedDischarge | None
    readmissions: Share | None
    wait_split: WaitSplit | None
    deviations: list[StepDeviations]
    charged: str | None = Field(description="where billing tells the excess days and the cost of these months")


class IndicatorsAnswer(Answer):
    """The follow-up of a period; somatic and psychiatric care apart."""

    first: str = Field(serialization_alias="from")
    last: str = Field(serialization_alias="to")
    by: By
    indicators: list[Indicators]


@router.get("/v1/indicators")
async def get_indicators(
    call: Checked,
    work: Working,
    first: Annotated[MonthQuery, Query(alias="from")],
    last: Annotated[MonthQuery, Query(alias="to")],
    by: By = "municipality",
    care_type: Literal["somatic", "psychiatric"] | None = None,
) -> IndicatorsAnswer:
    """Stays that ended from one month to another, by municipality, hospital or care centre.

    The region and the municipality itself see everything; of other municipalities closed months only, and no group smaller than five.
    """
    begin, end = _months(first, last)
    found = await usecases.follow_up(work, call.caller, by=by, first=begin, last=end, care_type=care_type)
    return shown(found, by, first, last)


def shown(found: FollowUp, by: By, first: str, last: str) -> IndicatorsAnswer:
    """The answer, as it is written."""
    return IndicatorsAnswer(first=first, last=last, by=by, indicators=[_shown(group, found, by, first, last) for group in found.groups])


def _months(first: str, last: str) -> tuple[Month, Month]:
    begin, end = _month("/from", first), _month("/to", last)
    if end < begin:
        raise _refusal("/to", "period_reversed")
    return begin, end


def _month(pointer: str, text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError as error:
        raise _refusal(pointer, "month.format") from error


def _refusal(pointer: str, code: str) -> HttpProblem:
    problem = HttpProblem("request.parameter_invalid")
    problem.errors = (FieldError(pointer, code),)
    return problem


def _shown(group: Group, found: FollowUp, by: By, first: str, last: str) -> Indicators:
    return Indicators(
        key=group.key,
        name=group.name,
        care_type="somatic" if group.care_type == "somatic" else "psychiatric",
        own=group.own,
        small_group=not group.own and group.stays is None,
        suppressed=sorted(group.hidden),
        periods=[Period(first=str(one), last=str(other)) for one, other in group.periods],
        stays=group.stays,
        waiting_now=group.waiting_now,
        mean_days_ready=MeanDays.of(group, _DAYS),
        mean_days_ready_with_zero=MeanDays.of(group, _READY),
        zero_day_stays=Share.within(group, Aspect.WAITING, [_L.ZERO_DAYS], _DAYS),
        long_waits=_long_waits(group, found.terms.long_wait_over),
        admission_notice_in_time=Share.within(group, Aspect.ADMISSION_NOTICE, [_L.IN_TIME], [_L.LATE, _L.MISSING]),
        ready_after_admission_notice=Share.within(group, Aspect.NOTICE_ORDER, [_L.BEFORE], [_L.AFTER, _L.MISSING]),
        care_contact_before_discharge=Share.within(group, Aspect.CARE_CONTACT, [_L.BEFORE], [_L.AFTER, _L.MISSING]),
        sip_called_in_time=Share.within(group, Aspect.SIP_CALLED, [_L.IN_TIME], [_L.LATE, _L.NOT_CALLED]),
        sip_called=Share.within(group, Aspect.SIP_CALLED, _CALLED, [_L.NOT_CALLED]),
        sip_held=Share.within(group, Aspect.SIP_HELD, _MET, [_L.NOT_HELD, _L.NOT_CALLED]),
        sip_called_after=_called_after(group),
        meetings_by_video=Share.within(group, Aspect.SIP_HELD, [_L.HELD_BY_VIDEO], [_L.HELD]),
        notices=None if group.notices is None else Acknowledged.of(group.notices, found.overdue_after),
        planned_discharge=_planned(group),
        readmissions=Share.within(group, Aspect.OUTCOME, [_L.READMITTED], [_L.NOT_READMITTED]),
        wait_split=_split(group),
        deviations=[StepDeviations.of(step, one) for step, one in sorted(group.deviations.items())],
        charged=f"/v1/averages/{group.key}?from={first}&to={last}" if by == "municipality" else None,
    )


def _long_waits(group: Group, over_days: int) -> LongWaits | None:
    tallies = group.tallies.get(Aspect.WAITING)
    if tallies is None:
        return None
    stays = stays_of(tallies, [_L.LONG])
    days = tallies[_L.LONG].days if _L.LONG in tallies else 0
    return LongWaits(over_days=over_days, stays=stays, days_over=days - over_days * stays)


def _called_after(group: Group) -> MedianDays | None:
    tallies = group.tallies.get(Aspect.SIP_CALLED)
    if tallies is None:
        return None
    days = [day for label in _CALLED if label in tallies for day, stays in tallies[label].called.items() for _ in range(stays)]
    return MedianDays(stays=len(days), median=median(days))


def _planned(group: Group) -> PlannedDischarge | None:
    tallies = group.tallies.get(Aspect.PLANNED)
    if tallies is None:
        return None
    of = stays_of(tallies, _ON_A_DATE)
    before, on_the_day, after = (stays_of(tallies, [label]) for label in _ON_A_DATE)
    days = sum(tallies[label].planned_days for label in _ON_A_DATE if label in tallies)
    return PlannedDischarge(of=of, before=before, on_the_day=on_the_day, after=after, mean_days_after=quotient(days, of))


def _split(group: Group) -> WaitSplit | None:
    tallies = group.tallies.get(Aspect.READY_FROM)
    if tallies is None:
        return None
    of, answered = stays_of(tallies, [_L.ANSWERED, _L.NOT_ANSWERED]), stays_of(tallies, [_L.ANSWERED])
    days = tallies.get(_L.ANSWERED)
    return WaitSplit(of=of, answered=answered, days_before=days.days_before if days else 0, days_after=days.days_after if days else 0)
