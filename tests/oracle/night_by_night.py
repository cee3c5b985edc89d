"""A second implementation of payment liability that walks through the calendar night by night.

It shares nothing with the product: no import, no data file, no way of thinking. The product slices lists of dates and derives what earlier
months took; here every patient is looked at every midnight and a purse remembers what was paid. The law's numbers stand in this code.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

DAY = timedelta(days=1)
KRONOR_PER_NIGHT = {2019: 7800, 2020: 8200, 2022: 9300, 2023: 10500, 2024: 11600}
INTERIM_ENDED = date(2018, 9, 24)
MADE_UP = {2018: 5100, 2021: 9000}  # nobody has published these; the tests enter them


@dataclass(frozen=True)
class Notice:
    """A ready notice; all times in UTC. `claimed`: said to have been given on paper at another time, which nobody has confirmed."""

    sent: datetime
    withdrawn: datetime | None = None
    compulsory: bool = False
    claimed: bool = False


@dataclass(frozen=True)
class Call:
    """Somebody was called to a SIP; a call that did not go to the one who pays is worth nothing against it."""

    sent: datetime
    to_the_debtor: bool = True


@dataclass(frozen=True)
class Hold:
    """Somebody says that open care holds the patient up; `denied` = the region says it never did."""

    begins: datetime
    ends: datetime | None = None
    denied: bool = False


@dataclass(frozen=True)
class Away:
    """The patient is on leave."""

    begins: datetime
    ends: datetime | None = None


@dataclass(frozen=True)
class Word:
    """The patient's yes or no to one plan."""

    plan: int
    yes: bool
    said: datetime


@dataclass(frozen=True)
class No:
    """The patient does not want this: social (`s`) or health care (`h`) of the municipality, or something of open care (`o`)."""

    things: str
    said: datetime


@dataclass(frozen=True)
class Contest:
    """The debtor does not want to pay for these nights, or (None) for the stay: `won`, `lost`, or still `open`."""

    outcome: str
    nights: tuple[date, ...] | None = None


@dataclass(frozen=True)
class House:
    """How the house answers what the law leaves open. `block`: `whole` stay, `nights` or `after`."""

    block: str = "whole"
    leave_is_waiting: bool = True
    transfer_starts_anew: bool = False
    no_to_plan_needs_judge: bool = False
    no_to_help_counts: bool = False


OURS = House()


@dataclass(frozen=True)
class Patient:
    """One stay, told in plain values."""

    number: int
    psychiatric: bool
    judged: datetime
    told: datetime | None
    notices: tuple[Notice, ...]
    plan_needed: bool = False
    called: tuple[Call, ...] = ()
    left: datetime | None = None
    died: datetime | None = None
    holds: tuple[Hold, ...] = ()
    away: tuple[Away, ...] = ()
    transfers: tuple[datetime, ...] = ()
    words: tuple[Word, ...] = ()
    noes: tuple[No, ...] = ()
    asked: str = ""
    placers: tuple[str, ...] = ()
    contests: tuple[Contest, ...] = ()


@dataclass
class Bill:
    """One month of one municipality."""

    kronor: int = 0
    stays: int = 0
    in_average: int = 0
    sum_days: int = 0
    excess: int = 0
    individual: int = 0


@dataclass
class Purse:
    """What one patient's waiting has come to so far."""

    nights: list[date] = field(default_factory=list)
    paid: int = 0


def swedish(instant: datetime) -> datetime:
    """Swedish wall clock: summer time from the last Sunday of March to the last Sunday of October, at 01:00 UTC."""
    plain = instant.astimezone(UTC).replace(tzinfo=None)
    begins, ends = (_last_sunday(plain.year, month) for month in (3, 10))
    summer = datetime.combine(begins, time(1)) <= plain < datetime.combine(ends, time(1))
    return plain + timedelta(hours=2 if summer else 1)


def kronor_of(night: date) -> int:
    """What a night costs."""
    if night <= INTERIM_ENDED:
        return 4277
    return {**KRONOR_PER_NIGHT, **MADE_UP}[night.year]


def bill_average_model(patients: Sequence[Patient], until: date, house: House = OURS) -> dict[tuple[int, int], Bill]:
    """The model of VGR: every month up to `until`, the last day of a month."""
    purses = {patient.number: Purse() for patient in patients}
    bills: dict[tuple[int, int], Bill] = {}
    for night in _calendar(patients, until):
        bill = bills.setdefault((night.year, night.month), Bill())
        for patient in patients:
            if _waits(patient, night, house):
                purses[patient.number].nights.append(night)
        if (night + DAY).month != night.month:
            _close(bill, night, patients, purses, house)
    return bills


def bill_statute(patients: Sequence[Patient], until: date, house: House = OURS) -> dict[tuple[int, int], Bill]:
    """The model of the statute: three free days, four after noon, paid when the patient leaves."""
    bills: dict[tuple[int, int], Bill] = {}
    for night in _calendar(patients, until):
        bills.setdefault((night.year, night.month), Bill())
    for patient in patients:
        notice, end = _counts(patient), _end(patient)
        if notice is None or end is None or end > until:
            continue
        nights = [night for night in _ready_nights(patient, end) if _waits(patient, night, house)]
        if not _liable(patient, notice, None, house) or _all_taken_by_holds(patient, nights, house):
            continue
        free = 3 + (_clock(patient, notice, house).time() > time(12))
        if patient.psychiatric and swedish(notice.sent).year == 2018:
            free = 30
        bill = bills[end.year, end.month]
        bill.stays += 1
        for night in nights:
            if free > 0:
                free -= 1
            else:
                bill.individual += 1
                bill.kronor += kronor_of(night)
    return bills


def _close(bill: Bill, last: date, patients: Sequence[Patient], purses: dict[int, Purse], house: House) -> None:
    for patient in patients:
        notice, end, purse = _counts(patient), _end(patient), purses[patient.number]
        if notice is None or not _liable(patient, notice, len(purse.nights), house):
            continue
        if _all_taken_by_holds(patient, purse.nights, house):
            continue
        gone = end is not None and (end.year, end.month) == (last.year, last.month)
        here = end is None or end > last
        own_days = _psychiatric_free_nights(end if gone and end else last) if patient.psychiatric else None
        if gone:
            bill.stays += 1
            if own_days is not None:
                _pay(bill, purse, own_days)
            elif len(purse.nights) > 7:
                _pay(bill, purse, 3)
            else:
                bill.in_average += 1
                bill.sum_days += len(purse.nights)
        elif here and own_days is None and len(purse.nights) > 7:
            _pay(bill, purse, 3)
    while bill.sum_days - bill.excess > 3 * bill.in_average:
        bill.excess += 1
        bill.kronor += kronor_of(last)


def _pay(bill: Bill, purse: Purse, free: int) -> None:
    """Pay every night after the free ones that was not paid before."""
    for position, night in enumerate(purse.nights):
        if position >= free and position >= purse.paid:
            bill.individual += 1
            bill.kronor += kronor_of(night)
    purse.paid = len(purse.nights)


def _psychiatric_free_nights(day: date) -> int | None:
    if day <= date(2019, 12, 31):
        return 30
    return 7 if day <= date(2020, 3, 31) else None


def _waits(patient: Patient, night: date, house: House) -> bool:
    """Whether this night is one of waiting, as the house sees it."""
    if not _waits_but_for_holds(patient, night, house) or any(night in (won.nights or ()) for won in _won(patient)):
        return False
    if not house.leave_is_waiting and patient.psychiatric and any(_over(night, leave) for leave in patient.away):
        return False
    holds = [hold for hold in patient.holds if not hold.denied and _touches(patient, hold)]
    if house.block == "nights":
        return not any(_over(night, hold) for hold in holds)
    return house.block == "whole" or not any(hold.ends is None or night < swedish(hold.ends).date() for hold in holds)


def _waits_but_for_holds(patient: Patient, night: date, house: House) -> bool:
    notice, end = _counts(patient), _end(patient)
    if notice is None or not (swedish(notice.sent).date() <= night and (end is None or night < end)):
        return False
    return not house.transfer_starts_anew or not any(night < swedish(moved).date() for moved in _moves(patient, notice))


def _won(patient: Patient) -> list[Contest]:
    return [contest for contest in patient.contests if contest.outcome == "won"]


def _moves(patient: Patient, notice: Notice) -> list[datetime]:
    """When the patient was moved while ready."""
    ends = [moment for moment in (patient.left, patient.died) if moment is not None]
    return [moved for moved in patient.transfers if notice.sent < moved and not any(moved >= end for end in ends)]


def _clock(patient: Patient, notice: Notice, house: House) -> datetime:
    """The Swedish time at which the free nights begin."""
    starts = [notice.sent]
    if house.transfer_starts_anew:
        starts += _moves(patient, notice)
    if house.block == "after":
        starts += [hold.ends for hold in patient.holds if not hold.denied and hold.ends is not None and _touches(patient, hold)]
    return swedish(max(starts))


def _over(night: date, span: Hold | Away) -> bool:
    """Whether something lasts at the midnight that ends this day."""
    return swedish(span.begins).date() <= night and not (span.ends is not None and swedish(span.ends).date() <= night)


def _touches(patient: Patient, hold: Hold) -> bool:
    """Whether a hold lasts over some night on which the patient is ready; one that is denied lasts for who says so until the end."""
    told = Hold(hold.begins) if hold.denied else hold
    return any(_over(night, told) for night in _ready_nights(patient, swedish(hold.begins).date() + DAY))


def _ready_nights(patient: Patient, at_least_until: date) -> Iterator[date]:
    notice, end = _counts(patient), _end(patient)
    if notice is not None:
        night = swedish(notice.sent).date()
        last = end or max(at_least_until, night + DAY)
        while night < last:
            yield night
            night += DAY


def _all_taken_by_holds(patient: Patient, nights: Sequence[date], house: House) -> bool:
    """Whether nothing is left of a waiting of which holds took something."""
    if nights or house.block == "whole":
        return False
    without = House("whole", transfer_starts_anew=house.transfer_starts_anew)
    held = House(house.block, transfer_starts_anew=house.transfer_starts_anew)
    end = _end(patient)
    return end is not None and any(
        _waits(patient, night, without) and not _waits(patient, night, held) for night in _ready_nights(patient, end)
    )


def _counts(patient: Patient) -> Notice | None:
    """The last notice that nobody withdrew and that did not come after the patient had left."""
    end = _end(patient)
    found = None
    for notice in patient.notices:
        if notice.withdrawn is None and not (end is not None and swedish(notice.sent).date() > end):
            found = notice
    return found


def _end(patient: Patient) -> date | None:
    moments = [moment for moment in (patient.left, patient.died) if moment is not None]
    return swedish(min(moments)).date() if moments else None


def _liable(patient: Patient, notice: Notice, nights_of_average: int | None, house: House) -> bool:
    if patient.died is not None and (patient.left is None or patient.died <= patient.left):
        return False
    if any(won.nights is None for won in _won(patient)):
        return False
    if patient.told is None or patient.told - patient.judged > timedelta(hours=24):
        return False
    if notice.claimed or len(set(patient.placers)) > 1 or any(hold.denied and _touches(patient, hold) for hold in patient.holds):
        return False
    if house.block == "whole" and any(_touches(patient, hold) for hold in patient.holds):
        return False
    if not house.no_to_help_counts and _wants_no_help(patient):
        return False
    if not patient.plan_needed or notice.compulsory or (nights_of_average is not None and nights_of_average <= 3):
        return True
    deadline = swedish(notice.sent).date() + 3 * DAY
    while deadline.weekday() >= 5 or deadline in _red_days(deadline.year):
        deadline += DAY
    if any(call.to_the_debtor and swedish(call.sent).date() <= deadline for call in patient.called):
        return True
    return _wants_no_plan(patient, deadline) and not house.no_to_plan_needs_judge


def _wants_no_plan(patient: Patient, deadline: date) -> bool:
    """Whether the patient had said no when the time to call was over, and never said yes again."""
    before = {word.said for word in patient.words if swedish(word.said).date() <= deadline}
    if not before:
        return False
    moments = [max(before), *(word.said for word in patient.words if word.said not in before)]
    return not any(_says_yes(patient, moment) for moment in moments)


def _says_yes(patient: Patient, moment: datetime) -> bool:
    latest = {word.plan: word.yes for word in sorted(patient.words, key=lambda word: word.said) if word.said <= moment}
    return any(latest.values())


def _wants_no_help(patient: Patient) -> bool:
    """Whether the patient, while still there, said no to all that was asked of the municipality."""
    end = _end(patient)
    heard = "".join(no.things for no in patient.noes if end is None or swedish(no.said).date() <= end)
    return all(thing in heard for thing in patient.asked or "sh")


def _red_days(year: int) -> set[date]:
    """Swedish holidays and the three eves, by their own rules."""
    easter = _easter(year)
    fixed = [(1, 1), (1, 6), (5, 1), (6, 6), (12, 24), (12, 25), (12, 26), (12, 31)]
    midsummer = next(date(year, 6, day) for day in range(20, 27) if date(year, 6, day).weekday() == 5)
    return {date(year, month, day) for month, day in fixed} | {easter - 2 * DAY, easter + DAY, easter + 39 * DAY, midsummer - DAY}


def _easter(year: int) -> date:
    """Easter Sunday by the anonymous Gregorian algorithm."""
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    f = d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114
    return date(year, f // 31, f % 31 + 1)


def _last_sunday(year: int, month: int) -> date:
    day = date(year, month, 31)
    return day - ((day.weekday() + 1) % 7) * DAY


def _calendar(patients: Sequence[Patient], until: date) -> Iterator[date]:
    first = min(swedish(notice.sent).date() for patient in patients for notice in patient.notices).replace(day=1)
    while first <= until:
        yield first
        first += DAY
