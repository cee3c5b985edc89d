"""What the document says of a call in words of its own: its title, its answers, its 400, and how the next page is found."""

import re
from collections.abc import Mapping
from typing import Any, Final

Document = dict[str, Any]

PAGED: Final = frozenset(
    {
        "/v1/audit",
        "/v1/cases",
        "/v1/deviations",
        "/v1/escalations",
        "/v1/findings",
        "/v1/outages",
        "/v1/subscriptions/{subscription_id}/deliveries",
        "/v1/units",
        "/v1/worklist",
        "/v1/disputes",
        "/v1/simulations",
        "/v1/comparisons",
    }
)
"""The lists that send `Link`; a test finds them in the code."""
NEXT_PAGE: Final = (
    'While there is more the header `Link` has the address of the next page (`rel="next"`), with the same filters; the last page '
    "has none. Follow it: its cursor is the server's to make."
)
_LINK: Final[Document] = {
    "description": 'Address of the next page: `<...>; rel="next"`. Not sent with the last page.',
    "schema": {"type": "string"},
}
_SENTENCE_ENDS: Final = re.compile(r"(?<!\bkap)(?<!\be\.g)(?<!\bi\.e)\.\s+(?=[A-ZÅÄÖ0-9`])")
_SAID_BY_THE_FRAMEWORK: Final = "Successful Response"
_SCHEMAS: Final = "#/components/schemas/"


def first_sentence(text: str) -> str:
    """What a call is for in one line, as its docstring begins."""
    return _SENTENCE_ENDS.split(" ".join(text.split("\n\n", maxsplit=1)[0].split()), maxsplit=1)[0].rstrip(".")


def unreadable(*, takes_body: bool, takes_key: bool) -> str:
    """When a call answers 400."""
    reasons = ["a parameter that is not as described, or unknown"]
    reasons += ["a body that is not JSON"] if takes_body else []
    reasons += ["a missing or unusable Idempotency-Key"] if takes_key else []
    return f"Unreadable: {'; '.join(reasons)}."


def say_what_comes_back(operation: Document, schemas: Mapping[str, Document]) -> None:
    """Replace what the framework says of every success by the first sentence of the answer's own description."""
    for status, answer in operation.get("responses", {}).items():
        if answer.get("description") == _SAID_BY_THE_FRAMEWORK:
            answer["description"] = _answer(status, answer, schemas)


def tell_of_pages(path: str, method: str, operation: Document) -> None:
    """Say how the rest of a list is found."""
    if method == "get" and path in PAGED:
        operation["description"] = "\n\n".join(part for part in (operation.get("description", ""), NEXT_PAGE) if part)
        operation["responses"]["200"].setdefault("headers", {})["Link"] = dict(_LINK)


def _answer(status: str, answer: Document, schemas: Mapping[str, Document]) -> str:
    for kind, media in answer.get("content", {}).items():
        name = media.get("schema", {}).get("$ref", "").removeprefix(_SCHEMAS)
        if told := schemas.get(name, {}).get("description"):
            return f"{first_sentence(told)}."
        if kind != "application/json":
            return f"As `{kind}`."
    return "Entered." if status == "201" else "Done."
