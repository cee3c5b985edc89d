"""The queries of sign-ins and sessions."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.gateway.tables import sign_ins, staff_cuts, staff_sessions
from shared.db import Work

_FORGOTTEN_AT_ONCE: Final = 100
_ANSWER_MAY_BE_LOST: Final = timedelta(seconds=10)


async def add_sign_in(work: Work, values: Mapping[str, Any]) -> None:
    """Remember a sign-in that has begun."""
    await work.connection.execute(sa.insert(sign_ins).values(**values))


async def take_sign_in(work: Work, state_hash: bytes, browser_hash: bytes) -> sa.RowMapping | None:
    """The sign-in that this browser began, for the only time; none where it is unknown, another browser's, used or too old."""
    taken = (
        sa.delete(sign_ins)
        .where(sign_ins.c.state_hash == state_hash, sign_ins.c.browser_hash == browser_hash)
        .returning(sign_ins.c.issuer, sign_ins.c.nonce, sign_ins.c.verifier, sign_ins.c.expires_at)
    )
    row = (await work.connection.execute(taken)).mappings().one_or_none()
    return row if row is not None and row["expires_at"] > work.at else None


async def forget_old(work: Work, idle: timedelta) -> None:
    """Delete some of what has ended by itself; what another transaction holds is left to it."""
    for table, ended in (
        (sign_ins, sign_ins.c.expires_at < work.at),
        (staff_sessions, sa.or_(staff_sessions.c.expires_at < work.at, staff_sessions.c.seen_at < work.at - idle)),
    ):
        key = next(iter(table.primary_key.columns))
        old = sa.select(key).where(ended).limit(_FORGOTTEN_AT_ONCE).with_for_update(skip_locked=True)
        await work.connection.execute(sa.delete(table).where(key.in_(old.scalar_subquery())))


async def add_session(work: Work, values: Mapping[str, Any]) -> None:
    """Enter a session."""
    await work.connection.execute(sa.insert(staff_sessions).values(**values))


async def find_session(work: Work, session_hash: bytes, idle: timedelta) -> sa.RowMapping | None:
    """A session that has not ended."""
    wanted = sa.select(staff_sessions).where(*_alive(session_hash, work.at, idle))
    return (await work.connection.execute(wanted)).mappings().one_or_none()


async def see_session(work: Work, session_hash: bytes) -> None:
    """Note that a session is in use."""
    await work.connection.execute(sa.update(staff_sessions).where(staff_sessions.c.session_hash == session_hash).values(seen_at=work.at))


async def renew_session(work: Work, session_hash: bytes, new_hash: bytes, chosen: int, idle: timedelta) -> bool:
    """Give a session its role and a new id; false when it has ended, or has no such role to give.

    The id it had is good for another choice within seconds: of a button that is clicked twice, a browser takes the second answer only.
    """
    current = staff_sessions.c.session_hash == session_hash
    just_renewed = (staff_sessions.c.former_hash == session_hash) & (staff_sessions.c.renewed_at > work.at - _ANSWER_MAY_BE_LOST)
    renewed = (
        sa.update(staff_sessions)
        .where(
            current | just_renewed,
            *_unexpired(work.at, idle),
            sa.func.jsonb_array_length(staff_sessions.c.commissions) > chosen,
        )
        .values(
            session_hash=new_hash,
            chosen=chosen,
            seen_at=work.at,
            former_hash=session_hash,
            # Counted from the first choice.
            renewed_at=sa.case((current, work.at), else_=staff_sessions.c.renewed_at),
        )
        .returning(staff_sessions.c.session_hash)
    )
    return (await work.connection.execute(renewed)).scalar_one_or_none() is not None


async def going_on(work: Work, hashes: Collection[bytes], idle: timedelta) -> set[bytes]:
    """Which of these sessions have not ended."""
    wanted = sa.select(staff_sessions.c.session_hash).where(
        staff_sessions.c.session_hash == sa.any_(sa.cast(list(hashes), ARRAY(sa.LargeBinary))), *_unexpired(work.at, idle)
    )
    return set((await work.connection.execute(wanted)).scalars())


async def end_session(work: Work, session_hash: bytes) -> bool:
    """End one session, by the id it has or the one it had before that; false when it had ended.

    Who signs out while the answer to her choice of a role is on its way knows the former id only; ending needs no hurry.
    """
    of_it = (staff_sessions.c.session_hash == session_hash) | (staff_sessions.c.former_hash == session_hash)
    ended = await work.connection.execute(sa.delete(staff_sessions).where(of_it))
    return ended.rowcount > 0


async def end_sessions_of(work: Work, user: str) -> int:
    """End every session of a person; how many there were."""
    return (await work.connection.execute(sa.delete(staff_sessions).where(staff_sessions.c.user_id == user))).rowcount


async def cut_tokens(work: Work, user: str) -> None:
    """Let no token hold that a person was given until now."""
    latest = sa.func.greatest(sa.func.clock_timestamp(), work.at)
    cut = insert(staff_cuts).values(user_id=user, tokens_not_before=latest)
    await work.connection.execute(cut.on_conflict_do_update(index_elements=["user_id"], set_={"tokens_not_before": latest}))


async def list_sessions(work: Work, idle: timedelta) -> list[sa.RowMapping]:
    """Every session that has not ended, the last used first."""
    wanted = (
        sa.select(staff_sessions)
        .where(staff_sessions.c.expires_at > work.at, staff_sessions.c.seen_at > work.at - idle)
        .order_by(staff_sessions.c.seen_at.desc())
    )
    return list((await work.connection.execute(wanted)).mappings())


def _alive(session_hash: bytes, at: datetime, idle: timedelta) -> tuple[sa.ColumnElement[bool], ...]:
    return (staff_sessions.c.session_hash == session_hash, *_unexpired(at, idle))


def _unexpired(at: datetime, idle: timedelta) -> tuple[sa.ColumnElement[bool], ...]:
    return (staff_sessions.c.expires_at > at, staff_sessions.c.seen_at > at - idle)
