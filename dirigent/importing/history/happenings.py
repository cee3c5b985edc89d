"""What can happen to a stay beside its admission, with the columns that tell it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dirigent.importing.history import cells
from dirigent.importing.history.columns import TIMES


@dataclass(frozen=True, slots=True)
class Happening:
    """One kind of event: its columns for when it happened and was sent, and the column of each further member.

    `sent_required`: money hangs on when it was sent. `hands_over`: a transfer is told by the ward that lets the patient go.
    """

    name: str
    type: str
    at: str
    sent: str
    members: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    sent_required: bool = False
    hands_over: bool = False

    @property
    def times(self) -> tuple[str, ...]:
        """How often it may have happened."""
        return TIMES if "_N" in self.at else TIMES[:1]

    def reader(self, member: str) -> Callable[[str], Any]:
        """How the cell of a member is read."""
        return _READERS.get(member, str)


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "planned_discharge_date": cells.day,
    "registered_municipality": cells.municipality,
    "to_subject": cells.stay_id,
}


def _simple(name: str, kind: str, members: Mapping[str, str] | None = None, **more: Any) -> Happening:
    return Happening(name, kind, f"{name}_at", f"{name}_sent_at", members or {}, **more)


HAPPENINGS: Final = (
    Happening(
        "planned_N",
        "stay.planned_discharge_changed",
        "planned_N_sent_at",
        "planned_N_sent_at",
        {"planned_discharge_date": "planned_N_date"},
    ),
    _simple(
        "moved_N",
        "stay.person_changed",
        {"registered_municipality": "moved_N_to_municipality"},
        required=("registered_municipality",),
    ),
    _simple(
        "transfer_N",
        "stay.transferred",
        {"to_unit": "transfer_N_to_ward", "to_subject": "transfer_N_to_stay_id"},
        required=("to_unit",),
        hands_over=True,
    ),
    _simple("leave_N_started", "stay.leave_started"),
    _simple("leave_N_ended", "stay.leave_ended"),
    _simple("block_N_started", "stay.outpatient_block_started", {"kind": "block_N_kind"}, required=("kind",)),
    _simple("block_N_ended", "stay.outpatient_block_ended"),
    _simple("ready_N", "stay.ready", sent_required=True),
    _simple("withdrawn_N", "stay.ready_withdrawn", {"reason": "withdrawn_N_reason"}),
    _simple("discharged", "stay.discharged", {"discharged_to": "discharged_to"}),
    _simple("deceased", "stay.deceased"),
)
