import json
import re
from typing import Any

from services.gateway.app import build_document
from services.gateway.routes import shape
from shared.http.access import ROUTES
from tests.contract.system import PUBLIC_URL, System


def document_of(system: System) -> dict[str, Any]:
    return build_document(system.gateway, system.services, PUBLIC_URL)


async def test_the_running_gateway_shows_the_same_document_that_is_built_without_starting_anything(system: System) -> None:
    async with system.opened() as client:
        shown = (await client.get("/openapi.json")).json()
    assert shown == json.loads(json.dumps(document_of(system)))


def test_every_public_route_is_told_with_its_scopes_and_nothing_internal_is(system: System) -> None:
    document = document_of(system)
    told = {(method.upper(), shape(path)): operation for path, item in document["paths"].items() for method, operation in item.items()}
    for route in ROUTES:
        operation = told[route.method, shape(route.path)]
        assert {scope for entry in operation["security"] for scope in entry["oauth2"]} == set(route.scopes)
        keys = [parameter for parameter in operation.get("parameters", ()) if parameter["name"].lower() == "idempotency-key"]
        optional = route.path.endswith("/acknowledgement")
        assert [key["required"] for key in keys] == ([True] if route.idempotency_key else [False] if optional else [])
    assert "/internal" not in json.dumps(document["paths"])


def test_every_reference_leads_somewhere_and_every_operation_has_its_own_id(system: System) -> None:
    document = document_of(system)
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        found: Any = document
        for part in reference.split("/"):
            found = found[part]
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    assert all(operation.get("summary") for operation in operations)


def test_every_error_is_a_problem_and_the_framework_s_own_is_never_told(system: System) -> None:
    document = document_of(system)
    assert "HTTPValidationError" not in json.dumps(document)
    for path, item in document["paths"].items():
        if path.startswith("/v1/"):
            for operation in item.values():
                assert {"401", "403", "429", "503"} <= set(operation["responses"])


def test_the_webhook_is_told(system: System) -> None:
    assert set(document_of(system)["webhooks"]) == {"notice"}


async def test_every_page_of_the_reference_can_be_read(system: System) -> None:
    async with system.opened() as client:
        groups = set(re.findall(r'href="/docs/([a-z]+)"', (await client.get("/docs")).text))
        assert {"events", "notices", "cases", "plans", "averages", "months", "invoices", "subscriptions", "tokens", "webhooks"} <= groups
        for group in groups:
            assert (await client.get(f"/docs/{group}")).status_code == 200
