"""What billing must know of the debtors' mailboxes to judge their silence."""

from collections.abc import Sequence
from typing import Final

from services.billing.domain.closing import CalculationName
from services.billing.repository import months
from shared.dates import Month
from shared.db import Work
from shared.events.facts import MailboxPolled, NoticeSent

SHOWN_TO_THE_DEBTOR: Final = frozenset({"notice.month_published", "notice.month_corrected"})


async def apply_notices(work: Work, facts: Sequence[NoticeSent]) -> None:
    """Note when the notice of a published month, or of a published correction of one, entered a mailbox of its debtor."""
    # In the order in which steps for many months at once take their locks.
    for fact in sorted(facts, key=lambda fact: (fact.about.get("month", ""), fact.municipality or "")):
        month, version, sha256 = (fact.about.get(name, "") for name in ("month", "version", "calculation"))
        if fact.notice_type in SHOWN_TO_THE_DEBTOR and fact.municipality and month and version.isdecimal() and sha256:
            calculation = CalculationName(int(version), sha256)
            await months.notice_entered(work, fact.municipality, Month.parse(month), calculation, fact.mailbox, fact.sent_at)


async def apply_polls(work: Work, facts: Sequence[MailboxPolled]) -> None:
    """Note when mailboxes were read."""
    for fact in facts:
        await months.mailbox_polled(work, fact.mailbox, fact.municipality, fact.polled_at)
