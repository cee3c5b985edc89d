"""The consent register. Whoever is about to share more than the statute tells asks `may_share`, and nobody asks in another way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.planning.domain.access import Action
from services.planning.domain.age import AnsweredBy, check_answered_by
from services.planning.domain.consents import ConsentAnswer, ConsentStatus, Purpose, allows, check_may_give, withdraw
from services.planning.repository import consents as rows
from services.planning.repository.plans import person_of
from services.planning.usecases import accesses
from services.planning.usecases.authorising import callers_case, locked_case, require_step
from services.planning.usecases.folding import tell_case
from services.planning.usecases.plans import under_age
from shared.dates import local_date
from shared.db import Work
from shared.errors import NotFound
from shared.events.facts import ConsentChanged
from shared.http.auth import Caller
from shared.identifiers import uuid7
from shared.streams.outbox import stage_facts


@dataclass(frozen=True, slots=True)
class NewConsent:
    """What a patient answered: whether these purposes may be served, who answered, which unit asked, and for how long it holds."""

    case_id: UUID
    given: bool
    purposes: Sequence[Purpose]
    given_by: AnsweredBy
    unit: str
    asked_by: str
    valid_until: date | None = None


async def may_share(work: Work, case_id: UUID, purpose: Purpose) -> bool:
    """Whether something beyond the statutory content may leave in a case now."""
    return allows([answer_of(row) for row in await rows.of_case(work, case_id)], purpose, local_date(work.at))


def status_of(row: Any) -> ConsentStatus:
    """What stands of an answer."""
    return ConsentStatus.WITHDRAWN if row.withdrawn_at is not None else ConsentStatus(row.answer)


def answer_of(row: Any) -> ConsentAnswer:
    """An answer as the domain knows it."""
    return ConsentAnswer(status_of(row), frozenset(row.purposes), row.recorded_at, row.valid_until)


async def register_consent(work: Work, caller: Caller, new: NewConsent) -> Any:  # a row
    """Record what the patient answered; the latest answer about a purpose stands.

    Raises:
        NotFound: The case is unknown or not the caller's.
        HttpProblem: 403, the unit is not the caller's.
        Malformed: A guardian answers for an adult.
        Refused: 409, she refused when another unit asked.

    Source:
        Domain rule 2: consent is checked before anything beyond the statutory content leaves.
    """
    case = await locked_case(work, caller, new.case_id, Action.RECORD_CONSENT)
    require_step(caller, Action.RECORD_CONSENT, case, unit=new.unit)
    check_answered_by(new.given_by, child=under_age(await person_of(work, case.id), local_date(work.at)))
    purposes = sorted(set(new.purposes))
    if new.given:
        register = [(row.unit, answer_of(row)) for row in await rows.of_case(work, case.id)]
        check_may_give(register, new.purposes, own=caller.acts_for, ward=case.view["ward"])
    consent_id, answer = uuid7(), "given" if new.given else "refused"
    await rows.add(
        work,
        consent_id,
        case.id,
        answer=answer,
        purposes=purposes,
        given_by=new.given_by,
        valid_until=new.valid_until,
        unit=new.unit,
        asked_by=new.asked_by,
        client=caller.client_id,
    )
    return await _told(work, caller, consent_id)


async def withdraw_consent(work: Work, caller: Caller, consent_id: UUID, *, told_by: str) -> Any:  # a row
    """The patient withdraws; from now on nothing more is shown of what rested on it. Any party of the case may record it.

    Raises:
        NotFound: Unknown, or of a case that is not the caller's.
        Refused: 409, she had refused.
    """
    found = await rows.one(work, consent_id)
    if found is None:
        raise NotFound
    await locked_case(work, caller, found.case_id, Action.WITHDRAW_CONSENT)
    found = await rows.one(work, consent_id)
    before = status_of(found)
    if withdraw(before) is before:
        return found
    await rows.withdraw(work, consent_id, by=told_by, client=caller.client_id)
    return await _told(work, caller, consent_id)


async def _told(work: Work, caller: Caller, consent_id: UUID) -> Any:  # a row
    row: Any = await rows.one(work, consent_id)
    state = status_of(row).value
    fact = ConsentChanged(consent_id=consent_id, case_id=row.case_id, state=state, purposes=tuple(row.purposes), changed_at=work.at)
    await stage_facts(work, [(fact, row.case_id)])
    await tell_case(work, row.case_id, client=caller.client_id, what=f"consent.{state}", about={"consent_id": str(consent_id)})
    return row


async def read_consents(work: Work, caller: Caller, case_id: UUID, *, request_id: str) -> Sequence[Any]:
    """Every answer of a case, oldest first; who reads it is logged, for what a patient answered is hers.

    Raises:
        NotFound: The case is unknown or not the caller's.
    """
    case = await callers_case(work, caller, case_id, Action.READ_CONSENTS)
    await accesses.note(work, caller, "consents.read", [case.id], request_id=request_id, unit=accesses.unit_in(caller, case))
    return await rows.of_case(work, case.id)
