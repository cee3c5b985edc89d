"""What the patient wants: no SIP, or nothing of what the municipality was to do (domain rules 3.1 and 3.7)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from services.billing.domain.deadlines import last_day_to_invite
from services.billing.domain.stay import Declined, Readiness, Stay
from services.billing.domain.terms import Statute, SundayRule
from shared.dates import local_date

MUNICIPAL: Final = frozenset({"municipal_social", "municipal_health"})


def sip_refused_since(stay: Stay) -> datetime | None:
    """Since when no plan of the stay has had the patient's consent that was asked for; None when one has it, or nobody asked.

    Consent that was withdrawn is a refusal from then on. While one plan stands consented to, no other refusal frees from calling to it.

    Source:
        Lag (2017:612) 4 kap. 2 §.
    """
    stands: dict[UUID, bool] = {}
    since: datetime | None = None
    for answer in sorted(stay.consents, key=lambda answer: (answer.changed_at, answer.plan, answer.given)):
        stands[answer.plan] = answer.given
        if any(stands.values()):
            since = None
        elif since is None:
            since = answer.changed_at
    return since


def sip_was_refused_in_time(stay: Stay, counted: Readiness, statute: Statute, sunday_rule: SundayRule) -> bool:
    """Whether the patient said no while there still was time to call: then there was nothing to call to.

    A no that came after the time to call was over does not heal a call that should have been sent while it was not yet said; and consent
    withdrawn after a call in time changes nothing, for what 5 kap. 3 § asks is that the call was sent.

    Source:
        Lag (2017:612) 4 kap. 2 and 3 §§, 5 kap. 3 §; switch sip_refused.
    """
    since = sip_refused_since(stay)
    return since is not None and local_date(since) <= last_day_to_invite(counted, statute, sunday_rule)


def all_measures_declined(stay: Stay, *, says_debtor_afterwards: bool = False) -> bool:
    """Whether the patient, before leaving, declined everything that was asked of the municipality.

    As long as one municipal measure is wanted, the patient may be waiting for that one. Where planning has not told what was asked of the
    municipality, only both kinds together are everything. What was declined after the stay had ended is not why the patient waited.

    Args:
        stay: The stay.
        says_debtor_afterwards: Believe also the municipality that would pay when it states so only after the stay had ended.

    Source:
        Domain rule 3.7, switch declined_measures.
    """
    if not stay.declined:
        return False
    said = [one for one in stay.declined if stay.ended_on is None or local_date(one.declined_at) <= stay.ended_on]
    if not says_debtor_afterwards:
        said = [one for one in said if not _says_debtor_afterwards(one, stay)]
    declined = {measure for one in said for measure in one.measures}
    return (stay.municipal_needs or MUNICIPAL) <= declined


def _says_debtor_afterwards(one: Declined, stay: Stay) -> bool:
    if stay.ended_at is None or one.stated_at is None or one.municipality is None:
        return False
    return one.municipality == stay.municipality and one.stated_at > stay.ended_at
