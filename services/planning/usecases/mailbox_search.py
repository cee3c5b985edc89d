"""Searching a mailbox: some of its notices, in its order. Finding consumes nothing; what is fetched of it is noted by `attach_personal`."""

from collections.abc import Sequence
from uuid import UUID

from services.planning.domain.acknowledgement import NoticeStatus
from services.planning.repository import mailbox_search as rows
from services.planning.repository.directory import Mailbox
from shared.db import Work
from shared.streams import feeds


async def search_mailbox(
    work: Work, mailbox: Mailbox, *, after: int, limit: int, states: Sequence[str] | None = None, case_id: UUID | None = None
) -> feeds.Page:
    """The next notices of a mailbox in one of these states, of one stay, or both; `next` is the head where no more can be found.

    Raises:
        FeedRewound: `after` lies beyond the head.
    """
    some = states is not None or case_id is not None
    page = await feeds.read(work, mailbox.feed, after=after, limit=0 if some else limit)  # also says whether there is such a position
    if not some:
        return page
    entries = await rows.page(work, mailbox, after=after, limit=limit, states=states, case_id=case_id) if states != () else ()
    return feeds.Page(page.epoch, page.head, entries, entries[-1].position if len(entries) == limit else page.head)


def reads_on(states: Sequence[str] | None, case_id: UUID | None) -> bool:
    """Whether such a search comes upon whatever nobody has fetched yet, as reading the mailbox does.

    Only then has the mailbox been read: whoever looks for one stay alone, or for what was returned, never sees what is new. That it was
    read silences the alarm, and lets silence count as acceptance of a month (domain rule 3.8).
    """
    return case_id is None and (states is None or NoticeStatus.SENT in states)
