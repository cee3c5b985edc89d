"""Digests: an e-mail of counts at a time of the day, for those who read no mailbox all day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final
from uuid import UUID

from services.notifications import repository
from services.notifications.domain import letters
from services.notifications.domain.addresses import is_address
from services.notifications.domain.digests import WEEKDAYS, next_digest
from services.notifications.domain.letters import Language, Line
from services.notifications.domain.matching import Subscription, wrong_unit
from services.notifications.repository import digests as rows
from services.notifications.repository import mails, push
from services.notifications.repository.digests import DIGEST_KIND
from services.notifications.usecases.subscriptions import require_reader
from shared.dates import local_date
from shared.db import Work
from shared.errors import FieldError, Malformed, NotFound, Refused
from shared.events.notice_types import NOTICE_TYPES
from shared.http.auth import Caller
from shared.identifiers import uuid7
from shared.streams import due, feeds
from shared.streams.due import Claim

MOST_DIGESTS: Final = 20


@dataclass(frozen=True, slots=True)
class DigestWanted:
    """What is asked for; empty `days` mean every day, empty `types` or `units` everything the caller may hear of."""

    email: str
    clock: time
    days: Sequence[str] = ()
    types: Sequence[str] = ()
    units: Sequence[str] = ()
    language: Language = "sv"
    empty: bool = False


async def add_digest(work: Work, caller: Caller, wanted: DigestWanted) -> Any:  # a row
    """Enter a digest of what comes from now on.

    Raises:
        HttpProblem: 403, the caller may not read the notices that are counted.
        Malformed: The address is none, a type or day is unknown, or a unit is none or not the caller's.
        Refused: The caller's units have as many as they may.
    """
    require_reader(caller)
    wrong = [] if is_address(wanted.email) else [FieldError("/email", "email_malformed")]
    wrong += [FieldError(f"/days/{place}", "day_unknown") for place, day in enumerate(wanted.days) if day not in WEEKDAYS]
    wrong += [FieldError(f"/types/{place}", "type_unknown") for place, name in enumerate(wanted.types) if name not in NOTICE_TYPES]
    units = ((f"/units/{place}", wrong_unit(caller.unit_prefixes, unit)) for place, unit in enumerate(wanted.units))
    wrong += [FieldError(pointer, code) for pointer, code in units if code is not None]
    if wrong:
        raise Malformed("request.malformed", errors=tuple(wrong))
    await repository.lock_organisation(work, caller.organisation)
    if len(await list_digests(work, caller)) >= MOST_DIGESTS:
        raise Refused("digest.too_many")
    digest_id = uuid7()
    _, head = await feeds.head_of(work, push.feed_of(caller.organisation))
    await rows.add(
        work,
        {
            "id": digest_id,
            "organisation": caller.organisation,
            "unit_prefixes": sorted(caller.unit_prefixes),
            "client": caller.client_id,
            "email": wanted.email,
            "clock": wanted.clock,
            "days": [day for day in WEEKDAYS if day in wanted.days],
            "types": sorted(set(wanted.types)),
            "units": sorted(set(wanted.units)),
            "language": wanted.language,
            "empty": wanted.empty,
            "state": "active",
            "position": head,
            "created_at": work.at,
            "changed_at": work.at,
        },
    )
    await due.appoint(work, DIGEST_KIND, [(digest_id, digest_id, next_digest(work.at, wanted.clock, wanted.days))])
    return await find_digest(work, caller, digest_id)


async def list_digests(work: Work, caller: Caller) -> list[Any]:
    """The digests the caller made, and those of exactly its units, oldest first."""
    return [row for row in await rows.of_organisation(work, caller.organisation) if _manages(caller, row)]


async def find_digest(work: Work, caller: Caller, digest_id: UUID) -> Any:  # a row
    """One of the caller's digests.

    Raises:
        NotFound: Unknown, deleted, or not the caller's.
    """
    row = await rows.find(work, digest_id)
    if row is None or not _manages(caller, row):
        raise NotFound
    return row


async def delete_digest(work: Work, caller: Caller, digest_id: UUID) -> None:
    """End a digest.

    Raises:
        NotFound: Unknown, deleted, or not the caller's.
    """
    await find_digest(work, caller, digest_id)
    await rows.delete(work, digest_id)
    await due.drop_lane(work, DIGEST_KIND, digest_id)


def _manages(caller: Caller, row: Any) -> bool:  # a row
    if row.organisation != caller.organisation:
        return False
    return bool(row.client == caller.client_id or set(row.unit_prefixes) == set(caller.unit_prefixes))


async def write_digest(work: Work, claimed: Claim) -> bool:
    """Write the mail of one digest that is due, and appoint the next; whether there was anything to write.

    What was counted is not counted again. After a time without any worker one digest tells of all of it.

    Raises:
        LeaseLost: Somebody else writes it.
    """
    await due.renew(work, claimed)
    row = await rows.lock(work, claimed.subject)
    if row is None:
        await due.done(work, claimed)
        return False
    wish = Subscription(row.id, row.organisation, tuple(row.unit_prefixes), tuple(row.types), tuple(row.units))
    _, head = await feeds.head_of(work, push.feed_of(row.organisation))
    came = await push.counts(work, row.organisation, after=min(row.position, head), through=head)
    lines = _lines([one for one in came if wish.wants(row.organisation, one.type, _readers(one))])
    waits = [one for one in await push.waiting(work, row.organisation) if wish.wants(row.organisation, one.type, one.readers)]
    unacknowledged, overdue = sum(one.waiting for one in waits), sum(one.overdue for one in waits)
    worth_it = bool(lines or unacknowledged or row.empty)
    letter = letters.digest(lines, unacknowledged=unacknowledged, overdue=overdue, language=row.language)
    written = await mails.add(work, [_mail(row, claimed.claimed_at, letter)]) if worth_it else 0
    # Of a day that has its digest already the counts are left to the next one.
    if written or not worth_it:
        await rows.counted(work, row.id, head)
    await due.again(work, claimed, next_digest(claimed.claimed_at, row.clock, row.days) - claimed.claimed_at)
    return bool(written)


def _lines(counted: Sequence[Any]) -> list[Line]:  # rows
    """A line for each mailbox and type: who of a team's members read it may have changed in between."""
    counts: dict[tuple[str | None, str, str], int] = {}
    for one in counted:
        line = (one.unit, one.mailbox, one.type)
        counts[line] = counts.get(line, 0) + one.count
    return [Line(*line, count) for line, count in counts.items()]


def _readers(counted: Any) -> Sequence[str]:  # a row
    """The units of the organisation that may read what was counted: those of a team's members, else the unit itself."""
    if counted.readers is not None:
        return list(counted.readers)
    return [] if counted.unit is None else [counted.unit]


def _mail(row: Any, at: datetime, letter: letters.Written) -> dict[str, Any]:  # a row
    return {
        "id": uuid7(),
        "source": f"digest/{row.id}/{local_date(at).isoformat()}",
        "digest_id": row.id,
        "recipient": row.email,
        "language": row.language,
        "subject": letter.subject,
        "body": letter.text,
    }
