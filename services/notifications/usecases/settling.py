"""Settling: what one attempt that was not simply accepted leads to, and for the receiver as a whole."""

import secrets
from datetime import timedelta
from typing import Final

import structlog
from prometheus_client import Counter

from services.notifications import repository
from services.notifications.channels import Met
from services.notifications.domain.attempts import Failed, Outcome, Rules, next_delay, outcome_of, rest_after, wait_wanted
from services.notifications.repository import DUE_KIND, WebhookClaim
from services.notifications.usecases.subscriptions import disable
from shared.db import Work
from shared.streams import due

_log = structlog.get_logger(__name__)
EXHAUSTED: Final = Counter("dirigent_webhooks_exhausted", "Messages that were given up after their last attempt.")


async def settle(work: Work, claimed: WebhookClaim, met: Met, rules: Rules) -> None:
    """Write the outcome of an attempt: delivered, to be tried again, exhausted, or never to be told again.

    Raises:
        LeaseLost: Somebody else has claimed the message since, or it was cancelled or put back; nothing may be written.
    """
    outcome = outcome_of(met.status)
    failed = _failed(claimed, met)
    delay = next_delay(failed, _chance(), rules)
    # The subscription's lock comes before those of its due work.
    await repository.lock_subscription(work, claimed.lane)
    await due.renew(work, claimed)
    state = {Outcome.ACCEPTED: "delivered", Outcome.GONE: "pending"}.get(outcome, "pending" if delay is not None else "exhausted")
    log = {"milliseconds": met.milliseconds, "status": met.status, "error": met.error, "accepted": outcome is Outcome.ACCEPTED}
    # Who came early keeps its appointment: the attempt that counts is made then.
    planned = None if failed.early and failed.wanted is None else delay
    number = await repository.add_attempt(work, claimed, state, log, repository.Planned(counts=failed.counts(rules), after=planned))
    if outcome is Outcome.GONE:
        await disable(work, claimed.lane)
        return
    if outcome is Outcome.ACCEPTED:
        await due.done(work, claimed)
        if await repository.note_success(work, claimed.lane, probed=claimed.probes):
            await due.hasten(work, DUE_KIND, claimed.lane)  # what waited for a later attempt need not wait any more
        return
    if delay is not None:
        await due.again(work, claimed, delay)
    else:
        await due.done(work, claimed)
    rest = rest_after(await repository.note_failure(work, claimed.lane), rules.breaker_after, delay, failed.wanted, claimed.rested)
    if rest is not None:
        await repository.let_rest(work, claimed.lane, rest, probed=claimed.probes)
    if delay is None:
        _tell_operator(claimed, number)


def _failed(claimed: WebhookClaim, met: Met) -> Failed:
    at = claimed.claimed_at
    return Failed(
        tried=claimed.tried,
        age=at - claimed.tried_since if claimed.tried_since is not None else timedelta(0),
        early=max(claimed.planned_at - at, timedelta(0)) if claimed.planned_at is not None else timedelta(0),
        wanted=wait_wanted(met.status, met.retry_after, at),
    )


def _chance() -> float:
    """Anything from 0 up to 1, to spread retries."""
    return secrets.randbelow(1_000) / 1_000


def _tell_operator(claimed: WebhookClaim, attempts: int) -> None:
    EXHAUSTED.inc()
    _log.error("webhook.exhausted", subscription=str(claimed.lane), delivery=str(claimed.subject), attempts=attempts)
