"""What a replay file says happened, read a second time and in another way than the services do it.

Nothing here or in `recompute` comes from the services or from `shared`: a mistake there must not be repeated here.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

SWEDEN: Final = ZoneInfo("Europe/Stockholm")
CaseKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it stands after corrections: both clocks, and what it says."""

    source: str
    id: str
    type: str
    time: datetime
    sent: datetime
    data: dict[str, Any]

    @property
    def order(self) -> tuple[datetime, datetime, str, str]:
        """The order of the story."""
        return self.time, self.sent, self.source, self.id


@dataclass(slots=True)
class Patient:
    """One stay as its events tell it: everything the bill hangs on."""

    municipality: str | None
    needs: frozenset[str]
    care_from: datetime
    judged: datetime
    notified: datetime
    ready_sent: datetime | None = None
    compulsory: bool = False
    was_ready: bool = False
    left: datetime | None = None
    died: bool = False
    last_heard: datetime | None = None
    invited: list[datetime] = field(default_factory=list)

    @property
    def left_on(self) -> date | None:
        """The Swedish date inpatient care ended."""
        return None if self.left is None else swedish_date(self.left)

    @property
    def sip_needed(self) -> bool:
        """Measures from region and municipality, and no compulsory outpatient care."""
        return not self.compulsory and "outpatient" in self.needs and any(need.startswith("municipal") for need in self.needs)


def swedish_date(instant: datetime) -> date:
    """The calendar day in Sweden."""
    return instant.astimezone(SWEDEN).date()


def read_patients(lines: Iterable[str]) -> dict[CaseKey, Patient]:
    """Read a whole file into its stays; stays that were cancelled, or whose admission is unknown, are not there."""
    events: dict[CaseKey, dict[tuple[str, str], dict[str, Any]]] = defaultdict(dict)
    plans: dict[str, CaseKey] = {}
    invited: list[tuple[str, datetime]] = []
    for line in lines:
        value = json.loads(line)
        if "command" not in value:
            events[_key(value["source"], value["subject"])].setdefault((value["source"], value["id"]), value)
        elif value["command"].endswith("/invitations"):
            plan = value["command"].split("{", 1)[1].split(".", 1)[0]
            invited.append((plan, datetime.fromisoformat(value["body"]["sent_at"])))
        else:
            case = value["body"]["case_id"]["$case"]
            plans[value["name"]] = _key(case["source"], case["subject"])
    patients = {key: patient for key, told in events.items() if (patient := _patient(told)) is not None}
    for plan, at in invited:
        if plans[plan] in patients:
            patients[plans[plan]].invited.append(at)
    return patients


def _key(source: str, subject: str) -> CaseKey:
    return source.split("-", maxsplit=1)[0], subject


def _patient(events: dict[tuple[str, str], dict[str, Any]]) -> Patient | None:
    standing = sorted(_standing(events), key=lambda event: event.order)
    admissions = sorted((event for event in standing if event.type == "stay.admitted"), key=lambda event: event.sent)
    if not admissions:
        return None
    admitted = admissions[0]
    person = admitted.data["person"]
    needs = frozenset(admitted.data["needs"])
    judged = admitted.data.get("judged_at")
    patient = Patient(
        municipality=person["registered_municipality"] if any(need.startswith("municipal") for need in needs) else None,
        needs=needs,
        care_from=admitted.time,
        judged=max(admitted.time, datetime.fromisoformat(judged)) if judged else admitted.time,
        notified=admitted.sent,
        last_heard=max(event.time for event in standing),
    )
    _tell_end(patient, standing)
    _tell_readiness(patient, standing)
    return patient


def _standing(events: dict[tuple[str, str], dict[str, Any]]) -> list[Told]:
    """The events that count: cancelled ones gone, corrected ones with the time and data of their latest correction."""
    cancelled = {(source, value["data"]["event"]) for (source, _), value in events.items() if value["type"] == "stay.event_cancelled"}
    corrections: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for (source, _), value in events.items():
        if "corrects" in value["data"]:
            corrections[source, value["data"]["corrects"]].append(value)
    standing = []
    for key, value in events.items():
        if key in cancelled or value["type"] == "stay.event_cancelled" or "corrects" in value["data"]:
            continue
        latest = max(corrections[key], key=lambda one: datetime.fromisoformat(one["sentat"])) if corrections[key] else value
        time, sent = datetime.fromisoformat(latest["time"]), datetime.fromisoformat(value["sentat"])
        standing.append(Told(*key, value["type"], time, sent, latest["data"]))
    return standing


def _tell_end(patient: Patient, story: list[Told]) -> None:
    """The first of discharge and death that was told ends the stay."""
    discharged = min((event for event in story if event.type == "stay.discharged"), key=lambda event: event.sent, default=None)
    deceased = min((event for event in story if event.type == "stay.deceased"), key=lambda event: event.sent, default=None)
    if deceased is not None and (discharged is None or deceased.time <= discharged.time):
        patient.left, patient.died = deceased.time, True
    elif discharged is not None:
        patient.left = discharged.time


def _tell_readiness(patient: Patient, story: list[Told]) -> None:
    """The last ready notice that was neither withdrawn nor sent after the day the patient left."""
    periods: list[tuple[datetime, bool]] = []
    is_ready = False
    for event in story:
        if event.type == "stay.ready" and is_ready:
            periods[-1] = (min(periods[-1][0], event.sent), True)
        elif event.type == "stay.ready":
            periods.append((event.sent, True))
            is_ready = True
        elif event.type == "stay.ready_withdrawn" and is_ready and (patient.left is None or event.time < patient.left):
            periods[-1] = (periods[-1][0], False)
            is_ready = False
        if event.type == "stay.ready":
            patient.compulsory = event.data.get("compulsory", "none") != "none"
    patient.was_ready = bool(periods)
    standing = [sent for sent, stands in periods if stands and (patient.left_on is None or swedish_date(sent) <= patient.left_on)]
    patient.ready_sent = standing[-1] if standing else None
