"""The consent register: whether more than the statute tells may be shared. It never stops an admission notice or a ready notice."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal

from services.planning.domain.case import CaseStatus
from shared.errors import Refused

Purpose = Literal["free_text", "admission_reason"]


class ConsentStatus(StrEnum):
    """What stands of an answer."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ConsentTrigger(StrEnum):
    """What can be done with an answer; a new one is a row of its own."""

    WITHDRAW = "withdraw"


CONSENT_TRANSITIONS: Final[dict[tuple[ConsentStatus, ConsentTrigger], ConsentStatus]] = {
    (ConsentStatus.GIVEN, ConsentTrigger.WITHDRAW): ConsentStatus.WITHDRAWN,
    (ConsentStatus.WITHDRAWN, ConsentTrigger.WITHDRAW): ConsentStatus.WITHDRAWN,
}
"""What is not here is refused."""


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """What the patient answered when asked whether something may be shared, and what became of it."""

    status: ConsentStatus
    purposes: frozenset[Purpose]
    recorded_at: datetime
    valid_until: date | None = None


def withdraw(status: ConsentStatus) -> ConsentStatus:
    """The patient withdraws what she consented to; doing it again changes nothing.

    Raises:
        Refused: `consent.refused`: she never consented.

    Source:
        Domain rule 2: consent given, refused, withdrawn.
    """
    after = CONSENT_TRANSITIONS.get((status, ConsentTrigger.WITHDRAW))
    if after is None:
        raise Refused("consent.refused", "The patient refused; there is nothing to withdraw.")
    return after


def check_may_give(
    register: Sequence[tuple[str, ConsentAnswer]], purposes: Iterable[Purpose], *, own: Callable[[str], bool], ward: str | None
) -> None:
    """Whether a unit may record that the patient consents: one that wants to read must not overrule a no that another was given.

    The unit that was given the no, and the ward, record that she changed her mind.

    Args:
        register: Every answer of the case with the unit that asked, oldest first.
        purposes: What she is said to consent to.
        own: Whether a unit is one of the caller's.
        ward: The ward that holds the patient.

    Raises:
        Refused: `consent.refused_elsewhere`.

    Source:
        Domain rule 2: consent given, refused, withdrawn.
    """
    if ward is not None and own(ward):
        return
    for purpose in purposes:
        unit, latest = max(
            ((unit, answer) for unit, answer in register if purpose in answer.purposes),
            key=lambda one: one[1].recorded_at,
            default=("", None),
        )
        if latest is not None and latest.status is not ConsentStatus.GIVEN and not own(unit):
            raise Refused("consent.refused_elsewhere", "The patient refused when another unit asked; that unit or the ward records a yes.")


def allows(register: Iterable[ConsentAnswer], purpose: Purpose, on: date) -> bool:
    """Whether something beyond the statutory content may leave: the one question that is asked before it does.

    The latest answer about the purpose decides.

    Args:
        register: Every answer of the case.
        purpose: What would be shared.
        on: The day in Sweden on which it would leave.

    Source:
        Domain rule 2: consent is checked before anything beyond the statutory content leaves.
    """
    about = [answer for answer in register if purpose in answer.purposes]
    latest = max(about, key=lambda answer: answer.recorded_at, default=None)
    return latest is not None and latest.status is ConsentStatus.GIVEN and (latest.valid_until is None or on <= latest.valid_until)


def check_reason(case: CaseStatus) -> None:
    """Whether a ward may tell why the patient was admitted: not of a stay that never was.

    Raises:
        Refused: `case.over`.

    Source:
        Lag (2017:612) 2 kap. 3 §: the admission notice says no more than four things; the reason stands beside it.
    """
    if case is CaseStatus.CANCELLED:
        raise Refused("case.over", "The case is cancelled; there was no such stay.")


def may_read_reason(*, own: bool, consented: bool) -> bool:
    """Whether a reader of the case may read why the patient was admitted: the ward that told it always, others with her consent.

    Source:
        Lag (2017:612) 2 kap. 3 §; domain rule 2: consent is checked before anything beyond the statutory content leaves.
    """
    return own or consented
