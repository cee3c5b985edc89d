"""Which notices a subscription hears of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.identifiers import HSA_ID_PATTERN

NOTICE_TYPES: Final = frozenset(
    f"notice.{name}"
    for name in (
        "admission",
        "planned_discharge_changed",
        "ready",
        "ready_withdrawn",
        "discharged",
        "deceased",
        "cancelled",
        "transferred",
        "leave",
        "sip_invitation",
        "sip_changed",
        "care_contact",
        "planning_status",
        "outpatient_block",
        "message",
        "deviation",
        "reminder",
        "month_published",
        "month_accepted",
        "average_passed",
        "dispute_opened",
        "dispute_escalated",
        "dispute_decided",
        "invoice_issued",
        "invoice_rejected",
        "month_corrected",
    )
)
TEST_TYPE: Final = "subscription.test"
_UNIT: Final = re.compile(HSA_ID_PATTERN)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a subscriber wants to hear of; empty `types` or `units` mean everything it may.

    `unit_prefixes` are those of the client that subscribed: it never hears of another unit of its own organisation.
    """

    id: UUID
    organisation: str
    unit_prefixes: tuple[str, ...]
    types: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    def wants(self, organisation: str, notice_type: str, unit: str | None) -> bool:
        """Whether a notice in a mailbox of this organisation and unit is told to the subscriber.

        A mailbox without a unit belongs to the organisation as a whole: told to whoever speaks for all of it and filters no unit.
        """
        if organisation != self.organisation or (self.types and notice_type not in self.types):
            return False
        if unit is None:
            return not self.units and speaks_for_all(organisation, self.unit_prefixes)
        return _inside(unit, self.unit_prefixes) and (not self.units or unit in self.units)


def wrong_unit(unit_prefixes: Sequence[str], unit: str) -> str | None:
    """The code of what is wrong with a unit to hear of: only a whole HSA-id names one, and it lies inside these prefixes."""
    if not _UNIT.fullmatch(unit):
        return "unit_malformed"
    return None if covers(unit_prefixes, [unit]) else "unit_not_yours"


def covers(unit_prefixes: Sequence[str], units: Sequence[str]) -> bool:
    """Whether every unit (or prefix of units) lies inside these prefixes."""
    return all(_inside(unit, unit_prefixes) for unit in units)


def speaks_for_all(organisation: str, unit_prefixes: Sequence[str]) -> bool:
    """Whether these prefixes take in every unit of an organisation."""
    return _inside(f"SE{organisation}-", unit_prefixes)


def _inside(unit: str, prefixes: Sequence[str]) -> bool:
    return any(unit.startswith(prefix) for prefix in prefixes)
