"""Which municipality a stay is counted for when the patient really moved during it (domain rules 3.1 and 3.7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.billing.domain.stay import Readiness
from services.billing.domain.terms import ChangedRegistration


@dataclass(frozen=True, slots=True)
class Registration:
    """Where the patient was registered (folkbokförd) from an instant on; `since` None for as far back as is known."""

    municipality: str | None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notified:
    """The notices to one municipality of a stay; `admission_notice_sent_at` None = it never got one."""

    municipality: str | None
    admission_notice_sent_at: datetime | None
    ready: tuple[Readiness, ...]
    admission_notice_claimed_at: datetime | None = None


def liable(
    told: Notified,
    others: Sequence[Notified],
    registrations: Sequence[Registration],
    *,
    placed_by: frozenset[str],
    ended_at: datetime | None,
    rule: ChangedRegistration,
) -> Notified:
    """The municipality that pays if anybody does, with the notices that went to it.

    A placing municipality that nobody disputes stays liable wherever the patient moves. One that is liable by the switch and got no notice
    stands without admission notice, which excludes the stay; the ready notice then counts as it was sent to the one told.

    Args:
        told: The one planning tells: placing, else registered at the ready notice.
        others: Every other municipality that got notices.
        registrations: Oldest first; more than one only after a real move.
        placed_by: Every municipality somebody states to have placed the patient.
        ended_at: When the stay ended, None while it lasts: then the present registration is what is known.
        rule: Switch changed_registration.

    Source:
        Lag (2017:612) 5 kap. 2 §; switch changed_registration.
    """
    if rule is ChangedRegistration.AT_READY_NOTICE or len(placed_by) == 1:
        return told
    known = [one for one in registrations if one.since is None or ended_at is None or one.since <= ended_at]
    if not known or known[-1].municipality == told.municipality:
        return told
    code = known[-1].municipality
    return next((other for other in others if other.municipality == code), Notified(code, None, told.ready))
