"""The documentation's own examples, sent as they stand to running services: each gets a status that the document promises."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from string import Formatter
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from services.billing.usecases import Debtor, enter_debtors
from services.gateway.app import build_document
from services.notifications.usecases import TargetPolicy
from services.planning.usecases import load_directory
from shared.db import Role
from shared.http.access import FORM
from shared.identifiers import uuid7
from tests.contract.system import PUBLIC_URL, REGION, System
from tests.integration.planning.conftest import ENTRIES

Document = dict[str, Any]

# What each example meets in an empty county, told in this order. A month is not published on the example's made-up calculation, nobody
# approves a price of his own, there is no stay to decide on and one mailbox only: the document tells of these refusals too.
CASE, PLAN, NOTICE, DEVIATION = "/v1/cases/{case_id}", "/v1/plans/{plan_id}", "/v1/notices/{notice_id}", "/v1/deviations/{deviation_id}"
STORY = (
    ("PUT", "/v1/organisations/{number}", "region", 200),
    ("PUT", "/v1/units/{hsa_id}", "region", 200),
    ("PUT", "/v1/addressing/{recipient}", "region", 200),
    ("PUT", "/v1/mailboxes/{mailbox_id}/duty-calendar", "region", 200),
    ("POST", "/v1/events", "region", 201),
    ("POST", "/v1/events/batch", "region", 200),
    ("POST", "/v1/cases/search", "care", 200),
    ("PUT", f"{CASE}/parties/{{unit}}/planning-status", "care", 200),
    ("PUT", f"{CASE}/care-contact", "care", 200),
    ("POST", f"{CASE}/declined", "care", 201),
    ("POST", f"{CASE}/outpatient-block", "care", 201),
    ("POST", f"{CASE}/statements/{{event_id}}/withdrawal", "care", 201),
    ("POST", f"{CASE}/sip-contested", "municipality", 201),
    ("PUT", f"{CASE}/liable-municipality", "municipality", 200),
    ("PUT", f"{CASE}/admission-reason", "region", 200),
    ("POST", "/v1/consents", "care", 201),
    ("POST", f"{CASE}/messages", "care", 201),
    ("POST", "/v1/deviations", "care", 201),
    ("POST", f"{DEVIATION}/assign", "care", 201),
    ("POST", f"{DEVIATION}/answer", "region", 201),
    ("POST", f"{DEVIATION}/close", "care", 201),
    ("POST", "/v1/consents/{consent_id}/withdraw", "care", 201),
    ("POST", "/v1/plans", "care", 201),
    ("PUT", f"{PLAN}/consent", "care", 200),
    ("POST", f"{PLAN}/invitations", "care", 201),
    ("POST", f"{PLAN}/invitations/{{invitation_id}}/answer", "care", 201),
    ("PUT", f"{PLAN}/meeting", "care", 200),
    ("PUT", f"{PLAN}/measures", "care", 200),
    ("POST", f"{PLAN}/follow-up", "care", 201),
    ("POST", f"{PLAN}/close", "care", 201),
    ("POST", f"{NOTICE}/acknowledgement", "care", 201),
    ("POST", f"{NOTICE}/forward", "care", 422),
    ("POST", f"{NOTICE}/return", "care", 201),
    ("POST", "/v1/outages", "region", 201),
    ("POST", "/v1/outages/{outage_id}/end", "region", 409),
    ("POST", "/v1/outages/{outage_id}/confirmation", "region", 201),
    ("POST", "/v1/audit/search", "region", 200),
    ("POST", "/v1/persons/export", "region", 200),
    ("POST", "/v1/persons/erasure", "region", 409),
    ("POST", "/v1/hl7v2", "region", 200),
    ("POST", "/v1/fhir/$process-message", "region", 200),
    ("POST", "/v1/fhir/Encounter/_search", "care", 200),
    ("POST", "/v1/fhir/Patient/_search", "care", 200),
    ("POST", "/v1/fhir/Task/_search", "care", 200),
    ("POST", "/v1/fhir/CarePlan/_search", "care", 200),
    ("POST", "/v1/subscriptions", "region", 201),
    ("POST", "/v1/digests", "region", 201),
    ("PUT", "/v1/contacts", "region", 200),
    ("POST", "/v1/months/{month}/{municipality}/prepare", "region", 200),
    ("POST", "/v1/months/{month}/actions", "region", 200),
    ("POST", "/v1/months/{month}/{municipality}/publish", "region", 409),
    ("POST", "/v1/months/{month}/{municipality}/sign", "municipality", 409),
    ("POST", "/v1/months/{month}/{municipality}/signature-on-paper", "region", 409),
    ("POST", "/v1/months/{month}/{municipality}/approve", "region", 409),
    ("POST", "/v1/months/{month}/{municipality}/issue", "region", 409),
    ("POST", "/v1/reviews/decide", "region", 404),
    ("POST", "/v1/tariffs", "region", 201),
    ("POST", "/v1/tariffs/{tariff_id}/approval", "region", 409),
    ("POST", "/v1/agreements", "region", 201),
    ("POST", "/v1/agreements/{agreement_id}/approval", "region", 409),
    ("PUT", "/v1/debtors/{municipality}", "region", 200),
    ("POST", "/v1/disputes", "municipality", 409),
    ("POST", "/v1/disputes/{dispute_id}/decision", "region", 404),
    ("POST", "/v1/disputes/{dispute_id}/escalation", "municipality", 404),
    ("POST", "/v1/invoices/{number}/status", "region", 404),
    ("POST", "/v1/simulations", "region", 202),
    ("POST", "/v1/comparisons/{comparison_id}/signature", "region", 404),
)
CARE_CENTRE = "SE2321000131-E000000000901"
NOWHERE = "01890a5d-ac96-774b-bcce-b302099a8057"
WRITING = ("post", "put")


async def found_public(_host: str, _port: int) -> list[str]:
    return ["93.184.215.14"]


@asynccontextmanager
async def county(system: System) -> AsyncIterator[httpx.AsyncClient]:
    system.services["notifications"].state.target_policy = TargetPolicy((), found_public)
    async with system.opened() as client:
        async with system.services["planning"].state.database.transaction(role=Role.WORKER) as work:
            await load_directory(work, ENTRIES)
        async with system.services["billing"].state.database.transaction(role=Role.WORKER) as work:
            await enter_debtors(work, [Debtor("1480", "Göteborg", "2120001355")])
        yield client


def document_of(system: System) -> Document:
    return build_document(system.gateway, system.services, PUBLIC_URL)


def resolved(document: Document, schema: Document) -> Document:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def examples_of(document: Document, operation: Document) -> list[tuple[str, Any]]:
    found = []
    for kind, media in operation["requestBody"]["content"].items():
        shown = [media["example"]] if "example" in media else resolved(document, media["schema"]).get("examples", [])
        found += [(kind, example) for example in shown]
    return found


def token_for(system: System, who: str) -> str:
    claims: dict[str, dict[str, Any]] = {
        "region": {"role": "controller", "units": [f"SE{REGION}-"]},
        "care": {"role": "care", "units": [CARE_CENTRE]},
        "municipality": {"org": "2120001355", "units": ["SE2120001355-"], "role": "municipality", "municipality": "1480"},
    }
    return system.token(sub=who, **claims[who])


def test_every_operation_that_takes_json_shows_an_example(system: System) -> None:
    document = document_of(system)
    taking = {
        (method.upper(), path): item[method]
        for path, item in document["paths"].items()
        for method in WRITING
        if path.startswith("/v1/") and "requestBody" in item.get(method, {})
    }
    assert [name for name, operation in taking.items() if not examples_of(document, operation)] == []
    assert sorted(taking) == sorted((method, path) for method, path, _, _ in STORY), "every example is told below"


async def test_every_example_gets_a_status_that_the_document_promises(system: System) -> None:
    document = document_of(system)
    wrong: list[str] = []
    async with county(system) as client:
        known = await beforehand(system, client)
        for method, template, who, expected in STORY:
            operation = document["paths"][template][method.lower()]
            if template.startswith(NOTICE):
                known["notice_id"] = await a_notice(system, client)
            assert not missing(template, known), wrong
            for kind, example in examples_of(document, operation)[:1]:
                headers = {"Authorization": f"Bearer {token_for(system, who)}", "Content-Type": kind, "Idempotency-Key": str(uuid7())}
                body = example | {"case_id": known["case_id"]} if "case_id" in example else example
                answer = await client.request(method, template.format_map(known), content=encoded(kind, body), headers=headers)
                if answer.status_code != expected or str(expected) not in operation["responses"]:
                    wrong.append(f"{method} {template}: {answer.status_code} {answer.text}")
                known |= learnt(template, answer.json()) if "json" in answer.headers["content-type"] else {}
    assert wrong == []


def encoded(kind: str, example: Any) -> bytes:
    """An example as it is sent: text as it stands, a form, or JSON."""
    if isinstance(example, str):
        return example.encode()
    return (urlencode(example) if kind in FORM else json.dumps(example)).encode()


async def beforehand(system: System, client: httpx.AsyncClient) -> dict[str, str]:
    """What the addresses of the examples name that is there before anything happens."""
    headers = {"Authorization": f"Bearer {token_for(system, 'care')}"}
    mailbox = (await client.get("/v1/mailboxes", headers=headers)).json()["mailboxes"][0]["id"]
    return {
        "month": "2026-10",
        "municipality": "1480",
        "number": "2120001355",
        "hsa_id": "SE2120001355-E000000000009",
        "recipient": "municipality:1480",
        "mailbox_id": mailbox,
        "unit": CARE_CENTRE,
        "dispute_id": NOWHERE,
        "comparison_id": NOWHERE,
    }


def missing(template: str, known: dict[str, str]) -> list[str]:
    """What an address names that no answer has told, because one before it was refused."""
    return [name for _, name, _, _ in Formatter().parse(template) if name is not None and name not in known]


def learnt(template: str, answer: Document) -> dict[str, str]:
    """The ids that an answer tells, by the names that addresses and bodies give them."""
    told = {name: answer[name] for name in ("case_id", "invitation_id", "event_id") if answer.get(name)}
    noun = template.removeprefix("/v1/").rstrip("s")
    return told | (
        {f"{noun}_id": answer["id"]}
        if noun in {"plan", "tariff", "agreement", "simulation", "consent", "deviation", "outage"} and "id" in answer
        else {}
    )


async def a_notice(system: System, client: httpx.AsyncClient) -> str:
    """The first notice of the care centre that the example's admission names."""
    await system.number("planning")
    answer = await client.get("/v1/notices", headers={"Authorization": f"Bearer {token_for(system, 'care')}"})
    return str(answer.json()["entries"][0]["id"])


def test_every_feed_tells_of_nothing_new_and_of_being_rewound(system: System) -> None:
    document = document_of(system)
    for path in ("/v1/notices", "/v1/invoices"):
        responses = document["paths"][path]["get"]["responses"]
        assert "304" in responses
        assert "application/problem+json" in responses["410"]["content"]


@pytest.mark.parametrize(
    ("path", "required"), [("/v1/notices/{notice_id}/acknowledgement", False), ("/v1/plans", True), ("/v1/subscriptions", True)]
)
def test_an_idempotency_key_is_documented_wherever_it_counts(system: System, path: str, required: bool) -> None:
    parameters = document_of(system)["paths"][path]["post"]["parameters"]
    assert [one["required"] for one in parameters if one["name"] == "Idempotency-Key"] == [required]
