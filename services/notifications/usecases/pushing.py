"""The push feed: each event told to an organisation is one entry of it, thin; and what of it waits for a person."""

from collections.abc import Sequence
from typing import Final

import msgspec

from services.notifications.domain.escalating import Kind
from services.notifications.domain.matching import Subscription, readers
from services.notifications.repository import escalations, push
from services.notifications.repository.push import WaitingNotice, feed_of
from shared.dates import format_instant
from shared.db import Work
from shared.events.command_facts import NoticeAcknowledged, NoticeErased, NoticeReturned
from shared.events.facts import NoticeSent
from shared.http.auth import Caller
from shared.identifiers import uuid7
from shared.streams import feeds
from shared.streams.canonical import canonical_plain
from shared.streams.consumer import Delivered
from shared.streams.feeds import Page
from shared.streams.outbox import Staged, stage

UNACKNOWLEDGED: Final[Kind] = "notice.unacknowledged"


async def push_notices(work: Work, delivered: Sequence[Delivered]) -> None:
    """Enter what was told into the organisations' push feeds, and keep what waits for a person; imported history is neither.

    A notice that replaces or takes back another one ends what that one waits for, whoever made it.
    """
    sent = [(one.entry_id, one.fact) for one in delivered if isinstance(one.fact, NoticeSent)]
    live = [(entry_id, fact) for entry_id, fact in sent if not fact.history]
    told = [
        (entry_id, fact, organisation, units)
        for entry_id, fact in live
        for organisation, units in readers(fact.organisation, fact.unit, fact.members).items()
    ]
    await stage(
        work,
        [
            Staged(feed_of(organisation), uuid7(), fact.notice_type, fact.case_id, _entry(fact, units))
            for _, fact, organisation, units in told
        ],
    )
    await push.add_waiting(
        work,
        [
            WaitingNotice(
                fact.notice_id,
                entry_id,
                organisation,
                units,
                fact.mailbox,
                fact.notice_type,
                fact.sent_at,
                fact.acknowledge_by,
            )
            for entry_id, fact, organisation, units in told
            if fact.acknowledge_by is not None
        ],
    )
    superseded = [fact.supersedes for _, fact in sent if fact.supersedes is not None]
    await push.drop_waiting(work, superseded)
    await escalations.close(work, [UNACKNOWLEDGED], superseded, "superseded")


async def end_waiting(work: Work, delivered: Sequence[Delivered]) -> None:
    """A person took notices on or returned them, or whom they told of was erased: they wait no more, what escalated is over."""
    for kind, by in ((NoticeAcknowledged, "acknowledged"), (NoticeReturned, "returned"), (NoticeErased, "erased")):
        ended = [one.fact.notice_id for one in delivered if isinstance(one.fact, kind)]
        await push.drop_waiting(work, ended)
        await escalations.close(work, [UNACKNOWLEDGED], ended, by)


def _entry(fact: NoticeSent, units: Sequence[str]) -> str:
    """Thin as a webhook, with the unit beside: who reads the feed is shown what lies in its own units.

    Of a team's mailbox `readers` says which units of the feed's organisation those are; of any other it is the unit itself.
    """
    about: dict[str, object] = {"notice_id": str(fact.notice_id), "mailbox": fact.mailbox}
    about |= {} if fact.unit is None else {"unit": fact.unit}
    about |= {"readers": list(units)} if fact.members else {}
    about |= {} if fact.case_id is None else {"case_id": str(fact.case_id)}
    return canonical_plain({"type": fact.notice_type, "timestamp": format_instant(fact.sent_at), "data": about})


def wished(caller: Caller, types: Sequence[str], units: Sequence[str]) -> Subscription:
    """What a caller hears of its organisation's feed, by the rule that subscriptions go by."""
    return Subscription(uuid7(), caller.organisation, caller.unit_prefixes, tuple(types), tuple(units))


def tells(wish: Subscription, kind: str, body: str) -> bool:
    """Whether an entry of the feed is one that was wished for."""
    data = msgspec.json.decode(body)["data"]
    own = [data["unit"]] if "unit" in data else []
    return wish.wants(wish.organisation, kind, data.get("readers", own))


async def head(work: Work, caller: Caller) -> tuple[int, int]:
    """The epoch, and the last position of the caller's push feed."""
    return await feeds.head_of(work, feed_of(caller.organisation))


async def read_on(work: Work, caller: Caller, *, epoch: int, after: int, limit: int) -> Page:
    """The next stretch of the caller's push feed; what lies in units of others is not in it.

    Raises:
        FeedRewound: `after` lies beyond the head, or the database is in another epoch: a backup was restored.
    """
    return await feeds.read(work, feed_of(caller.organisation), after=after, limit=limit, epoch=epoch)
