"""`docs/events.md`: what wards send and what the services tell each other, read from the pydantic models."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from pydantic import BaseModel

from dirigent.documentation.markdown import NOTE, table
from services.billing.consumers import HANDLERS
from services.notifications.consumers import CONSUMES
from services.planning.consumers import BILLING
from shared.events.facts import FACTS
from shared.events.ward import WARD_EVENT_TYPES, CloudEvent, WardEvent

HEAD: Final = ("Field", "Type", "", "Meaning")
# Which service tells: a consumer names the stream it listens to.
TOLD: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("planning", "billing"): frozenset(HANDLERS),
    ("planning", "notifications"): frozenset(CONSUMES["planning"]),
    ("billing", "planning"): frozenset(BILLING),
}

INTRODUCTION: Final = """\
Wards send *events*: CloudEvents 1.0 in structured JSON mode, to `POST /v1/events` one at a time or to `POST /v1/events/batch` up to
1 000. An event is a fact: malformed is refused, anything else is kept, in whatever order it comes. Unknown fields are refused. The
services tell each other *facts* on their streams: pseudonymous, without person number, name or free text. A recorded story to read
stands in [examples/one-stay.ndjson](../examples/one-stay.ndjson).
"""


def events_page() -> str:
    """The whole page."""
    parts = [f"# Events and facts\n\n{NOTE}\n\n{INTRODUCTION}", "## What every ward event has\n\n" + _fields(CloudEvent)]
    parts.append("## Ward events\n")
    models = _ward_models()
    parts += [_ward_event(kind, models[kind]) for kind in WARD_EVENT_TYPES]
    parts.append("## Facts between the services\n")
    parts += [_fact(kind, model) for kind, model in FACTS.items()]
    return "\n".join(parts)


def _ward_models() -> dict[str, type[BaseModel]]:
    union, _ = get_args(WardEvent)  # it is annotated with its discriminator
    return {get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(union)}


def _ward_event(kind: str, model: type[BaseModel]) -> str:
    data = model.model_fields["data"].annotation
    assert isinstance(data, type)  # noqa: S101  # every event has a model for its data
    assert issubclass(data, BaseModel)  # noqa: S101
    return f"### `{kind}`\n\n{model.__doc__} {data.__doc__}\n\n{_fields(data, 'data.')}"


def _fact(kind: str, model: type[BaseModel]) -> str:
    tellers = sorted({teller for (teller, _), kinds in TOLD.items() if kind in kinds})
    hearers = sorted({hearer for (_, hearer), kinds in TOLD.items() if kind in kinds})
    told = f"Told by {' and '.join(tellers)}, heard by {' and '.join(hearers)}." if hearers else "Nobody listens yet."
    return f"### `{kind}`\n\n{_plain(model.__doc__)} {told}\n\n{_fields(model)}"


def _plain(docstring: str | None) -> str:
    return " ".join((docstring or "").split())


def _fields(model: type[BaseModel], prefix: str = "") -> str:
    schema = model.model_json_schema()
    return table(HEAD, _rows(schema, schema.get("$defs", {}), prefix))


def _rows(schema: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    """One row for each field, and below a field that holds an object one for each field of that."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        inner, repeated, optional = _inside(field, definitions)
        must = "required" if name in required else "optional"
        shown = "object" if "properties" in inner else _type(inner)
        shown = f"list of {shown}" if repeated else shown
        meaning = field.get("description") or (inner.get("description", "") if "properties" in inner else "")
        yield f"`{prefix}{name}`", f"{shown} or null" if optional else shown, must, meaning
        if "properties" in inner:
            yield from _rows(inner, definitions, f"{prefix}{name}{'[]' if repeated else ''}.")


def _inside(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool, bool]:
    """What a field holds, without null and list around it: the schema inside, whether it is a list, whether it may be null."""
    choices = [choice for choice in field.get("anyOf", ()) if choice.get("type") != "null"]
    optional = len(choices) != len(field.get("anyOf", ()))
    inner: Mapping[str, Any] = choices[0] if choices else field
    repeated = inner.get("type") == "array"
    inner = inner["items"] if repeated else inner
    return definitions[inner["$ref"].rpartition("/")[2]] if "$ref" in inner else inner, repeated, optional


def _type(schema: Mapping[str, Any]) -> str:
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " · ".join(f"`{choice}`" for choice in schema["enum"])
    named = {"date-time": "time with offset", "date": "day", "uuid": "UUID"}.get(schema.get("format", ""))
    if named:
        return named
    if "pattern" in schema:
        return f"text like `{schema['pattern']}`"
    longest = f", at most {schema['maxLength']} characters" if "maxLength" in schema else ""
    return {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "texts by name"}[schema["type"]] + longest
