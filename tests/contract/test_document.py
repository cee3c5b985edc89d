import json
import re
from html import unescape
from pathlib import Path
from typing import Any

from services.gateway.app import build_document
from services.gateway.clients import BESIDE_ROUTES
from services.gateway.routes import shape
from shared.http.access import ROUTES, SCOPES
from tests.contract.system import PUBLIC_URL, System

ROOT = Path(__file__).resolve().parents[2]


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


def test_what_the_door_answers_by_itself_is_told_of_every_operation(system: System) -> None:
    document = document_of(system)
    for path, item in document["paths"].items():
        for method, operation in item.items():
            by_the_door = {"429"} | ({"408", "413"} if "requestBody" in operation else set())
            assert by_the_door <= set(operation["responses"]), (method, path)
    answers = document["components"]["responses"]
    assert {status for status, answer in answers.items() if "Retry-After" in answer.get("headers", {})} == {"429", "503"}


def test_every_scope_that_a_token_can_carry_is_told(system: System) -> None:
    flow = document_of(system)["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    assert set(flow["scopes"]) == SCOPES | BESIDE_ROUTES


def test_the_webhook_is_told(system: System) -> None:
    assert set(document_of(system)["webhooks"]) == {"notice"}


async def test_every_page_of_the_reference_can_be_read(system: System) -> None:
    async with system.opened() as client:
        groups = set(re.findall(r'href="/docs/([a-z]+)"', (await client.get("/docs")).text))
        assert {"events", "notices", "cases", "plans", "averages", "months", "invoices", "subscriptions", "tokens", "webhooks"} <= groups
        for group in groups:
            assert (await client.get(f"/docs/{group}")).status_code == 200


def test_every_list_that_sends_a_link_says_so_and_no_other(system: System) -> None:
    sent = {
        re.sub(r"\{(\w+)\}", "{}", address)
        for service in ("services", "shared")
        for file in (ROOT / service).rglob("*.py")
        for address in re.findall(r"""f'<(/v1/[^?]+)\?[^']*rel="next"'""", file.read_text(encoding="utf-8"))
    }
    told = {
        re.sub(r"\{(\w+)\}", "{}", path)
        for path, item in document_of(system)["paths"].items()
        if "get" in item and "Link" in item["get"]["responses"].get("200", {}).get("headers", {})
    }
    assert len(sent) > 5
    assert told == sent
    assert 'rel="next"' in document_of(system)["paths"]["/v1/worklist"]["get"]["description"]


def test_every_answer_says_what_it_is_and_only_a_body_can_be_unreadable_json(system: System) -> None:
    document = document_of(system)
    assert "Successful Response" not in json.dumps(document)
    units = document["paths"]["/v1/units"]["get"]["responses"]
    assert units["200"]["description"] == "Some of the units; the rest behind the `Link` header."
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if path.startswith("/v1/") and method == "get":
                assert "Idempotency-Key" not in operation["responses"]["400"]["description"], path
    plans = document["paths"]["/v1/plans"]["post"]["responses"]["400"]["description"]
    assert "Idempotency-Key" in plans
    assert "JSON" in plans


def test_a_title_is_a_whole_sentence_and_the_version_that_of_the_product(system: System) -> None:
    document = document_of(system)
    titles = [operation["summary"] for item in document["paths"].values() for operation in item.values()]
    assert not [title for title in titles if title.endswith(("kap", "e.g", "i.e"))]
    assert document["info"]["version"] != "0.0.0"


async def test_every_curl_line_sends_what_must_be_sent(system: System) -> None:
    document = document_of(system)
    for group in {operation["tags"][0] for item in document["paths"].values() for operation in item.values()}:
        calls = re.findall(r"<pre>(curl .*?)</pre>", unescape(await page_of(system, f"/docs/{group}")), re.DOTALL)
        assert calls
        assert not [call for call in calls if "{" in call], "curl takes braces for a pattern"
    plans = unescape(await page_of(system, "/docs/plans"))
    assert '-H "Idempotency-Key: $IDEMPOTENCY_KEY"' in plans
    assert "/v1/indicators?from=2026-10&to=2026-10" in unescape(await page_of(system, "/docs/indicators"))
    assert "/v1/deviations/statistics?from=$FROM&to=$TO" in unescape(await page_of(system, "/docs/deviations"))
    assert "/v1/cases/$CASE_ID" in unescape(await page_of(system, "/docs/cases"))


async def page_of(system: System, path: str) -> str:
    async with system.opened() as client:
        return str((await client.get(path)).text)
