"""The other ways to pay for waiting, night by night as the first one: the interim of 2018, Stockholm's, the plain average, the next month.

Shares with the product what `night_by_night` shares with it: nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, time

from tests.oracle.night_by_night import (
    DAY,
    INTERIM_ENDED,
    OURS,
    Bill,
    House,
    Notice,
    Patient,
    Purse,
    _calendar,
    _clock,
    _close,
    _counts,
    _end,
    _liable,
    _red_days,
    _waits,
    kronor_of,
)

Bills = dict[tuple[int, int], Bill]


def bill_2018(patients: Sequence[Patient], until: date, house: House = OURS) -> Bills:
    """VGR in 2018: who left by 24 September after the interim agreement, who left later or is still there after the monthly average."""
    bills = _empty(patients, until)
    purses = {patient.number: Purse() for patient in patients}
    later = [patient for patient in patients if (_end(patient) or date.max) > INTERIM_ENDED]
    for night in _calendar(patients, until):
        for patient in later:
            if _waits(patient, night, house):
                purses[patient.number].nights.append(night)
        if (night + DAY).month != night.month and night > INTERIM_ENDED:
            _close(bills[night.year, night.month], night, later, purses, house)
    for patient, notice, end in _left(patients, until):
        if end <= INTERIM_ENDED and _liable(patient, notice, None, house):
            bills[end.year, end.month].stays += 1
            for day in _after_free_ones(patient, notice, end):
                bills[end.year, end.month].individual += 1
                bills[end.year, end.month].kronor += kronor_of(day)
    return bills


def _after_free_ones(patient: Patient, notice: Notice, end: date) -> Iterator[date]:
    """Every started day, that of leaving too, after five weekdays; in psychiatry after thirty days."""
    free = 30 if patient.psychiatric else 5
    day = notice.sent.date() - DAY
    while day <= end:
        waits = _waits(patient, day, OURS) or (day == end and _is_there(patient, notice, day))
        if waits and free > 0:
            free -= patient.psychiatric or not (day.isoweekday() > 5 or day in _red_days(day.year))
        elif waits:
            yield day
        day += DAY


def _is_there(patient: Patient, notice: Notice, day: date) -> bool:
    """Whether the day of leaving is one of waiting: nobody has conceded it."""
    given_up = [night for won in patient.contests if won.outcome == "won" for night in won.nights or ()]
    return day not in given_up


def bill_stockholm(patients: Sequence[Patient], until: date, house: House = OURS) -> Bills:
    """Two averages, one for psychiatry; after noon means tomorrow; the free days go down from year to year."""

    def free(psychiatric: bool, year: int) -> int:
        return 5 if psychiatric or year <= 2020 else 4 if year == 2021 else 3

    bills = _empty(patients, until)
    for psychiatric in (False, True):
        found = [patient for patient in patients if patient.psychiatric is psychiatric]
        for (year, number), lengths in _lengths(found, until, house, noon=True).items():
            bill = bills[year, number]
            _add(bill, lengths)
            _excess(bill, sum(lengths), len(lengths), free(psychiatric, year), _last_of(year, number))
    return bills


def bill_plain_average(patients: Sequence[Patient], until: date, house: House = OURS) -> Bills:
    """Three days on average, whoever waited however long."""
    bills = _empty(patients, until)
    for (year, number), lengths in _lengths(patients, until, house).items():
        _add(bills[year, number], lengths)
        _excess(bills[year, number], sum(lengths), len(lengths), 3, _last_of(year, number))
    return bills


def bill_next_month(patients: Sequence[Patient], until: date, house: House = OURS) -> Bills:
    """When the average of a month was above three days, who leaves in the next one is paid for from the fourth day."""
    bills = _empty(patients, until)
    lengths = _lengths(patients, until, house)
    for month, found in lengths.items():
        _add(bills[month], found)
    for patient, notice, end in _left(patients, until):
        nights = _nights(patient, notice, end, house)
        before = end.replace(day=1) - DAY
        earlier = lengths.get((before.year, before.month), [])
        if sum(earlier) > 3 * len(earlier) and _liable(patient, notice, len(nights), house):
            for night in nights[3:]:
                bills[end.year, end.month].individual += 1
                bills[end.year, end.month].kronor += kronor_of(night)
    return bills


Biller = Callable[[Sequence[Patient], date, House], Bills]


def bill_disputed(bill: Biller) -> Biller:
    """The same model while disputes are open: each month as cheap as turning one verdict after the other makes it."""

    def billed(patients: Sequence[Patient], until: date, house: House = OURS) -> Bills:
        waiting = sorted(
            (patient.number, place) for patient in patients for place, one in enumerate(patient.contests) if one.outcome == "open"
        )
        tried: dict[frozenset[tuple[int, int]], Bills] = {}

        def bills_if_won(won: frozenset[tuple[int, int]]) -> Bills:
            if won not in tried:
                tried[won] = bill([_decided(patient, won) for patient in patients], until, house)
            return tried[won]

        return {month: _cheapest(waiting, lambda won, month=month: bills_if_won(won)[month]) for month in bills_if_won(frozenset())}  # type: ignore[misc]

    return billed


def _cheapest(waiting: list[tuple[int, int]], bill_if_won: Callable[[frozenset[tuple[int, int]]], Bill]) -> Bill:
    """Round and round the open verdicts, until a whole turn went by in which none was worth turning; no limit on the turns."""
    won: frozenset[tuple[int, int]] = frozenset()
    if bill_if_won(frozenset(waiting)).kronor < bill_if_won(won).kronor:
        won = frozenset(waiting)
    place = in_vain = 0
    while in_vain < len(waiting):
        turned = won ^ {waiting[place]}
        in_vain += 1
        if bill_if_won(turned).kronor < bill_if_won(won).kronor:
            won, in_vain = turned, 0
        place = (place + 1) % len(waiting)
    return bill_if_won(won)


def _decided(patient: Patient, won: frozenset[tuple[int, int]]) -> Patient:
    return replace(
        patient,
        contests=tuple(
            replace(one, outcome="won" if (patient.number, place) in won else "lost") if one.outcome == "open" else one
            for place, one in enumerate(patient.contests)
        ),
    )


def _lengths(patients: Sequence[Patient], until: date, house: House, *, noon: bool = False) -> dict[tuple[int, int], list[int]]:
    """How long everybody waited who left in a month and counts."""
    found: dict[tuple[int, int], list[int]] = {}
    for patient, notice, end in _left(patients, until):
        waited = len(_nights(patient, notice, end, house))
        if noon and waited > 0 and _clock(patient, notice, house).time() > time(12):
            waited -= 1
        if _liable(patient, notice, waited, house):
            found.setdefault((end.year, end.month), []).append(waited)
    return found


def _left(patients: Sequence[Patient], until: date) -> Iterator[tuple[Patient, Notice, date]]:
    for patient in patients:
        notice, end = _counts(patient), _end(patient)
        if notice is not None and end is not None and end <= until:
            yield patient, notice, end


def _nights(patient: Patient, notice: Notice, end: date, house: House) -> list[date]:
    night, found = notice.sent.date() - DAY, []
    while night < end:
        if _waits(patient, night, house):
            found.append(night)
        night += DAY
    return found


def _add(bill: Bill, lengths: list[int]) -> None:
    bill.stays += len(lengths)
    bill.in_average += len(lengths)
    bill.sum_days += sum(lengths)


def _excess(bill: Bill, waited: int, patients: int, free: int, last: date) -> None:
    over = 0
    while waited - over > free * patients:
        over += 1
        bill.excess += 1
        bill.kronor += kronor_of(last)


def _empty(patients: Sequence[Patient], until: date) -> Bills:
    return {(night.year, night.month): Bill() for night in _calendar(patients, until)}


def _last_of(year: int, number: int) -> date:
    return (date(year, number, 28) + 4 * DAY).replace(day=1) - DAY
