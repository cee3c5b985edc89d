"""An older service's export: simulated stays written as the rows of a history file, beside the events that would have told them."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, Final

from dirigent.county.load import load_county
from dirigent.importing.history.columns import OPTIONAL, REQUIRED
from dirigent.simulate.lines import CommandLine, EventLine
from dirigent.simulate.mishaps import with_mishaps
from dirigent.simulate.stays import Stay, draw_stays
from dirigent.simulate.traffic import Numbers, sip_commands, ward_events
from shared.dates import Month, at_local_time, stockholm

MOST_TIMES: Final = 9
NUMBERED: Final = ("planned_{}_date", "planned_{}_sent_at", "ready_{}_at", "ready_{}_sent_at")
COLUMNS: Final = (
    *REQUIRED,
    *OPTIONAL,
    *(name.format(time) for time in range(1, MOST_TIMES + 1) for name in NUMBERED),
    *(f"withdrawn_{time}_{name}" for time in range(1, MOST_TIMES + 1) for name in ("at", "sent_at", "reason")),
)
_PAIRS: Final = {"stay.ready": "ready", "stay.ready_withdrawn": "withdrawn", "stay.planned_discharge_changed": "planned"}
_ENDS: Final = {"stay.discharged": "discharged", "stay.deceased": "deceased"}


@dataclass(frozen=True)
class ToldTwice:
    """One stay as events and commands, and as a row."""

    events: Sequence[EventLine]
    commands: Sequence[CommandLine]
    row: Mapping[str, str]


def told_twice(seed: int, month: str, count: int) -> Iterable[ToldTwice]:
    """Simulated stays, some with readiness withdrawn and stated anew; none with a correction or cancellation: a row has no room for it."""
    random, numbers = Random(seed), Numbers(Month.parse(month))
    for number, stay in enumerate(draw_stays(random, load_county(), Month.parse(month), count), start=1):
        events = [_as_recorded(event) for event in with_mishaps(random, stay, ward_events(random, stay, numbers), numbers)]
        if any(event.type == "stay.event_cancelled" or "corrects" in event.data for event in events):
            continue
        ready = next((event for event in events if event.type == "stay.ready"), None)
        commands = list(sip_commands(random, stay, ready.sent_at, str(number))) if ready is not None and stay.sip_required else []
        yield ToldTwice(events, commands, row_of(stay, events, commands))


def _as_recorded(event: EventLine) -> EventLine:
    """The event as far as a record of then says it: not whether secrecy was checked."""
    return replace(event, data={name: value for name, value in event.data.items() if name != "secrecy_checked"})


def row_of(stay: Stay, events: Sequence[EventLine], commands: Sequence[CommandLine] = ()) -> dict[str, str]:
    """The row that tells the same."""
    row: dict[str, str] = {}
    counted: dict[str, int] = {}
    for event in events:
        if event.type == "stay.admitted":
            row |= _admission(stay, event)
        elif event.type in _PAIRS:
            counted[event.type] = counted.get(event.type, 0) + 1
            row |= _numbered(f"{_PAIRS[event.type]}_{counted[event.type]}", event)
        else:
            name = _ENDS[event.type]
            row |= {
                f"{name}_at": cell(event.at),
                f"{name}_sent_at": cell(event.sent_at),
                "discharged_to": event.data.get("discharged_to", ""),
            }
    if stay.compulsory != "none":
        row["compulsory"] = stay.compulsory
    for command in commands:
        if "consent" in command.body:
            row["sip_consent"] = command.body["consent"]
        else:
            row["sip_invitation_sent_at"] = command.body["sent_at"].replace("T", " ")
            row["sip_called_units"] = " ".join(command.body["units"])
    return row


def cell(moment: datetime) -> str:
    """A time as a spreadsheet shows it; with its offset only where the clock alone would not say which hour is meant."""
    local = stockholm(moment)
    plain = local.strftime("%Y-%m-%d %H:%M:%S")
    return plain if at_local_time(local.date(), local.time().replace(fold=0)) == moment else f"{plain}{local:%z}"[:-2] + ":00"


def write_rows(path: Path, rows: Iterable[Mapping[str, str]], *, separator: str = ";", encoding: str = "utf-8-sig") -> None:
    """Write a history file as a spreadsheet does."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)


def _admission(stay: Stay, event: EventLine) -> dict[str, str]:
    data: dict[str, Any] = event.data
    person = data["person"]
    return {
        "ward": stay.ward.unit,
        "stay_id": stay.subject,
        "person_id": person["id"],
        "given_name": person["name"]["given"],
        "family_name": person["name"]["family"],
        **person["registered_address"],
        "registered_municipality": person["registered_municipality"] or "",
        "protected": "SANT" if person["protected"] else "FALSKT",
        "care_type": data["care_type"],
        "needs": " ".join(data["needs"]),
        "outpatient_unit": data.get("outpatient_unit", ""),
        "planned_discharge_date": data.get("planned_discharge_date", ""),
        "judged_at": cell(datetime.fromisoformat(data["judged_at"])) if "judged_at" in data else "",
        "admitted_at": cell(event.at),
        "admission_notice_sent_at": cell(event.sent_at),
    }


def _numbered(name: str, event: EventLine) -> dict[str, str]:
    told = {f"{name}_sent_at": cell(event.sent_at)}
    if event.type == "stay.planned_discharge_changed":
        return told | {f"{name}_date": event.data["planned_discharge_date"]}
    told[f"{name}_at"] = cell(event.at)
    return told | ({f"{name}_reason": event.data["reason"]} if "reason" in event.data else {})
