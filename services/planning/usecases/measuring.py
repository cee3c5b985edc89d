"""Keeping the follow-up: every stay that moved is measured anew from planning's own tables, behind its stream and never in the intake."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final
from uuid import UUID

import msgspec

from services.planning.domain.measures import Aspect, Measures, ReadySpan, StayTold, Taken, measure
from services.planning.indicator_terms import load_indicator_terms
from services.planning.repository import stay_measures as rows
from services.planning.repository.stay_measures import Kept
from services.planning.statute import load_statute
from shared.dates import Month
from shared.db import Work
from shared.events.facts import StayChanged

AT_A_TIME: Final = 50
"""Facts in one transaction, and stays in one comparison: a worker that measures numbers no notices meanwhile."""


async def watch_measures(work: Work) -> int:
    """Follow the own stream, and measure every stay that it told something of; how many facts were seen.

    A fact only says where to look, and brings the newest snapshot of the stay: order and repetition do not matter.
    """
    told = await rows.told_next(work, AT_A_TIME)
    if told.cases:
        await _measure(work, told.cases, told.stays)
    return told.facts


async def _measure(work: Work, cases: Collection[UUID], stays: Mapping[UUID, StayChanged]) -> None:
    concerned = set(cases) | await rows.of_same_persons(work, cases)
    known = {case_id: kept for case_id, kept in (await rows.kept(work, concerned)).items() if case_id not in stays}
    known |= {case_id: Kept(fact.case_version, _text_of(fact)) for case_id, fact in stays.items() if not fact.cancelled}
    await rows.drop(work, [case_id for case_id, fact in stays.items() if fact.cancelled])
    await rows.put(work, await _measured(work, known))


async def _measured(work: Work, known: Mapping[UUID, Kept], *, present: bool = False) -> list[dict[str, object]]:
    """The rows of these stays as the tables stand in this transaction; `present`: only of cases that were told as they now are."""
    terms, statute = load_indicator_terms(), load_statute()
    stays = {case_id: msgspec.json.decode(kept.stay, type=StayTold) for case_id, kept in known.items()}
    measured = []
    for case_id, around in (await rows.around(work, {case_id: stay.municipality for case_id, stay in stays.items()})).items():
        if present and around.version != known[case_id].version:
            continue
        stay, ended_at = stays[case_id], stays[case_id].ended_at
        at, following = next(((at, other) for at, other in around.later if ended_at is not None and at >= ended_at), (None, None))
        found = measure(stay, replace(around.beside, next_admitted_at=at), statute, terms)
        row = {
            "case_id": case_id,
            "case_version": known[case_id].version,
            "stay": known[case_id].stay,
            "next_case": following,
            "care_type": stay.care_type,
            "municipality": stay.municipality,
            "ward": stay.ward,
            "outpatient_unit": around.beside.outpatient_unit,
            "deviations": [asdict(one) for one in around.beside.deviations],
            "measured_at": work.at,
        }
        measured.append(row | _columns(found))
    return measured


def _columns(found: Measures) -> dict[str, object]:
    return {
        **{aspect.value: found.labels.get(aspect) for aspect in Aspect},
        "month": None if found.ended_on is None else Month.of(found.ended_on).first,
        "days": found.days,
        "called_after_days": found.called_after_days,
        "planned_days": found.planned_days,
        "days_before": found.days_before,
        "days_after": found.days_after,
        **_taken("municipal", found.municipal),
        **_taken("outpatient", found.outpatient),
    }


def _taken(party: str, taken: Taken) -> dict[str, object]:
    return {f"{party}_minutes": taken.minutes, f"{party}_late": taken.late, f"{party}_open_since": taken.open_since}


def _text_of(fact: StayChanged) -> str:
    return msgspec.json.encode(stay_told(fact)).decode()


def stay_told(fact: StayChanged) -> StayTold:
    """What the follow-up asks of a stay, from the fact that tells billing of it."""
    return StayTold(
        care_type=fact.care_type,
        ward=fact.ward,
        municipality=fact.municipality,
        need_judged_at=fact.need_judged_at or fact.admitted_at,
        admission_notice_sent_at=fact.admission_notice_sent_at,
        ready=tuple(ReadySpan(one.notice_sent_at, one.withdrawn_at) for one in fact.ready),
        sip_required=fact.sip_required,
        discharged_at=fact.discharged_at,
        deceased_at=fact.deceased_at,
    )


async def measures_that_differ(work: Work) -> list[UUID]:
    """The cases whose row is not what measuring everything anew gives; for `dirigent doctor`.

    Compared as far as the stream was followed, and where the case has not moved on since: what is under way is no fault.
    """
    positions = await rows.newest_positions(work)
    told: set[UUID] = set()
    found: list[UUID] = []
    for stretch in _stretches(sorted(positions.values())):
        stays = await rows.told_at(work, stretch)
        standing = {case_id: Kept(fact.case_version, _text_of(fact)) for case_id, fact in stays.items() if not fact.cancelled}
        told |= standing.keys()
        found += await rows.differing(work, await _measured(work, standing, present=True))
    return sorted({*found, *await rows.untold(work, told)})


def _stretches(values: Sequence[Any]) -> list[Sequence[Any]]:
    return [values[first : first + AT_A_TIME] for first in range(0, len(values), AT_A_TIME)]
