"""What a ward's system and a care centre send about one stay when nothing goes wrong."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final

from dirigent.simulate.course import End, at_clock, later
from dirigent.simulate.draws import happens, minutes, pick, weighted, whole
from dirigent.simulate.lines import CommandLine, EventLine
from dirigent.simulate.stays import Stay
from shared.dates import Month

DISCHARGED_TO: Final = (("home", 70.0), ("short_term_housing", 20.0), ("special_housing", 10.0))
SIGN_OF_LIFE_DAYS: Final = 6
SIGN_OF_LIFE_IN_CARE_DAYS: Final = 12
LONG_WAIT: Final = 3
CHANGED_DATE_SHARE: Final = 0.3
CALLED_SOON: Final = 0.35  # of those who wait at most three days
CALLED_IN_TIME: Final = 0.92  # of those who wait longer
CALLED_LATE: Final = 0.5  # of the rest


class Numbers:
    """The event ids of one ward system: unbroken, in the order its stays were drawn."""

    def __init__(self, month: Month) -> None:
        self._month = month
        self._last: dict[str, int] = {}

    def next(self, stay: Stay) -> str:
        """The next event id of the stay's hospital."""
        key = stay.hospital.key.upper()
        self._last[key] = self._last.get(key, 0) + 1
        return f"{key}-{self._month}-{self._last[key]:06d}"


def ward_events(random: Random, stay: Stay, numbers: Numbers) -> list[EventLine]:
    """The ward's events of one stay in the order they happened."""
    course = stay.course

    def event(kind: str, at: datetime, sent_at: datetime, data: dict[str, Any]) -> EventLine:
        return EventLine(numbers.next(stay), stay.source, stay.subject, kind, at, max(at, sent_at), data)

    events = [event("stay.admitted", course.admitted.at, course.admitted.sent_at, _admission(stay))]
    if course.planned is not None and happens(random, CHANGED_DATE_SHARE):
        changed = later(course.admitted.sent_at, minutes(random, 60, 900))
        if changed < (course.ready or course.end).sent_at:
            events.append(event("stay.planned_discharge_changed", changed, changed, _planned(stay, whole(random, 0, 3))))
    waited_from = (course.ready or course.end).at.date()
    in_care = _regularly(random, course.admitted.at.date(), waited_from, SIGN_OF_LIFE_IN_CARE_DAYS)
    events.extend(event("stay.planned_discharge_changed", asked, asked, _planned(stay, whole(random, 0, 3))) for asked in in_care)
    if course.ready is not None:
        events.append(event("stay.ready", course.ready.at, course.ready.sent_at, {"compulsory": stay.compulsory, "secrecy_checked": True}))
        for asked in _regularly(random, course.ready.at.date(), course.end.at.date(), SIGN_OF_LIFE_DAYS):
            days = (asked.date() - course.ready.at.date()).days
            events.append(event("stay.planned_discharge_changed", asked, asked, _planned(stay, days + SIGN_OF_LIFE_DAYS)))
    if course.how is End.DECEASED:
        events.append(event("stay.deceased", course.end.at, course.end.sent_at, {}))
    else:
        events.append(
            event(
                "stay.discharged",
                course.end.at,
                course.end.sent_at,
                {"discharged_to": weighted(random, DISCHARGED_TO), "secrecy_checked": True},
            ),
        )
    return events


def sip_commands(random: Random, stay: Stay, ready_sent_at: datetime, number: str) -> Iterator[CommandLine]:
    """The plan and its invitation, as the care centre entered them; many stays are over before anyone had to call."""
    invited = _invited_at(random, stay, ready_sent_at)
    if invited is None:
        return
    name = f"plan-{number}"
    case = {"$case": {"source": stay.source, "subject": stay.subject}}
    plan = {"case_id": case, "consent": "given"}
    yield CommandLine("POST /v1/plans", "history", name, invited, plan)
    call = {"units": list(stay.parties), "sent_at": invited.isoformat()}
    yield CommandLine(f"POST /v1/plans/{{{name}.id}}/invitations", "history", f"invitation-{number}", invited, call)


def _admission(stay: Stay) -> dict[str, Any]:
    data: dict[str, Any] = {"person": stay.person.as_data(), "care_type": stay.ward.care_type, "needs": list(stay.needs)}
    if stay.course.planned is not None:
        data["planned_discharge_date"] = stay.course.planned.isoformat()
    if "outpatient" in stay.needs:
        data["outpatient_unit"] = stay.care_centre.unit
    if stay.course.judged_at is not None:
        data["judged_at"] = stay.course.judged_at.isoformat()
    return data


def _planned(stay: Stay, days: int) -> dict[str, Any]:
    start = (stay.course.ready or stay.course.end).at.date()
    return {"planned_discharge_date": (start + timedelta(days=days)).isoformat()}


def _regularly(random: Random, first: date, last: date, days: int) -> Iterator[datetime]:
    """A patient who stays long is asked about now and then: a sign of life for the data-quality gate."""
    day = first + timedelta(days=days)
    while day < last:
        yield later(at_clock(day, 9), minutes(random, 0, 300))
        day += timedelta(days=days)


def _invited_at(random: Random, stay: Stay, ready_sent_at: datetime) -> datetime | None:
    waited = (stay.course.end.at.date() - ready_sent_at.date()).days
    in_time = later(ready_sent_at, minutes(random, 30, 48 * 60))
    if waited <= LONG_WAIT:
        return in_time if happens(random, CALLED_SOON) else None
    if happens(random, CALLED_IN_TIME):
        return in_time
    late = at_clock(ready_sent_at.date() + timedelta(days=pick(random, (6, 7))), 10)
    return late if happens(random, CALLED_LATE) and late < stay.course.end.at else None
