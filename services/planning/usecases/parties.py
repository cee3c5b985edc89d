"""What the parties of a case tell: where their planning stands, who the care contact is, what the patient declined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.planning.domain.access import Action
from services.planning.domain.case import CaseStatus
from services.planning.domain.events import EventType
from services.planning.domain.limits import check_not_before
from services.planning.domain.notices import NoticeType
from services.planning.domain.party_status import PlanningStatus, answers_the_ward, check_care_contact, check_declined, restate
from services.planning.repository import directory, plans
from services.planning.repository import parties as rows
from services.planning.repository.directory import Mailbox
from services.planning.repository.parties import CareContact
from services.planning.statute import load_statute
from services.planning.usecases.admission_reasons import ReasonRead, admission_reason
from services.planning.usecases.authorising import locked_case, require_step
from services.planning.usecases.cases import read_case
from services.planning.usecases.folding import tell_case
from services.planning.usecases.mailing import Letter, Post
from services.planning.usecases.stating import insert_statement
from shared.dates import format_instant, local_date, parse_instant
from shared.db import Work
from shared.errors import FieldError, Malformed, NotFound
from shared.events.facts import CareContactSet, MeasuresDeclined, PlanningStatusSet
from shared.http.auth import Caller
from shared.identifiers import uuid7
from shared.streams.outbox import staged_fact

PLANNING_STATUS: Final = "notice.planning_status"
PLANNING_STATUS_BASIS: Final = "lag (2017:612) 2 kap. 6 §"
CARE_CONTACT: Final = "notice.care_contact"
DECLINED_TO_WARD: Final = "ward.declined"
CARE_CONTACT_BASIS: Final = "lag (2017:612) 2 kap. 5 §"


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of a case, and the version the case has by it."""

    case_version: int
    at: datetime


async def state_planning_status(work: Work, caller: Caller, case_id: UUID, unit: str, told: PlanningStatus) -> Told:
    """A unit tells the ward where its planning stands (planeringsstatus); saying the same again changes nothing.

    Raises:
        NotFound: The case is unknown or not the caller's, or the unit is no party of it.
        Malformed: It can receive the patient from before the stay.
        HttpProblem: 403, the unit is not one of the caller's.
        Refused: 409, the stay has ended, or planning had begun already.

    Source:
        Lag (2017:612) 2 kap. 6 §.
    """
    case = await locked_case(work, caller, case_id, Action.STATE_PLANNING)
    case_id = case.id
    party = await rows.recipient_at(work, case_id, unit)
    if party is None:
        raise NotFound
    require_step(caller, Action.STATE_PLANNING, case, unit=unit, owner=party.organisation)
    if told.ready_from is not None:
        check_not_before(local_date(told.ready_from), _admitted_at(case), load_statute(), field="/ready_from/date")
    before = await rows.told_before(work, case_id, unit)
    status = restate(None if before is None else before.status, told, CaseStatus(case.view["state"]))
    if before is not None and (before.status, before.recipient) == (status, party.recipient):
        return Told(case.version, before.stated_at)
    await rows.put_status(work, case_id, unit, party.recipient, status, answered=answers_the_ward(status.status), client=caller.client_id)
    shown = _status_shown(status)
    fact = PlanningStatusSet(
        case_id=case_id,
        case_version=case.version + 1,
        unit=unit,
        recipient=party.recipient,
        status=status.status.value,
        ready_from=status.ready_from,
        needs=tuple(one.value for one in status.needs),
        stated_at=work.at,
    )
    post = Post()
    for mailbox in await _ward_mailboxes(work, case):
        content = {"subject": case.subject, "unit": unit, **shown}
        post.put(_letter(mailbox, PLANNING_STATUS, case, unit, work.at, content, legal_basis=PLANNING_STATUS_BASIS))
    post.staged.append(staged_fact(fact, case_id))
    await post.write(work)
    await tell_case(work, case_id, client=caller.client_id, what="party.planning_status", about=_flat({"unit": unit, **shown}))
    return Told(case.version + 1, work.at)


async def set_care_contact(work: Work, caller: Caller, case_id: UUID, contact: CareContact) -> Told:
    """Outpatient care appoints the permanent care contact (N3, fast vårdkontakt), or replaces it; ward and parties are told.

    Appointing the same person again changes nothing.

    Raises:
        NotFound: The case is unknown or not the caller's.
        HttpProblem: 403, only the outpatient unit of the case appoints.
        Refused: 409, there was no such stay, or the patient has died.

    Source:
        Lag (2017:612) 2 kap. 5 §.
    """
    case = await locked_case(work, caller, case_id, Action.SET_CARE_CONTACT)
    case_id = case.id
    require_step(caller, Action.SET_CARE_CONTACT, case, unit=contact.unit)
    check_care_contact(CaseStatus(case.view["state"]))
    before = await rows.care_contact(work, case_id)
    if before is not None and CareContact(before.unit, before.name, before.role, before.phone) == contact:
        return Told(case.version, before.changed_at)
    await rows.put_care_contact(work, case_id, contact, client=caller.client_id)
    post = Post()
    content = {"unit": contact.unit, "name": contact.name, "role": contact.role, "phone": contact.phone}
    told = [box for box in await directory.by_id(work, await rows.told_of_admission(work, case_id)) if box.unit != contact.unit]
    for mailbox in [*await _ward_mailboxes(work, case), *told]:
        post.put(_letter(mailbox, CARE_CONTACT, case, contact.unit, work.at, content, legal_basis=CARE_CONTACT_BASIS))
    fact = CareContactSet(case_id=case_id, case_version=case.version + 1, unit=contact.unit, set_at=work.at)
    post.staged.append(staged_fact(fact, case_id))
    await post.write(work)
    await tell_case(work, case_id, client=caller.client_id, what="case.care_contact_set", about={"unit": contact.unit})
    return Told(case.version + 1, work.at)


@dataclass(frozen=True, slots=True)
class Declined:
    """What the patient declined, as somebody of a unit was told."""

    unit: str
    measures: Sequence[str]
    declined_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class DeclineKept:
    """A statement that the patient declined measures, as it was kept."""

    id: UUID
    told: Told


async def decline_measures(work: Work, caller: Caller, case_id: UUID, declined: Declined) -> DeclineKept:
    """Keep that the patient declined measures that were needed; ward and parties are told, billing learns it from the stream.

    Raises:
        NotFound: The case is unknown or not the caller's.
        Malformed: Declined in the future, or before the stay began.
        HttpProblem: 403, the unit is not one of the caller's.
        Refused: 409, there was no such stay, or the measures were not needed.
    """
    case = await locked_case(work, caller, case_id, Action.DECLINE)
    case_id = case.id
    require_step(caller, Action.DECLINE, case, unit=declined.unit)
    if declined.declined_at > work.at:
        raise Malformed("request.malformed", errors=(FieldError("/declined_at", "in_future"),))
    check_not_before(local_date(declined.declined_at), _admitted_at(case), load_statute(), field="/declined_at")
    check_declined(CaseStatus(case.view["state"]), frozenset(declined.measures), frozenset(case.view["needs"]))
    decline_id = uuid7()
    measures = sorted(set(declined.measures))
    row = rows.DeclinedRow(decline_id, case_id, declined.unit, measures, declined.declined_at, declined.recorded_by)
    await rows.decline(work, row, client=caller.client_id)
    said = {"id": str(decline_id), "measures": measures, "municipality": caller.municipality}
    await insert_statement(
        work,
        caller,
        case,
        declined.unit,
        EventType.MEASURES_DECLINED,
        declined.declined_at,
        said,
        event_id=str(decline_id),
        sent_at=declined.declined_at if caller.may("events:import") else None,
    )
    fact = MeasuresDeclined.model_validate(
        {
            "case_id": case_id,
            "decline_id": decline_id,
            "unit": declined.unit,
            "measures": tuple(measures),
            "declined_at": declined.declined_at,
            "recorded_at": work.at,
        }
    )
    post = Post(staged=[staged_fact(fact, case_id)])
    content = {"measures": measures, "declined_at": format_instant(declined.declined_at), "stated_by": declined.unit}
    for mailbox in await _ward_mailboxes(work, case):
        if mailbox.unit != declined.unit and not caller.may("events:import"):
            letter = _letter(mailbox, NoticeType.DECLINED.value, case, declined.unit, work.at, content)
            post.put(replace(letter, origin=f"{DECLINED_TO_WARD}/{decline_id}"))
    await post.write(work)
    about = {"decline_id": str(decline_id), "unit": declined.unit, "measures": " ".join(measures), "recorded_by": declined.recorded_by}
    await tell_case(work, case_id, client=caller.client_id, what="case.declined", about=about)
    return DeclineKept(decline_id, Told(case.version + 1, work.at))


@dataclass(frozen=True, slots=True)
class CaseWhole:
    """A case with what its parties have told: planning statuses, care contact, declined measures, the reason for admission."""

    case: Any
    statuses: Sequence[Any]
    care_contact: Any | None
    declined: Sequence[Any]
    reason: ReasonRead | None
    sip: Any | None


async def read_whole_case(work: Work, caller: Caller, case_id: UUID, *, request_id: str) -> CaseWhole:
    """One case, with its person and what its parties have told.

    Raises:
        NotFound: Unknown, or not the caller's.
    """
    case = await read_case(work, caller, case_id, request_id=request_id)
    reason = await admission_reason(work, caller, case.id)
    return CaseWhole(
        case,
        await rows.statuses(work, case.id),
        await rows.care_contact(work, case.id),
        await rows.declined(work, case.id),
        reason,
        await plans.called_to(work, case.id),
    )


async def _ward_mailboxes(work: Work, case: Any) -> list[Mailbox]:
    ward = case.view["ward"]
    found = await directory.mailboxes_for(work, [f"unit:{ward}"], function=directory.WARD) if ward else {}
    return list(found.values())


def _letter(
    mailbox: Mailbox, kind: str, case: Any, sender: str, at: datetime, content: Mapping[str, object], *, legal_basis: str | None = None
) -> Letter:
    return Letter(
        mailbox=mailbox,
        type=kind,
        sender=sender,
        sent_at=at,
        origin=f"{kind}/{case.id}/{case.version + 1}/{mailbox.id}",
        case_id=case.id,
        case_version=case.version + 1,
        legal_basis=legal_basis,
        personal={"content": dict(content)},
    )


def _admitted_at(case: Any) -> datetime | None:  # a row
    admitted_at = case.view["admitted_at"]
    return None if admitted_at is None else parse_instant(admitted_at)


def _status_shown(status: PlanningStatus) -> dict[str, object]:
    return {
        "status": status.status.value,
        "ready_from": None if status.ready_from is None else format_instant(status.ready_from),
        "needs": [one.value for one in status.needs],
    }


def _flat(shown: Mapping[str, object]) -> dict[str, str]:
    return {name: " ".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in shown.items() if value}
