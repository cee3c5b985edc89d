"""Every stay of a month explained: its notices with their times, what each rule said of it, how it was counted and why."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from services.billing.domain.basis import CountedAs, Line, MonthBasis
from services.billing.domain.identity import Json, instant_text, money_text
from services.billing.domain.month import MonthInputs
from services.billing.domain.stay import Stay
from services.billing.domain.wording import COUNTED_AS, RULES, Rule, Words, clock, reason_words

MET: Final = "met"
NOTED: Final = "noted"
NOT_DECISIVE: Final = "not_decisive"
# What a rule said that gave a reason, and one that gave none, of a stay that is not counted.
_OUTCOMES: Final = {
    CountedAs.EXCLUDED: ("excludes", NOT_DECISIVE),
    CountedAs.REVIEW: ("holds", NOT_DECISIVE),
    CountedAs.DISPUTED: ("contested", NOT_DECISIVE),
}
_NOT_COUNTED: Final = Words("hör inte till månaden", "is not of this month")
_STILL_THERE: Final = Words("kvar i slutenvård, inga dagar debiteras än", "still in hospital, no days are charged yet")
_CANCELLED: Final = Words("makulerat", "cancelled")


def stays_explained(inputs: MonthInputs, basis: MonthBasis) -> Iterator[Json]:
    """Every stay that was given to the calculation, in the order of their ids: those that have a line, and why the others have none.

    Source:
        Domain rule 3.8, explanation (every stay to its notices with times, every excluded stay to its reason).
    """
    lines = {line.stay: line for line in basis.lines}
    for stay in sorted(inputs.stays, key=lambda one: one.case_id):
        line = lines.get(stay.case_id)
        yield _without_line(stay, basis) if line is None else _with_line(stay, line)


def _with_line(stay: Stay, line: Line) -> Json:
    how = COUNTED_AS[line.counted_as]
    return {
        **_known(stay),
        "counted_as": line.counted_as.value,
        "sv": how.sv,
        "en": how.en,
        "agreement": line.agreement,
        "rule": line.rule,
        "days": line.days,
        "chargeable_days": line.chargeable_days,
        "amount": money_text(line.amount),
        "reasons": [
            {"reason": one.reason.value, "source": one.source, "sv": reason_words(one.reason).sv, "en": reason_words(one.reason).en}
            for one in line.reasons
        ],
        "rules": [_spoken(rule, line) for rule in RULES],
    }


def _without_line(stay: Stay, basis: MonthBasis) -> Json:
    """A stay that enters no sum: it belongs to another month, or its patient is still there."""
    code, words = "other_month", _NOT_COUNTED
    if stay.cancelled:
        code, words = "cancelled", _CANCELLED
    elif stay.ended_on is None or stay.ended_on >= basis.month.next.first:
        code, words = "still_waiting", _STILL_THERE
    return {
        **_known(stay),
        "counted_as": code,
        "sv": words.sv,
        "en": words.en,
        "agreement": "",
        "rule": "",
        "days": None,
        "chargeable_days": 0,
        "amount": "0.00",
        "reasons": [],
        "rules": [],
    }


def _spoken(rule: Rule, line: Line) -> Json:
    """What one rule said: of a stay that others took out it decided nothing, and is not tried further."""
    found = [one.reason.value for one in line.reasons if one.reason.value in rule.reasons]
    spoken, silent = _OUTCOMES.get(line.counted_as, (NOTED, MET))
    said = spoken if found else silent
    return {"rule": rule.code, "source": rule.source, "outcome": said, "reasons": [*found]}


def _known(stay: Stay) -> dict[str, Json]:
    """The stay and every notice and event that a clock of the law runs from."""
    return {
        "case": str(stay.case_id),
        "ward": stay.ward,
        "care_type": stay.care_type.value,
        "sip_required": stay.sip_required,
        "ended_on": None if stay.ended_on is None else stay.ended_on.isoformat(),
        "notices": [*_notices(stay)],
    }


def _notices(stay: Stay) -> Iterator[Json]:
    """In the order of time."""
    found: list[tuple[str, Words, datetime]] = []
    if stay.need_judged_at is not None:
        found.append(("need_judged", Words("behov bedömt", "need judged"), stay.need_judged_at))
    if stay.admission_notice_sent_at is not None:
        words = Words("inskrivningsmeddelande (N1) skickat", "admission notice (N1) sent")
        found.append(("admission_notice", words, stay.admission_notice_sent_at))
    for notice in stay.ready:
        found.append(("ready_notice", Words("utskrivningsklar (N5) skickat", "ready notice (N5) sent"), notice.sent_at))
        if notice.withdrawn_at is not None:
            found.append(("ready_withdrawn", Words("utskrivningsklar återtagen", "readiness withdrawn"), notice.withdrawn_at))
    found += [("sip_invitation", Words("kallelse till SIP (N8) skickad", "SIP invitation (N8) sent"), at) for at in stay.invited_at]
    for block in stay.blocks:
        found.append(("outpatient_block", Words("hinder i öppenvården", "outpatient block"), block.started_at))
        if block.ended_at is not None:
            words = Words("hindret bestritt", "block contested") if block.contested else Words("hindret upphörde", "block ended")
            found.append(("outpatient_block_contested" if block.contested else "outpatient_block_ended", words, block.ended_at))
    found += [("measures_declined", Words("insatser avböjda", "measures declined"), one.declined_at) for one in stay.declined]
    found += [("transferred", Words("förflyttad", "transferred"), at) for at in stay.transfers]
    if stay.discharged_at is not None:
        found.append(("discharged", Words("utskriven", "discharged"), stay.discharged_at))
    if stay.deceased_at is not None:
        found.append(("deceased", Words("avliden", "deceased"), stay.deceased_at))
    for kind, words, at in sorted(found, key=lambda one: (one[2], one[0])):
        yield {"kind": kind, "at": instant_text(at), "local": clock(at), "sv": words.sv, "en": words.en}
