"""The preconditions of liability (domain rules 3.1): all must hold, and every one that does not is named."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.billing.domain.deadlines import admission_notice_is_late, invitation_is_late
from services.billing.domain.grounds import facts_of
from services.billing.domain.reasons import Exclusion, Reason, ReviewDecision, ReviewOutcome
from services.billing.domain.stay import Compulsory, Stay
from services.billing.domain.terms import DeathWhileReady, LateNotice, MissingInvitation, Statute, Switches
from services.billing.domain.waiting import Waiting


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the preconditions say of one stay: reasons that exclude it, reasons that hold it, reasons it is counted in spite of."""

    exclusions: tuple[Exclusion, ...] = ()
    reviews: tuple[Exclusion, ...] = ()
    notes: tuple[Exclusion, ...] = ()

    def decided(self, decisions: Iterable[ReviewDecision]) -> "Assessment":
        """The same assessment after reviews were decided: an accepted reason becomes a note, a refused one an exclusion."""
        outcomes = {(decision.stay, decision.reason, decision.facts): decision.outcome for decision in decisions}
        held = {ground: outcomes.get((ground.stay, ground.reason, ground.facts)) for ground in self.reviews}
        return Assessment(
            self.exclusions + tuple(ground for ground, outcome in held.items() if outcome is ReviewOutcome.EXCLUDE),
            tuple(ground for ground, outcome in held.items() if outcome is None),
            self.notes + tuple(ground for ground, outcome in held.items() if outcome is ReviewOutcome.ACCEPT),
        )


def assess(stay: Stay, waiting: Waiting | None, switches: Switches, statute: Statute) -> Assessment:
    """Try a stay against every precondition.

    Args:
        stay: The stay, with at least one ready notice.
        waiting: Its counted notice and days, None when no ready notice counts.
        switches: In force on the day that chooses the rules.
        statute: Time limits of the law.

    Source:
        Lag (2017:612) 5 kap. 1–3 §§.
    """
    exclusions = [_ground(stay, reason, waiting) for reason in _certain(stay, waiting, switches)]
    reviews: list[Exclusion] = []
    notes: list[Exclusion] = []
    kinds = {LateNotice.REVIEW: reviews, LateNotice.EXCLUDE: exclusions, LateNotice.ACCEPT: notes}
    if admission_notice_is_late(stay, statute, switches.statutory_sunday_rule):
        kinds[switches.late_admission_notice].append(_ground(stay, Reason.LATE_ADMISSION_NOTICE, waiting))
    if waiting is not None:
        fault = _invitation_fault(stay, waiting, switches, statute)
        if fault is Reason.NO_SIP_INVITATION:
            exclusions.append(Exclusion.of(stay.case_id, fault))
        elif fault is Reason.LATE_SIP_INVITATION:
            kinds[switches.late_sip_invitation].append(_ground(stay, fault, waiting))
        elif fault is not None:
            notes.append(Exclusion.of(stay.case_id, fault))
    if switches.contradictory_findings.intersection(stay.findings):
        reviews.append(_ground(stay, Reason.CONTRADICTORY_EVENTS, waiting))
    return Assessment(tuple(exclusions), tuple(reviews), tuple(notes))


def _ground(stay: Stay, reason: Reason, waiting: Waiting | None) -> Exclusion:
    return Exclusion.of(stay.case_id, reason, facts_of(stay, reason, waiting))


def _certain(stay: Stay, waiting: Waiting | None, switches: Switches) -> Iterator[Reason]:
    """The reasons that leave nothing to judge."""
    if stay.municipality is None:
        yield Reason.NO_REGISTERED_MUNICIPALITY
    if waiting is None:
        withdrawn = any(notice.withdrawn_at is not None for notice in stay.ready)
        yield Reason.READY_WITHDRAWN if withdrawn else Reason.READY_AFTER_DISCHARGE
    if stay.died_in_care and switches.death_while_ready is DeathWhileReady.EXCLUDED:
        yield Reason.DECEASED_WHILE_READY
    if stay.admission_notice_sent_at is None:
        yield Reason.NO_ADMISSION_NOTICE


def _invitation_fault(stay: Stay, waiting: Waiting, switches: Switches, statute: Statute) -> Reason | None:
    """What is wrong with the SIP invitation, None when nothing is.

    A stay of few days stays in the average whether the invitation is missing or late: leaving it out would let the region's own
    omission raise the average. Under compulsory outpatient care a co-ordinated care plan takes the place of the SIP.

    Source:
        Lag (2017:612) 4 kap. 1 and 3 §§, 5 kap. 3 §; switch missing_sip_invitation.
    """
    if not stay.sip_required or waiting.notice.compulsory is not Compulsory.NONE:
        return None
    missing = not stay.invited_at
    if not missing and not invitation_is_late(stay, waiting.notice, statute, switches.statutory_sunday_rule):
        return None
    short = waiting.n <= switches.uninvited_counts_up_to_days
    if short and switches.missing_sip_invitation is MissingInvitation.SHORT_STAYS_COUNT:
        return Reason.UNINVITED_SHORT_STAY
    return Reason.NO_SIP_INVITATION if missing else Reason.LATE_SIP_INVITATION
