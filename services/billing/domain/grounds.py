"""What a review rests on: a decision holds for the facts it was taken on and for no others."""

from services.billing.domain.identity import Json, canonical_json, instant_text
from services.billing.domain.reasons import Reason
from services.billing.domain.stay import Stay
from services.billing.domain.waiting import Waiting
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
        case Reason.NO_SIGN_OF_LIFE:
            return {"last_sign_of_life_at": instant_text(stay.last_sign_of_life_at), "month": None if month is None else str(month)}
        case Reason.CONTRADICTORY_EVENTS:
            return {
                **notices,
                "ready": [[instant_text(period.sent_at), instant_text(period.withdrawn_at)] for period in stay.ready],
                "ended_at": instant_text(stay.ended_at),
                "died": stay.died_in_care,
                "findings": [*sorted(stay.findings)],
            }
    return notices
