"""What the OpenAPI document says beside what the code already tells it: an example of a body, the key of a request."""

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict


def with_example(example: Mapping[str, Any]) -> ConfigDict:
    """The configuration of a body whose documentation shows an example; the contract tests send it."""
    return ConfigDict(json_schema_extra={"examples": [dict(example)]})


def idempotency_key(*, required: bool) -> dict[str, Any]:
    """The `Idempotency-Key` header as the document describes it."""
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": required,
        "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
        "description": "Your own name for this request: the same key and body give the first answer again, and nothing is done twice.",
    }
