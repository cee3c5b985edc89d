"""ADT messages as the product's own events: what a message says that was not known before.

An ADT is a snapshot as much as an event: what it repeats makes nothing, so that a system may send everything it has with every message.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.planning.adapters.hl7.header import Header
from services.planning.adapters.hl7.known import StayKnown
from services.planning.adapters.hl7.message import DELETED, Condition, Message, Remark, wrong
from services.planning.adapters.hl7.persons import person
from services.planning.adapters.hl7.times import day, instant, written
from services.planning.domain.events import EventType
from shared.identifiers import parse_hsa_id

INPATIENT: Final = frozenset({"", "I"})
_YES: Final = {"Y": True, "N": False}
_NEEDS: Final = ("municipal_social", "municipal_health", "outpatient")
_READY, _WITHDRAWN = "READY", "WITHDRAWN"
# HL7 table 0112, as far as it says where the patient went in the words of the discharge notice.
_DISCHARGED_TO: Final = {
    "01": "home",
    "02": "other_hospital",
    "03": "special_housing",
    "04": "short_term_housing",
    "06": "home",
    "50": "hospice",
    "51": "hospice",
}
_EXPIRED: Final = frozenset({"20", "40", "41", "42"})
# Which events a cancelling trigger takes away, the latest that counts.
_CANCELS: Final = {
    "A11": (EventType.ADMITTED,),
    "A12": (EventType.TRANSFERRED,),
    "A13": (EventType.DISCHARGED, EventType.DECEASED),
    "A25": (EventType.PLANNED_DISCHARGE_CHANGED,),
}
# What a stay has once at one time: said again with something else in it, it is corrected.
_CORRECTED: Final = frozenset({EventType.TRANSFERRED, EventType.DISCHARGED, EventType.LEAVE_STARTED, EventType.LEAVE_ENDED})
STAY_UNKNOWN: Final = Remark("PV1-19", Condition.ACCEPTED, "hl7.stay_unknown", "Nothing is known of this stay, and nothing was stored")
NOT_INPATIENT: Final = Remark("PV1-2", Condition.ACCEPTED, "hl7.not_inpatient", "Not inpatient care, and nothing was stored")
NOTHING_NEW: Final = Remark("MSH-10", Condition.ACCEPTED, "hl7.nothing_new", "The message says nothing that was not known")


@dataclass(slots=True)
class Translated:
    """The events that a message makes, all of one batch, what else there is to say, and the numbers that its one stay was known by."""

    events: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    numbers: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Stay:
    """One message with what it meets."""

    message: Message
    header: Header
    known: StayKnown
    wards: Mapping[str, str]

    @property
    def subject(self) -> str:
        """The sender's id of the stay."""
        return stay_id(self.message)

    @property
    def ward(self) -> str:
        """The ward that the message is from: the patient's own, or where it is known to be."""
        named = _ward(self.message, 3, self.wards)
        found = named or self.known.ward
        if found is None:
            raise wrong("PV1-3", "missing", Condition.REQUIRED_MISSING)
        return found

    def time(self, *places: tuple[str, int]) -> str:
        """When it happened: the first of these fields that says so, else EVN-6, EVN-2, MSH-7."""
        return time_of(self.message, *places)

    def event(self, kind: str, data: Mapping[str, Any], *, time: str, part: str = "", source: str | None = None) -> dict[str, Any]:
        """One event of the message; `part` tells several of one message apart."""
        event_id = self.header.event_id + (f".{part}" if part else "")
        return event_of(kind, data, event_id=event_id, source=source or f"urn:hsa:{self.ward}", subject=self.subject, time=time)


def time_of(message: Message, *places: tuple[str, int]) -> str:
    """When it happened: the first of these fields that says so, else EVN-6, EVN-2, MSH-7.

    Raises:
        NotTaken: None of them does.
    """
    for segment, number in (*places, ("EVN", 6), ("EVN", 2), ("MSH", 7)):
        text = message.value(segment, number)
        if text not in {"", DELETED}:
            return written(text, f"{segment}-{number}")
    raise wrong("EVN-2", "missing", Condition.REQUIRED_MISSING)


def event_of(kind: str, data: Mapping[str, Any], *, event_id: str, source: str, subject: str, time: str) -> dict[str, Any]:
    """One event of the product's own."""
    attributes = {"specversion": "1.0", "id": event_id, "source": source, "type": kind, "subject": subject, "time": time}
    return {**attributes, "data": dict(data)}


def stay_id(message: Message) -> str:
    """The sender's own id of the stay (PV1-19).

    Raises:
        NotTaken: It is missing, or it is the person's number.
    """
    found = message.required("PV1", 19)
    if message.has("PID") and any(found == one.value().replace("-", "") for one in message.repetitions("PID", 3)):
        raise wrong("PV1-19", "stay_id.is_person")
    return found


def translate(stay: Stay) -> Translated:
    """The events of a message about one stay.

    Raises:
        NotTaken: Something that is needed is missing or wrong.
    """
    if stay.message.value("PV1", 2) not in INPATIENT:
        return Translated(remarks=[NOT_INPATIENT])
    trigger = stay.header.trigger
    if trigger in _CANCELS:
        if not stay.known.there:  # most patients of a ward are none of ours, and their cancellations neither
            return Translated(remarks=[STAY_UNKNOWN])
        return Translated([_cancelled(stay, _CANCELS[trigger])])
    translated = Translated(_new(stay, _TOLD[trigger](stay)))
    if not translated.events:
        translated.remarks.append(NOTHING_NEW if stay.known.there else STAY_UNKNOWN)
    return translated


def _new(stay: Stay, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what stands already: told again under another control id it would stand twice, and one cancellation would leave the other.

    The same at the same time, but with something else in it, corrects what was told before.
    """
    new: list[dict[str, Any]] = []
    for event in events:
        before = stay.known.stated_at(event["type"], event["source"], event["time"])
        if "corrects" in event["data"] or not before:
            new.append(event)
        elif event["data"] not in before.values():
            last = list(before)[-1]
            new.append(event | {"data": event["data"] | {"corrects": last}} if event["type"] in _CORRECTED else event)
    return new


def _admitted(stay: Stay) -> list[dict[str, Any]]:
    message = stay.message
    before = stay.known.admission
    if (
        before is not None
        and before["source"] == f"urn:hsa:{stay.ward}"
        and stay.known.stated_at("stay.admitted", before["source"], stay.time(("PV1", 44)))
    ):
        return _updated(stay)
    planned = message.value("PV2", 9)
    data: dict[str, Any] = {"person": person(message, stay.known.person), **_needs(message), "care_type": _care_type(message)}
    if planned not in {"", DELETED}:
        data["planned_discharge_date"] = day(planned, "PV2-9")
    return [stay.event("stay.admitted", data, time=stay.time(("PV1", 44))), *_readiness(stay)]


def _transferred(stay: Stay) -> list[dict[str, Any]]:
    """From the ward of PV1-6 to that of PV1-3; inside one ward nothing happens that anybody else needs to know."""
    to_unit = _ward(stay.message, 3, stay.wards)
    if to_unit is None:
        raise wrong("PV1-3", "missing", Condition.REQUIRED_MISSING)
    from_unit = _ward(stay.message, 6, stay.wards) or stay.known.ward
    if from_unit is None:
        raise wrong("PV1-6", "missing", Condition.REQUIRED_MISSING)
    if from_unit == to_unit:
        return []
    data = {"to_unit": to_unit}
    if other := stay.message.value("PV1", 50):
        data["to_subject"] = other
    return [stay.event("stay.transferred", data, time=stay.time(), source=f"urn:hsa:{from_unit}")]


def _left(stay: Stay) -> list[dict[str, Any]]:
    """Discharged, or dead: by the disposition (PV1-36) or the death indicator (PID-30)."""
    disposition = stay.message.value("PV1", 36)
    if disposition in _EXPIRED or stay.message.value("PID", 30) == "Y":
        return [stay.event("stay.deceased", {}, time=stay.time(("PID", 29), ("PV1", 45)))]
    data: dict[str, Any] = _secrecy(stay.message)
    if disposition in _DISCHARGED_TO:
        data["discharged_to"] = _DISCHARGED_TO[disposition]
    return [stay.event("stay.discharged", data | _on_paper(stay.message), time=stay.time(("PV1", 45)))]


def _updated(stay: Stay) -> list[dict[str, Any]]:
    """What changed of person, need, planned date and readiness; of a stay nobody told us of nothing is stored."""
    if not stay.known.there:
        return []
    time, events = stay.time(), []
    now_known = person(stay.message, stay.known.person)
    if stay.known.person is not None and now_known != _plain(stay.known.person):
        events.append(stay.event("stay.person_changed", {"person": now_known}, time=time, part="person"))
    events += _needs_changed(stay, now_known, time)
    planned = stay.message.value("PV2", 9)
    told = None if planned in {"", DELETED} else day(planned, "PV2-9")
    before = stay.known.planned
    if planned != "" and told != (None if before is None else before.isoformat()):
        events.append(stay.event("stay.planned_discharge_changed", {"planned_discharge_date": told}, time=time, part="planned"))
    return [*events, *_readiness(stay)]


def _needs_changed(stay: Stay, who: Mapping[str, Any], time: str) -> list[dict[str, Any]]:
    """Needs that were judged after the admission correct it; its time stays, and the judgement has its own."""
    before = stay.known.admission
    if before is None or not stay.message.has("ZNE"):
        return []
    needs = _needs(stay.message)
    same = set(needs["needs"]) == set(before.get("needs", ())) and needs.get("outpatient_unit") == before.get("outpatient_unit")
    kind = _care_type(stay.message) if stay.message.value("ZNE", 3) else before.get("care_type")
    if same and kind == before.get("care_type"):
        return []
    judged = before.get("judged_at") if same else time
    kept = {name: before[name] for name in ("planned_discharge_date", "given_on_paper_at") if name in before}
    data = {**kept, "care_type": kind, **({"judged_at": judged} if judged else {}), **needs, "person": dict(who), "corrects": before["id"]}
    return [stay.event("stay.admitted", data, time=str(before["time"]), part="needs", source=str(before["source"]))]


def _planned(stay: Stay) -> list[dict[str, Any]]:
    planned = stay.message.required("PV2", 9)
    data = {"planned_discharge_date": day(planned, "PV2-9")}
    return [stay.event("stay.planned_discharge_changed", data, time=stay.time()), *_readiness(stay)]


def _leave_started(stay: Stay) -> list[dict[str, Any]]:
    back = stay.message.value("PV2", 47)
    return [stay.event("stay.leave_started", {"expected_back_at": written(back, "PV2-47")} if back else {}, time=stay.time())]


def _leave_ended(stay: Stay) -> list[dict[str, Any]]:
    return [stay.event("stay.leave_ended", {}, time=stay.time())]


_TOLD: Final[Mapping[str, Callable[[Stay], list[dict[str, Any]]]]] = {
    "A01": _admitted,
    "A02": _transferred,
    "A03": _left,
    "A08": _updated,
    "A16": _planned,
    "A21": _leave_started,
    "A22": _leave_ended,
}


def _cancelled(stay: Stay, kinds: tuple[EventType, ...]) -> dict[str, Any]:
    then = stay.message.value("EVN", 6)
    happened = instant(then, "EVN-6") if then not in {"", DELETED} else None
    target = stay.known.latest(*kinds, at=happened) or stay.known.latest(*kinds)
    if target is None:
        raise wrong("PV1-19", "hl7.nothing_to_cancel", Condition.UNKNOWN_KEY, "No event of that kind stands in this stay")
    data = {"event": target.key.id, "reason": f"ADT {stay.header.trigger}"}
    return stay.event("stay.event_cancelled", data, time=stay.time(), source=target.key.source)


def _readiness(stay: Stay) -> list[dict[str, Any]]:
    """What ZRD says of the readiness, unless it is known."""
    message = stay.message
    said = message.value("ZRD", 1).upper()
    if said not in {"", _READY, _WITHDRAWN}:
        raise wrong("ZRD-1", "not_allowed", Condition.UNKNOWN_VALUE)
    if said == "":
        return []
    if stay.known.ready is (said == _READY):
        return _readiness_corrected(stay) if said == _READY else []
    time = stay.time(("ZRD", 2))
    if said == _WITHDRAWN:
        data: dict[str, Any] = {"reason": message.required("ZRD", 5)}
        return [stay.event("stay.ready_withdrawn", data | _on_paper(message), time=time, part="withdrawn")]
    data = {"compulsory": message.value("ZRD", 3).lower() or "none"} | _secrecy(message) | _on_paper(message)
    return [stay.event("stay.ready", data, time=time, part="ready")]


def _readiness_corrected(stay: Stay) -> list[dict[str, Any]]:
    """What ZRD says otherwise of a readiness that is known: the form of compulsory care, that secrecy was checked. Its time stays."""
    before = stay.known.readiness
    form = stay.message.value("ZRD", 3).lower()
    stated = ({"compulsory": form} if form else {}) | _secrecy(stay.message)
    if all(before["data"].get(name) == value for name, value in stated.items()):
        return []
    data = {**before["data"], **stated, "corrects": before["id"]}
    return [stay.event("stay.ready", data, time=before["time"], part="ready", source=before["source"])]


def _secrecy(message: Message) -> dict[str, Any]:
    checked = message.value("ZRD", 4)
    if checked not in {"", *_YES}:
        raise wrong("ZRD-4", "not_allowed", Condition.UNKNOWN_VALUE)
    return {"secrecy_checked": _YES[checked]} if checked else {}


def _on_paper(message: Message) -> dict[str, Any]:
    given = message.value("ZRD", 6)
    return {"given_on_paper_at": written(given, "ZRD-6")} if given else {}


def _needs(message: Message) -> dict[str, Any]:
    """What ZNE says of the needs, which decide who is told."""
    needs = list(dict.fromkeys(one.value().lower() for one in message.repetitions("ZNE", 1)))
    if any(need not in _NEEDS for need in needs):
        raise wrong("ZNE-1", "not_allowed", Condition.UNKNOWN_VALUE)
    said: dict[str, Any] = {"needs": sorted(needs, key=_NEEDS.index)}
    if unit := message.value("ZNE", 2):
        said["outpatient_unit"] = unit
    if judged := message.value("ZNE", 4):
        said["judged_at"] = written(judged, "ZNE-4")
    return said


def _care_type(message: Message) -> str:
    said = message.value("ZNE", 3).lower() or "somatic"
    if said not in {"somatic", "psychiatric"}:
        raise wrong("ZNE-3", "not_allowed", Condition.UNKNOWN_VALUE)
    return said


def _ward(message: Message, number_: int, wards: Mapping[str, str]) -> str | None:
    """The HSA-id of a place (PL): point of care or facility are one themselves, or the operator named it for them."""
    found = message.repetitions("PV1", number_)
    if not found:
        return None
    care, facility, facility_id = found[0].value(1), found[0].value(4, 1), found[0].value(4, 2)
    for name in (care, facility, facility_id):
        try:
            return parse_hsa_id(name)
        except ValueError:
            continue
    mapped = wards.get(f"{facility}/{care}") or wards.get(care)
    if mapped is None:
        raise wrong(f"PV1-{number_}", "ward.unknown", Condition.UNKNOWN_VALUE)
    return mapped


def _plain(known: Mapping[str, Any]) -> dict[str, Any]:
    """A person as this module states one, for comparing: what says nothing is left out."""
    stated = {name: value for name, value in known.items() if value is not None}
    return {**stated, "protected": bool(stated.get("protected", False))}
