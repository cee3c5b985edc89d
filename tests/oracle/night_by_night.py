"""A second implementation of payment liability that walks through the calendar night by night.

It shares nothing with the product: no import, no data file, no way of thinking. The product slices lists of dates and derives what earlier
months took; here every patient is looked at every midnight and a purse remembers what was paid. The law's numbers stand in this code.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

DAY = timedelta(days=1)
KRONOR_PER_NIGHT = {2019: 7800, 2020: 8200, 2022: 9300, 2023: 10500, 2024: 11600}


@dataclass(frozen=True)
class Notice:
    """A ready notice; all times in UTC."""

    sent: datetime
    withdrawn: datetime | None = None
    compulsory: bool = False


@dataclass(frozen=True)
class Call:
    """Somebody was called to a SIP; a call that did not go to the one who pays is worth nothing against it."""

    sent: datetime
    to_the_debtor: bool = True


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


def bill_average_model(patients: Sequence[Patient], until: date) -> dict[tuple[int, int], Bill]:
    """The model of VGR: every month up to `until`, the last day of a month."""
    purses = {patient.number: Purse() for patient in patients}
    bills: dict[tuple[int, int], Bill] = {}
    for night in _calendar(patients, until):
        bill = bills.setdefault((night.year, night.month), Bill())
        for patient in patients:
            if _waits(patient, night):
                purses[patient.number].nights.append(night)
        if (night + DAY).month != night.month:
            _close(bill, night, patients, purses)
    return bills


def bill_statute(patients: Sequence[Patient], until: date) -> dict[tuple[int, int], Bill]:
    """The model of the statute: three free days, four after noon, paid when the patient leaves."""
    bills: dict[tuple[int, int], Bill] = {}
    for night in _calendar(patients, until):
        bills.setdefault((night.year, night.month), Bill())
    for patient in patients:
        notice, end = _counts(patient), _end(patient)
        if notice is None or end is None or end > until or not _liable(patient, notice, average_model=False):
            continue
        sent = swedish(notice.sent)
        free = 3 + (sent.time() > time(12))
        if patient.psychiatric and sent.year == 2018:
            free = 30
        bill = bills[end.year, end.month]
        bill.stays += 1
        night = sent.date()
        while night < end:
            if free > 0:
                free -= 1
            else:
                bill.individual += 1
                bill.kronor += KRONOR_PER_NIGHT[night.year]
            night += DAY
    return bills


def _close(bill: Bill, last: date, patients: Sequence[Patient], purses: dict[int, Purse]) -> None:
    for patient in patients:
        notice, end, purse = _counts(patient), _end(patient), purses[patient.number]
        if notice is None or not _liable(patient, notice, average_model=True):
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
        bill.kronor += KRONOR_PER_NIGHT[last.year]


def _pay(bill: Bill, purse: Purse, free: int) -> None:
    """Pay every night after the free ones that was not paid before."""
    for position, night in enumerate(purse.nights):
        if position >= free and position >= purse.paid:
            bill.individual += 1
            bill.kronor += KRONOR_PER_NIGHT[night.year]
    purse.paid = len(purse.nights)


def _psychiatric_free_nights(day: date) -> int | None:
    if day <= date(2019, 12, 31):
        return 30
    return 7 if day <= date(2020, 3, 31) else None


def _waits(patient: Patient, night: date) -> bool:
    notice, end = _counts(patient), _end(patient)
    return notice is not None and swedish(notice.sent).date() <= night and (end is None or night < end)


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


def _liable(patient: Patient, notice: Notice, *, average_model: bool) -> bool:
    if patient.died is not None and (patient.left is None or patient.died <= patient.left):
        return False
    if patient.told is None or patient.told - patient.judged > timedelta(hours=24):
        return False
    if not patient.plan_needed or notice.compulsory:
        return True
    sent, end = swedish(notice.sent).date(), _end(patient)
    if average_model and end is not None and (end - sent).days <= 3:
        return True
    deadline = sent + 3 * DAY
    while deadline.weekday() >= 5 or deadline in _red_days(deadline.year):
        deadline += DAY
    return any(call.to_the_debtor and swedish(call.sent).date() <= deadline for call in patient.called)


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
