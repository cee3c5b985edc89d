"""Random histories of a municipality, with a taste for the edges: noon, midnight, clock changes, New Year, leap day, 3, 7 and 24 hours."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from tests.oracle.night_by_night import Away, Call, Contest, Hold, No, Notice, Patient, Word, swedish

EDGE_DAYS = (
    date(2019, 11, 18),
    date(2019, 11, 25),
    date(2019, 12, 2),
    date(2019, 12, 30),
    date(2020, 1, 1),
    date(2020, 2, 28),
    date(2020, 3, 29),
    date(2020, 3, 31),
    date(2020, 4, 1),
    date(2020, 4, 9),
    date(2020, 6, 18),
    date(2020, 10, 25),
    date(2022, 12, 31),
    date(2023, 3, 26),
    date(2023, 12, 29),
    date(2024, 2, 28),
    date(2024, 10, 27),
)
EDGES_OF_2018 = (
    date(2018, 1, 8),
    date(2018, 3, 29),
    date(2018, 4, 1),
    date(2018, 5, 10),
    date(2018, 6, 6),
    date(2018, 6, 22),
    date(2018, 8, 31),
    date(2018, 9, 18),
    date(2018, 9, 24),
    date(2018, 9, 25),
)
EDGES_OF_STEPS = (date(2019, 12, 30), date(2020, 12, 28), date(2021, 1, 1), date(2021, 6, 10), date(2021, 12, 30), date(2022, 1, 3))
EDGE_TIMES = (time(0), time(0, 0, 1), time(11, 59, 59), time(12), time(12, 0, 0, 1), time(12, 0, 1), time(23, 59, 59))
EDGE_LENGTHS = (0, 0, 0, 1, 2, 3, 3, 4, 4, 5, 6, 7, 7, 8, 8, 9, 12, 29, 30, 31, 45)
SECOND = timedelta(seconds=1)


def history(random: Random, edges: Sequence[date] = EDGE_DAYS) -> tuple[list[Patient], date]:
    """A few patients around one edge of the calendar, and the last day to be billed (the end of a month)."""
    edge = random.choice(edges)
    patients = [_patient(random, number, edge) for number in range(1, random.randint(1, 7) + 1)]
    until = (edge.replace(day=1) + timedelta(days=92)).replace(day=1) - timedelta(days=1)
    return patients, until


def contested(random: Random, patients: Sequence[Patient]) -> list[Patient]:
    """The same patients, about some of whom the debtor has raised disputes."""
    return [
        replace(patient, contests=tuple(_contest(random, patient) for _ in range(random.choice((0, 0, 1, 1, 2))))) for patient in patients
    ]


def _contest(random: Random, patient: Patient) -> Contest:
    outcome = random.choice(("won", "lost", "open", "open"))
    if random.random() < 0.4:
        return Contest(outcome)
    ready = swedish(patient.notices[-1].sent).date()
    first = ready + timedelta(days=random.choice((-1, 0, 0, 1, 2, 3, 5, 8)))
    return Contest(outcome, tuple(first + timedelta(days=day) for day in range(random.choice((1, 1, 2, 3, 6, 12)))))


def _patient(random: Random, number: int, edge: date) -> Patient:
    ready_on = edge + timedelta(days=random.randint(-12, 6))
    sent = _at(random, ready_on)
    judged = sent - timedelta(days=random.randint(0, 9), minutes=random.randint(0, 1439))
    notices = _notices(random, sent)
    left = _at(random, ready_on + timedelta(days=random.choice(EDGE_LENGTHS)))
    if random.random() < 0.04:
        left = sent - timedelta(days=random.randint(1, 3))
    stays_on = random.random() < 0.06
    return Patient(
        number,
        random.random() < 0.25,
        judged,
        _told(random, judged),
        notices,
        random.random() < 0.4,
        _calls(random, notices[-1].sent),
        None if stays_on else left,
        None if random.random() > 0.05 else left + random.choice((-SECOND, timedelta(0), timedelta(days=2))),
        _holds(random, notices[-1].sent, left),
        _leaves(random, notices[-1].sent, left),
        tuple(_beside(random, notices[-1].sent, left) for _ in range(random.choice((0, 0, 0, 0, 1, 2)))),
        _words(random, notices[-1].sent),
        _noes(random, left),
        random.choice(("", "s", "h", "sh")),
        random.choice((*((),) * 20, ("1480",), ("1480", "1480"), ("1480", "1490"))),
    )


def _beside(random: Random, ready: datetime, left: datetime) -> datetime:
    """An instant on or around the day of the notice, the day the patient left, or somewhere between."""
    first, last = swedish(ready).date(), swedish(left).date()
    between = first + timedelta(days=random.randint(0, max(0, (last - first).days)))
    return _at(random, random.choice((first, last, between, between)) + timedelta(days=random.choice((-1, 0, 0, 0, 1))))


def _span(random: Random, ready: datetime, left: datetime) -> tuple[datetime, datetime | None]:
    begins = _beside(random, ready, left)
    if random.random() < 0.15:
        return begins, None
    ends = _beside(random, ready, left) if random.random() < 0.5 else begins + timedelta(days=random.randint(0, 4), minutes=30)
    return begins, max(begins, ends)


def _holds(random: Random, ready: datetime, left: datetime) -> tuple[Hold, ...]:
    spans = [_span(random, ready, left) for _ in range(random.choice((0, 0, 0, 0, 0, 0, 0, 1, 1, 2)))]
    return tuple(Hold(begins, ends, ends is not None and random.random() < 0.2) for begins, ends in spans)


def _leaves(random: Random, ready: datetime, left: datetime) -> tuple[Away, ...]:
    return tuple(Away(*_span(random, ready, left)) for _ in range(random.choice((0, 0, 1, 2))))


def _words(random: Random, ready: datetime) -> tuple[Word, ...]:
    if random.random() < 0.6:
        return ()
    days = [swedish(ready).date() + timedelta(days=random.choice((-2, 0, 1, 2, 3, 3, 3, 4, 4, 5, 8))) for _ in range(random.randint(1, 3))]
    said = sorted({_at(random, day) for day in days})
    return tuple(Word(random.choice((1, 1, 2)), random.random() < 0.35, moment) for moment in said)


def _noes(random: Random, left: datetime) -> tuple[No, ...]:
    count = random.choice((*(0,) * 12, 1, 1, 2))
    days = [swedish(left).date() + timedelta(days=random.choice((-3, -1, 0, 0, 1, 1))) for _ in range(count)]
    return tuple(No(random.choice(("s", "h", "sh", "sh", "so", "o")), _at(random, day)) for day in days)


def _notices(random: Random, sent: datetime) -> tuple[Notice, ...]:
    compulsory, claimed = random.random() < 0.1, random.random() < 0.1
    if random.random() > 0.2:
        return (Notice(sent, None, compulsory, claimed and random.random() < 0.3),)
    withdrawn = sent + timedelta(days=random.randint(0, 6), minutes=random.randint(1, 600))
    if random.random() < 0.3:
        return (Notice(sent, withdrawn, compulsory),)
    again = withdrawn + timedelta(days=random.randint(0, 5), minutes=random.randint(1, 600))
    return (Notice(sent, withdrawn, compulsory, claimed), Notice(again, None, compulsory))


def _told(random: Random, judged: datetime) -> datetime | None:
    chance = random.random()
    if chance < 0.06:
        return None
    if chance < 0.2:
        return judged + timedelta(hours=24) + random.choice((-SECOND, timedelta(0), SECOND, timedelta(days=2), -timedelta(minutes=30)))
    return judged + timedelta(minutes=random.randint(0, 1400))


def _calls(random: Random, sent: datetime) -> tuple[Call, ...]:
    chance = random.random()
    if chance < 0.25:
        return ()
    first = _at(random, swedish(sent).date() + timedelta(days=random.choice((-4, 0, 1, 2, 3, 3, 3, 4, 4, 5, 6, 7))))
    if chance < 0.35:
        return (Call(first, to_the_debtor=False),)
    if chance < 0.45:
        return (Call(first, to_the_debtor=False), Call(first + timedelta(days=random.randint(0, 4))))
    return (Call(first),) if chance < 0.8 else (Call(first + timedelta(days=3)), Call(first))


def _at(random: Random, day: date) -> datetime:
    """An instant on a Swedish day; the hour that does not exist in March falls an hour later."""
    wall = random.choice(EDGE_TIMES) if random.random() < 0.5 else time(random.randint(0, 23), random.randint(0, 59))
    plain = datetime.combine(day, wall, UTC)
    for hours in (2, 1, 0):
        instant = plain - timedelta(hours=hours)
        if swedish(instant).date() == day and swedish(instant).time() == wall:
            return instant
    return plain - timedelta(hours=1)
