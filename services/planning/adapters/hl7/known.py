"""What a message meets: the stay as its sender stated it before, so that a message that says nothing new makes no event."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.planning.domain.amendments import amend, standing_admission
from services.planning.domain.events import Admission, CaseEvent, EventType, PlannedDischarge, ward_of
from services.planning.domain.holding import holding_of, is_stranger
from services.planning.domain.persons import person_known
from services.planning.translation import case_event
from shared.dates import format_instant


@dataclass(frozen=True, slots=True)
class Stated:
    """One event as it was sent, and when."""

    value: Mapping[str, Any]
    sent_at: datetime


class StayKnown:
    """One stay by what was stated of it under its sender's id."""

    def __init__(
        self, stated: Iterable[Stated] = (), space: str | None = None, acts_for: Callable[[str], bool] = lambda _ward: True
    ) -> None:
        """Read what was stated; what other parties stated of the stay is left out, and wards that never held the patient.

        Args:
            stated: Every event of the stay.
            space: Within what its id is unique.
            acts_for: Whether a ward is the sender's, which knows what it stated of a patient that it never held.
        """
        own = [one for one in stated if str(one.value["type"]).startswith("stay.")]
        events = [case_event(one.value, one.sent_at, space) for one in own]
        self._values = {event.key: one.value for event, one in zip(events, own, strict=True)}
        everybodys = amend(events)
        held = holding_of(everybodys.events, standing_admission(everybodys)).held
        self._amended = amend(event for event in events if acts_for(ward_of(event.key.source)) or not is_stranger(event, held))
        self._ward = holding_of(self._amended.events, standing_admission(self._amended)).held[-1:]
        self._person = person_known(self._amended)

    @property
    def there(self) -> bool:
        """Whether anything was stated of it."""
        return bool(self._values)

    @property
    def subject(self) -> str:
        """The sender's id of the stay."""
        return str(next(iter(self._values.values()))["subject"])

    @property
    def person(self) -> Mapping[str, Any] | None:
        """The person as last stated."""
        return None if self._person is None else self._person.about.person

    @property
    def numbers(self) -> tuple[tuple[str, str], ...]:
        """Every number that the person had in this stay, type and id."""
        return () if self._person is None else self._person.person_ids

    @property
    def ward(self) -> str | None:
        """The ward that the patient is on: where the last transfer by a ward that had her led, else the one that admitted."""
        return self._ward[0].ward if self._ward else None

    @property
    def planned(self) -> date | None:
        """The planned discharge date as last stated."""
        last = self.latest(EventType.ADMITTED, EventType.PLANNED_DISCHARGE_CHANGED)
        return last.data.planned_discharge_date if last is not None and isinstance(last.data, Admission | PlannedDischarge) else None

    @property
    def ready(self) -> bool | None:
        """Whether the patient is ready for discharge; none when nothing was said of it."""
        last = self.latest(EventType.READY, EventType.READY_WITHDRAWN)
        return None if last is None else last.type is EventType.READY

    @property
    def readiness(self) -> Mapping[str, Any]:
        """The readiness that was stated last, by the id of its first statement.

        Raises:
            LookupError: None stands.
        """
        last = self.latest(EventType.READY)
        if last is None:
            raise LookupError
        return {"id": last.key.id, "source": last.key.source, "time": format_instant(last.time), "data": self._said(last)}

    @property
    def admission(self) -> Mapping[str, Any] | None:
        """The data of the admission that counts, as last stated, and the id of its first statement beside it."""
        event = self.latest(EventType.ADMITTED)
        if event is None:
            return None
        last = self._amended.versions.get(event.key, (event,))[-1]
        return {"id": event.key.id, "source": event.key.source, "time": self._values[last.key]["time"], **self._values[last.key]["data"]}

    def open_at(self, time: datetime) -> bool:
        """Whether the patient was admitted, and had not left then."""
        if self.latest(EventType.ADMITTED) is None:
            return False
        left = self.latest(EventType.DISCHARGED, EventType.DECEASED)
        return left is None or left.time > time

    def latest(self, *kinds: EventType, at: datetime | None = None) -> CaseEvent | None:
        """The latest event of these kinds that counts, neither cancelled nor replaced; with `at` the one of that time."""
        same = (event for event in reversed(self._amended.events) if event.type in kinds and at in {None, event.time})
        return next(same, None)

    def stated_at(self, kind: str, source: str, time: str) -> Mapping[str, Mapping[str, Any]]:
        """What the events say, by their ids and as last stated, that count and are of this kind, source and time; the latest last."""
        asked = (kind, source, time)
        same = [one for one in self._amended.events if (one.type, one.key.source, format_instant(one.time)) == asked]
        return {event.key.id: self._said(event) for event in same}

    def _said(self, event: CaseEvent) -> Mapping[str, Any]:
        last = self._amended.versions.get(event.key, (event,))[-1]
        return {name: value for name, value in self._values[last.key]["data"].items() if name != "corrects"}
