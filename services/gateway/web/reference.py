"""The OpenAPI document as a reader sees it: groups of operations with their fields, examples and answers."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_DEPTH: Final = 6
_FACETS: Final = ("pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
_BRACES: Final = re.compile(r"\{(\w+)\}")

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body or one parameter; `depth` is how far it is indented."""

    name: str
    kind: str
    required: bool
    description: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Example:
    """A body that can be sent, or comes back, as it stands."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What may come back, and what is in it."""

    status: str
    description: str
    fields: tuple[Field, ...] = ()
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One call, or one webhook that we make."""

    method: str
    path: str
    anchor: str
    summary: str
    description: str
    scopes: tuple[str, ...]
    parameters: tuple[Field, ...] = ()
    content_types: tuple[str, ...] = ()
    body: tuple[Field, ...] = ()
    examples: tuple[Example, ...] = ()
    answers: tuple[Answer, ...] = ()
    address: str = ""
    """Path and required parameters as a shell can take them: `/v1/cases/$CASE_ID`."""
    headers: tuple[str, ...] = ()
    """The headers that must be sent beside the token and the content type."""

    def mentions(self, words: list[str]) -> bool:
        """Whether every word stands somewhere in what is said of this call."""
        names = (entry.name for entry in (*self.parameters, *self.body))
        text = " ".join((self.method, self.path, self.summary, self.description, *self.scopes, *names)).lower()
        return all(word in text for word in words)


@dataclass(slots=True)
class Group:
    """The calls of one page."""

    name: str
    operations: list[Operation] = field(default_factory=list)


def groups(document: Document) -> list[Group]:
    """Every group with its operations in the order of their paths; webhooks are a group of their own."""
    found: dict[str, Group] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                name = item[method]["tags"][0]
                found.setdefault(name, Group(name)).operations.append(_operation(document, method, path, item[method]))
    for name, item in document.get("webhooks", {}).items():
        for method in _METHODS:
            if method in item:
                found.setdefault("webhooks", Group("webhooks")).operations.append(_operation(document, method, name, item[method]))
    return [found[name] for name in sorted(found)]


def _operation(document: Document, method: str, path: str, told: Document) -> Operation:
    content = told.get("requestBody", {}).get("content", {})
    schema, examples = _content(document, content)
    parameters = [_resolve(document, entry) for entry in told.get("parameters", ())]
    return Operation(
        method=method.upper(),
        path=path,
        anchor=f"{method}{path}".replace("/", "-").replace("{", "").replace("}", "").replace(".", "-"),
        summary=told.get("summary", ""),
        description=told.get("description", ""),
        scopes=tuple(scope for entry in told.get("security", ()) for scopes in entry.values() for scope in scopes),
        parameters=tuple(_parameter(document, entry) for entry in parameters),
        content_types=tuple(content),
        body=tuple(_fields(document, schema)),
        examples=examples,
        answers=tuple(_answer(document, status, _resolve(document, answer)) for status, answer in told.get("responses", {}).items()),
        address=_address(path, parameters),
        headers=tuple(f"{entry['name']}: {_filled(entry)}" for entry in parameters if entry["in"] == "header" and entry.get("required")),
    )


def _address(path: str, parameters: list[Document]) -> str:
    """The address of a call with a shell variable for whatever the reader must fill in; curl would take braces for a pattern of its own."""
    asked = [f"{entry['name']}={_filled(entry)}" for entry in parameters if entry["in"] == "query" and entry.get("required")]
    return _BRACES.sub(lambda name: _variable(name[1]), path) + (f"?{'&'.join(asked)}" if asked else "")


def _filled(parameter: Document) -> str:
    """A parameter's example, else a shell variable."""
    examples = parameter.get("schema", {}).get("examples")
    return str(examples[0]) if examples else _variable(parameter["name"])


def _variable(name: str) -> str:
    return "$" + name.upper().replace("-", "_")


def _answer(document: Document, status: str, told: Document) -> Answer:
    schema, examples = _content(document, told.get("content", {}))
    fields = () if "application/problem+json" in told.get("content", {}) else tuple(_fields(document, schema))
    return Answer(status, told.get("description", ""), fields, examples)


def _parameter(document: Document, told: Document) -> Field:
    name = told["name"] if told["in"] == "path" else f"{told['name']} ({told['in']})"
    return Field(name, _kind(document, told.get("schema", {})), told.get("required", False), told.get("description", ""))


def _content(document: Document, content: Document) -> tuple[Document, tuple[Example, ...]]:
    for media in content.values():
        schema = _resolve(document, media.get("schema", {}))
        named = [(name, entry.get("value")) for name, entry in media.get("examples", {}).items()]
        if "example" in media:
            named.append(("example", media["example"]))
        named += [("example", value) for value in schema.get("examples", ())]
        return schema, tuple(Example(name, value if isinstance(value, str) else _indented(value)) for name, value in named)
    return {}, ()


def _indented(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _fields(document: Document, schema: Document, depth: int = 0) -> Iterator[Field]:
    schema = _opened(document, schema)
    if depth > _DEPTH:
        return
    required = schema.get("required", ())
    for name, told in schema.get("properties", {}).items():
        resolved = _resolve(document, told)
        described = told.get("description") or resolved.get("description", "")
        yield Field(name, _kind(document, told), name in required, described, depth)
        yield from _fields(document, resolved, depth + 1)
    for choice in (*schema.get("oneOf", ()), *(schema.get("anyOf", ()) if "properties" not in schema else ())):
        resolved = _opened(document, choice)
        if resolved.get("properties"):
            yield Field(resolved.get("title", "one of"), "one of", False, resolved.get("description", ""), depth)
            yield from _fields(document, resolved, depth + 1)


def _opened(document: Document, schema: Document) -> Document:
    """What stands inside a reference, a list or an optional."""
    schema = _resolve(document, schema)
    if "items" in schema:
        return _opened(document, schema["items"])
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    return _opened(document, choices[0]) if len(choices) == 1 else schema


def _kind(document: Document, schema: Document) -> str:
    schema = _resolve(document, schema)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(_kind(document, choice) for choice in choices))
    if "enum" in schema:
        return " · ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return f"“{schema['const']}”"
    if "items" in schema:
        return f"list of {_kind(document, schema['items'])}"
    kind = schema.get("type", "any")
    kind = " or ".join(kind) if isinstance(kind, list) else kind
    facets = [f"{facet} {schema[facet]}" for facet in _FACETS if facet in schema]
    return ", ".join([f"{kind} ({schema['format']})" if "format" in schema else kind, *facets])


def _resolve(document: Document, told: Document) -> Document:
    reference = told.get("$ref")
    if not isinstance(reference, str):
        return told
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found.get(part, {})
    return _resolve(document, found)
