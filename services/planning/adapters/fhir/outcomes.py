"""What went wrong, and what was noticed, as an OperationOutcome; our codes stand beside FHIR's."""

from collections.abc import Sequence
from typing import Final

from services.planning.adapters.fhir.parts import PROBLEMS, Resource
from shared.errors import BusinessError

_KINDS: Final = {
    400: "structure",
    401: "login",
    403: "forbidden",
    404: "not-found",
    409: "business-rule",
    413: "too-long",
    415: "not-supported",
}
_PASSING: Final = {429: "throttled", 503: "transient"}


def outcome_of(error: BusinessError, status: int, title: str, detail: str) -> Resource:
    """A refusal: one issue for each field that is wrong, or one for all."""
    kind = _KINDS.get(status) or _PASSING.get(status) or ("invalid" if status < 500 else "exception")  # noqa: PLR2004  # HTTP
    common = {
        "severity": "error",
        "code": kind,
        "details": {"coding": [{"system": PROBLEMS, "code": error.code, "display": title}], "text": detail or title},
    }
    fields = [{**common, "diagnostics": one.code, "expression": [_expression(one.pointer)]} for one in error.errors]
    return {"resourceType": "OperationOutcome", "issue": fields or [common]}


def all_ok(findings: Sequence[dict[str, str]] = ()) -> Resource:
    """Taken; what does not fit is said for information."""
    noticed = [
        {
            "severity": "information",
            "code": "informational",
            "details": {"coding": [{"system": PROBLEMS, "code": one["code"]}], "text": one["detail"]},
        }
        for one in findings
    ]
    fine = {"severity": "information", "code": "informational", "details": {"text": "All OK"}}
    return {"resourceType": "OperationOutcome", "issue": noticed or [fine]}


def _expression(pointer: str) -> str:
    """The place of a field: names only, no value ever stands in one."""
    steps = [step for step in pointer.split("/") if step]
    return ".".join(f"[{step}]" if step.isdigit() else step for step in steps).replace(".[", "[") or "Bundle"
