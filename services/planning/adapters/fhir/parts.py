"""The parts that FHIR resources are made of here: references, identifiers, codes and our own extensions."""

from typing import Any, Final

from services.planning.adapters.person_ids import HSA_OID

Resource = dict[str, Any]

HSA: Final = f"urn:oid:{HSA_OID}"
EVENTS: Final = "urn:dirigent:event"
NOTICES: Final = "urn:dirigent:notice"
PROBLEMS: Final = "urn:dirigent:problem"
STAYS: Final = "urn:dirigent:stay"
MUNICIPALITIES: Final = "urn:dirigent:municipality"
REGISTERED_MUNICIPALITY: Final = "urn:dirigent:registered-municipality"
PLANNED_DISCHARGE: Final = "urn:dirigent:planned-discharge-date"
READY_SINCE: Final = "urn:dirigent:ready-since"
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
RESTRICTED: Final = ({"system": CONFIDENTIALITY, "code": "R"},)
_CLASSES: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
INPATIENT: Final = {"system": _CLASSES, "code": "IMP", "display": "inpatient encounter"}


def unit(hsa_id: str | None) -> Resource | None:
    """A reference to a unit by its HSA-id."""
    return None if hsa_id is None else {"identifier": {"system": HSA, "value": hsa_id}}


def party(recipient: str) -> Resource:
    """A reference to whom a notice is for: a unit, or a municipality by its code."""
    kind, _, code = recipient.partition(":")
    return {"identifier": {"system": HSA if kind == "unit" else MUNICIPALITIES, "value": code}}


def without_nothing(resource: Resource) -> Resource:
    """The resource without members that say nothing, which FHIR does not allow."""
    return {name: value for name, value in resource.items() if value is not None and value not in ([], {}, "")}
