"""A month of the whole county's traffic as the lines of a replay file: the same bytes for the same arguments."""

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Final

from dirigent.county.load import load_county
from dirigent.simulate.draws import happens, shuffled_nearby, whole
from dirigent.simulate.lines import EventLine, Line
from dirigent.simulate.mishaps import with_mishaps
from dirigent.simulate.stays import Stay, draw_stays
from dirigent.simulate.traffic import Numbers, sip_commands, ward_events
from shared.dates import Month, start_of_day

DUPLICATE_SHARE: Final = 0.015
LATE_LINE_SHARE: Final = 0.04
LATE_LINE_DISTANCE: Final = 40


def simulate(seed: int, month: Month, stays: int) -> Iterator[str]:
    """Simulate a month of traffic.

    Args:
        seed: Another seed, another county; the same seed, the same bytes.
        month: The month the stays end in; some began before it, some are still open when it is over.
        stays: How many stays.

    Yields:
        One line of NDJSON after the other, without line breaks, in the order they arrived. Nothing in it was sent after the month.
    """
    random = Random(f"dirigent/{seed}/{month}/{stays}")  # noqa: S311 - made-up traffic, not a secret
    numbers = Numbers(month)
    end = start_of_day(month.next.first)
    lines: list[Line] = []
    for number, stay in enumerate(draw_stays(random, load_county(), month, stays), start=1):
        lines += _sent_before(end, _stay_lines(random, stay, numbers, f"{month}-{number:05d}"))
    lines.sort(key=lambda line: line.sent_at)
    for line in shuffled_nearby(random, _with_duplicates(random, lines), LATE_LINE_SHARE, LATE_LINE_DISTANCE):
        yield line.as_json()


def _stay_lines(random: Random, stay: Stay, numbers: Numbers, number: str) -> list[Line]:
    events = with_mishaps(random, stay, ward_events(random, stay, numbers), numbers)
    lines: list[Line] = [*events]
    ready = next((event for event in events if event.type == "stay.ready"), None)
    if stay.sip_required and ready is not None and stay.course.ready is not None:
        lines += sip_commands(random, stay, stay.course.ready.sent_at, number)
    return lines


def _sent_before(end: datetime, lines: list[Line]) -> list[Line]:
    """What had been sent when the month was over; a stay whose admission had not is left out altogether."""
    sent = [line for line in lines if line.sent_at < end]
    admitted = any(isinstance(line, EventLine) and line.type == "stay.admitted" for line in sent)
    return sent if admitted else []


def _with_duplicates(random: Random, lines: list[Line]) -> list[Line]:
    """Ward systems send again what they are not sure about: the same line once more, a little later."""
    repeated = [
        (place + whole(random, 1, 200), line)
        for place, line in enumerate(lines)
        if isinstance(line, EventLine) and happens(random, DUPLICATE_SHARE)
    ]
    keyed = [(float(place), line) for place, line in enumerate(lines)] + [(place + 0.5, line) for place, line in repeated]
    return [line for _, line in sorted(keyed, key=lambda entry: entry[0])]
