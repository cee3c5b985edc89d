from typing import Any

from services.gateway.contract import merge
from services.gateway.web import reference
from services.gateway.wording import first_sentence
from shared.http.access import Route
from shared.http.policies import Policy

ROUTES = (
    Route("GET", "/v1/cases/{case_id}", "planning", Policy.CASE, ("cases:read",)),
    Route("POST", "/v1/months/{month}/actions", "billing", Policy.CREDITOR, ("months:prepare", "months:issue"), idempotency_key=True),
)


def a_document(path: str, method: str, schema: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}
    operation: dict[str, Any] = {
        "summary": "Do it",
        "responses": {"200": {"description": "Done", "content": content}, "422": {"description": "x"}},
    }
    if method == "post":
        operation["requestBody"] = {"content": {"application/json": {"schema": schema, "example": {"days": 3}}}}
    return {"paths": {path: {method: operation}}, "components": {"schemas": {"Answer": schema, "HTTPValidationError": {}, "Hidden": {}}}}


def merged() -> dict[str, Any]:
    planning = a_document("/v1/cases/{case_id}", "get", {"type": "object", "properties": {"id": {"type": "string"}}})
    planning["paths"]["/internal/streams/{name}"] = {"get": {"responses": {}}}
    billing = a_document(
        "/v1/months/{m}/actions",
        "post",
        {"type": "object", "required": ["days"], "properties": {"days": {"type": "integer", "description": "Whole days"}}},
    )
    billing["webhooks"] = {"month.published": {"post": {"tags": ["webhooks"], "summary": "A month", "responses": {}}}}
    return merge({"planning": planning, "billing": billing}, ROUTES, "https://dirigent.test", "1.0")


def test_only_public_routes_and_what_they_use_are_told() -> None:
    document = merged()
    assert set(document["paths"]) == {"/v1/cases/{case_id}", "/v1/months/{m}/actions"}
    assert set(document["components"]["schemas"]) == {"Answer", "PlanningAnswer", "Problem"}
    assert set(document["webhooks"]) == {"month.published"}


def test_two_services_may_use_one_schema_name_for_different_things() -> None:
    document = merged()
    answers = {
        path: item[method]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        for path, item in document["paths"].items()
        for method in item
    }
    assert answers == {
        "/v1/cases/{case_id}": "#/components/schemas/PlanningAnswer",
        "/v1/months/{m}/actions": "#/components/schemas/Answer",
    }
    assert "days" in document["components"]["schemas"]["Answer"]["properties"]
    assert "id" in document["components"]["schemas"]["PlanningAnswer"]["properties"]


def test_scopes_problems_and_the_idempotency_key_come_from_the_route_table() -> None:
    operation = merged()["paths"]["/v1/months/{m}/actions"]["post"]
    assert operation["security"] == [{"oauth2": ["months:prepare"]}, {"oauth2": ["months:issue"]}]
    assert operation["responses"]["422"] == {"$ref": "#/components/responses/422"}
    assert [parameter["name"] for parameter in operation["parameters"]] == ["Idempotency-Key"]


def test_the_reference_finds_a_call_by_its_fields_and_shows_its_example() -> None:
    groups = {group.name: group for group in reference.groups(merged())}
    assert set(groups) == {"cases", "months", "webhooks"}
    action = groups["months"].operations[0]
    assert action.mentions(["post", "days"])
    assert not action.mentions(["ward"])
    assert '"days": 3' in action.examples[0].text
    assert (action.body[0].kind, action.body[0].required) == ("integer", True)


def test_a_title_ends_with_its_sentence_and_not_with_an_abbreviation() -> None:
    assert first_sentence("The notice (4 kap. 7 § first paragraph). It is sent once.") == "The notice (4 kap. 7 § first paragraph)"
    assert first_sentence("Take over a case, e.g. One of a ward. 404 = unknown.") == "Take over a case, e.g. One of a ward"
    assert first_sentence("One line\ngoes on.\n\nAnother paragraph.") == "One line goes on"
