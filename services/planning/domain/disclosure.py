"""Which part of a notice its reader may see: what leaves is decided here, and what stays back says why."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from shared.dates import format_instant

PROTECTED_BASIS: Final = "The person's identity is protected; a named reader who has taken the notice on reads it by its id."


def disclosed(personal: Mapping[str, Any] | None, sent_at: datetime, *, to_named_reader: bool) -> dict[str, Any] | None:
    """The personal part of a notice as its reader may see it: as it was sent, so that its hash is that of the envelope, or not at all.

    Of a person whose identity is protected (skyddade personuppgifter) only the statutory notice tells who it is, and only to a named
    reader, as the decision table of access says who is one. Other notices were sent without the person, and show what they say.

    Args:
        personal: The personal part as sent: `protected` says whether the identity is.
        sent_at: When the notice was sent.
        to_named_reader: Whether who asks is a named reader of this one notice.

    Source:
        Lag (2017:612) 2 kap. 1 §; domain rule 2 (protected identity).
    """
    if personal is None:
        return None
    if names_protected(personal) and not to_named_reader:
        return {"withheld": "protected", "at": format_instant(sent_at), "basis": PROTECTED_BASIS}
    return dict(personal)


def names_protected(personal: Mapping[str, Any]) -> bool:
    """Whether a personal part says who a protected person is."""
    person = personal.get("person")
    return bool(personal.get("protected")) and isinstance(person, Mapping) and "withheld" not in person
