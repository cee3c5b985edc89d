"""What goes wrong on the way: corrected, cancelled and withdrawn events, and stays that never were."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Final

from dirigent.simulate.course import later
from dirigent.simulate.draws import happens, minutes, pick
from dirigent.simulate.lines import EventLine
from dirigent.simulate.stays import Stay
from dirigent.simulate.traffic import Numbers

CANCELLED_STAY_SHARE: Final = 0.01
WITHDRAWN_SHARE: Final = 0.04
WITHDRAWN_FOR_GOOD_SHARE: Final = 0.006
CANCELLED_READY_SHARE: Final = 0.012
CANCELLED_DISCHARGE_SHARE: Final = 0.01
CORRECTED_DISCHARGE_SHARE: Final = 0.025
CORRECTED_TWICE_SHARE: Final = 0.2  # of the corrected
CORRECTED_ADMISSION_SHARE: Final = 0.012
AT_ONCE: Final = timedelta(hours=1)
WITHDRAWAL_REASONS: Final = ("fever", "new_symptoms", "fall_on_the_ward")
CANCELLATION_REASONS: Final = ("wrong_patient", "entered_twice", "wrong_stay")


def with_mishaps(random: Random, stay: Stay, events: list[EventLine], numbers: Numbers) -> list[EventLine]:
    """The stay's events together with what went wrong among them; nothing is taken away but what a mishap replaces."""
    trouble = _Trouble(random, stay, numbers)
    if happens(random, CANCELLED_STAY_SHARE):
        return trouble.never_was(events)
    extra: list[EventLine] = []
    kinds = {event.type: event for event in events}
    if happens(random, CORRECTED_ADMISSION_SHARE):
        extra += [trouble.correction(events[0], events[0])]
    ready = kinds.get("stay.ready")
    if ready is not None:
        extra += trouble.before_ready(ready, events[0])
        if stay.course.waiting_days > 0 and happens(random, WITHDRAWN_FOR_GOOD_SHARE):
            extra += [trouble.withdrawal(ready)]
    discharged = kinds.get("stay.discharged")
    if discharged is not None and stay.course.waiting_days > 1:
        if happens(random, CANCELLED_DISCHARGE_SHARE):
            extra += trouble.wrong_then_cancelled(discharged, days=-1)
        elif happens(random, CORRECTED_DISCHARGE_SHARE):
            return [event for event in events if event is not discharged] + extra + trouble.corrected(discharged)
    return events + extra


class _Trouble:
    """Makes the events of mishaps of one stay, each with an id of its own."""

    def __init__(self, random: Random, stay: Stay, numbers: Numbers) -> None:
        self._random = random
        self._stay = stay
        self._numbers = numbers

    def never_was(self, events: list[EventLine]) -> list[EventLine]:
        """The admission of a wrong patient, and its cancellation."""
        return [events[0], self.cancellation(events[0])]

    def cancellation(self, target: EventLine) -> EventLine:
        """The event that says another one was sent wrongly."""
        sent = later(target.sent_at, minutes(self._random, 10, 300))
        data = {"event": target.id, "reason": pick(self._random, CANCELLATION_REASONS)}
        return replace(target, id=self._next(), type="stay.event_cancelled", at=sent, sent_at=sent, data=data)

    def withdrawal(self, ready: EventLine) -> EventLine:
        """The patient needs hospital care again."""
        at = later(ready.sent_at, minutes(self._random, 20, 150))
        data = {"reason": pick(self._random, WITHDRAWAL_REASONS)}
        return replace(
            ready, id=self._next(), type="stay.ready_withdrawn", at=at, sent_at=later(at, minutes(self._random, 1, 30)), data=data
        )

    def before_ready(self, ready: EventLine, admitted: EventLine) -> list[EventLine]:
        """An earlier readiness that did not last, or was sent by mistake."""
        earlier = self._moved(ready, days=-1)
        told_at_once = ready.sent_at - ready.at <= AT_ONCE
        if earlier.at <= admitted.sent_at or not told_at_once:
            return []
        if happens(self._random, WITHDRAWN_SHARE):
            return [earlier, self.withdrawal(earlier)]
        if happens(self._random, CANCELLED_READY_SHARE):
            return [earlier, self.cancellation(earlier)]
        return []

    def wrong_then_cancelled(self, event: EventLine, *, days: int) -> list[EventLine]:
        """The same event some days off, and its cancellation."""
        wrong = self._moved(event, days=days)
        return [wrong, self.cancellation(wrong)]

    def corrected(self, discharged: EventLine) -> list[EventLine]:
        """A discharge entered a day too early and put right, sometimes only at the second attempt."""
        wrong = replace(discharged, at=later(discharged.at, timedelta(days=-1)))
        right = self.correction(wrong, discharged)
        if not happens(self._random, CORRECTED_TWICE_SHARE):
            return [wrong, right]
        still_wrong = self.correction(wrong, replace(discharged, at=later(discharged.at, timedelta(hours=-2))))
        last = replace(right, id=self._next(), sent_at=later(still_wrong.sent_at, timedelta(hours=1)))
        return [wrong, still_wrong, last]

    def correction(self, target: EventLine, truth: EventLine) -> EventLine:
        """An event of the same type that replaces another one."""
        sent = later(target.sent_at, minutes(self._random, 30, 600))
        return replace(truth, id=self._next(), sent_at=max(sent, truth.at), data=truth.data | {"corrects": target.id})

    def _moved(self, event: EventLine, *, days: int) -> EventLine:
        span = timedelta(days=days)
        return replace(event, id=self._next(), at=later(event.at, span), sent_at=later(event.sent_at, span))

    def _next(self) -> str:
        return self._numbers.next(self._stay)
