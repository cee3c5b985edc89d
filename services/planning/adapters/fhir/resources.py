"""Cases, notices and plans as FHIR R4 resources; what stays back there stays back here, and says so."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.planning.adapters.fhir.parts import (
    ABSENT,
    INPATIENT,
    NOTICES,
    PLANNED_DISCHARGE,
    READY_SINCE,
    REGISTERED_MUNICIPALITY,
    RESTRICTED,
    STAYS,
    Resource,
    party,
    unit,
    without_nothing,
)
from services.planning.adapters.person_ids import system_of

ON_LEAVE: Final = "onleave"
ENCOUNTER_STATUS: Final[Mapping[str, str]] = {
    "awaiting_admission": "planned",
    "admitted": "in-progress",
    "planning": "in-progress",
    "ready": "in-progress",
    "discharged": "finished",
    "followed_up": "finished",
    "closed": "finished",
    "deceased": "finished",
    "cancelled": "entered-in-error",
}
_TASK_STATUS: Final[Mapping[str, str]] = {
    "sent": "requested",
    "delivered": "received",
    "acknowledged": "accepted",
    "returned": "rejected",
    "superseded": "cancelled",
    "cancelled": "cancelled",
}
_PLAN_STATUS: Final[Mapping[str, str]] = {
    "need": "draft",
    "consented": "draft",
    "invited": "draft",
    "held": "active",
    "follow_up": "active",
    "refused": "revoked",
    "withdrawn": "revoked",
    "closed": "completed",
}


_FETCHED: Final = "delivered"
# FHIR R4 EncounterStatus and TaskStatus: every one may be asked for, though not every one occurs.
STATUSES: Final[Mapping[str, Sequence[str]]] = {
    "Encounter": ("planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error", "unknown"),
    "Task": (
        *("draft", "requested", "received", "accepted", "rejected", "ready", "cancelled", "in-progress", "on-hold", "failed"),
        *("completed", "entered-in-error"),
    ),
}


def cases_shown_as(status: str) -> tuple[tuple[str, ...] | None, bool]:
    """The states of the cases that are shown with a status, none for any of them, and whether those are on leave."""
    if status == ON_LEAVE:
        return None, True
    return tuple(state for state, shown in ENCOUNTER_STATUS.items() if shown == status), False


def notices_shown_as(status: str, *, fetched: bool = True) -> tuple[str, ...]:
    """The states of the notices that are shown with a status, by default once they were fetched, as a search does with what it finds."""
    shown = {state: _FETCHED if fetched and state == "sent" else state for state in _TASK_STATUS}
    return tuple(state for state, then in shown.items() if _TASK_STATUS[then] == status)


def encounter(case: Mapping[str, Any]) -> Resource:
    """A case as its stay."""
    standing = [period for period in case["ready"] if period["withdrawn_at"] is None]
    extensions = [
        {"url": PLANNED_DISCHARGE, "valueDate": case["planned_discharge_date"]} if case["planned_discharge_date"] else None,
        {"url": READY_SINCE, "valueDateTime": standing[-1]["ready_at"]} if standing else None,
    ]
    return without_nothing(
        {
            "resourceType": "Encounter",
            "id": str(case["id"]),
            "meta": {"versionId": str(case["version"]), "lastUpdated": case["changed_at"]},
            "extension": [one for one in extensions if one is not None],
            "identifier": [{"system": STAYS, "value": case["subject"]}],
            "status": ON_LEAVE if case.get("on_leave") else ENCOUNTER_STATUS[case["state"]],
            "class": INPATIENT,
            "serviceType": {"text": case["care_type"]} if case["care_type"] else None,
            "subject": {"reference": f"Patient/{case['id']}"},
            "period": without_nothing({"start": case["admitted_at"], "end": case["discharged_at"] or case["deceased_at"]}),
            "serviceProvider": unit(case["ward"]),
        }
    )


def patient(identity: str, person: Mapping[str, Any] | None, *, deceased_at: str | None = None, meta: Resource | None = None) -> Resource:
    """The person of a case, under an id of this case alone: two stays of one person do not tell that they are hers."""
    named = person is not None and person.get("id") is not None  # of one who was erased nothing is left to tell
    resource: Resource = {"resourceType": "Patient", "id": identity, "meta": dict(meta or {})}
    if not named or person is None:
        resource["meta"]["security"] = list(RESTRICTED)
        return resource | {"name": [{"extension": [{"url": ABSENT, "valueCode": "masked"}]}]}
    if person.get("protected"):
        resource["meta"]["security"] = list(RESTRICTED)
    name, address, municipality = person.get("name"), person.get("registered_address"), person.get("registered_municipality")
    return without_nothing(
        resource
        | {
            "extension": [{"url": REGISTERED_MUNICIPALITY, "valueCode": municipality}] if municipality else [],
            "identifier": [{"use": "official", "system": system_of(person["type"]), "value": person["id"]}],
            "name": [{"use": "official", "family": name["family"], "given": [name["given"]]}] if name else [],
            "deceasedDateTime": deceased_at,
            "address": [{"use": "home", "line": [address["street"]], "postalCode": address["postal_code"], "city": address["city"]}]
            if address
            else [],
        }
    )


def task(notice: Mapping[str, Any], standing: str) -> Resource:
    """A notice as what its recipient has to take on."""
    personal = notice["personal"] or {}
    person = personal.get("person")
    contained = [patient("person", person)] if isinstance(person, Mapping) else []
    case_id = notice["case_id"]
    return without_nothing(
        {
            "resourceType": "Task",
            "id": str(notice["id"]),
            "meta": without_nothing({"security": list(RESTRICTED) if personal.get("withheld") else []}),
            "contained": contained,
            "status": _TASK_STATUS[standing],
            "intent": "order",
            "code": {"coding": [{"system": NOTICES, "code": notice["type"]}]},
            "for": {"reference": "#person"} if contained else None,
            "encounter": {"reference": f"Encounter/{case_id}"} if case_id else None,
            "authoredOn": notice["sent_at"],
            "requester": unit(notice["sender"]),
            "owner": party(notice["recipient"]),
            "reasonCode": {"text": notice["legal_basis"]} if notice["legal_basis"] else None,
            "restriction": {"period": {"end": notice["acknowledge_by"]}} if notice["acknowledge_by"] else None,
            "input": _inputs(personal.get("content")),
        }
    )


def _inputs(content: object) -> list[Resource]:
    told = content.items() if isinstance(content, Mapping) else ()
    return [
        {"type": {"text": str(name)}, "valueString": value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}
        for name, value in told
        if value not in (None, "")
    ]


def care_plan(plan: Mapping[str, Any]) -> Resource:
    """A plan; what it says only where the patient consented and the reader takes part."""
    measures = plan["measures"] or {}
    contained = [patient("person", plan["person"])] if plan["person"] else []
    subject = {"reference": "#person"} if contained else {"extension": [{"url": ABSENT, "valueCode": "masked"}]}
    case_id = plan["case_id"]
    return without_nothing(
        {
            "resourceType": "CarePlan",
            "id": str(plan["id"]),
            "meta": without_nothing({"security": list(RESTRICTED) if plan["withheld"] else []}),
            "contained": contained,
            "status": _PLAN_STATUS[plan["state"]],
            "intent": "plan",
            "category": [{"text": plan["kind"]}],
            "subject": subject,
            "encounter": {"reference": f"Encounter/{case_id}"} if case_id else None,
            "created": plan["opened_at"],
            "author": unit(measures.get("main_responsibility") or plan["care_centre"]),
            "contributor": [unit(one["unit"]) for one in plan["parties"]],
            "description": "; ".join(_texts(measures.get("needs"))) or None,
            "activity": [_activity(one) for one in measures.get("measures", ())],
        }
    )


def _texts(value: object) -> Sequence[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value] if isinstance(value, list | tuple) else []


def _activity(measure: Mapping[str, Any]) -> Resource:
    performer = unit(measure.get("unit")) or {"display": str(measure["by"])}
    return {"detail": {"status": "scheduled", "description": measure["what"], "performer": [performer]}}
