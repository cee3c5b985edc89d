"""One stay in inpatient care (vårdtillfälle) as the law of payment liability sees it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.dates import local_date

_NO_OFFSET: Final = timedelta(0)


class CareType(StrEnum):
    """Somatic or psychiatric inpatient care; the agreements have dated rules for each."""

    SOMATIC = "somatic"
    PSYCHIATRIC = "psychiatric"


class Compulsory(StrEnum):
    """Compulsory psychiatric outpatient care after discharge: `opt` (öppen psykiatrisk tvångsvård), `orv` (öppen rättspsykiatrisk vård)."""

    NONE = "none"
    OPT = "opt"
    ORV = "orv"


class _Remembered:
    """Room for what follows from a value and is asked for again and again: worked out once, no part of the value itself."""

    __slots__ = ("_ended_on", "_invited_at", "_sent_on")
    _ended_on: date | None
    _invited_at: tuple[datetime, ...]
    _sent_on: date


@dataclass(frozen=True, slots=True)
class Readiness(_Remembered):
    """One ready notice (N5, utskrivningsklar) and whether the readiness was withdrawn (återtagen).

    `sent_at` is when the notice was sent to the municipality and starts every clock; `withdrawn_at` is when the withdrawal happened.
    `claimed_at` is when it was given on paper by a statement that no outage explains yet: it moves nothing, but a person must judge.
    """

    sent_at: datetime
    withdrawn_at: datetime | None = None
    compulsory: Compulsory = Compulsory.NONE
    claimed_at: datetime | None = None

    def __post_init__(self) -> None:
        _require_utc(self.sent_at, self.withdrawn_at, self.claimed_at)

    @property
    def sent_on(self) -> date:
        """Local date the notice was sent."""
        try:
            return self._sent_on
        except AttributeError:
            object.__setattr__(self, "_sent_on", local_date(self.sent_at))
            return self._sent_on


@dataclass(frozen=True, slots=True)
class Invitation:
    """One call to a SIP (N8, kallelse): when it was sent, and the SCB codes of the municipalities that were called."""

    sent_at: datetime
    municipalities: frozenset[str]

    def __post_init__(self) -> None:
        _require_utc(self.sent_at)


@dataclass(frozen=True, slots=True)
class Leave:
    """A leave from the ward (permission); `ended_at` None while it lasts."""

    started_at: datetime
    ended_at: datetime | None = None

    def __post_init__(self) -> None:
        _require_utc(self.started_at, self.ended_at)

    def covers(self, day: date) -> bool:
        """Whether the patient was away over the night that begins on this day."""
        return lasts_over(day, self.started_at, self.ended_at)


@dataclass(frozen=True, slots=True)
class OutpatientBlock:
    """Outpatient care held the discharge up, as ward, care centre or municipality states it (lag 2017:612 5 kap. 5 §).

    `ended_at` None = not answered. `contested`: the region answered that nothing held it up, so that its end is an answer and no end.
    """

    started_at: datetime
    ended_at: datetime | None = None
    contested: bool = False

    def __post_init__(self) -> None:
        _require_utc(self.started_at, self.ended_at)

    def covers(self, day: date) -> bool:
        """Whether it lasted over the night that begins on this day; one that is contested lasts, by whoever stated it, until the end."""
        return lasts_over(day, self.started_at, None if self.contested else self.ended_at)


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """What the patient answered when asked for consent to one plan; `given` False = refused or withdrawn."""

    plan: UUID
    given: bool
    changed_at: datetime

    def __post_init__(self) -> None:
        _require_utc(self.changed_at)


@dataclass(frozen=True, slots=True)
class Declined:
    """Measures the patient declined, by their names in the stated needs.

    `stated_at` and `municipality`: when it was stated, and by which municipality if by one, as far as planning has told. `id` names it.
    """

    measures: frozenset[str]
    declined_at: datetime
    id: UUID | None = None
    stated_at: datetime | None = None
    municipality: str | None = None

    def __post_init__(self) -> None:
        _require_utc(self.declined_at, self.stated_at)


@dataclass(frozen=True, slots=True)
class Stay(_Remembered):
    """What billing knows of one stay: when notices were sent, when the patient left, and to whom the notices went.

    `municipality` is the SCB code of the party, None when the patient is registered in no municipality. `invitations` holds every call to a
    SIP, whoever was called, in no particular order. `findings` are the codes planning attached to the case. `transfers` are the times of
    moves inside inpatient care; `placed_by` every municipality that somebody states to have placed the patient; `municipal_needs` the
    measures asked of the municipality, empty where not told; `admission_notice_claimed_at` as a readiness has its own;
    `sip_contested`: ward or municipality contests whether a SIP is required.
    """

    case_id: UUID
    care_type: CareType
    municipality: str | None
    ward: str = ""
    need_judged_at: datetime | None = None
    admission_notice_sent_at: datetime | None = None
    ready: tuple[Readiness, ...] = ()
    sip_required: bool = False
    invitations: tuple[Invitation, ...] = ()
    discharged_at: datetime | None = None
    deceased_at: datetime | None = None
    cancelled: bool = False
    findings: tuple[str, ...] = ()
    last_sign_of_life_at: datetime | None = None
    blocks: tuple[OutpatientBlock, ...] = ()
    consents: tuple[ConsentAnswer, ...] = ()
    declined: tuple[Declined, ...] = ()
    leaves: tuple[Leave, ...] = ()
    transfers: tuple[datetime, ...] = ()
    placed_by: frozenset[str] = frozenset()
    municipal_needs: frozenset[str] = frozenset()
    admission_notice_claimed_at: datetime | None = None
    sip_contested: bool = False

    def __post_init__(self) -> None:
        _require_utc(self.need_judged_at, self.admission_notice_sent_at, self.admission_notice_claimed_at)
        _require_utc(self.discharged_at, self.deceased_at, self.last_sign_of_life_at, *self.transfers)

    @property
    def invited_at(self) -> tuple[datetime, ...]:
        """When the municipality that may be liable was called to a SIP, in order; a call that went to others only is none to it.

        Source:
            Lag (2017:612) 4 kap. 3 §, 5 kap. 3 §.
        """
        try:
            return self._invited_at
        except AttributeError:
            called = (one.sent_at for one in self.invitations if self.municipality is not None and self.municipality in one.municipalities)
            object.__setattr__(self, "_invited_at", tuple(sorted(called)))
            return self._invited_at

    @property
    def died_in_care(self) -> bool:
        """Whether death, not discharge, ended the stay; a discharge written at the moment of death changes nothing."""
        if self.deceased_at is None:
            return False
        return self.discharged_at is None or self.deceased_at <= self.discharged_at

    @property
    def ended_at(self) -> datetime | None:
        """When inpatient care ended, by discharge or death; None while the patient is still there."""
        return self.discharged_at if self.deceased_at is None or not self.died_in_care else self.deceased_at

    @property
    def ended_on(self) -> date | None:
        """Local date inpatient care ended; an event that happened decides, not the notice of it."""
        try:
            return self._ended_on
        except AttributeError:
            object.__setattr__(self, "_ended_on", None if self.ended_at is None else local_date(self.ended_at))
            return self._ended_on


def lasts_over(day: date, started_at: datetime, ended_at: datetime | None) -> bool:
    """Whether something lasted over the night that begins on this day: care is charged by the night, so a few hours of one day are none.

    Source:
        Domain rule 3.2, leave and the like by the local date they happened.
    """
    return local_date(started_at) <= day and (ended_at is None or day < local_date(ended_at))


def _require_utc(*instants: datetime | None) -> None:
    """Two times in one zone with clock changes compare and add by the wall clock, an hour wrong twice a year: only UTC is taken in.

    Raises:
        ValueError: An instant is naive or in another zone.
    """
    for instant in instants:  # written out: a county's month makes a hundred thousand of these checks
        if instant is not None and instant.tzinfo is not UTC and instant.utcoffset() != _NO_OFFSET:
            raise ValueError("an instant must be in UTC")
