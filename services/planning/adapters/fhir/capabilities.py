"""The capability statement: made of the route table and of what searches take, so that it says what is served."""

from collections.abc import Mapping
from typing import Any, Final

from services.planning.adapters.fhir.parts import EVENTS, Resource
from shared.events.ward import WARD_EVENT_TYPES
from shared.http.access import ROUTES

_PREFIX: Final = "/v1/fhir/"
_CHANGED_ON: Final = "2026-11-22"
"""When what is stated here was last changed: the same statement bears the same date."""
SEARCHED_BY: Final[Mapping[str, Mapping[str, str]]] = {
    "Encounter": {"_id": "token", "patient.identifier": "token", "status": "token"},
    "Patient": {"_id": "token", "identifier": "token"},
    "Task": {"_id": "token", "encounter": "reference", "status": "token"},
    "CarePlan": {"_id": "token", "encounter": "reference", "patient.identifier": "token"},
}
"""What searches take beside `_count` and `_cursor`."""


def capability_statement(base: str) -> Resource:
    """What is served here."""
    served = [route.path.removeprefix(_PREFIX) for route in ROUTES if route.path.startswith(_PREFIX)]
    kinds = [path.removesuffix("/{id}") for path in served if path.endswith("/{id}")]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _CHANGED_ON,
        "kind": "instance",
        "software": {"name": "Dirigent"},
        "implementation": {"description": "Dirigent: discharge coordination", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {"mode": "server", "security": {"service": [{"text": "OAuth 2.0"}]}, "resource": [_resource(kind, served) for kind in kinds]}
        ],
        "messaging": [{"documentation": f"POST $process-message; events of {EVENTS}: {', '.join(WARD_EVENT_TYPES)}"}],
    }


def _resource(kind: str, served: list[str]) -> dict[str, Any]:
    interactions = [{"code": "read"}]
    if f"{kind}/_search" not in served:
        return {"type": kind, "interaction": interactions}
    parameters = [{"name": name, "type": of} for name, of in SEARCHED_BY[kind].items()]
    about = "Search by POST only: no number of a person stands in an address"
    return {"type": kind, "documentation": about, "interaction": [*interactions, {"code": "search-type"}], "searchParam": parameters}
