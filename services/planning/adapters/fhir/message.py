"""A FHIR message (Bundle of type message) as one of the product's own events.

What FHIR has a place for is read there: the patient, the stay, the ward, when it happened. The rest of an event's data stands in a
Parameters resource under the names of the event itself, so that every event can be told and no two descriptions can differ.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.planning.adapters.fhir.parts import CONFIDENTIALITY, EVENTS, HSA, REGISTERED_MUNICIPALITY, Resource
from services.planning.adapters.person_ids import KINDS, kind_by_system
from shared.errors import FieldError, Malformed
from shared.events.ward import WARD_EVENT_TYPES
from shared.identifiers import PersonIdType

_NEED: Final = "need"
_TIME: Final = "time"
_CONFIDENTIAL: Final = frozenset({"R", "V"})
_TELLING_PERSON: Final = frozenset({"stay.admitted", "stay.person_changed"})
_BEGINS: Final = frozenset({"stay.admitted"})
_ENDS: Final = frozenset({"stay.discharged", "stay.deceased"})


def refused(place: str, code: str) -> Malformed:
    """A message that is not as it must be."""
    return Malformed("fhir.invalid", errors=(FieldError(place, code),))


def read_message(bundle: object) -> tuple[str, dict[str, Any]]:
    """The id of the message's header, and the event that it tells.

    Raises:
        Malformed: `fhir.invalid`, with the place of what is missing or wrong.
    """
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle" or bundle.get("type") != "message":
        raise refused("/Bundle", "not_a_message")
    resources = _resources(bundle)
    header = resources[0]
    if header.get("resourceType") != "MessageHeader":
        raise refused("/Bundle/entry/0", "not_a_header")
    kind = _event_type(header)
    encounter, parameters = _only(resources, "Encounter"), _parameters(resources)
    identifier = encounter.get("identifier")
    time = parameters.pop(_TIME, None) or _period(encounter, kind)
    data: dict[str, Any] = {**parameters}
    if kind in _TELLING_PERSON:
        data["person"] = person_of(_only(resources, "Patient"))
    return _text(header.get("id"), "/MessageHeader/id"), {
        "specversion": "1.0",
        "id": _text(_member(bundle.get("identifier"), "value"), "/Bundle/identifier/value"),
        "source": f"urn:hsa:{_ward(encounter)}",
        "type": kind,
        "subject": _text(_member(_first(identifier), "value"), "/Encounter/identifier/value"),
        "time": _text(time, "/Encounter/period"),
        "data": data,
    }


def person_of(patient: Resource) -> dict[str, Any]:
    """The patient as an event states her."""
    kind, number = _number(patient)
    name = _chosen(patient.get("name"), "official")
    given = name.get("given")
    person: dict[str, Any] = {
        "type": kind,
        "id": number,
        "name": {
            "given": " ".join(_text(one, "/Patient/name/given") for one in given) if isinstance(given, list) else "",
            "family": _text(name.get("family"), "/Patient/name/family"),
        },
        "protected": _is_protected(patient),
    }
    if not person["name"]["given"]:
        raise refused("/Patient/name/given", "missing")
    address = _chosen(patient.get("address"), "home")
    if address.get("line") and address.get("postalCode") and address.get("city"):
        person["registered_address"] = {
            "street": ", ".join(_text(one, "/Patient/address/line") for one in _list(address["line"])),
            "postal_code": _text(address["postalCode"], "/Patient/address/postalCode"),
            "city": _text(address["city"], "/Patient/address/city"),
        }
    for extension in _list(patient.get("extension")):
        if _member(extension, "url") == REGISTERED_MUNICIPALITY:
            person["registered_municipality"] = _text(_member(extension, "valueCode"), "/Patient/extension/valueCode")
    return person


def number_of(system: str, value: str) -> tuple[PersonIdType, str] | None:
    """A person's number by the system it is of; none when it is of another one."""
    kind = kind_by_system(system)
    return None if kind is None else (kind, value.replace("-", "").upper())


def _number(patient: Resource) -> tuple[PersonIdType, str]:
    found: dict[PersonIdType, str] = {}
    for one in _list(patient.get("identifier")):
        number = number_of(str(_member(one, "system")), str(_member(one, "value")))
        if number is not None:
            found.setdefault(*number)
    for kind in KINDS:
        if kind in found:
            return kind, found[kind]
    raise refused("/Patient/identifier", "person_id.issuer_unknown")


def _event_type(header: Resource) -> str:
    coding = header.get("eventCoding")
    uri = header.get("eventUri")
    code = _member(coding, "code") if _member(coding, "system") == EVENTS else str(uri or "").removeprefix(f"{EVENTS}:")
    if code not in WARD_EVENT_TYPES:
        raise refused("/MessageHeader/eventCoding", "not_allowed")
    return str(code)


def _parameters(resources: Sequence[Resource]) -> dict[str, Any]:
    """The members of an event's data, each by its name and whatever value it has; needs repeat."""
    data: dict[str, Any] = {}
    for resource in resources:
        if resource.get("resourceType") != "Parameters":
            continue
        for one in _list(resource.get("parameter")):
            name, value = _text(_member(one, "name"), "/Parameters/parameter/name"), _value(one)
            if name == _NEED:
                data.setdefault("needs", []).append(value)
            elif name in data:
                raise refused("/Parameters/parameter/name", "repeated")
            else:
                data[name] = value
    return data


def _value(parameter: object) -> object:
    members = parameter.items() if isinstance(parameter, dict) else ()
    values = [value for name, value in members if name.startswith("value")]
    if len(values) != 1 or not isinstance(values[0], str | bool):
        raise refused("/Parameters/parameter/value", "type")
    return values[0]


def _period(encounter: Resource, kind: str) -> object:
    end = "start" if kind in _BEGINS else "end" if kind in _ENDS else None
    found = None if end is None else _member(encounter.get("period"), end)
    if found is None:
        raise refused("/Parameters/parameter/time" if end is None else f"/Encounter/period/{end}", "missing")
    return found


def _ward(encounter: Resource) -> str:
    identifier = _member(encounter.get("serviceProvider"), "identifier")
    if _member(identifier, "system") != HSA:
        raise refused("/Encounter/serviceProvider/identifier/system", "not_allowed")
    return _text(_member(identifier, "value"), "/Encounter/serviceProvider/identifier/value")


def _resources(bundle: Mapping[str, Any]) -> list[Resource]:
    found = [_member(entry, "resource") for entry in _list(bundle.get("entry"))]
    if not found or not all(isinstance(one, dict) for one in found):
        raise refused("/Bundle/entry", "missing")
    return found


def _only(resources: Sequence[Resource], kind: str) -> Resource:
    found = [one for one in resources if one.get("resourceType") == kind]
    if len(found) != 1:
        raise refused(f"/{kind}", "missing" if not found else "repeated")
    return found[0]


def _chosen(parts: object, use: str) -> Resource:
    found = [one for one in _list(parts) if isinstance(one, dict)]
    return next((one for one in found if one.get("use") == use), found[0] if found else {})


def _is_protected(patient: Resource) -> bool:
    """Whether a label says so; one that cannot be read is refused, because what it hides would be shown."""
    labels = _member(patient.get("meta"), "security")
    if labels is not None and not isinstance(labels, list):
        raise refused("/Patient/meta/security", "type")
    codes = [
        _text(_member(label, "code"), "/Patient/meta/security/code")
        for label in _list(labels)
        if not isinstance(label, dict) or label.get("system") in {None, CONFIDENTIALITY}
    ]
    return not _CONFIDENTIAL.isdisjoint(codes)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _first(value: object) -> object:
    return next(iter(_list(value)), None)


def _member(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or not value:
        raise refused(place, "missing" if value is None else "type")
    return value
