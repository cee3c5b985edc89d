"""The isolation matrix: for every public route whose thing it leads to, and who must find nothing there.

An address belongs to `ASKED` (what is asked for is somebody's) or to `NOBODYS` (it leads to nothing of anybody's, with the reason); one in
neither fails `test_isolation.py`. Bodies are the document's own examples with the ids of what was made put in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.builders import CARE_CENTRE, OTHER_CARE_CENTRE, OTHER_WARD, WARD
from tests.contract.system import REGION

REGION_UNITS: Final = [f"SE{REGION}-"]
CLAIMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "region": {"role": "controller", "units": REGION_UNITS},
    "approver": {"role": "approver", "units": REGION_UNITS},
    "ward": {"role": "ward", "units": [WARD]},
    "other_ward": {"role": "ward", "units": [OTHER_WARD]},
    "care": {"role": "care", "units": [CARE_CENTRE]},
    "other_care": {"role": "care", "units": [OTHER_CARE_CENTRE]},
    # An office of the region that works with money: no unit of the wards or care centres is its own.
    "office": {"role": "finance", "units": [f"SE{REGION}-A000000000001"]},
    "municipality": {"org": "2120001355", "units": ["SE2120001355-"], "role": "municipality", "municipality": "1480"},
    # A private care provider: of neither the region nor a municipality, whatever offices it says it has.
    "company": {"org": "5560000001", "units": ["SE5560000001-"], "role": "care"},
    "other_municipality": {"org": "2120001363", "units": ["SE2120001363-"], "role": "municipality", "municipality": "1481"},
}
EXAMPLE: Final = "the example of the document"
OF_CARE: Final = ("other_ward", "other_care", "other_municipality", "office")
"""Who is no party to the case: a ward and a care centre of the same organisation, another municipality, an office."""
OTHERS_ENTRIES: Final = ("other_municipality", "company")
"""Who keeps no more of the directory than its own part, and decides nothing for the region."""
OF_MONEY: Final = ("other_municipality", "ward", "care")
OF_DEBTORS: Final = ("other_municipality", "ward", "care", "region")
"""Who must not see what a municipality does for itself: the creditor neither."""
NO_UNIT: Final = ("other_ward", "other_care", "other_municipality", "company")
PARTS: Final = (*NO_UNIT, "ward", "care")
"""Who speaks for a part of the region only, be it the part that the patient lies in, or for others."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `lists`: the answer may hold things, but none of those that were made; else nobody but the owner may tell them apart.

    `tells`: the owner's answer names something that was made. `enters`: what is not there yet is made, so that the owner succeeds with
    either; the others with neither. `no_wall`: why row-level security does not keep it too; it holds wherever nothing is said.
    """

    owner: str
    foreigners: tuple[str, ...]
    body: Any = EXAMPLE
    over: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    no_wall: str = ""
    lists: bool = False
    tells: bool = True
    enters: bool = False


def _case(owner: str = "care", **over: Any) -> tuple[Ask, ...]:
    return (Ask(owner, OF_CARE, over=over),)


def _list(owner: str, foreigners: tuple[str, ...], *, tells: bool = True, **query: str) -> tuple[Ask, ...]:
    return (Ask(owner, foreigners, query=query, lists=True, tells=tells),)


def _money(owner: str = "municipality", **query: str) -> tuple[Ask, ...]:
    return (Ask(owner, OF_MONEY, query=query),)


def _step(owner: str = "region") -> tuple[Ask, ...]:
    return (Ask(owner, OF_MONEY),)


def _told(owner: str = "municipality") -> tuple[Ask, ...]:
    return (Ask(owner, (*OF_CARE, "region")),)


def _entry(owner: str) -> tuple[Ask, ...]:
    return (Ask(owner, OTHERS_ENTRIES, enters=True, no_wall=DIRECTORY),)


_PLAN, _CASE, _NOTICE, _DEVIATION = "/v1/plans/{plan_id}", "/v1/cases/{case_id}", "/v1/notices/{notice_id}", "/v1/deviations/{deviation_id}"
_MONTH, _BASIS, _DISPUTE = "/v1/months/{month}", "/v1/months/{month}/{municipality}", "/v1/disputes/{dispute_id}"
_SUBSCRIPTION = "/v1/subscriptions/{subscription_id}"
_PERSON = {"type": "personnummer", "id": "{person}"}
MAILBOXES: Final = "that a mailbox is there stands in the directory; the wall keeps its entries, and it looks empty"
DIRECTORY: Final = "the directory holds no person and is everybody's to read: no wall stands around its tables"
OUTAGES: Final = "an outage holds no person and concerns whatever cases there are: no wall stands around its tables"
AUDITED: Final = "who reviews a log or answers for a person reads what everybody did, as auditor: whose it is was decided before"

ASKED: Final[Mapping[tuple[str, str], tuple[Ask, ...]]] = {
    # A case and what hangs on it.
    ("GET", "/v1/cases"): _list("care", OF_CARE),
    ("GET", _CASE): _case(),
    ("GET", f"{_CASE}/history"): _case(),
    ("GET", f"{_CASE}/patient-information"): _case("ward"),
    ("POST", "/v1/cases/search"): _case(person=_PERSON),
    ("GET", "/v1/worklist"): _list("care", OF_CARE),
    ("GET", "/v1/findings"): _list("care", OF_CARE, tells=False),
    ("GET", "/v1/cases/paper"): _list("care", OF_CARE),
    ("PUT", f"{_CASE}/parties/{{unit}}/planning-status"): _case(),
    ("PUT", f"{_CASE}/care-contact"): _case(),
    ("PUT", f"{_CASE}/admission-reason"): _case("region"),
    ("POST", f"{_CASE}/declined"): _case(),
    ("POST", f"{_CASE}/outpatient-block"): _case(),
    ("PUT", f"{_CASE}/liable-municipality"): _case("municipality"),
    ("POST", f"{_CASE}/sip-contested"): _case("municipality"),
    ("POST", f"{_CASE}/statements/{{event_id}}/withdrawal"): _case(),
    ("GET", f"{_CASE}/consents"): _case(),
    ("POST", f"{_CASE}/messages"): _case(),
    ("GET", f"{_CASE}/messages"): _case(),
    ("POST", "/v1/consents"): _case(case_id="{case_id}"),
    ("POST", "/v1/consents/{consent_id}/withdraw"): _case(),
    # A plan.
    ("POST", "/v1/plans"): _case(case_id="{case_id}"),
    ("GET", _PLAN): _case(),
    ("POST", f"{_PLAN}/invitations"): _case(),
    ("PUT", f"{_PLAN}/consent"): _case(),
    ("POST", f"{_PLAN}/invitations/{{invitation_id}}/answer"): _case(),
    ("PUT", f"{_PLAN}/meeting"): _case(),
    ("PUT", f"{_PLAN}/measures"): _case(),
    ("POST", f"{_PLAN}/follow-up"): _case(),
    ("POST", f"{_PLAN}/close"): _case(),
    # A mailbox and its notices.
    ("GET", "/v1/mailboxes"): (Ask("care", OF_CARE, lists=True, no_wall=DIRECTORY),),
    ("GET", "/v1/notices"): (
        *_list("care", OF_CARE),
        Ask("care", OF_CARE, query={"mailbox": "{mailbox_id}"}, no_wall=MAILBOXES),
    ),
    ("GET", "/v1/notices/digest"): (
        *_list("care", OF_CARE, tells=False, through="1"),
        Ask("care", OF_CARE, query={"through": "1", "mailbox": "{mailbox_id}"}, no_wall=MAILBOXES),
    ),
    ("GET", _NOTICE): _case(),
    ("POST", f"{_NOTICE}/acknowledgement"): _case(),
    # Deviations.
    ("POST", "/v1/deviations"): _case(case_id="{case_id}"),
    ("GET", "/v1/deviations"): _list("care", OF_CARE),
    ("GET", _DEVIATION): _case(),
    ("POST", f"{_DEVIATION}/assign"): _case(),
    ("POST", f"{_DEVIATION}/answer"): _case("ward"),
    ("POST", f"{_DEVIATION}/close"): _case(),
    ("GET", "/v1/deviations/statistics"): _list("care", OF_CARE, tells=False, **{"from": "2026-01-01", "to": "2026-12-31"}),
    ("GET", "/v1/indicators"): _list("region", OF_CARE, tells=False, **{"from": "2026-01", "to": "2026-10"}),
    # Events speak for the sender's own wards; another's ward and one that does not exist look the same.
    ("POST", "/v1/events"): (Ask("ward", NO_UNIT), Ask("ward", NO_UNIT, over={"id": "NEW-1", "subject": "NEW-1"})),
    ("POST", "/v1/events/batch"): (Ask("ward", NO_UNIT),),
    ("POST", "/v1/hl7v2"): (Ask("ward", NO_UNIT),),
    ("POST", "/v1/fhir/$process-message"): (Ask("ward", NO_UNIT),),
    ("POST", "/v1/outages"): (Ask("ward", NO_UNIT, no_wall=OUTAGES),),
    ("POST", "/v1/outages/{outage_id}/end"): (Ask("ward", ("other_municipality",), no_wall=OUTAGES),),
    ("POST", "/v1/outages/{outage_id}/confirmation"): (Ask("region", OTHERS_ENTRIES, no_wall=OUTAGES),),
    # The directory is everybody's to read; each entry is its organisation's and the region's to keep.
    ("PUT", "/v1/organisations/{number}"): _entry("region"),
    ("PUT", "/v1/units/{hsa_id}"): _entry("region"),
    ("PUT", "/v1/addressing/{recipient}"): _entry("municipality"),
    ("PUT", "/v1/mailboxes/{mailbox_id}/duty-calendar"): (
        Ask("region", OTHERS_ENTRIES, no_wall=DIRECTORY),
        Ask("care", OTHERS_ENTRIES, no_wall=DIRECTORY),
    ),
    # The same case, notice and plan as FHIR tells them.
    ("GET", "/v1/fhir/Encounter/{id}"): _case(),
    ("GET", "/v1/fhir/Patient/{id}"): _case(),
    ("GET", "/v1/fhir/Task/{id}"): _case(),
    ("GET", "/v1/fhir/CarePlan/{id}"): _case(),
    ("POST", "/v1/fhir/Encounter/_search"): (Ask("care", OF_CARE, body="_id={case_id}"),),
    ("POST", "/v1/fhir/Patient/_search"): (Ask("care", OF_CARE, body="_id={case_id}"),),
    ("POST", "/v1/fhir/Task/_search"): (
        Ask("care", OF_CARE, body="_id={notice_id}"),
        Ask("care", OF_CARE, body="encounter=Encounter/{case_id}"),
    ),
    ("POST", "/v1/fhir/CarePlan/_search"): (
        Ask("care", OF_CARE, body="_id={plan_id}"),
        Ask("care", OF_CARE, body="encounter=Encounter/{case_id}"),
        Ask("care", OF_CARE, body="patient.identifier=http://electronichealth.se/identifier/personnummer|{person}"),
        Ask("care", OF_CARE, body="", lists=True),
    ),
    # Persons and who read of them.
    # An organisation's own: whoever reviews its log reads all of it.
    ("GET", "/v1/audit"): (Ask("region", PARTS, lists=True, no_wall=AUDITED),),
    ("POST", "/v1/audit/search"): (Ask("region", PARTS, over={"person": _PERSON}, no_wall=AUDITED),),
    ("POST", "/v1/persons/export"): (Ask("region", PARTS, over={"person": _PERSON}, no_wall=AUDITED),),
    # Money: a debtor's own months, and the creditor's steps on them.
    ("GET", "/v1/averages"): _list("region", OF_MONEY, tells=False, month="2026-03"),
    ("GET", "/v1/averages/{municipality}"): _list("region", OF_MONEY, tells=False, **{"from": "2026-01", "to": "2026-10"}),
    ("GET", _MONTH): _list("municipality", OF_MONEY),
    ("GET", _BASIS): (*_money(), *_money(known_at="2026-11-01T00:00:00Z")),
    ("GET", f"{_BASIS}/explanation"): _money(),
    ("POST", f"{_BASIS}/prepare"): _step(),
    ("POST", f"{_BASIS}/publish"): _step(),
    ("POST", f"{_BASIS}/sign"): (Ask("municipality", (*OF_MONEY, "region")),),
    ("POST", f"{_BASIS}/signature-on-paper"): _step(),
    ("POST", f"{_BASIS}/approve"): _step("approver"),
    ("POST", f"{_BASIS}/issue"): _step("approver"),
    ("POST", f"{_MONTH}/actions"): (
        _step()[0],
        Ask(
            "municipality",
            OF_MONEY,
            over={"action": "sign", "items": [{"municipality": "{municipality}", "calculation": {"version": 1, "sha256": "5f" * 32}}]},
        ),
    ),
    ("POST", "/v1/reviews/decide"): (
        Ask("region", OF_MONEY, over={"decisions": [{"case": "{stay}", "reason": "no_sign_of_life", "outcome": "exclude"}]}),
    ),
    ("POST", "/v1/disputes"): (Ask("municipality", OF_MONEY, over={"month": "2026-03", "case": "{stay}", "days": None}),),
    ("GET", "/v1/disputes"): _list("municipality", OF_MONEY),
    ("GET", _DISPUTE): _money(),
    ("POST", f"{_DISPUTE}/decision"): _step("approver"),
    ("POST", f"{_DISPUTE}/escalation"): _money(),
    ("GET", "/v1/invoices"): _list("municipality", OF_MONEY),
    ("GET", "/v1/invoices/{number}"): _money(),
    ("GET", "/v1/invoices/{number}.xml"): _money(),
    ("GET", "/v1/invoices/{number}.pdf"): _money(),
    ("GET", "/v1/invoices/{number}.csv"): _money(),
    ("POST", "/v1/invoices/{number}/status"): _step(),
    ("GET", "/v1/exports/sie"): (*_list("region", (*OF_MONEY, "municipality"), tells=False, month="{this_month}"),),
    ("GET", "/v1/receivables"): (
        *_list("municipality", OF_MONEY),
        Ask("municipality", OF_MONEY, query={"municipality": "{municipality}"}),
    ),
    ("GET", "/v1/accruals"): _list("region", OF_MONEY, tells=False),
    ("GET", "/v1/ledger"): _list("region", (*OF_MONEY, "municipality")),
    ("GET", "/v1/debtors"): _list("municipality", OF_MONEY),
    ("GET", "/v1/debtors/{municipality}"): _money(),
    ("PUT", "/v1/debtors/{municipality}"): _step(),
    ("POST", "/v1/simulations"): (Ask("municipality", OF_MONEY, over={"municipalities": ["{municipality}"]}),),
    ("GET", "/v1/simulations"): _list("municipality", OF_DEBTORS),
    ("GET", "/v1/simulations/{simulation_id}"): (Ask("municipality", OF_DEBTORS),),
    ("POST", "/v1/simulations/{simulation_id}/cancel"): (Ask("municipality", OF_DEBTORS),),
    ("GET", "/v1/comparisons"): _list("region", OF_MONEY, tells=False),
    ("GET", "/v1/comparisons/{comparison_id}"): (Ask("region", ("ward", "care")), *_list("region", OF_MONEY)),
    ("POST", "/v1/comparisons/{comparison_id}/signature"): _step("approver"),
    # Who is told, where and how.
    ("POST", "/v1/subscriptions"): (Ask("municipality", ("other_municipality", "other_ward"), over={"units": ["{own_unit}"]}),),
    ("GET", "/v1/subscriptions"): (*_list("municipality", (*OF_CARE, "region")), *_list("care", (*OF_CARE, "region"))),
    ("GET", _SUBSCRIPTION): _told(),
    ("GET", f"{_SUBSCRIPTION}/deliveries"): _told(),
    ("POST", f"{_SUBSCRIPTION}/test"): _told(),
    ("POST", f"{_SUBSCRIPTION}/rotate-secret"): _told(),
    ("POST", f"{_SUBSCRIPTION}/replay"): (Ask("municipality", (*OF_CARE, "region"), query={"from": "1"}),),
    ("POST", f"{_SUBSCRIPTION}/enable"): _told(),
    ("POST", f"{_SUBSCRIPTION}/deliveries/{{delivery_id}}/redrive"): _told(),
    ("GET", "/v1/digests"): (*_list("municipality", (*OF_CARE, "region")), *_list("care", (*OF_CARE, "region"))),
    ("DELETE", "/v1/digests/{digest_id}"): _told(),
    ("GET", "/v1/contacts"): (*_list("municipality", (*OF_CARE, "region")), *_list("care", (*OF_CARE, "region"))),
    # Whoever speaks for a whole organisation hears of all its units here: the care centre's is the region's as well.
    ("GET", "/v1/escalations"): (*_list("municipality", (*OF_CARE, "company")), *_list("care", (*OF_CARE, "company"))),
    # Last what ends something: who returns a notice is no longer a party.
    ("DELETE", _SUBSCRIPTION): _told(),
    ("POST", f"{_NOTICE}/forward"): _case(),
    ("POST", f"{_NOTICE}/return"): _case(),
    ("POST", "/v1/persons/erasure"): (Ask("region", PARTS, over={"person": _PERSON}, no_wall=AUDITED),),
}

_DIRECTORY = "the directory holds no person and is everybody's to read"
_OUTAGES = "an outage holds no person: its whole organisation reads it, and whoever pays or decides reads all of them"
_TERMS = "rules and prices are everybody's to read"
_OF_THE_REGION = "what the region proposes is shown to everybody, and the region alone enters it: the table names its roles"
NOBODYS: Final[Mapping[tuple[str, str], str]] = {
    ("GET", "/v1/organisations"): _DIRECTORY,
    ("GET", "/v1/units"): _DIRECTORY,
    ("GET", "/v1/addressing/{recipient}"): _DIRECTORY,
    ("GET", "/v1/mailboxes/{mailbox_id}/duty-calendar"): _DIRECTORY,
    ("GET", "/v1/outages"): _OUTAGES,
    ("GET", "/v1/agreements"): _TERMS,
    ("GET", "/v1/tariffs"): _TERMS,
    ("POST", "/v1/agreements"): _OF_THE_REGION,
    ("POST", "/v1/agreements/{agreement_id}/approval"): _OF_THE_REGION,
    ("POST", "/v1/tariffs"): _OF_THE_REGION,
    ("POST", "/v1/tariffs/{tariff_id}/approval"): _OF_THE_REGION,
    ("GET", "/v1/fhir/metadata"): "what the service can do, the same for everybody",
    ("GET", "/v1/stream"): "never ends; tests/journeys/test_everyone_gets_told.py reads it as several organisations",
    ("POST", "/v1/digests"): "makes a digest of the caller's own; nothing of anybody's is named in it",
    ("PUT", "/v1/contacts"): "replaces the caller's own list",
}
