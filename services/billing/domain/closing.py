"""From month to money (domain rule 3.8): the states of one municipality's month, who may take which step, and when silence is a yes."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final


@dataclass(frozen=True, slots=True)
class CalculationName:
    """The calculation a caller has looked at: equal content may come back, so its version belongs to the name."""

    version: int
    sha256: str


class MonthState(StrEnum):
    """Where a month stands. `settled` = nothing is left to pay."""

    OPEN = "open"
    PREPARED = "prepared"
    PUBLISHED = "published"
    ACCEPTED = "accepted"
    APPROVED = "approved"
    ISSUED = "issued"
    SETTLED = "settled"


class MonthAction(StrEnum):
    """The steps. `lapse` is acceptance by silence; `concede` that of a correction the debtor gains by or that changes no amount.

    `record` is the debtor's signature on paper, written down by a person of the region: for a debtor that reads no mailbox here.

    `close` ends a month that leaves nothing to pay without a document and a number; `keep` a correction that changes no amount while
    something is still to be paid; `settle` says that everything was paid.
    """

    PREPARE = "prepare"
    PUBLISH = "publish"
    SIGN = "sign"
    RECORD = "record"
    LAPSE = "lapse"
    CONCEDE = "concede"
    APPROVE = "approve"
    ISSUE = "issue"
    CLOSE = "close"
    KEEP = "keep"
    SETTLE = "settle"


class Accepted(StrEnum):
    """How the debtor accepted; `credit`: nobody asked, for a correction takes nothing from it."""

    SIGNED = "signed"
    SILENT = "silent"
    CREDIT = "credit"


TRANSITIONS: Final = {
    (MonthState.OPEN, MonthAction.PREPARE): MonthState.PREPARED,
    (MonthState.PREPARED, MonthAction.PREPARE): MonthState.PREPARED,
    (MonthState.PUBLISHED, MonthAction.PREPARE): MonthState.PREPARED,
    (MonthState.ACCEPTED, MonthAction.PREPARE): MonthState.PREPARED,
    (MonthState.APPROVED, MonthAction.PREPARE): MonthState.PREPARED,
    # What was issued is never edited: preparing it again is the beginning of a correction.
    (MonthState.ISSUED, MonthAction.PREPARE): MonthState.PREPARED,
    (MonthState.SETTLED, MonthAction.PREPARE): MonthState.PREPARED,
    (MonthState.PREPARED, MonthAction.PUBLISH): MonthState.PUBLISHED,
    (MonthState.PUBLISHED, MonthAction.SIGN): MonthState.ACCEPTED,
    (MonthState.PUBLISHED, MonthAction.RECORD): MonthState.ACCEPTED,
    (MonthState.PUBLISHED, MonthAction.LAPSE): MonthState.ACCEPTED,
    (MonthState.PUBLISHED, MonthAction.CONCEDE): MonthState.ACCEPTED,
    (MonthState.ACCEPTED, MonthAction.APPROVE): MonthState.APPROVED,
    (MonthState.APPROVED, MonthAction.ISSUE): MonthState.ISSUED,
    (MonthState.APPROVED, MonthAction.KEEP): MonthState.ISSUED,
    (MonthState.APPROVED, MonthAction.CLOSE): MonthState.SETTLED,
    (MonthState.ISSUED, MonthAction.SETTLE): MonthState.SETTLED,
}
CLOSED: Final = frozenset({MonthState.ISSUED, MonthState.SETTLED})


STATE_SV: Final = {
    MonthState.OPEN: "öppen",
    MonthState.PREPARED: "förberedd",
    MonthState.PUBLISHED: "publicerad",
    MonthState.ACCEPTED: "godtagen",
    MonthState.APPROVED: "attesterad",
    MonthState.ISSUED: "fakturerad",
    MonthState.SETTLED: "reglerad",
}
ACTION_SV: Final = {
    MonthAction.PREPARE: "förberedas",
    MonthAction.PUBLISH: "publiceras",
    MonthAction.SIGN: "signeras",
    MonthAction.RECORD: "godtas på papper",
    MonthAction.LAPSE: "godtas genom tystnad",
    MonthAction.CONCEDE: "godtas utan svar",
    MonthAction.APPROVE: "attesteras",
    MonthAction.ISSUE: "faktureras",
    MonthAction.CLOSE: "avslutas utan faktura",
    MonthAction.KEEP: "avslutas utan nytt dokument",
    MonthAction.SETTLE: "regleras",
}


@dataclass(frozen=True, slots=True)
class PaperSignature:
    """Who signed for the debtor on paper, on which day, and where the paper is filed."""

    signed_by: str
    signed_on: date
    reference: str


class Silence(StrEnum):
    """What the silence of a debtor means at an instant."""

    ACCEPTS = "accepts"
    NOT_DELIVERED = "not_delivered"
    WINDOW_OPEN = "window_open"
    MAILBOX_UNREAD = "mailbox_unread"


def silence(
    entered_at: datetime | None, polled_at: datetime | None, at: datetime, *, window: timedelta, polled_within: timedelta
) -> Silence:
    """Judge a debtor's silence about a published month.

    Args:
        entered_at: When the notice of publication entered the debtor's mailbox, None when it has not.
        polled_at: When that mailbox was last read by its owner.
        at: Now.
        window: The dispute window; it starts when the notice entered the mailbox.
        polled_within: A mailbox not read for longer than this makes silence mean nothing.

    Source:
        Domain rule 3.8, dispute window (our default where the agreement is silent).
    """
    if entered_at is None:
        return Silence.NOT_DELIVERED
    if at < entered_at + window:
        return Silence.WINDOW_OPEN
    if polled_at is None or at - polled_at > polled_within:
        return Silence.MAILBOX_UNREAD
    return Silence.ACCEPTS
