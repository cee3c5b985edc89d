"""Which part of a notice its reader may see: what leaves is decided here, and what stays back says that it does."""

from collections.abc import Mapping
from typing import Any, Final

WITHHELD: Final[Mapping[str, str]] = {"withheld": "protected"}
"""What stands in the place of a person whose identity is protected (skyddade personuppgifter)."""


def disclosed(personal: Mapping[str, Any] | None, *, protected_reader: bool, taken_on: bool, one_by_id: bool) -> dict[str, Any] | None:
    """The personal part of a notice as its reader may see it.

    Of a person whose identity is protected only the statutory notice tells who it is, and only to a named reader: the operator named the
    client as one that may read protected persons, and a person took the notice on with her name.

    Args:
        personal: The personal part as stored: `protected` says whether the identity is.
        protected_reader: Whether the client is one that may read protected persons.
        taken_on: Whether a named person has acknowledged this notice.
        one_by_id: Whether this one notice was asked for; lists withhold always.

    Source:
        Lag (2017:612) 2 kap. 1 §; domain rule 2 (protected identity).
    """
    if personal is None:
        return None
    if personal.get("protected") and not (protected_reader and taken_on and one_by_id):
        return {**personal, "person": dict(WITHHELD)}
    return dict(personal)
