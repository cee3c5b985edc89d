"""Random histories of a municipality, with a taste for the edges: noon, midnight, clock changes, New Year, leap day, 3, 7 and 24 hours."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random

from tests.oracle.night_by_night import Call, Notice, Patient, swedish

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
EDGE_TIMES = (time(0), time(0, 0, 1), time(11, 59, 59), time(12), time(12, 0, 0, 1), time(12, 0, 1), time(23, 59, 59))
EDGE_LENGTHS = (0, 0, 0, 1, 2, 3, 3, 4, 4, 5, 6, 7, 7, 8, 8, 9, 12, 29, 30, 31, 45)
SECOND = timedelta(seconds=1)


def history(random: Random) -> tuple[list[Patient], date]:
    """A few patients around one edge of the calendar, and the last day to be billed (the end of a month)."""
    edge = random.choice(EDGE_DAYS)
    patients = [_patient(random, number, edge) for number in range(1, random.randint(1, 7) + 1)]
    until = (edge.replace(day=1) + timedelta(days=92)).replace(day=1) - timedelta(days=1)
    return patients, until


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
    )


def _notices(random: Random, sent: datetime) -> tuple[Notice, ...]:
    compulsory = random.random() < 0.1
    if random.random() > 0.2:
        return (Notice(sent, None, compulsory),)
    withdrawn = sent + timedelta(days=random.randint(0, 6), minutes=random.randint(1, 600))
    if random.random() < 0.3:
        return (Notice(sent, withdrawn, compulsory),)
    again = withdrawn + timedelta(days=random.randint(0, 5), minutes=random.randint(1, 600))
    return (Notice(sent, withdrawn, compulsory), Notice(again, None, compulsory))


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
