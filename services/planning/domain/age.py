"""Children and adults: who answers for a person when asked for consent."""

from datetime import date
from typing import Final, Literal

from shared.errors import Malformed

AnsweredBy = Literal["patient", "guardian", "representative"]
OF_AGE: Final = 18
_COORDINATION_DAY: Final = 60


def birth_date(person_number: str) -> date:
    """The day a person's number says she was born; every kind of number begins with it.

    Source:
        Domain rule 1: personnummer, samordningsnummer (day + 60) and reserve number.
    """
    day = int(person_number[6:8])
    return date(int(person_number[:4]), int(person_number[4:6]), day - _COORDINATION_DAY if day > _COORDINATION_DAY else day)


def is_child(born: date, on: date) -> bool:
    """Whether somebody is under age on a day.

    Source:
        Domain rule 2: plans for all ages.
    """
    return (on.year - born.year) - ((on.month, on.day) < (born.month, born.day)) < OF_AGE


def check_answered_by(by: AnsweredBy, *, child: bool) -> None:
    """Guardians answer for a child, and for nobody else.

    Raises:
        Malformed: `consent.guardian_of_adult`.

    Source:
        Domain rule 2: children and adults.
    """
    if by == "guardian" and not child:
        raise Malformed("consent.guardian_of_adult")
