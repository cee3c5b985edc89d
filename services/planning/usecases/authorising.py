"""The use cases' way to the decision table: who asks, about which row, and what becomes of a no."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import structlog

from services.planning.domain.access import RULES, Action, CaseFacts, Decision, Reason, Which, Who, decide
from services.planning.repository import cases
from services.planning.repository.directory import Mailbox
from shared.db import Work
from shared.errors import NotFound
from shared.http.auth import Caller
from shared.http.policies import Policy
from shared.http.problems import HttpProblem

_log = structlog.get_logger(__name__)

PROTECTED_READERS: Final = "persons:protected"
ACTIONS: Final[Mapping[Policy, frozenset[Action]]] = {
    Policy.CASE: frozenset(
        {
            Action.READ_CASE,
            Action.READ_HISTORY,
            Action.SEARCH,
            Action.INFORM_PATIENT,
            Action.STATE_PLANNING,
            Action.SET_CARE_CONTACT,
            Action.STATE_REASON,
            Action.DECLINE,
            Action.BLOCK,
            Action.CONTEST_BLOCK,
            Action.PLACE,
            Action.CONTEST_SIP,
            Action.WITHDRAW_STATEMENT,
            Action.READ_CONSENTS,
            Action.SEND_MESSAGE,
            Action.READ_MESSAGES,
        }
    ),
    Policy.CONSENT: frozenset({Action.RECORD_CONSENT, Action.WITHDRAW_CONSENT}),
    Policy.PLAN: frozenset({Action.OPEN_PLAN, Action.READ_PLAN, Action.LEAD_PLAN, Action.GO_ON_WITH_PLAN, Action.TAKE_PART_IN_PLAN}),
    Policy.DEVIATION: frozenset(
        {
            Action.REPORT_DEVIATION,
            Action.READ_DEVIATION,
            Action.ASSIGN_DEVIATION,
            Action.ANSWER_DEVIATION,
            Action.CLOSE_DEVIATION,
        }
    ),
    Policy.MAILBOX: frozenset({Action.READ_MAILBOX, Action.ACKNOWLEDGE, Action.RETURN, Action.FORWARD, Action.READ_PROTECTED}),
    Policy.OUTAGE: frozenset({Action.STATE_OUTAGE, Action.END_OUTAGE, Action.CONFIRM_OUTAGE}),
    Policy.DIRECTORY_WRITE: frozenset({Action.KEEP_DIRECTORY}),
}
"""Which rows of the decision table keep a policy of the route table; what hangs on a case is the case's to begin with (`READ_CASE`)."""
_UNKNOWN: Final = Decision(allowed=False, reason=Reason.FOREIGN, known=False)


def who_asks(caller: Caller, *teams: str) -> Who:
    """A caller as the decision table knows it; `teams`: of those that matter, the ones its units are members of."""
    return Who(
        caller.organisation,
        caller.unit_prefixes,
        caller.role,
        caller.municipality,
        frozenset(teams),
        of_region=caller.of_region,
        imports_history=caller.may("events:import"),
        sends_events=caller.may("events:write"),
        decides_reviews=caller.may("reviews:decide"),
        protected_reader=caller.may(PROTECTED_READERS),
    )


def require(caller: Caller, action: Action, which: Which, *teams: str) -> Reason:
    """Go on only where the table allows it; why it does.

    Raises:
        NotFound: It is another's: that looks as if it did not exist.
        HttpProblem: 403, the caller may know of it, but the step is not its to take.
    """
    decision = decide(who_asks(caller, *teams), action, which)
    if not decision.allowed:
        _refuse(caller, action, decision)
    return decision.reason


def _refuse(caller: Caller, action: Action, decision: Decision) -> None:
    """Say no: the reason reaches the log, and never the caller."""
    _log.info("access.refused", action=action.value, reason=decision.reason.value, client=caller.client_id)
    if not decision.known:
        raise NotFound
    raise HttpProblem("access.denied")


def about(case: Any, **more: Any) -> Which:  # a row of `cases.visible`
    """A case as the decision table knows it, with what else decides."""
    return Which(CaseFacts(case.ward, case.outpatient_unit, frozenset(case.parties)), **more)


def is_callers(caller: Caller, action: Action, case: Any) -> bool:  # a row
    """Whether one case of many that were found is the caller's."""
    return decide(who_asks(caller, *_teams(case)), action, about(case)).allowed


async def callers_case(work: Work, caller: Caller, case_id: UUID, action: Action = Action.READ_CASE) -> Any:  # a row
    """A case that the caller may see, after a transfer the one that answers for all; steps are decided on with `require_step`.

    Raises:
        NotFound: It is unknown or not the caller's.
    """
    case = await cases.visible(work, caller, case_id)
    if case is None:
        _refuse(caller, action, _UNKNOWN)
    _, conditions = RULES[action]
    require(caller, Action.READ_CASE if conditions else action, about(case), *_teams(case))
    return case


async def locked_case(work: Work, caller: Caller, case_id: UUID, action: Action) -> Any:  # a row
    """A case of the caller's, locked before anything is read that is decided on; from here on the transaction runs as intake.

    Raises:
        NotFound: It is unknown or not the caller's, or nothing is known of it yet.
    """
    await callers_case(work, caller, case_id, action)
    await cases.lock_for_caller(work, case_id)
    case = await callers_case(work, caller, case_id, action)
    if case.version == 0:
        _refuse(caller, action, _UNKNOWN)
    return case


def require_mailbox(caller: Caller, action: Action, mailbox: Mailbox) -> Reason:
    """Whether a mailbox is the caller's to work with.

    Raises:
        NotFound: It is another's.
    """
    teams = (mailbox.unit,) if mailbox.through_team else ()
    return require(caller, action, Which(owner=mailbox.organisation, unit=mailbox.unit), *teams)


def may_read_protected(caller: Caller, mailbox: Mailbox, *, taken_on: bool, one_by_id: bool) -> bool:
    """Whether a protected person in a notice of this mailbox is named to the caller."""
    which = Which(owner=mailbox.organisation, unit=mailbox.unit, taken_on=taken_on, one_by_id=one_by_id)
    return decide(who_asks(caller, *((mailbox.unit,) if mailbox.through_team else ())), Action.READ_PROTECTED, which).allowed


def require_step(caller: Caller, action: Action, case: Any, *, concerned: frozenset[str] = frozenset(), **more: Any) -> Reason:
    """Whether a step in a case that was found is the caller's to take.

    Args:
        caller: Who calls.
        action: The step.
        case: The case, as `locked_case` found it.
        concerned: The units of the case that may be spoken to, where that matters.
        more: What else decides: the unit that is named, the owner of it, who stated what.

    Raises:
        NotFound: The case is another's.
        HttpProblem: 403, the step is not its to take.
    """
    which = about(case, **more)
    if concerned and which.case is not None:
        which = replace(which, case=replace(which.case, concerned=concerned))
    return require(caller, action, which, *_teams(case))


def _teams(case: Any) -> tuple[str, ...]:
    return (case.outpatient_unit,) if case.through_team else ()
