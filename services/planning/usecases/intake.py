"""Taking in what wards state: a fact in good form is kept, whatever its order; the case, its notices and billing's facts follow from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import msgspec

from services.planning.domain.events import StayKey, ward_of
from services.planning.repository import intake as rows
from services.planning.repository.sealing import event_fingerprint, sealed_event
from services.planning.translation import case_event
from services.planning.usecases.case_view import shown
from services.planning.usecases.folding import Folded, fold_cases, write_folded
from services.planning.usecases.joining import Story
from shared.dates import format_instant
from shared.db import Work
from shared.http.auth import Caller
from shared.http.problems import HttpProblem
from shared.identifiers import provider_of, uuid7
from shared.streams.canonical import canonical_plain

_NOT_CONTENT: Final = ("traceparent", "tracestate")


@dataclass(frozen=True, slots=True)
class Statement:
    """One event as a ward stated it, checked: its JSON as sent, who sent it, for which units it speaks, when it counts as sent."""

    value: Mapping[str, Any]
    row: rows.EventRow
    unit_prefixes: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same event however often it comes."""
        return self.row.source, self.row.event_id

    def stay_in(self, space: str) -> rows.Stay:
        """The stay it is about: the sender's own stay id, within the space that this is unique in."""
        return space, self.row.subject


@dataclass(frozen=True, slots=True)
class Accepted:
    """The outcome of one statement: the answer as JSON, the same bytes however often it is asked for."""

    answer: str
    repeated: bool


def statement(value: Mapping[str, Any], caller: Caller, at: datetime, sent_at: datetime | None) -> Statement:
    """Bind a validated event to its sender.

    Args:
        value: The CloudEvent as sent.
        caller: Who sends it.
        at: When we got it.
        sent_at: When a history client says it was sent; None for a live event.
    """
    content = {name: member for name, member in value.items() if name not in _NOT_CONTENT}
    body = canonical_plain(content)
    return Statement(
        value=content,
        row=rows.EventRow(
            source=value["source"],
            event_id=value["id"],
            ward=ward_of(value["source"]),
            provider=provider_of(ward_of(value["source"])),
            subject=value["subject"],
            sent_at=sent_at or at,
            received_at=at,
            history=sent_at is not None,
            client=caller.reader.client,
            fingerprint=event_fingerprint(content, body),
            body=sealed_event(content, body),
        ),
        unit_prefixes=caller.reader.unit_prefixes,  # as row-level security is told of every caller
    )


async def accept(work: Work, statements: Sequence[Statement]) -> list[Accepted | HttpProblem]:
    """Accept statements, any number at once, each exactly once; one outcome for each, in their order.

    Event, case, notices and staged facts are written in this order, which is the same for every writer.
    """
    await rows.say_for_whom(work, [(item.row.client, item.unit_prefixes) for item in statements])
    first = {item.key: item for item in reversed(statements)}
    fresh = await rows.insert_events(work, [first[key].row for key in sorted(first)])
    old = [key for key in first if key not in fresh]
    known = await rows.known_answers(work, old) if old else {}
    answers = await _apply(work, [item for item in statements if item is first[item.key] and item.key in fresh], fresh)
    outcomes: list[Accepted | HttpProblem] = []
    for item in statements:
        if item.key in known:
            fingerprint, answer = known[item.key]
        else:
            fingerprint, answer = first[item.key].row.fingerprint, answers[item.key]
        if fingerprint != item.row.fingerprint and not _taken_before_keys(fingerprint, item):
            outcomes.append(HttpProblem("event.id_reused"))
        else:
            outcomes.append(Accepted(answer, repeated=item.key in known or item is not first[item.key]))
    return outcomes


def _taken_before_keys(fingerprint: bytes, item: Statement) -> bool:
    """Whether it is the event that was accepted before there were keys, and that the worker has not yet sealed."""
    return fingerprint == sha256(canonical_plain(item.value).encode()).digest()


async def _apply(work: Work, fresh: Sequence[Statement], inserted: Mapping[tuple[str, str], rows.Inserted]) -> dict[tuple[str, str], str]:
    """Fold the cases that new events are about, and write what follows; the answer for each event."""
    if not fresh:
        return {}
    stay_of = {item.key: item.stay_in(inserted[item.key].space) for item in fresh}
    providers = {stay_of[item.key]: item.row.provider for item in fresh}
    stays = sorted(providers)
    locked = await rows.lock_cases(work, stays, [providers[stay] for stay in stays], [uuid7() for _ in stays])
    case_of = {key: (locked.made.get(stay) or locked.found[stay]) for key, stay in stay_of.items()}
    begun = {case_id: Story(stay=StayKey(*stay)) for stay, case_id in locked.made.items()}
    for item in fresh:
        if case_of[item.key] in begun:
            begun[case_of[item.key]].tell(case_event(item.value, item.row.sent_at, inserted[item.key].space), history=item.row.history)
    folded = await fold_cases(work, locked.found.values(), begun=begun)
    in_order = sorted(fresh, key=lambda item: (case_of[item.key], inserted[item.key].row))
    history = [told(folded[case_of[item.key]], item, inserted[item.key].row) for item in in_order]
    await write_folded(work, list(folded.values()), history)
    return {item.key: line.answer for item, line in zip(in_order, history, strict=True)}


def told(folded: Folded, item: Statement, event_row: int) -> rows.HistoryRow:
    """The next line of a case's history, with the answer for its sender."""
    folded.version += 1
    findings = [finding for finding in folded.state.findings if finding.event == item.key]
    answer = {
        "event_id": item.row.event_id,
        "case_id": str(folded.case_id),
        "case_version": folded.version,
        "received_at": format_instant(item.row.received_at),
        "findings": [shown(finding) for finding in findings],
    }
    return rows.HistoryRow(
        folded.case_id,
        folded.version,
        item.row.received_at,
        item.row.client,
        item.value["type"],
        event_row,
        msgspec.json.encode(answer).decode(),
    )
