"""The preconditions of liability (domain rules 3.1): all must hold, and every one that does not is named."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.billing.domain.deadlines import admission_notice_is_late, invitation_is_late
from services.billing.domain.grounds import facts_of
from services.billing.domain.reasons import Exclusion, Reason, ReviewDecision, ReviewOutcome
from services.billing.domain.stay import Compulsory, Stay
from services.billing.domain.terms import (
    BlockedBy,
    DeathWhileReady,
    DeclinedMeasures,
    LateNotice,
    MissingInvitation,
    NoRegisteredMunicipality,
    SipRefused,
    Statute,
    Switches,
)
from services.billing.domain.waiting import Waiting, held_up_by
from services.billing.domain.wishes import all_measures_declined, sip_was_refused_in_time


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the preconditions say of one stay: reasons that exclude it, reasons that hold it, reasons it is counted in spite of."""

    exclusions: tuple[Exclusion, ...] = ()
    reviews: tuple[Exclusion, ...] = ()
    notes: tuple[Exclusion, ...] = ()

    def excluded(self, ground: Exclusion) -> "Assessment":
        """The same assessment with one more reason that excludes the stay."""
        return Assessment((*self.exclusions, ground), self.reviews, self.notes)

    def decided(self, decisions: Iterable[ReviewDecision]) -> "Assessment":
        """The same assessment after reviews were decided: an accepted reason becomes a note, a refused one an exclusion."""
        if not self.reviews:
            return self
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
        Lag (2017:612) 5 kap. 1–3 and 5 §§.
    """
    exclusions = [_ground(stay, reason, waiting) for reason in _certain(stay, waiting, switches)]
    reviews: list[Exclusion] = []
    notes: list[Exclusion] = []
    kinds = {LateNotice.REVIEW: reviews, LateNotice.EXCLUDE: exclusions, LateNotice.ACCEPT: notes}
    late = admission_notice_is_late(stay, statute, switches.statutory_sunday_rule)
    if paper_decides(stay, waiting, late=late and switches.late_admission_notice is not LateNotice.ACCEPT):
        (reviews if waiting is not None else exclusions).append(_ground(stay, Reason.PAPER_TIME_UNCONFIRMED, waiting))
    if late and (stay.admission_notice_claimed_at is None or switches.late_admission_notice is LateNotice.ACCEPT):
        kinds[switches.late_admission_notice].append(_ground(stay, Reason.LATE_ADMISSION_NOTICE, waiting))
    if waiting is not None:
        fault = _invitation_fault(stay, waiting, switches, statute)
        if fault is Reason.NO_SIP_INVITATION:
            exclusions.append(Exclusion.of(stay.case_id, fault))
        elif fault is Reason.LATE_SIP_INVITATION:
            kinds[switches.late_sip_invitation].append(_ground(stay, fault, waiting))
        elif fault is Reason.SIP_REQUIREMENT_CONTESTED or (fault is Reason.SIP_REFUSED and switches.sip_refused is SipRefused.REVIEW):
            reviews.append(_ground(stay, fault, waiting))
        elif fault is not None:
            notes.append(Exclusion.of(stay.case_id, fault))
        notes += [Exclusion.of(stay.case_id, reason) for reason in waiting.left_out]
    reviews += [_ground(stay, reason, waiting) for reason in _disputed(stay, switches)]
    if all_measures_declined(stay):
        declined = {DeclinedMeasures.EXCLUDED: exclusions, DeclinedMeasures.COUNTED: notes}
        declined[switches.declined_measures].append(Exclusion.of(stay.case_id, Reason.MEASURES_DECLINED))
    if switches.contradictory_findings.intersection(stay.findings):
        reviews.append(_ground(stay, Reason.CONTRADICTORY_EVENTS, waiting))
    return Assessment(tuple(exclusions), tuple(reviews), tuple(notes))


def _ground(stay: Stay, reason: Reason, waiting: Waiting | None) -> Exclusion:
    return Exclusion.of(stay.case_id, reason, facts_of(stay, reason, waiting))


def _certain(stay: Stay, waiting: Waiting | None, switches: Switches) -> Iterator[Reason]:
    """The reasons that leave nothing to judge."""
    if stay.municipality is None and switches.no_registered_municipality is NoRegisteredMunicipality.NOT_LIABLE:
        yield Reason.NO_REGISTERED_MUNICIPALITY
    if waiting is None:
        withdrawn = any(notice.withdrawn_at is not None for notice in stay.ready)
        yield Reason.READY_WITHDRAWN if withdrawn else Reason.READY_AFTER_DISCHARGE
    if stay.died_in_care and switches.death_while_ready is DeathWhileReady.EXCLUDED:
        yield Reason.DECEASED_WHILE_READY
    if stay.admission_notice_sent_at is None:
        yield Reason.NO_ADMISSION_NOTICE
    if waiting is not None and _blocked(stay, waiting, switches):
        yield Reason.OUTPATIENT_BLOCK


def _blocked(stay: Stay, waiting: Waiting, switches: Switches) -> bool:
    """Whether outpatient care leaves nothing to charge: by default any block of the waiting time, else one that took every day of it.

    A block that was stated and not answered lasts as long as the patient waits.

    Source:
        Lag (2017:612) 5 kap. 5 §; switch outpatient_block.
    """
    if switches.outpatient_block is BlockedBy.WHOLE_STAY:
        return bool(held_up_by(stay, switches))
    return waiting.n == 0 and Reason.OUTPATIENT_BLOCK in waiting.left_out and Reason.DISPUTED_DAYS not in waiting.left_out


def paper_decides(stay: Stay, waiting: Waiting | None, *, late: bool) -> bool:
    """Whether something hangs on a time on paper that no outage explains yet: then a person judges, and until then it moves nothing.

    The ready notice that counts, one passed over because it was sent after the discharge, and an admission notice that is late as it was
    sent: all that could turn out otherwise. Recording or confirming the outage settles it in the ward's favour.

    Args:
        stay: The stay.
        waiting: Its counted notice and days, None when no ready notice counts.
        late: The admission notice is too late as it was sent, and the rules do not accept that.

    Source:
        Lag (2017:612) 2 kap. 1 §, 3 kap. 1 §; paper routine.
    """
    passed_over = [notice for notice in stay.ready if notice.withdrawn_at is None]
    notices = passed_over if waiting is None else [waiting.notice]
    return (late and stay.admission_notice_claimed_at is not None) or any(notice.claimed_at is not None for notice in notices)


def _disputed(stay: Stay, switches: Switches) -> Iterator[Reason]:
    """What the parties do not agree on, so that a person must judge.

    Source:
        Lag (2017:612) 5 kap. 2 and 5 §§; switch declined_measures.
    """
    if len(stay.placed_by) > 1:
        yield Reason.PLACEMENT_DISPUTED
    if held_up_by(stay, switches, contested=True):
        yield Reason.OUTPATIENT_BLOCK_CONTESTED
    counts = switches.declined_measures is DeclinedMeasures.EXCLUDED and not all_measures_declined(stay)
    if counts and all_measures_declined(stay, says_debtor_afterwards=True):
        yield Reason.DECLINED_SAYS_DEBTOR


def _invitation_fault(stay: Stay, waiting: Waiting, switches: Switches, statute: Statute) -> Reason | None:
    """What is wrong with the SIP invitation, None when nothing is.

    A stay of few days stays in the average whether the invitation is missing or late: leaving it out would let the region's own
    omission raise the average. Under compulsory outpatient care a co-ordinated care plan takes the place of the SIP. A patient who refused
    a SIP in time leaves nothing to call to, or leaves that to be judged. Where ward or municipality contests whether a SIP is required, and
    the stay would fare otherwise by it, a person judges.

    Source:
        Lag (2017:612) 4 kap. 1–3 §§, 5 kap. 3 §; switches missing_sip_invitation, sip_refused; domain rule 2.
    """
    if not (stay.sip_required or stay.sip_contested) or waiting.notice.compulsory is not Compulsory.NONE:
        return None
    fault = _fault_if_required(stay, waiting, switches, statute)
    if not stay.sip_contested:
        return fault
    if fault is None or _matters(fault, switches):
        return None if fault is None else Reason.SIP_REQUIREMENT_CONTESTED
    return fault if stay.sip_required else None


def _matters(fault: Reason, switches: Switches) -> bool:
    """Whether a stay with this fault in its invitation fares otherwise than one without."""
    accepted = {
        Reason.UNINVITED_SHORT_STAY: True,
        Reason.LATE_SIP_INVITATION: switches.late_sip_invitation is LateNotice.ACCEPT,
        Reason.SIP_REFUSED: switches.sip_refused is SipRefused.NOT_REQUIRED,
    }
    return not accepted.get(fault, False)


def _fault_if_required(stay: Stay, waiting: Waiting, switches: Switches, statute: Statute) -> Reason | None:
    missing = not stay.invited_at
    if not missing and not invitation_is_late(stay, waiting.notice, statute, switches.statutory_sunday_rule):
        return None
    refused = sip_was_refused_in_time(stay, waiting.notice, statute, switches.statutory_sunday_rule)
    if refused and switches.sip_refused is SipRefused.NOT_REQUIRED:
        return Reason.SIP_REFUSED
    short = waiting.n <= switches.uninvited_counts_up_to_days
    if short and switches.missing_sip_invitation is MissingInvitation.SHORT_STAYS_COUNT:
        return Reason.UNINVITED_SHORT_STAY
    if refused:
        return Reason.SIP_REFUSED
    return Reason.NO_SIP_INVITATION if missing else Reason.LATE_SIP_INVITATION
