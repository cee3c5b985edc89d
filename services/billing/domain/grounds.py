"""What a review rests on: a decision holds for the facts it was taken on and for no others."""

from services.billing.domain.identity import Json, canonical_json, instant_text
from services.billing.domain.reasons import Reason
from services.billing.domain.stay import Stay
from services.billing.domain.waiting import Waiting
from services.billing.domain.wishes import sip_refused_since
from shared.dates import Month


def facts_of(stay: Stay, reason: Reason, waiting: Waiting | None, month: Month | None = None) -> str:
    """The facts behind one reason, in canonical text; while they stand a decision on them stands, and when one moves it is open again.

    Who pays belongs to all of them: a new debtor has not been heard in the old decision. Silence belongs to its month: a patient who was
    still there in March may be gone in April.

    Source:
        Domain rule 3.8, reviews.
    """
    return canonical_json({"municipality": stay.municipality, **_facts(stay, reason, waiting, month)})


def _facts(stay: Stay, reason: Reason, waiting: Waiting | None, month: Month | None) -> dict[str, Json]:
    notices: dict[str, Json] = {
        "need_judged_at": instant_text(stay.need_judged_at),
        "admission_notice_sent_at": instant_text(stay.admission_notice_sent_at),
    }
    match reason:
        case Reason.LATE_SIP_INVITATION:
            ready = None if waiting is None else waiting.notice.sent_at
            return {"ready_notice_sent_at": instant_text(ready), "invited_at": instant_text(min(stay.invited_at, default=None))}
        case Reason.PAPER_TIME_UNCONFIRMED:
            claims: list[Json] = [
                [instant_text(one.sent_at), instant_text(one.claimed_at)] for one in stay.ready if one.claimed_at is not None
            ]
            return {**notices, "admission_notice_claimed_at": instant_text(stay.admission_notice_claimed_at), "ready": claims}
        case Reason.SIP_REFUSED:
            return {"refused_since": instant_text(sip_refused_since(stay)), "invited_at": instant_text(min(stay.invited_at, default=None))}
        case Reason.SIP_REQUIREMENT_CONTESTED:
            counted = None if waiting is None else waiting.notice.sent_at
            return {
                "sip_required": stay.sip_required,
                "ready_notice_sent_at": instant_text(counted),
                "invited_at": instant_text(min(stay.invited_at, default=None)),
            }
        case Reason.DECLINED_SAYS_DEBTOR:
            said = sorted((one.declined_at, one.stated_at or one.declined_at, sorted(one.measures)) for one in stay.declined)
            return {"declined": [[instant_text(declined_at), instant_text(stated_at), [*names]] for declined_at, stated_at, names in said]}
        case Reason.OUTPATIENT_BLOCK_CONTESTED:
            contested = sorted((block.started_at, block.ended_at or block.started_at) for block in stay.blocks if block.contested)
            return {"blocks": [[instant_text(started), instant_text(answered)] for started, answered in contested]}
        case Reason.PLACEMENT_DISPUTED:
            return {"placed_by": [*sorted(stay.placed_by)]}
        case Reason.NO_SIGN_OF_LIFE:
            return {"last_sign_of_life_at": instant_text(stay.last_sign_of_life_at), "month": None if month is None else str(month)}
        case Reason.CONTRADICTORY_EVENTS:
            return {
                **notices,
                "ready": [[instant_text(period.sent_at), instant_text(period.withdrawn_at)] for period in stay.ready],
                "ended_at": instant_text(stay.ended_at),
                "died": stay.died_in_care,
                "findings": [*sorted(stay.findings)],
                **({"blocks": _blocks(stay)} if stay.blocks else {}),
            }
    return notices


def _blocks(stay: Stay) -> list[Json]:
    """Every outpatient block: one that keeps the stay from being charged can be ended by whoever states that it is over."""
    blocks = sorted(stay.blocks, key=lambda block: (block.started_at, block.ended_at or block.started_at, block.contested))
    return [[instant_text(block.started_at), instant_text(block.ended_at), block.contested] for block in blocks]
