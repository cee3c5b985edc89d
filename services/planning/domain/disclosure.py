"""Which part of a notice or a case its reader may see: what leaves is decided here, and what stays back says why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

Withheld = Literal["returned", "protected"]

BASIS: Final[dict[Withheld, str]] = {
    "returned": "The notice was not for this party: wrong registration, or an admission sent in error.",
    "protected": "The person's identity is protected; named readers read the admission notice by its id.",
}


@dataclass(frozen=True, slots=True)
class Withholding:
    """Why a personal part stays back, and since when."""

    withheld: Withheld
    at: datetime

    @property
    def basis(self) -> str:
        """The rule in words."""
        return BASIS[self.withheld]


def withholding(
    *, lost_at: datetime | None, protected: bool, statutory: bool, named_reader: bool, one_by_id: bool, sent_at: datetime
) -> Withholding | None:
    """Why the personal part of a notice stays back from a reader, or None when it may be shown.

    Args:
        lost_at: Since when the recipient is a party no longer; None while it is one.
        protected: Whether the person's identity is protected.
        statutory: Whether it is the admission notice, which the statute lets carry the four items all the same.
        named_reader: Whether the reader is one of those the recipient named for protected persons.
        one_by_id: Whether this one notice was asked for; lists withhold always.
        sent_at: When the notice was sent.

    Source:
        Lag (2017:612) 2 kap. 1 §; domain rules 2 (protected identity) and 2.2.
    """
    if lost_at is not None:
        return Withholding("returned", lost_at)
    if protected and not (statutory and named_reader and one_by_id):
        return Withholding("protected", sent_at)
    return None
