"""The one table of public routes: which service answers, which scope it takes, which roles, by which policy, with or without a key.

It drives the gateway's routing, the check in every service, the tests and the documentation.
"""

from dataclasses import dataclass
from typing import Final

from shared.http.policies import REGION_OFFICES, Policy

SMALL_BODY: Final = 1 << 20
BATCH_BODY: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Route:
    """One public address. `scopes`: any one of them suffices. `roles`: empty means any role. `idempotency_key`: required on it.

    `policy` says whose things it answers about, and has no default: a route that nobody decided about is not a route.
    """

    method: str
    path: str
    service: str
    policy: Policy
    scopes: tuple[str, ...]
    roles: frozenset[str] = frozenset()
    idempotency_key: bool = False
    body_limit: int = SMALL_BODY
    content_types: tuple[str, ...] = ("application/json",)


def _planning(method: str, path: str, policy: Policy, *scopes: str, key: bool = False) -> Route:
    return Route(method, path, "planning", policy, scopes, idempotency_key=key)


def _billing(method: str, path: str, policy: Policy, *scopes: str, key: bool = False, roles: frozenset[str] = frozenset()) -> Route:
    return Route(method, path, "billing", policy, scopes, roles, idempotency_key=key)


def _notifications(method: str, path: str, policy: Policy, *scopes: str, key: bool = False) -> Route:
    return Route(method, path, "notifications", policy, scopes, idempotency_key=key)


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
        Policy.SENDER,
        ("events:write", "events:import"),
        content_types=("application/cloudevents+json", "application/json"),
    ),
    Route(
        "POST",
        "/v1/events/batch",
        "planning",
        Policy.SENDER,
        ("events:write", "events:import"),
        body_limit=BATCH_BODY,
        content_types=("application/cloudevents-batch+json", "application/json"),
    ),
    Route("POST", "/v1/hl7v2", "planning", Policy.SENDER, ("events:write",), content_types=HL7),
    Route("POST", "/v1/fhir/$process-message", "planning", Policy.SENDER, ("events:write",), content_types=FHIR),
    _planning("GET", "/v1/fhir/metadata", Policy.CAPABILITY, *_READS_FHIR),
    _planning("GET", "/v1/fhir/Encounter/{id}", Policy.CASE, "cases:read"),
    _planning("GET", "/v1/fhir/Patient/{id}", Policy.CASE, "cases:read"),
    _planning("GET", "/v1/fhir/Task/{id}", Policy.MAILBOX, "notices:read"),
    _planning("GET", "/v1/fhir/CarePlan/{id}", Policy.PLAN, "plans:write", "cases:read"),
    Route("POST", "/v1/fhir/Encounter/_search", "planning", Policy.CASE, ("cases:read",), content_types=FORM),
    Route("POST", "/v1/fhir/Patient/_search", "planning", Policy.CASE, ("cases:read",), content_types=FORM),
    Route("POST", "/v1/fhir/Task/_search", "planning", Policy.MAILBOX, ("notices:read",), content_types=FORM),
    Route("POST", "/v1/fhir/CarePlan/_search", "planning", Policy.PLAN, ("plans:write", "cases:read"), content_types=FORM),
    _planning("GET", "/v1/audit", Policy.AUDIT, "audit:read"),
    _planning("POST", "/v1/audit/search", Policy.AUDIT, "audit:read"),
    _planning("POST", "/v1/persons/export", Policy.PERSON_REGISTER, "persons:write"),
    _planning("POST", "/v1/persons/erasure", Policy.PERSON_REGISTER, "persons:write", key=True),
    _planning("GET", "/v1/mailboxes", Policy.MAILBOX, "notices:read"),
    _planning("GET", "/v1/notices", Policy.MAILBOX, "notices:read"),
    _planning("GET", "/v1/notices/digest", Policy.MAILBOX, "notices:read"),
    _planning("GET", "/v1/notices/{notice_id}", Policy.MAILBOX, "notices:read"),
    _planning("POST", "/v1/notices/{notice_id}/acknowledgement", Policy.MAILBOX, "notices:acknowledge"),
    _planning("POST", "/v1/notices/{notice_id}/return", Policy.MAILBOX, "notices:acknowledge"),
    _planning("POST", "/v1/notices/{notice_id}/forward", Policy.MAILBOX, "notices:acknowledge"),
    _planning("GET", "/v1/organisations", Policy.DIRECTORY_READ, *_READS_DIRECTORY),
    _planning("PUT", "/v1/organisations/{number}", Policy.DIRECTORY_WRITE, "directory:write"),
    _planning("GET", "/v1/units", Policy.DIRECTORY_READ, *_READS_DIRECTORY),
    _planning("PUT", "/v1/units/{hsa_id}", Policy.DIRECTORY_WRITE, "directory:write"),
    _planning("GET", "/v1/addressing/{recipient}", Policy.DIRECTORY_READ, *_READS_DIRECTORY),
    _planning("PUT", "/v1/addressing/{recipient}", Policy.DIRECTORY_WRITE, "directory:write"),
    _planning("GET", "/v1/mailboxes/{mailbox_id}/duty-calendar", Policy.DIRECTORY_READ, *_READS_DIRECTORY),
    _planning("PUT", "/v1/mailboxes/{mailbox_id}/duty-calendar", Policy.DIRECTORY_WRITE, "directory:write"),
    _planning("GET", "/v1/cases", Policy.CASE, "cases:read"),
    _planning("GET", "/v1/cases/{case_id}", Policy.CASE, "cases:read"),
    _planning("GET", "/v1/cases/{case_id}/history", Policy.CASE, "cases:read"),
    _planning("GET", "/v1/cases/{case_id}/patient-information", Policy.CASE, "cases:read"),
    _planning("POST", "/v1/cases/search", Policy.CASE, "cases:read"),
    _planning("GET", "/v1/worklist", Policy.CASE, "cases:read"),
    _planning("GET", "/v1/findings", Policy.CASE, "cases:read"),
    _planning("GET", "/v1/cases/paper", Policy.CASE, "cases:read"),
    _planning("GET", "/v1/outages", Policy.OUTAGE, "events:write", "cases:read", "reviews:decide"),
    _planning("POST", "/v1/outages", Policy.OUTAGE, "events:write", "cases:write", key=True),
    _planning("POST", "/v1/outages/{outage_id}/end", Policy.OUTAGE, "events:write", "cases:write", key=True),
    _planning("POST", "/v1/outages/{outage_id}/confirmation", Policy.OUTAGE, "reviews:decide", key=True),
    _planning("PUT", "/v1/cases/{case_id}/parties/{unit}/planning-status", Policy.CASE, "cases:write"),
    _planning("PUT", "/v1/cases/{case_id}/care-contact", Policy.CASE, "cases:write"),
    _planning("PUT", "/v1/cases/{case_id}/admission-reason", Policy.CASE, "events:write", "cases:write"),
    _planning("POST", "/v1/cases/{case_id}/declined", Policy.CASE, "cases:write", key=True),
    _planning("POST", "/v1/cases/{case_id}/outpatient-block", Policy.CASE, "cases:write", key=True),
    _planning("PUT", "/v1/cases/{case_id}/liable-municipality", Policy.CASE, "cases:write"),
    _planning("POST", "/v1/cases/{case_id}/sip-contested", Policy.CASE, "events:write", "cases:write", key=True),
    _planning("POST", "/v1/cases/{case_id}/statements/{event_id}/withdrawal", Policy.CASE, "events:write", "cases:write", key=True),
    _planning("POST", "/v1/plans", Policy.PLAN, "plans:write", key=True),
    _planning("GET", "/v1/plans/{plan_id}", Policy.PLAN, "plans:write", "cases:read"),
    _planning("POST", "/v1/plans/{plan_id}/invitations", Policy.PLAN, "plans:write", key=True),
    _planning("PUT", "/v1/plans/{plan_id}/consent", Policy.PLAN, "plans:write"),
    _planning("POST", "/v1/plans/{plan_id}/invitations/{invitation_id}/answer", Policy.PLAN, "plans:write", key=True),
    _planning("PUT", "/v1/plans/{plan_id}/meeting", Policy.PLAN, "plans:write"),
    _planning("PUT", "/v1/plans/{plan_id}/measures", Policy.PLAN, "plans:write"),
    _planning("POST", "/v1/plans/{plan_id}/follow-up", Policy.PLAN, "plans:write", key=True),
    _planning("POST", "/v1/plans/{plan_id}/close", Policy.PLAN, "plans:write", key=True),
    _planning("POST", "/v1/consents", Policy.CONSENT, "consents:write", key=True),
    _planning("POST", "/v1/consents/{consent_id}/withdraw", Policy.CONSENT, "consents:write", key=True),
    _planning("GET", "/v1/cases/{case_id}/consents", Policy.CASE, "consents:write", "cases:read"),
    _planning("POST", "/v1/cases/{case_id}/messages", Policy.CASE, "cases:write", key=True),
    _planning("GET", "/v1/cases/{case_id}/messages", Policy.CASE, "cases:read"),
    _planning("POST", "/v1/deviations", Policy.DEVIATION, "deviations:write", key=True),
    _planning("GET", "/v1/deviations", Policy.DEVIATION, "deviations:write"),
    _planning("GET", "/v1/deviations/statistics", Policy.FIGURES, "deviations:write", "averages:read"),
    _planning("GET", "/v1/indicators", Policy.FIGURES, "averages:read"),
    _planning("GET", "/v1/deviations/{deviation_id}", Policy.DEVIATION, "deviations:write"),
    _planning("POST", "/v1/deviations/{deviation_id}/assign", Policy.DEVIATION, "deviations:write", key=True),
    _planning("POST", "/v1/deviations/{deviation_id}/answer", Policy.DEVIATION, "deviations:write", key=True),
    _planning("POST", "/v1/deviations/{deviation_id}/close", Policy.DEVIATION, "deviations:write", key=True),
    _billing("GET", "/v1/averages", Policy.MONTHS_OF_EVERYONE, "averages:read"),
    _billing("GET", "/v1/averages/{municipality}", Policy.MONTHS_OF_EVERYONE, "averages:read"),
    _billing("GET", _MONTH, Policy.DEBTOR_OR_CREDITOR, "averages:read"),
    _billing("GET", _BASIS, Policy.DEBTOR_OR_CREDITOR, "averages:read"),
    _billing("POST", f"{_BASIS}/prepare", Policy.CREDITOR, "months:prepare", key=True, roles=REGION_OFFICES),
    _billing("POST", f"{_BASIS}/publish", Policy.CREDITOR, "months:publish", key=True, roles=REGION_OFFICES),
    _billing("POST", f"{_BASIS}/sign", Policy.DEBTOR, "months:sign", key=True),
    _billing("POST", f"{_BASIS}/signature-on-paper", Policy.CREDITOR, "months:publish", key=True, roles=REGION_OFFICES),
    _billing("POST", f"{_BASIS}/approve", Policy.CREDITOR, "months:approve", key=True, roles=REGION_OFFICES),
    _billing("POST", f"{_BASIS}/issue", Policy.CREDITOR, "months:issue", key=True, roles=REGION_OFFICES),
    _billing(
        "POST",
        f"{_MONTH}/actions",
        Policy.DEBTOR_OR_CREDITOR,
        "months:prepare",
        "months:publish",
        "months:sign",
        "months:approve",
        "months:issue",
        key=True,
    ),
    _billing("GET", f"{_BASIS}/explanation", Policy.DEBTOR_OR_CREDITOR, "averages:read"),
    _billing("POST", "/v1/reviews/decide", Policy.CREDITOR, "reviews:decide", key=True, roles=REGION_OFFICES),
    _billing("POST", "/v1/disputes", Policy.DEBTOR_OR_CREDITOR, "disputes:write", key=True),
    _billing("GET", "/v1/disputes", Policy.DEBTOR_OR_CREDITOR, "disputes:write", "disputes:decide", "averages:read"),
    _billing("GET", "/v1/disputes/{dispute_id}", Policy.DEBTOR_OR_CREDITOR, "disputes:write", "disputes:decide", "averages:read"),
    _billing("POST", "/v1/disputes/{dispute_id}/decision", Policy.CREDITOR, "disputes:decide", key=True, roles=REGION_OFFICES),
    _billing("POST", "/v1/disputes/{dispute_id}/escalation", Policy.DEBTOR_OR_CREDITOR, "disputes:write", "disputes:decide", key=True),
    _billing("GET", "/v1/invoices", Policy.DEBTOR_OR_CREDITOR, "invoices:read"),
    # Before the route without ending, which would take the ending for a part of the number.
    _billing("GET", "/v1/invoices/{number}.xml", Policy.DEBTOR_OR_CREDITOR, "invoices:read"),
    _billing("GET", "/v1/invoices/{number}.pdf", Policy.DEBTOR_OR_CREDITOR, "invoices:read"),
    _billing("GET", "/v1/invoices/{number}.csv", Policy.DEBTOR_OR_CREDITOR, "invoices:read"),
    _billing("GET", "/v1/invoices/{number}", Policy.DEBTOR_OR_CREDITOR, "invoices:read"),
    _billing("POST", "/v1/invoices/{number}/status", Policy.CREDITOR, "invoices:status", key=True, roles=REGION_OFFICES),
    _billing("GET", "/v1/exports/sie", Policy.CREDITOR, "invoices:read", roles=REGION_OFFICES),
    _billing("GET", "/v1/receivables", Policy.DEBTOR_OR_CREDITOR, "invoices:read"),
    _billing("GET", "/v1/accruals", Policy.DEBTOR_OR_CREDITOR, "invoices:read", "averages:read"),
    _billing("GET", "/v1/ledger", Policy.CREDITOR, "invoices:read", "audit:read", roles=REGION_OFFICES),
    _billing("GET", "/v1/debtors", Policy.DEBTOR_OR_CREDITOR, "invoices:read"),
    _billing("GET", "/v1/debtors/{municipality}", Policy.DEBTOR_OR_CREDITOR, "invoices:read"),
    _billing("PUT", "/v1/debtors/{municipality}", Policy.CREDITOR, "agreements:write", roles=REGION_OFFICES),
    _billing("POST", "/v1/simulations", Policy.OWN_SIMULATION, "simulations:run", key=True),
    _billing("GET", "/v1/simulations", Policy.OWN_SIMULATION, "simulations:run"),
    _billing("GET", "/v1/simulations/{simulation_id}", Policy.OWN_SIMULATION, "simulations:run"),
    _billing("POST", "/v1/simulations/{simulation_id}/cancel", Policy.OWN_SIMULATION, "simulations:run", key=True),
    _billing("GET", "/v1/comparisons", Policy.DEBTOR_OR_CREDITOR, "averages:read"),
    _billing("GET", "/v1/comparisons/{comparison_id}", Policy.DEBTOR_OR_CREDITOR, "averages:read"),
    _billing("POST", "/v1/comparisons/{comparison_id}/signature", Policy.CREDITOR, "months:approve", key=True, roles=REGION_OFFICES),
    _billing("GET", "/v1/agreements", Policy.TERMS, "averages:read"),
    _billing("POST", "/v1/agreements", Policy.CREDITOR, "agreements:write", key=True, roles=REGION_OFFICES),
    _billing("POST", "/v1/agreements/{agreement_id}/approval", Policy.CREDITOR, "agreements:write", key=True, roles=REGION_OFFICES),
    _billing("GET", "/v1/tariffs", Policy.TERMS, "averages:read"),
    _billing("POST", "/v1/tariffs", Policy.CREDITOR, "agreements:write", key=True, roles=REGION_OFFICES),
    _billing("POST", "/v1/tariffs/{tariff_id}/approval", Policy.CREDITOR, "agreements:write", key=True, roles=REGION_OFFICES),
    _notifications("POST", "/v1/subscriptions", Policy.OWN_SUBSCRIPTION, "subscriptions:write", key=True),
    _notifications("GET", "/v1/subscriptions", Policy.OWN_SUBSCRIPTION, "subscriptions:write"),
    _notifications("GET", "/v1/subscriptions/{subscription_id}", Policy.OWN_SUBSCRIPTION, "subscriptions:write"),
    _notifications("DELETE", "/v1/subscriptions/{subscription_id}", Policy.OWN_SUBSCRIPTION, "subscriptions:write"),
    _notifications("GET", "/v1/subscriptions/{subscription_id}/deliveries", Policy.OWN_SUBSCRIPTION, "subscriptions:write"),
    _notifications(
        "POST",
        "/v1/subscriptions/{subscription_id}/deliveries/{delivery_id}/redrive",
        Policy.OWN_SUBSCRIPTION,
        "subscriptions:write",
        key=True,
    ),
    _notifications("POST", "/v1/subscriptions/{subscription_id}/test", Policy.OWN_SUBSCRIPTION, "subscriptions:write", key=True),
    _notifications("POST", "/v1/subscriptions/{subscription_id}/rotate-secret", Policy.OWN_SUBSCRIPTION, "subscriptions:write", key=True),
    _notifications("POST", "/v1/subscriptions/{subscription_id}/replay", Policy.OWN_SUBSCRIPTION, "subscriptions:write", key=True),
    _notifications("POST", "/v1/subscriptions/{subscription_id}/enable", Policy.OWN_SUBSCRIPTION, "subscriptions:write", key=True),
    _notifications("GET", "/v1/stream", Policy.STREAM, "notices:read"),
    _notifications("POST", "/v1/digests", Policy.OWN_CONTACT, "subscriptions:write", key=True),
    _notifications("GET", "/v1/digests", Policy.OWN_CONTACT, "subscriptions:write"),
    _notifications("DELETE", "/v1/digests/{digest_id}", Policy.OWN_CONTACT, "subscriptions:write"),
    _notifications("GET", "/v1/contacts", Policy.OWN_CONTACT, "subscriptions:write"),
    _notifications("PUT", "/v1/contacts", Policy.OWN_CONTACT, "subscriptions:write"),
    _notifications("GET", "/v1/escalations", Policy.OWN_ESCALATION, "notices:read", "subscriptions:write"),
)
BY_TEMPLATE: Final = {(route.method, route.path): route for route in ROUTES}
SCOPES: Final = frozenset(scope for route in ROUTES for scope in route.scopes)
