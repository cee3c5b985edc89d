"""Rule sets the region enters: one person proposes a version, another approves it; only then does it count, and months are counted anew."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from services.billing.agreements import DataFileError, agreement_files, load_agreements, parse_agreement, shipped_statute
from services.billing.domain.identity import canonical_json
from services.billing.domain.persons import Actor
from services.billing.domain.rulesets import overlaps
from services.billing.domain.terms import Agreement
from services.billing.repository import agreements as rows
from services.billing.repository import ledger, turns
from services.billing.repository.agreements import AgreementRow
from services.billing.usecases.ledger import recount
from services.billing.usecases.rules import SHIPPED, entered_text, read_entered, rules_now, with_entered
from shared.db import Role, Work
from shared.errors import FieldError, Malformed, NotFound, Refused
from shared.events.debtor_facts import AgreementApproved
from shared.identifiers import uuid7
from shared.streams.outbox import stage_facts

_OWN_FAULT: Final = "Value error, "
_UNKNOWN: Final = "Extra inputs are not permitted"
_MISSING: Final = "Field required"
_CODE: Final = re.compile(r"[a-z_.]{1,60}")
STAYS_AT_A_TIME: Final = 2_000


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A version of a rule set as its file has it; `row` None = shipped, which is version 0. `counts`: it is in force under its name."""

    text: Mapping[str, Any]
    version: int
    row: AgreementRow | None
    counts: bool


async def rule_sets(work: Work) -> list[RuleSet]:
    """Every version of every rule set, shipped and entered, proposed and approved, by name and version."""
    in_force = {name: one.version for name, one in (await rows.in_force(work)).items()}
    found = [RuleSet(file.model_dump(mode="json"), SHIPPED, None, file.name not in in_force) for file in agreement_files()]
    found += [
        RuleSet(entered_text(row.body), row.version, row, in_force.get(row.name) == row.version) for row in await rows.all_of_them(work)
    ]
    return sorted(found, key=lambda one: (one.text["name"], one.version))


async def propose_agreement(work: Work, told: Mapping[str, Any], source: str, actor: Actor) -> RuleSet:
    """Propose the next version of a rule set, in the shape of a file.

    Raises:
        Malformed: It cannot be read as a rule set.
        Refused: It would answer for stays that another rule set answers for.
    """
    agreement = _read(told)
    await rows.take_turns(work)
    _refuse_overlap(await _with(work, agreement))
    version = await rows.last_version(work, agreement.name) + 1
    body = canonical_json(json.loads(json.dumps(told)))
    row = AgreementRow(uuid7(), agreement.name, version, body, source, actor.client, actor.person, work.at)
    await rows.propose(work, row)
    return RuleSet(entered_text(body), version, row, counts=False)


async def approve_agreement(work: Work, agreement_id: UUID, actor: Actor) -> RuleSet:
    """Let a proposed version count from now on, and count anew every month it touches; what was issued stands until it is corrected.

    Raises:
        NotFound: There is no such proposal.
        Refused: It is approved already, or by the one who proposed it, or a newer version counts, or it overlaps another rule set.
    """
    await rows.take_turns(work)
    row = await rows.find(work, agreement_id)
    if row is None:
        raise NotFound("agreement.unknown")
    if row.approved_at is not None:
        raise Refused("agreement.approved", "the version is approved already")
    if actor.is_same_person_as(Actor(row.client, row.person)):
        raise Refused("agreement.same_person", "a rule set must be approved by another person than the one who proposed it")
    counting = (await rows.in_force(work)).get(row.name)
    if counting is not None and counting.version > row.version:
        raise Refused("agreement.outdated", f"version {counting.version} counts already")
    before, agreement = await rules_now(work), read_entered(row.body)
    _refuse_overlap(await _with(work, agreement))
    await work.become(Role.INTAKE)  # everybody's months are counted anew
    await turns.count_in_turn(work)
    await rows.approve(work, agreement_id, actor.client, actor.person)
    versions = [*(old for old in before.agreements if old.name == agreement.name), agreement]
    await _count_anew(work, versions)
    await _tell(work, row, versions)
    approved = await rows.find(work, agreement_id)
    return RuleSet(entered_text(row.body), row.version, approved, counts=True)


async def _with(work: Work, agreement: Agreement) -> tuple[Agreement, ...]:
    """All rule sets as they would be with this one in the place of its older versions."""
    others = {name: one.body for name, one in (await rows.in_force(work)).items() if name != agreement.name}
    shipped = tuple(one for one in load_agreements() if one.name != agreement.name)
    return (*with_entered(shipped, others), agreement)


async def _tell(work: Work, row: AgreementRow, versions: Sequence[Agreement]) -> None:
    """Those whom the old or the new version binds hear of it; what nobody has agreed on binds nobody."""
    binding = [one for one in versions if not one.only_for_simulation]
    if not binding:
        return
    named = [one.parties for one in binding if one.parties is not None]
    fact = AgreementApproved(
        agreement_id=row.id,
        name=row.name,
        version=row.version,
        municipalities=tuple(sorted(frozenset[str]().union(*named))) if len(named) == len(binding) else None,
        first=min(one.period.first for one in binding),
        approved_at=work.at,
    )
    await stage_facts(work, [(fact, None)])


async def _count_anew(work: Work, versions: Sequence[Agreement]) -> None:
    """Count every stay that the old or the new version may answer for, under the rules that count now."""
    begins = [one.period.first for one in versions if not one.only_for_simulation]
    if not begins:
        return
    cases = await rows.touched_since(work, min(begins))
    await ledger.lock(work, cases)
    now = await rules_now(work)
    for first in range(0, len(cases), STAYS_AT_A_TIME):
        chunk = cases[first : first + STAYS_AT_A_TIME]
        await rows.rehome(work, [(stay.case_id, stay.municipality) for stay in await ledger.stays(work, chunk, now)])
        await recount(work, chunk)


def _read(told: Mapping[str, Any]) -> Agreement:
    try:
        return parse_agreement(told, shipped_statute())
    except DataFileError as error:
        raise Malformed("agreement.malformed", errors=(_fault(error.place, error.fault),)) from error


def _fault(place: str, fault: str) -> FieldError:
    """Where a rule set is wrong, and how; a name that we do not know may hold anything and is not told."""
    steps = [step for step in place.split(".") if step]
    if fault == _UNKNOWN:
        return FieldError(_pointer(steps[:-1]), "unknown_field")
    own = fault.removeprefix(_OWN_FAULT)
    code = "missing" if fault == _MISSING else own if fault != own and _CODE.fullmatch(own) else "invalid"
    return FieldError(_pointer(steps), code)


def _pointer(steps: Sequence[str]) -> str:
    return "/".join(("/agreement", *steps))


def _refuse_overlap(agreements: Sequence[Agreement]) -> None:
    """Two rule sets may not answer for the same stays.

    Raises:
        Refused: They do; the detail names them, the day and the care type.
    """
    found = overlaps(agreements)
    if found:
        one = found[0]
        raise Refused("agreement.overlap", f"{one.first} and {one.second} both answer for {one.care_type} care from {one.day}")
