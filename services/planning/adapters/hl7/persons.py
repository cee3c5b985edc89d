"""The person of a message (PID, PD1): who it is by the number's issuer; what the message leaves out stays as it was known."""

from collections.abc import Mapping
from typing import Any, Final

from services.planning.adapters.hl7.message import DELETED, Condition, Message, Repetition, wrong
from services.planning.adapters.person_ids import KINDS, kind_by_oid
from shared.identifiers import PersonIdType

_MUNICIPALITY_DIGITS: Final = 4
_REGISTERED: Final = ("L", "H", "P", "")
"""Types of address (HL7 table 0190), that of the population register first."""


def number(message: Message, segment: str, field: int) -> tuple[PersonIdType, str]:
    """The person's number among those that a message names (CX): a personnummer rather than another.

    Raises:
        NotTaken: None of a kind that is known, or none at all.
    """
    place = f"{segment}-{field}"
    found: dict[PersonIdType, str] = {}
    for one in message.repetitions(segment, field):
        kind = kind_by_oid(one.value(4, 2)) or kind_by_oid(one.value(4, 1))
        if kind is not None:
            found.setdefault(kind, one.value().replace("-", "").upper())
    for kind in KINDS:
        if kind in found:
            return kind, found[kind]
    if message.value(segment, field) == "":
        raise wrong(place, "missing", Condition.REQUIRED_MISSING)
    raise wrong(place, "person_id.issuer_unknown", Condition.UNKNOWN_VALUE)


def person(message: Message, known: Mapping[str, Any] | None) -> dict[str, Any]:
    """The whole of the person, as an event states it.

    Args:
        message: The message.
        known: Who it is by what was stated before: what the message leaves out stays so.

    Raises:
        NotTaken: No number of a kind that is known, or no name.
    """
    return completed(said_of(message), known)


def said_of(message: Message) -> dict[str, Any]:
    """What a message itself says of the person: type and id, and of name, address and protection what it does not leave out.

    Raises:
        NotTaken: No number of a kind that is known, or something that is not understood.
    """
    kind, text = number(message, "PID", 3)
    said: dict[str, Any] = {"type": str(kind), "id": text}
    parts = {"name": _name(message), "address": _address(message), "protected": _protected(message)}
    return said | {part: value for part, value in parts.items() if value is not None}


def completed(said: Mapping[str, Any], known: Mapping[str, Any] | None) -> dict[str, Any]:
    """The same with what is known of the person in place of what was left out.

    Raises:
        NotTaken: The name is neither said nor known.
    """
    before = dict(known or {})
    stated: dict[str, Any] = {"type": said["type"], "id": said["id"], "name": said.get("name") or before.get("name")}
    if stated["name"] is None:
        raise wrong("PID-5", "missing", Condition.REQUIRED_MISSING)
    kept = {part: before.get(part) for part in ("registered_address", "registered_municipality")}
    stated |= said.get("address", {part: value for part, value in kept.items() if value is not None})
    stated["protected"] = said.get("protected", bool(before.get("protected", False)))
    return stated


def _protected(message: Message) -> bool | None:
    """Whether the person is protected, where it says so; a word that is not understood is refused, because what it hides would be shown.

    Raises:
        NotTaken: It says neither yes nor no.
    """
    said = message.value("PD1", 12).upper()
    if said not in {"", "Y", "N", DELETED}:
        raise wrong("PD1-12", "not_allowed", Condition.UNKNOWN_VALUE)
    return None if said == "" else said == "Y"


def _name(message: Message) -> dict[str, str] | None:
    names = message.repetitions("PID", 5)
    legal = next((name for name in names if name.value(7) == "L"), names[0] if names else None)
    if legal is None or not (legal.value(1) and legal.value(2)):
        return None
    return {"given": legal.value(2), "family": legal.value(1)}


def _address(message: Message) -> dict[str, Any] | None:
    """Address and municipality; none when the message says nothing of them, both empty when it takes them away."""
    addresses = message.repetitions("PID", 11)
    if not addresses:
        return None
    if addresses[0].value() == DELETED:
        return {}
    chosen = min(addresses, key=lambda one: _REGISTERED.index(one.value(7)) if one.value(7) in _REGISTERED else len(_REGISTERED))
    street, city, postal_code = chosen.value(1), chosen.value(3), chosen.value(5)
    stated: dict[str, Any] = {}
    if street and city and postal_code:
        stated["registered_address"] = {"street": street, "postal_code": postal_code, "city": city}
    municipality = _municipality(chosen)
    if municipality:
        stated["registered_municipality"] = municipality
    return stated


def _municipality(address: Repetition) -> str:
    """The municipality in XAD.9: its code, alone or before that of the parish (länskod, kommunkod, församlingskod)."""
    code = address.value(9)
    return code[:_MUNICIPALITY_DIGITS] if code.isdigit() else code
