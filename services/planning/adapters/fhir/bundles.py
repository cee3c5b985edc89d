"""What answers are put into: the answer to a message, and the result of a search."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.planning.adapters.fhir.parts import EVENTS, Resource
from shared.dates import format_instant
from shared.identifiers import uuid7

OK: Final = "ok"
FATAL: Final = "fatal-error"
TRANSIENT: Final = "transient-error"


def response(told: str, message_id: str, code: str, outcome: Resource, *, endpoint: str, at: datetime) -> Resource:
    """The answer to a message: what became of it, and why.

    Args:
        told: The type of the event.
        message_id: The id of the header that is answered.
        code: `ok`, `fatal-error` (never again as it stands) or `transient-error` (again, unchanged).
        outcome: An OperationOutcome.
        endpoint: Our address.
        at: When it is answered.
    """
    header_id, outcome_id = str(uuid7()), str(uuid7())
    header = {
        "resourceType": "MessageHeader",
        "id": header_id,
        "eventCoding": {"system": EVENTS, "code": told},
        "source": {"name": "Dirigent", "endpoint": endpoint},
        "response": {"identifier": message_id, "code": code, "details": {"reference": f"urn:uuid:{outcome_id}"}},
    }
    return {
        "resourceType": "Bundle",
        "id": str(uuid7()),
        "type": "message",
        "timestamp": format_instant(at),
        "entry": [
            {"fullUrl": f"urn:uuid:{header_id}", "resource": header},
            {"fullUrl": f"urn:uuid:{outcome_id}", "resource": {**outcome, "id": outcome_id}},
        ],
    }


def found(base: str, kind: str, resources: Sequence[Resource], stated: str, following: str | None) -> Resource:
    """The result of a search; its links hold parameters, those of the next page to be sent as a form like these were.

    Args:
        base: Where FHIR is served.
        kind: The type of the resources.
        resources: What was found.
        stated: The parameters that were used, as R4 wants them in the link `self`; never one that names a person.
        following: Those of the next page, if there is one.
    """
    links = [{"relation": "self", "url": f"{base}/{kind}/_search?{stated}"}]
    if following is not None:
        links.append({"relation": "next", "url": f"{base}/{kind}/_search?{following}"})
    entries = [{"fullUrl": f"{base}/{kind}/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in resources]
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "link": links}
    return bundle | ({"entry": entries} if entries else {})
