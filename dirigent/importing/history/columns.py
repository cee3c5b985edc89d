"""The columns of a history file: docs/history.md tells what each means."""

import re
from typing import Final

REQUIRED: Final = (
    "ward",
    "stay_id",
    "person_id",
    "given_name",
    "family_name",
    "care_type",
    "admitted_at",
    "admission_notice_sent_at",
)
"""Without a value in each of these there is no stay to tell of."""
OPTIONAL: Final = (
    "person_type",
    "street",
    "postal_code",
    "city",
    "registered_municipality",
    "protected",
    "needs",
    "outpatient_unit",
    "judged_at",
    "planned_discharge_date",
    "compulsory",
    "sip_consent",
    "sip_care_centre",
    "sip_invitation_sent_at",
    "sip_called_units",
    "sip_meeting_at",
    "sip_meeting_place",
    "declined_measures",
    "declined_at",
    "declined_recorded_by",
    "placement_municipality",
    "placement_decision_date",
    "placement_reference",
    "placement_stated_by",
    "placement_stated_at",
    "discharged_at",
    "discharged_sent_at",
    "discharged_to",
    "deceased_at",
    "deceased_sent_at",
)
NUMBERED: Final = (
    "planned_N_date",
    "planned_N_sent_at",
    "moved_N_at",
    "moved_N_sent_at",
    "moved_N_to_municipality",
    "transfer_N_at",
    "transfer_N_sent_at",
    "transfer_N_to_ward",
    "transfer_N_to_stay_id",
    "leave_N_started_at",
    "leave_N_started_sent_at",
    "leave_N_ended_at",
    "leave_N_ended_sent_at",
    "block_N_started_at",
    "block_N_started_sent_at",
    "block_N_kind",
    "block_N_ended_at",
    "block_N_ended_sent_at",
    "ready_N_at",
    "ready_N_sent_at",
    "withdrawn_N_at",
    "withdrawn_N_sent_at",
    "withdrawn_N_reason",
)
"""What may have happened several times: N is 1 to 9."""
TIMES: Final = tuple(str(number) for number in range(1, 10))
REJECTED: Final = ("rejected_line", "rejected_column", "rejected_code", "rejected_reason")
"""What a file of rejected rows has before the columns of the row; a corrected one is imported as it is, so they are passed over."""

_TIME: Final = re.compile(r"_[1-9](?=_)")


def known(name: str) -> bool:
    """Whether a column may stand in a history file."""
    return name in REQUIRED or name in OPTIONAL or name in REJECTED or _TIME.sub("_N", name, count=1) in NUMBERED


def numbered(column: str, time: str) -> str:
    """The column of one of the times something happened: `ready_N_at` and 2 make `ready_2_at`."""
    return column.replace("_N", f"_{time}", 1)
