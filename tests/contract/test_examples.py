"""The documentation's own examples, sent as they stand to running services: each gets a status that the document promises."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from services.billing.usecases import Debtor, enter_debtors
from services.gateway.app import build_document
from services.notifications.usecases import TargetPolicy
from services.planning.usecases import load_directory
from shared.identifiers import uuid7
from shared.streams.sequencer import number_staged
from tests.contract.system import PUBLIC_URL, REGION, System
from tests.integration.planning.conftest import ENTRIES

Document = dict[str, Any]

# What each example meets in an empty county, told in this order. A month is not published on the example's made-up calculation, nobody
# approves a price of his own, and there is no stay to decide on: the document tells of these refusals too.
STORY = (
    ("/v1/events", 201),
    ("/v1/events/batch", 200),
    ("/v1/cases/search", 200),
    ("/v1/plans", 201),
    ("/v1/plans/{plan_id}/invitations", 201),
    ("/v1/notices/{notice_id}/acknowledgement", 201),
    ("/v1/subscriptions", 201),
    ("/v1/months/{month}/{municipality}/prepare", 200),
    ("/v1/months/{month}/actions", 200),
    ("/v1/months/{month}/{municipality}/publish", 409),
    ("/v1/months/{month}/{municipality}/sign", 409),
    ("/v1/months/{month}/{municipality}/approve", 409),
    ("/v1/months/{month}/{municipality}/issue", 409),
    ("/v1/reviews/decide", 404),
    ("/v1/tariffs", 201),
    ("/v1/tariffs/{tariff_id}/approval", 409),
)
ROLES = {"/v1/plans": "care", "/v1/notices": "care", "/v1/cases": "care"}
CARE_CENTRE = "SE2321000131-E000000000901"


async def found_public(_host: str, _port: int) -> list[str]:
    return ["93.184.215.14"]


@asynccontextmanager
async def county(system: System) -> AsyncIterator[httpx.AsyncClient]:
    system.services["notifications"].state.target_policy = TargetPolicy((), found_public)
    async with system.opened() as client:
        async with system.services["planning"].state.database.transaction() as work:
            await load_directory(work, ENTRIES)
        async with system.services["billing"].state.database.transaction() as work:
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


def token_for(system: System, path: str) -> str:
    role = next((role for start, role in ROLES.items() if path.startswith(start)), "controller")
    if path.endswith("/sign"):
        return system.token(sub="kommun", org="2120001355", units=["SE2120001355-"], role="municipality", municipality="1480")
    return system.token(sub=role, role=role, units=[CARE_CENTRE if role == "care" else f"SE{REGION}-"])


def test_every_operation_that_takes_json_shows_an_example(system: System) -> None:
    document = document_of(system)
    taking = {path for path, item in document["paths"].items() if path.startswith("/v1/") and "requestBody" in item.get("post", {})}
    assert {path for path in taking if not examples_of(document, document["paths"][path]["post"])} == set()
    assert taking == {path for path, _ in STORY}, "every example is told below"


async def test_every_example_gets_a_status_that_the_document_promises(system: System) -> None:
    document = document_of(system)
    known = {"month": "2026-10", "municipality": "1480"}
    wrong: list[str] = []
    async with county(system) as client:
        for template, expected in STORY:
            operation = document["paths"][template]["post"]
            if template.startswith("/v1/notices"):
                known["notice_id"] = await a_notice(system, client)
            for kind, example in examples_of(document, operation)[:1]:
                headers = {"Authorization": f"Bearer {token_for(system, template)}", "Content-Type": kind, "Idempotency-Key": str(uuid7())}
                answer = await client.post(template.format_map(known), json=example, headers=headers)
                if answer.status_code != expected or str(expected) not in operation["responses"]:
                    wrong.append(f"{template}: {answer.status_code} {answer.text}")
                known |= {f"{noun}_id": answer.json().get("id", "") for noun in ("plan", "tariff") if template == f"/v1/{noun}s"}
    assert not wrong


async def a_notice(system: System, client: httpx.AsyncClient) -> str:
    """The first notice of the care centre that the example's admission names."""
    while (moved := await number_staged(system.services["planning"].state.database)) is not None and moved.entries:
        pass
    answer = await client.get("/v1/notices", headers={"Authorization": f"Bearer {token_for(system, '/v1/notices')}"})
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
