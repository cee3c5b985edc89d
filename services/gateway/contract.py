"""The one OpenAPI 3.1 document: what the services say of themselves, cut to the public routes and told in one voice."""

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, Final

from services.gateway.clients import BESIDE_ROUTES
from services.gateway.routes import shape
from services.gateway.wording import first_sentence, say_what_comes_back, tell_of_pages, unreadable
from shared.http.access import Route
from shared.http.documented import idempotency_key

Document = dict[str, Any]

_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})
_SCHEMAS: Final = "#/components/schemas/"
_FRAMEWORK_SCHEMAS: Final = frozenset({"HTTPValidationError", "ValidationError"})
_PROBLEMS: Final = {
    "401": "No valid token.",
    "403": "The token lacks the scope, or its holder the role.",
    "404": "Unknown, or not yours: the two look the same.",
    "408": "The body did not come whole in time.",
    "409": "Well formed, but refused by the state of things.",
    "413": "The body is larger than this path takes.",
    "415": "Wrong content type, or a compressed body.",
    "422": "A field is malformed: `errors` points to it.",
    "429": "Too fast; wait as long as `Retry-After` says.",
    "503": "Not available just now; try the same request again after `Retry-After` seconds.",
}
_PROBLEM_CONTENT: Final[Document] = {"content": {"application/problem+json": {"schema": {"$ref": f"{_SCHEMAS}Problem"}}}}
_ALWAYS: Final = ("401", "403", "429", "503")
_WITH_BODY: Final = ("408", "413", "415", "422")
_OWN_WITH_BODY: Final = ("408", "413")
_RETRY_AFTER: Final[Document] = {"description": "Seconds to wait before the next try.", "schema": {"type": "integer", "minimum": 1}}
_WAITED_FOR: Final = frozenset({"429", "503"})
_REFUSABLE: Final = ("409",)
_IS_ERROR: Final = ("4", "5")

DESCRIPTION: Final = (
    "Discharge coordination and payment liability between region and municipalities. "
    "Ward systems post events, municipalities poll notices and acknowledge them, finance systems pull invoices. "
    "Every error is `application/problem+json` (RFC 9457); unknown fields are refused; times are RFC 3339 with offset."
)

_FIELD_CODE: Final = "What is wrong with the field, in one of the words on the page /problems#fields. More may come."
_PROBLEM_SCHEMA: Final[Document] = {
    "type": "object",
    "title": "Problem",
    "description": "An error (RFC 9457). It never repeats what was sent.",
    "required": ["type", "title", "status", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Opens a page that explains the code."},
        "title": {"type": "string", "description": "Swedish or English, by Accept-Language."},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "One of the codes on the page /problems. More may come."},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code"],
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901: where in the body, or `/name` of a parameter."},
                    "code": {"type": "string", "examples": ["missing", "too_long"], "description": _FIELD_CODE},
                },
            },
        },
    },
}

_RECEIVERS_ANSWERS: Final[Document] = {
    "2XX": {"description": "Taken. The body is not read beyond 4 kB."},
    "410": {"description": "Never again: the subscription is disabled."},
    "429": {"description": "Later: after `Retry-After`."},
    "503": {"description": "Later: after `Retry-After`."},
    "default": {"description": "Anything else, a redirect too, is tried again by the schedule."},
}


def merge(documents: Mapping[str, Document], routes: Iterable[Route], public_url: str, version: str) -> Document:
    """Make one document of the services' own; a schema name that two services use for different things gets the service's name in front.

    Args:
        documents: Each service's OpenAPI document by service name; what is not in the route table is left out, except the gateway's own.
        routes: The route table, which knows the scopes.
        public_url: The origin users call.
        version: Version of the product.
    """
    table = {(route.method.lower(), shape(route.path)): route for route in routes}
    schemas: Document = {"Problem": deepcopy(_PROBLEM_SCHEMA)}
    paths: Document = {}
    webhooks: Document = {}
    for service, original in sorted(documents.items()):
        document = _with_own_schema_names(service, original, schemas)
        for name, schema in document.get("components", {}).get("schemas", {}).items():
            if name not in _FRAMEWORK_SCHEMAS:
                schemas[name] = schema
        webhooks.update({name: _webhook(item) for name, item in document.get("webhooks", {}).items()})
        for path, item in document.get("paths", {}).items():
            for method, operation in item.items():
                route = table.get((method, shape(path)))
                if method in _METHODS and (service == "gateway" or (route is not None and route.service == service)):
                    told = _operation(service, path, operation, route)
                    say_what_comes_back(told, document.get("components", {}).get("schemas", {}))
                    tell_of_pages(path, method, told)
                    paths.setdefault(path, {})[method] = told
    return {
        "openapi": "3.1.0",
        "info": {"title": "Dirigent", "version": version, "description": DESCRIPTION},
        "servers": [{"url": public_url}],
        "tags": [{"name": name} for name in _groups(paths)],
        "paths": dict(sorted(paths.items())),
        "webhooks": webhooks,
        "components": {
            "schemas": dict(sorted(_used(schemas, paths, webhooks).items())),
            "securitySchemes": _security_schemes(public_url, table.values()),
            "responses": {status: _problem(status, text) for status, text in _PROBLEMS.items()},
        },
    }


def group_of(path: str) -> str:
    """The route group a path is described under: `/v1/notices/{id}` under notices."""
    parts = [part for part in path.split("/") if part]
    if not parts:
        return "operations"
    if parts[0] == "v1":
        return parts[1]
    return "tokens" if parts[0] in {"oauth2", ".well-known"} else "operations"


def _groups(paths: Document) -> list[str]:
    return sorted({group_of(path) for path in paths})


def _operation(service: str, path: str, operation: Document, route: Route | None) -> Document:
    told = deepcopy(operation)
    told["tags"] = [group_of(path)]
    if service == "gateway":
        expected = ("429", *(_OWN_WITH_BODY if "requestBody" in told else ()))
        stated = told.get("responses", {})
        told["responses"] = dict(sorted(({status: {"$ref": f"#/components/responses/{status}"} for status in expected} | stated).items()))
        return told
    told["summary"] = first_sentence(told.get("description") or told.get("summary", ""))
    stated = told.get("responses", {}).items()
    responses = {status: _as_problem(status, answer) for status, answer in stated if status != "422" or _is_its_own(answer)}
    takes_body = "requestBody" in told
    expected = _ALWAYS + (_WITH_BODY if takes_body else ()) + (("404",) if takes_body or "{" in path or told.get("parameters") else ())
    if route is not None and route.method in {"POST", "PUT"}:
        expected += _REFUSABLE
    for status in expected:
        responses.setdefault(status, {"$ref": f"#/components/responses/{status}"})
    takes_key = route is not None and route.idempotency_key
    responses.setdefault("400", {"description": unreadable(takes_body=takes_body, takes_key=takes_key), **_PROBLEM_CONTENT})
    told["responses"] = dict(sorted(responses.items()))
    if route is not None:
        told["security"] = [{"oauth2": [scope]} for scope in route.scopes]
        if route.idempotency_key:
            told["parameters"] = [*told.get("parameters", ()), idempotency_key(required=True)]
    return told


def _problem(status: str, text: str) -> Document:
    headers = {"headers": {"Retry-After": _RETRY_AFTER}} if status in _WAITED_FOR else {}
    return {"description": text, **headers, **_PROBLEM_CONTENT}


def _is_its_own(answer: Document) -> bool:
    """Whether a service tells of malformed fields in another form than problems; what the framework says of them is not ours."""
    return "content" in answer and not any(f'"{_SCHEMAS}{name}"' in json.dumps(answer) for name in _FRAMEWORK_SCHEMAS)


def _as_problem(status: str, answer: Document) -> Document:
    """An error that a service tells of in its own words is a problem like every other."""
    return {**answer, **_PROBLEM_CONTENT} if status.startswith(_IS_ERROR) and "content" not in answer else answer


def _webhook(item: Document) -> Document:
    """What we call: the receiver's answers are its own, so those of our framework are left out."""
    told = deepcopy(item)
    for operation in told.values():
        operation["responses"] = deepcopy(_RECEIVERS_ANSWERS)
    return told


def _security_schemes(public_url: str, routes: Iterable[Route]) -> Document:
    scopes = sorted({scope for route in routes for scope in route.scopes} | BESIDE_ROUTES)
    return {
        "oauth2": {
            "type": "oauth2",
            "description": "OAuth 2 client credentials with `private_key_jwt` (ES256). A demo also takes a client secret by HTTP Basic.",
            "flows": {"clientCredentials": {"tokenUrl": f"{public_url}/oauth2/token", "scopes": dict.fromkeys(scopes, "")}},
        }
    }


def _with_own_schema_names(service: str, document: Document, taken: Document) -> Document:
    clashes = {
        name
        for name, schema in document.get("components", {}).get("schemas", {}).items()
        if name not in _FRAMEWORK_SCHEMAS and name in taken and taken[name] != schema
    }
    if not clashes:
        return document
    text = json.dumps(document)
    renamed: Document = {}
    for name in clashes:
        text = text.replace(f'"{_SCHEMAS}{name}"', f'"{_SCHEMAS}{service.title()}{name}"')
    renamed = json.loads(text)
    schemas = renamed["components"]["schemas"]
    renamed["components"]["schemas"] = {f"{service.title()}{name}" if name in clashes else name: schema for name, schema in schemas.items()}
    return renamed


def _used(schemas: Document, *roots: Document) -> Document:
    """Only the schemas that something public leads to: internal ones would tell what is none of the readers' business."""
    wanted = {"Problem"}
    pending = json.dumps(roots)
    while found := {name for name in schemas if name not in wanted and f'"{_SCHEMAS}{name}"' in pending}:
        wanted |= found
        pending = json.dumps([schemas[name] for name in found])
    return {name: schemas[name] for name in wanted}
