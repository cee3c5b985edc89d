"""Persons between the columns and the code: sealed as they are written, opened as they are read, the type of the column unchanged.

Where SQL must know something of a sealed value (whether the person is protected, that it was erased), that stands beside it in clear. A
value that is not sealed was written before there were keys: it is read as it is, and the worker seals it.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from services.planning.vault import person_vault
from shared.streams.canonical import canonical_plain

SEALED: Final = "sealed"
_FLAG: Final = "protected"


def case_of(case_id: UUID | str) -> str:
    """What the person of a case is bound to."""
    return f"case:{case_id}"


def plan_of(plan_id: UUID | str) -> str:
    """What the person of a plan without a stay is bound to."""
    return f"plan:{plan_id}"


def notice_of(notice_id: UUID | str) -> str:
    """What the personal part of a notice is bound to."""
    return f"notice:{notice_id}"


def merge_of(merge_id: UUID | str) -> str:
    """What the person of a merge that waits for its stay is bound to."""
    return f"merge:{merge_id}"


def event_of(source: str, event_id: str) -> str:
    """What the person in an event is bound to: the event's own key, known before it has a row."""
    return f"event:{source} {event_id}"


def sealed_value(value: Mapping[str, Any], *, of: str) -> dict[str, Any]:
    """What is kept of a value: sealed whole, and in clear whether the person is protected, where it says so."""
    kept: dict[str, Any] = {SEALED: person_vault().seal(msgspec.json.encode(value), of=of)}
    if _FLAG in value:
        kept[_FLAG] = bool(value[_FLAG])
    return kept


def sealed_json(value: Mapping[str, Any], *, of: str) -> str:
    """The same as JSON, for a column."""
    return msgspec.json.encode(sealed_value(value, of=of)).decode()


def opened_value(kept: Mapping[str, Any], *, of: str) -> dict[str, Any]:
    """What was sealed; a value that is not sealed as it is.

    Raises:
        VaultClosed: It cannot be opened.
    """
    if SEALED not in kept:
        return dict(kept)
    value: dict[str, Any] = msgspec.json.decode(person_vault().open(kept[SEALED], of=of))
    return value


def sealed_event(event: Mapping[str, Any], plain: str) -> str:
    """The body of an event as it is kept: canonical JSON with its person sealed; one without a person as it is.

    Args:
        event: The event as sent.
        plain: Its canonical JSON.
    """
    data = event.get("data")
    if not isinstance(data, Mapping) or not isinstance(data.get("person"), Mapping):
        return plain
    of = event_of(event["source"], event["id"])
    return canonical_plain({**event, "data": {**data, "person": sealed_value(data["person"], of=of)}})


def event_fingerprint(event: Mapping[str, Any], plain: str) -> bytes:
    """What an event is known again by when it comes twice: of one that names a person keyed, so that it says nothing of her.

    Args:
        event: The event as sent.
        plain: Its canonical JSON.
    """
    data = event.get("data")
    named = isinstance(data, Mapping) and isinstance(data.get("person"), Mapping)
    return person_vault().fingerprint(plain.encode()) if named else sha256(plain.encode()).digest()


def opened_event(body: str) -> dict[str, Any]:
    """An event as it was sent.

    Raises:
        VaultClosed: Its person cannot be opened.
    """
    event: dict[str, Any] = msgspec.json.decode(body)
    person = event["data"].get("person") if isinstance(event.get("data"), dict) else None
    if person is not None:
        event["data"]["person"] = opened_value(person, of=event_of(event["source"], event["id"]))
    return event


class Opened(TypeDecorator[Any]):
    """A column of a statement that holds what a sealed value is bound to, and the value: `jsonb_build_array('case:' || c.id, c.person)`.

    A row shows what was sealed, so that whoever reads it need not know that it was.
    """

    impl = JSONB
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002  # as the class it extends
        """The value opened; none where there is none."""
        if value is None or value[1] is None:
            return None
        of, kept = value
        return _in_order(opened_value(kept, of=of)) if SEALED in kept else kept


def _in_order(value: Any) -> Any:
    """Members as a JSONB column would have them, so that nobody sees from an answer how a value is kept."""
    if isinstance(value, Mapping):
        return {name: _in_order(value[name]) for name in sorted(value, key=lambda name: (len(name.encode()), name.encode()))}
    if isinstance(value, list | tuple):
        return [_in_order(one) for one in value]
    return value
