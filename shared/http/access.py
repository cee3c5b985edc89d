"""The one table of public routes: which service answers, which scope it takes, which roles, whether an Idempotency-Key is required.

It drives the gateway's routing, the check in every service, the tests and the documentation.
"""

from dataclasses import dataclass
from typing import Final

SMALL_BODY: Final = 1 << 20
BATCH_BODY: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Route:
    """One public address. `scopes`: any one of them suffices. `roles`: empty means any role. `idempotency_key`: required on it."""

    method: str
    path: str
    service: str
    scopes: tuple[str, ...]
    roles: frozenset[str] = frozenset()
    idempotency_key: bool = False
    body_limit: int = SMALL_BODY
    content_types: tuple[str, ...] = ("application/json",)


def _planning(method: str, path: str, *scopes: str, key: bool = False) -> Route:
    return Route(method, path, "planning", scopes, idempotency_key=key)


def _billing(method: str, path: str, *scopes: str, key: bool = False) -> Route:
    return Route(method, path, "billing", scopes, idempotency_key=key)


def _notifications(method: str, path: str, *scopes: str, key: bool = False) -> Route:
    return Route(method, path, "notifications", scopes, idempotency_key=key)


# The directory holds no person; whoever works with planning may read it.
_READS_DIRECTORY: Final = ("directory:write", "events:write", "events:import", "cases:read", "notices:read", "averages:read", "audit:read")
_READS_FHIR: Final = ("events:write", "cases:read", "notices:read", "plans:write")
HL7: Final = ("application/hl7-v2", "x-application/hl7-v2+er7", "text/plain")
FHIR: Final = ("application/fhir+json", "application/json")
FORM: Final = ("application/x-www-form-urlencoded",)
_MONTH: Final = "/v1/months/{month}"
_BASIS: Final = "/v1/months/{month}/{municipality}"

ROUTES: Final = (
    Route(
        "POST",
        "/v1/events",
        "planning",
        ("events:write", "events:import"),
        content_types=("application/cloudevents+json", "application/json"),
    ),
    Route(
        "POST",
        "/v1/events/batch",
        "planning",
        ("events:write", "events:import"),
        body_limit=BATCH_BODY,
        content_types=("application/cloudevents-batch+json", "application/json"),
    ),
    Route("POST", "/v1/hl7v2", "planning", ("events:write",), content_types=HL7),
    Route("POST", "/v1/fhir/$process-message", "planning", ("events:write",), content_types=FHIR),
    _planning("GET", "/v1/fhir/metadata", *_READS_FHIR),
    _planning("GET", "/v1/fhir/Encounter/{id}", "cases:read"),
    _planning("GET", "/v1/fhir/Patient/{id}", "cases:read"),
    _planning("GET", "/v1/fhir/Task/{id}", "notices:read"),
    _planning("GET", "/v1/fhir/CarePlan/{id}", "plans:write", "cases:read"),
    Route("POST", "/v1/fhir/Encounter/_search", "planning", ("cases:read",), content_types=FORM),
    Route("POST", "/v1/fhir/Patient/_search", "planning", ("cases:read",), content_types=FORM),
    Route("POST", "/v1/fhir/Task/_search", "planning", ("notices:read",), content_types=FORM),
    Route("POST", "/v1/fhir/CarePlan/_search", "planning", ("plans:write", "cases:read"), content_types=FORM),
    _planning("GET", "/v1/audit", "audit:read"),
    _planning("POST", "/v1/audit/search", "audit:read"),
    _planning("POST", "/v1/persons/export", "persons:write"),
    _planning("POST", "/v1/persons/erasure", "persons:write", key=True),
    _planning("GET", "/v1/mailboxes", "notices:read"),
    _planning("GET", "/v1/notices", "notices:read"),
    _planning("GET", "/v1/notices/digest", "notices:read"),
    _planning("GET", "/v1/notices/{notice_id}", "notices:read"),
    _planning("POST", "/v1/notices/{notice_id}/acknowledgement", "notices:acknowledge"),
    _planning("POST", "/v1/notices/{notice_id}/return", "notices:acknowledge"),
    _planning("POST", "/v1/notices/{notice_id}/forward", "notices:acknowledge"),
    _planning("GET", "/v1/organisations", *_READS_DIRECTORY),
    _planning("PUT", "/v1/organisations/{number}", "directory:write"),
    _planning("GET", "/v1/units", *_READS_DIRECTORY),
    _planning("PUT", "/v1/units/{hsa_id}", "directory:write"),
    _planning("GET", "/v1/addressing/{recipient}", *_READS_DIRECTORY),
    _planning("PUT", "/v1/addressing/{recipient}", "directory:write"),
    _planning("GET", "/v1/mailboxes/{mailbox_id}/duty-calendar", *_READS_DIRECTORY),
    _planning("PUT", "/v1/mailboxes/{mailbox_id}/duty-calendar", "directory:write"),
    _planning("GET", "/v1/cases", "cases:read"),
    _planning("GET", "/v1/cases/{case_id}", "cases:read"),
    _planning("GET", "/v1/cases/{case_id}/history", "cases:read"),
    _planning("GET", "/v1/cases/{case_id}/patient-information", "cases:read"),
    _planning("POST", "/v1/cases/search", "cases:read"),
    _planning("GET", "/v1/worklist", "cases:read"),
    _planning("GET", "/v1/findings", "cases:read"),
    _planning("GET", "/v1/cases/paper", "cases:read"),
    _planning("GET", "/v1/outages", "events:write", "cases:read", "reviews:decide"),
    _planning("POST", "/v1/outages", "events:write", "cases:write", key=True),
    _planning("POST", "/v1/outages/{outage_id}/end", "events:write", "cases:write", key=True),
    _planning("POST", "/v1/outages/{outage_id}/confirmation", "reviews:decide", key=True),
    _planning("PUT", "/v1/cases/{case_id}/parties/{unit}/planning-status", "cases:write"),
    _planning("PUT", "/v1/cases/{case_id}/care-contact", "cases:write"),
    _planning("PUT", "/v1/cases/{case_id}/admission-reason", "events:write", "cases:write"),
    _planning("POST", "/v1/cases/{case_id}/declined", "cases:write", key=True),
    _planning("POST", "/v1/cases/{case_id}/outpatient-block", "cases:write", key=True),
    _planning("PUT", "/v1/cases/{case_id}/liable-municipality", "cases:write"),
    _planning("POST", "/v1/cases/{case_id}/sip-contested", "events:write", "cases:write", key=True),
    _planning("POST", "/v1/cases/{case_id}/statements/{event_id}/withdrawal", "events:write", "cases:write", key=True),
    _planning("POST", "/v1/plans", "plans:write", key=True),
    _planning("GET", "/v1/plans/{plan_id}", "plans:write", "cases:read"),
    _planning("POST", "/v1/plans/{plan_id}/invitations", "plans:write", key=True),
    _planning("PUT", "/v1/plans/{plan_id}/consent", "plans:write"),
    _planning("POST", "/v1/plans/{plan_id}/invitations/{invitation_id}/answer", "plans:write", key=True),
    _planning("PUT", "/v1/plans/{plan_id}/meeting", "plans:write"),
    _planning("PUT", "/v1/plans/{plan_id}/measures", "plans:write"),
    _planning("POST", "/v1/plans/{plan_id}/follow-up", "plans:write", key=True),
    _planning("POST", "/v1/plans/{plan_id}/close", "plans:write", key=True),
    _planning("POST", "/v1/consents", "consents:write", key=True),
    _planning("POST", "/v1/consents/{consent_id}/withdraw", "consents:write", key=True),
    _planning("GET", "/v1/cases/{case_id}/consents", "consents:write", "cases:read"),
    _planning("POST", "/v1/cases/{case_id}/messages", "cases:write", key=True),
    _planning("GET", "/v1/cases/{case_id}/messages", "cases:read"),
    _planning("POST", "/v1/deviations", "deviations:write", key=True),
    _planning("GET", "/v1/deviations", "deviations:write"),
    _planning("GET", "/v1/deviations/statistics", "deviations:write", "averages:read"),
    _planning("GET", "/v1/indicators", "averages:read"),
    _planning("GET", "/v1/deviations/{deviation_id}", "deviations:write"),
    _planning("POST", "/v1/deviations/{deviation_id}/assign", "deviations:write", key=True),
    _planning("POST", "/v1/deviations/{deviation_id}/answer", "deviations:write", key=True),
    _planning("POST", "/v1/deviations/{deviation_id}/close", "deviations:write", key=True),
    _billing("GET", "/v1/averages", "averages:read"),
    _billing("GET", "/v1/averages/{municipality}", "averages:read"),
    _billing("GET", _MONTH, "averages:read"),
    _billing("GET", _BASIS, "averages:read"),
    _billing("POST", f"{_BASIS}/prepare", "months:prepare", key=True),
    _billing("POST", f"{_BASIS}/publish", "months:publish", key=True),
    _billing("POST", f"{_BASIS}/sign", "months:sign", key=True),
    _billing("POST", f"{_BASIS}/signature-on-paper", "months:publish", key=True),
    _billing("POST", f"{_BASIS}/approve", "months:approve", key=True),
    _billing("POST", f"{_BASIS}/issue", "months:issue", key=True),
    _billing("POST", f"{_MONTH}/actions", "months:prepare", "months:publish", "months:sign", "months:approve", "months:issue", key=True),
    _billing("GET", f"{_BASIS}/explanation", "averages:read"),
    _billing("POST", "/v1/reviews/decide", "reviews:decide", key=True),
    _billing("POST", "/v1/disputes", "disputes:write", key=True),
    _billing("GET", "/v1/disputes", "disputes:write", "disputes:decide", "averages:read"),
    _billing("GET", "/v1/disputes/{dispute_id}", "disputes:write", "disputes:decide", "averages:read"),
    _billing("POST", "/v1/disputes/{dispute_id}/decision", "disputes:decide", key=True),
    _billing("POST", "/v1/disputes/{dispute_id}/escalation", "disputes:write", "disputes:decide", key=True),
    _billing("GET", "/v1/invoices", "invoices:read"),
    # Before the route without ending, which would take the ending for a part of the number.
    _billing("GET", "/v1/invoices/{number}.xml", "invoices:read"),
    _billing("GET", "/v1/invoices/{number}.pdf", "invoices:read"),
    _billing("GET", "/v1/invoices/{number}.csv", "invoices:read"),
    _billing("GET", "/v1/invoices/{number}", "invoices:read"),
    _billing("POST", "/v1/invoices/{number}/status", "invoices:status", key=True),
    _billing("GET", "/v1/exports/sie", "invoices:read"),
    _billing("GET", "/v1/receivables", "invoices:read"),
    _billing("GET", "/v1/accruals", "invoices:read", "averages:read"),
    _billing("GET", "/v1/ledger", "invoices:read", "audit:read"),
    _billing("GET", "/v1/debtors", "invoices:read"),
    _billing("GET", "/v1/debtors/{municipality}", "invoices:read"),
    _billing("PUT", "/v1/debtors/{municipality}", "agreements:write"),
    _billing("POST", "/v1/simulations", "simulations:run", key=True),
    _billing("GET", "/v1/simulations", "simulations:run"),
    _billing("GET", "/v1/simulations/{simulation_id}", "simulations:run"),
    _billing("POST", "/v1/simulations/{simulation_id}/cancel", "simulations:run", key=True),
    _billing("GET", "/v1/comparisons", "averages:read"),
    _billing("GET", "/v1/comparisons/{comparison_id}", "averages:read"),
    _billing("POST", "/v1/comparisons/{comparison_id}/signature", "months:approve", key=True),
    _billing("GET", "/v1/agreements", "averages:read"),
    _billing("POST", "/v1/agreements", "agreements:write", key=True),
    _billing("POST", "/v1/agreements/{agreement_id}/approval", "agreements:write", key=True),
    _billing("GET", "/v1/tariffs", "averages:read"),
    _billing("POST", "/v1/tariffs", "agreements:write", key=True),
    _billing("POST", "/v1/tariffs/{tariff_id}/approval", "agreements:write", key=True),
    _notifications("POST", "/v1/subscriptions", "subscriptions:write", key=True),
    _notifications("GET", "/v1/subscriptions", "subscriptions:write"),
    _notifications("GET", "/v1/subscriptions/{subscription_id}", "subscriptions:write"),
    _notifications("DELETE", "/v1/subscriptions/{subscription_id}", "subscriptions:write"),
    _notifications("GET", "/v1/subscriptions/{subscription_id}/deliveries", "subscriptions:write"),
    _notifications("POST", "/v1/subscriptions/{subscription_id}/deliveries/{delivery_id}/redrive", "subscriptions:write", key=True),
    _notifications("POST", "/v1/subscriptions/{subscription_id}/test", "subscriptions:write", key=True),
    _notifications("POST", "/v1/subscriptions/{subscription_id}/rotate-secret", "subscriptions:write", key=True),
    _notifications("POST", "/v1/subscriptions/{subscription_id}/replay", "subscriptions:write", key=True),
    _notifications("POST", "/v1/subscriptions/{subscription_id}/enable", "subscriptions:write", key=True),
    _notifications("GET", "/v1/stream", "notices:read"),
    _notifications("POST", "/v1/digests", "subscriptions:write", key=True),
    _notifications("GET", "/v1/digests", "subscriptions:write"),
    _notifications("DELETE", "/v1/digests/{digest_id}", "subscriptions:write"),
    _notifications("GET", "/v1/contacts", "subscriptions:write"),
    _notifications("PUT", "/v1/contacts", "subscriptions:write"),
    _notifications("GET", "/v1/escalations", "notices:read", "subscriptions:write"),
)
BY_TEMPLATE: Final = {(route.method, route.path): route for route in ROUTES}
SCOPES: Final = frozenset(scope for route in ROUTES for scope in route.scopes)
