"""Every parameter of every query, as the OpenAPI document declares it, sent in every wrong form: 400, and it is named.

Made from the document, so that no parameter can be forgotten: what it does not bound fails here before anything is sent.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from shared.http.access import BY_TEMPLATE, Route
from tests.contract.system import System, headers_of, path_of
from tests.contract.test_examples import county, document_of, resolved

HIGHEST: Final = 2**63 - 1
"""What a column of the database holds."""
MOST_AT_ONCE: Final = 1_000
NO_NUMBERS: Final = (
    "",
    "abc",
    "-1",
    "-0",
    "+1",
    " 1",
    "1 ",
    "1.5",
    "1e3",
    "0x1",
    "1_0",
    "nan",
    "inf",
    "\uff11",
    "\u0661",
    "1\x00",
    "null",
    "true",
)
TOO_HIGH: Final = (str(2**63), str(2**64), "9" * 20, "1" + "0" * 20, "9" * 40, "9" * 5_000)
NO_DAYS: Final = ("2026-13", "2026-02-30", "0000-00-00", "0001-01-01", "9999-12-31")
ODD_TEXTS: Final = ("-1", "abc", "0", "1793712300", *NO_DAYS, "1" + "0" * 20, "\uff11", "a\x00", "a\n", "{}", "x" * 3_000)
VALID: Final[Mapping[str, str]] = {"month": "2026-10", "from": "2026-01", "to": "2026-10", "through": "0"}
"""What the other parameters that a route cannot do without are filled with, unless their schema says another form."""
WAITING: Final = frozenset({"wait", "seconds"})
ENDING: Final = frozenset({"seconds"})
"""Without it the answer has no end."""
FREE: Final = frozenset({("/v1/audit", "client"), ("/v1/audit", "user")})
"""Names of clients and persons, which may look like anything."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of one route."""

    route: Route
    name: str
    required: bool
    schema: Mapping[str, Any]

    @property
    def is_number(self) -> bool:
        return self.schema.get("type") in {"integer", "number"}

    @property
    def lowest(self) -> float:
        return float(self.schema.get("minimum", "-inf"))

    @property
    def highest(self) -> float:
        """The highest that is taken."""
        return highest_of(self.schema)

    def valid(self) -> str:
        """One value that is taken."""
        if self.is_number:
            return str(int(self.lowest))
        if self.schema.get("format") == "date":
            return "2026-10-01"
        return VALID[self.name]

    def wrong(self) -> Iterator[str]:
        """Every value that must be refused."""
        if self.is_number:
            yield from (text for text in NO_NUMBERS if text != "1.5" or self.schema["type"] == "integer")
            yield from TOO_HIGH
            yield str(int(min(self.highest, HIGHEST)) + 1)
            if self.lowest > 0:
                yield "0"
            if self.name == "limit":
                yield "100000"
            return
        free = (self.route.path, self.name) in FREE
        yield from (text for text in ODD_TEXTS if not self.fits(text) or (text in NO_DAYS and not free))

    def fits(self, text: str) -> bool:
        """Whether the document says that such a text may stand here: no more than that it leads to nothing."""
        pattern = self.schema.get("pattern")
        return pattern is not None and re.fullmatch(pattern.removesuffix("$"), text) is not None

    def __str__(self) -> str:
        return f"{self.route.method} {self.route.path}?{self.name}"


def parameters(system: System) -> list[Parameter]:
    """Every parameter of every query that the document tells of."""
    document = document_of(system)
    found = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for one in operation.get("parameters", ()):
                if one["in"] == "query":
                    route = BY_TEMPLATE[method.upper(), path]
                    found.append(Parameter(route, one["name"], one.get("required", False), of_a_value(document, one["schema"])))
    return found


def of_a_value(document: dict[str, Any], schema: dict[str, Any]) -> Mapping[str, Any]:
    """What a schema says of a value that is there."""
    forms = [resolved(document, one) for one in schema.get("anyOf", [schema])]
    (form,) = [one for one in forms if one.get("type") != "null"]
    return form


def test_every_number_of_a_query_has_bounds_that_the_database_can_hold(system: System) -> None:
    numbers = [one for one in parameters(system) if one.is_number]
    assert len(numbers) > 30, "there are numbers to look at"
    assert {one.name for one in numbers} >= {"after", "limit", "through", "from", "to", "wait", "epoch", "seconds"}
    assert [str(one) for one in numbers if not (one.lowest >= 0 and one.highest <= HIGHEST)] == []
    assert [str(one) for one in numbers if one.name == "limit" and not (one.lowest == 1 and one.highest <= MOST_AT_ONCE)] == []


def test_every_whole_number_of_a_body_has_bounds_that_the_database_can_hold(system: System) -> None:
    document = document_of(system)
    numbers = [found for name, schema in taken(document) for found in whole_numbers(document, schema, name, ())]
    assert len(numbers) >= 3, "there are numbers to look at"
    unbounded = [where for where, one in numbers if "minimum" not in one or highest_of(one) > HIGHEST]
    assert unbounded == [], "\n".join(unbounded)


def taken(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for media in operation.get("requestBody", {}).get("content", {}).values():
                yield f"{method.upper()} {path}", media["schema"]


def highest_of(schema: Mapping[str, Any]) -> float:
    """The highest number that a schema takes; no fraction of a float is lost on a whole one."""
    if "exclusiveMaximum" in schema:
        return int(schema["exclusiveMaximum"]) - 1
    highest: float = schema.get("maximum", float("inf"))
    return highest


def whole_numbers(
    document: dict[str, Any], schema: dict[str, Any], where: str, inside: tuple[str, ...]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every whole number in what a schema describes, with where it stands."""
    if "$ref" in schema:
        if schema["$ref"] in inside:
            return
        inside, schema = (*inside, schema["$ref"]), resolved(document, schema)
    if schema.get("type") == "integer":
        yield where, schema
    inner = [(where, one) for form in ("anyOf", "oneOf", "allOf") for one in schema.get(form, ())]
    inner += [(f"{where}/{name}", one) for name, one in schema.get("properties", {}).items()]
    inner += [(f"{where}/-", schema[form]) for form in ("items", "additionalProperties") if isinstance(schema.get(form), dict)]
    for place, one in inner:
        yield from whole_numbers(document, one, place, inside)


async def test_every_wrong_value_of_every_parameter_is_refused_by_its_name(system: System) -> None:
    wrong: list[str] = []
    every = parameters(system)
    async with county(system) as client:
        for one in every:
            for value in one.wrong():
                answer = await ask(client, system, every, one, value)
                named = answer.status_code == 400 and [error["pointer"] for error in answer.json().get("errors", ())] == [f"/{one.name}"]
                if not named or answer.json()["code"] != "request.parameter_invalid":
                    wrong.append(f"{one}={value[:40]!r}: {answer.status_code} {answer.text[:200]}")
    assert wrong == [], "\n".join(wrong)


async def test_the_lowest_and_the_highest_value_of_every_number_are_taken(system: System) -> None:
    """The control of the test above. A position that nobody is at is 410; what the path leads to is unknown in some, its number is not."""
    wrong: list[str] = []
    every = parameters(system)
    async with county(system) as client:
        for one in (one for one in every if one.is_number and one.name not in WAITING):
            for value in (int(one.lowest), int(min(one.highest, HIGHEST))):
                answer = await ask(client, system, every, one, str(value))
                if answer.status_code not in {200, 404, 410}:
                    wrong.append(f"{one}={value}: {answer.status_code} {answer.text[:200]}")
    assert wrong == [], "\n".join(wrong)


async def ask(client: httpx.AsyncClient, system: System, every: list[Parameter], one: Parameter, value: str) -> httpx.Response:
    """Ask with one value of one parameter, and with what its route cannot do without."""
    query = {other.name: other.valid() for other in every if other.route == one.route and (other.required or other.name in ENDING)}
    address = f"{path_of(one.route)}?{urlencode(query | {one.name: value})}"
    return await client.request(one.route.method, address, headers=headers_of(one.route, system.token()))
