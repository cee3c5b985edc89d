"""Who may do what with which case, notice, plan or deviation: one table of decisions, each with its reason.

First comes whether the thing is the caller's at all: of what is not, it must not even learn that it exists. Then whether this step is
its to take. Whether the step fits the state of things is no question of access and is decided elsewhere.

The table says the same as the SQL that finds rows and as row-level security in the database; a property test compares the three.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Action(StrEnum):
    """What somebody wants to do."""

    READ_CASE = "read_case"
    READ_HISTORY = "read_history"
    SEARCH = "search"
    INFORM_PATIENT = "inform_patient"
    STATE_PLANNING = "state_planning"
    SET_CARE_CONTACT = "set_care_contact"
    STATE_REASON = "state_reason"
    DECLINE = "decline"
    BLOCK = "block"
    CONTEST_BLOCK = "contest_block"
    PLACE = "place"
    CONTEST_SIP = "contest_sip"
    WITHDRAW_STATEMENT = "withdraw_statement"
    RECORD_CONSENT = "record_consent"
    WITHDRAW_CONSENT = "withdraw_consent"
    READ_CONSENTS = "read_consents"
    SEND_MESSAGE = "send_message"
    READ_MESSAGES = "read_messages"
    REPORT_DEVIATION = "report_deviation"
    READ_DEVIATION = "read_deviation"
    ASSIGN_DEVIATION = "assign_deviation"
    ANSWER_DEVIATION = "answer_deviation"
    CLOSE_DEVIATION = "close_deviation"
    OPEN_PLAN = "open_plan"
    READ_PLAN = "read_plan"
    LEAD_PLAN = "lead_plan"
    GO_ON_WITH_PLAN = "go_on_with_plan"
    TAKE_PART_IN_PLAN = "take_part_in_plan"
    READ_MAILBOX = "read_mailbox"
    ACKNOWLEDGE = "acknowledge"
    RETURN = "return"
    FORWARD = "forward"
    READ_PROTECTED = "read_protected"
    STATE_OUTAGE = "state_outage"
    END_OUTAGE = "end_outage"
    CONFIRM_OUTAGE = "confirm_outage"
    KEEP_DIRECTORY = "keep_directory"


class Reason(StrEnum):
    """Why it was decided so: for the log and the auditor, never for the caller."""

    WARD = "holds the patient"
    MUNICIPALITY = "party municipality"
    CARE_UNIT = "party care unit"
    TEAM = "member of the party team"
    OWN_MAILBOX = "stands in an own mailbox"
    LEADS = "leads the plan"
    TAKES_PART = "takes part in the plan"
    REPORTER = "reported it"
    ANSWERER = "is to answer it"
    OWN = "own organisation"
    EVERYBODY = "open to everybody who works here"
    FOREIGN = "another's, or unknown"
    UNIT_FOREIGN = "the unit named is another's"
    NOT_CONCERNED = "the unit named is not concerned"
    NOT_THE_WARD = "only the ward that holds the patient"
    NOT_THE_CARE_UNIT = "only the care unit of the case"
    NOT_THE_REGION = "only the region"
    NOT_A_MUNICIPALITY = "only a municipality, or history"
    NOT_ITS_STEP = "another unit's step"
    CASE_LOST = "the case is the caller's no more"
    NOT_A_NAMED_READER = "not a named reader of protected persons who has taken it on"


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks, all of it from the token; `teams`: those that its units are members of today, as far as they matter.

    `of_region`: it is the region itself. A private care provider is neither that nor a municipality: it cares for the region's patients,
    so that its steps in a plan are the region's, but it keeps nothing and decides nothing for others.
    """

    organisation: str
    unit_prefixes: tuple[str, ...]
    role: str
    municipality: str | None = None
    teams: frozenset[str] = frozenset()
    of_region: bool = False
    imports_history: bool = False
    sends_events: bool = False
    decides_reviews: bool = False
    protected_reader: bool = False

    def acts_for(self, unit: str | None) -> bool:
        """Whether a unit (HSA-id) lies inside its units."""
        return unit is not None and any(unit.startswith(prefix) for prefix in self.unit_prefixes)


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What of a case decides whose it is: who holds the patient, whose party she is; `concerned`: the units that may be spoken to."""

    ward: str | None = None
    outpatient_unit: str | None = None
    parties: frozenset[str] = frozenset()
    concerned: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What of a plan decides whose it is; `left`: whoever led it is not concerned in the stay any more."""

    opened_by: str
    leaders: frozenset[str]
    units: frozenset[str]
    of_a_stay: bool
    left: bool = False
    main_unit: str | None = None


@dataclass(frozen=True, slots=True)
class Which:
    """What it is about; `unit` is the one that is named as acting, `owner` the organisation the thing belongs to."""

    case: CaseFacts | None = None
    plan: PlanFacts | None = None
    unit: str | None = None
    owner: str | None = None
    reporter: str | None = None
    assigned_to: str | None = None
    stated_by: frozenset[str] = field(default_factory=frozenset)
    taken_on: bool = False
    one_by_id: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is allowed, and why; `known`: whether the caller may learn that the thing exists."""

    allowed: bool
    reason: Reason
    known: bool


_Standing = Callable[[Who, Which], Reason | None]
_Condition = Callable[[Who, Which], bool]


def standing_in_case(who: Who, case: CaseFacts) -> Reason | None:
    """As what a caller is concerned in a case now; none: it is another's. Access moves with the case.

    All care of a region shares one organisation number, so a ward is told from another ward, and a care centre from another, by the units
    inside the token alone.

    Source:
        Domain rules 2.1 and 2.2; offentlighets- och sekretesslagen (2009:400) 25 kap. 1 §, 26 kap. 1 §.
    """
    if who.municipality is not None and f"municipality:{who.municipality}" in case.parties:
        return Reason.MUNICIPALITY
    if case.ward is not None and case.ward[2:12] == who.organisation and who.acts_for(case.ward):
        return Reason.WARD
    if who.acts_for(case.outpatient_unit):
        return Reason.CARE_UNIT
    return Reason.TEAM if case.outpatient_unit in who.teams else None


def leads(who: Who, plan: PlanFacts) -> bool:
    """Whether a caller acts for the unit whose plan it is; whoever imports history acts for the one that opened it.

    Source:
        Lag (2017:612) 4 kap. 1-2 §§: the plan of a stay is the region's to call for; any other either principal's.
    """
    if who.imports_history:
        return who.acts_for(plan.opened_by)
    if plan.left or (plan.of_a_stay and who.municipality is not None):
        return False
    return any(map(who.acts_for, plan.leaders))


def takes_part(who: Who, plan: PlanFacts) -> bool:
    """Whether a caller acts for a unit that takes part, also through a team.

    Source:
        Lag (2017:612) 4 kap. 2-3 §§: those who are called take part.
    """
    return any(map(who.acts_for, plan.units))


def _of_case(who: Who, which: Which) -> Reason | None:
    """A party of the case: ward, municipality, care unit, or a member of its team."""
    return None if which.case is None else standing_in_case(who, which.case)


def _of_plan(who: Who, which: Which) -> Reason | None:
    """Whoever leads the plan or takes part in it, and the parties of its case."""
    if which.plan is None:
        return None
    if leads(who, which.plan):
        return Reason.LEADS
    return Reason.TAKES_PART if takes_part(who, which.plan) else _of_case(who, which)


def _of_new_plan(who: Who, which: Which) -> Reason | None:
    """A party of the case; without a case everybody."""
    return Reason.EVERYBODY if which.case is None else _of_case(who, which)


def _of_deviation(who: Who, which: Which) -> Reason | None:
    """Who reported the deviation, and who is to answer it."""
    if who.acts_for(which.reporter):
        return Reason.REPORTER
    return Reason.ANSWERER if who.acts_for(which.assigned_to) else None


def _of_mailbox(who: Who, which: Which) -> Reason | None:
    """The organisation and unit of the mailbox, or a member of its team."""
    if which.owner == who.organisation and who.acts_for(which.unit):
        return Reason.OWN_MAILBOX
    return Reason.TEAM if which.unit in who.teams else None


def _of_organisation(who: Who, which: Which) -> Reason | None:
    """The organisation that stated it."""
    return Reason.OWN if which.owner == who.organisation else None


def _of_the_region(who: Who, _: Which) -> Reason | None:
    """The region."""
    return Reason.OWN if who.of_region else None


def _everybody(_who: Who, _which: Which) -> Reason:
    """Everybody."""
    return Reason.EVERYBODY


def _own_unit(who: Who, which: Which) -> bool:
    return who.acts_for(which.unit)


def _named_reader(who: Who, which: Which) -> bool:
    """The operator named the client as one that may read protected persons, a person took the notice on, and this one is asked for."""
    return who.protected_reader and which.taken_on and which.one_by_id


def _speaks_of(who: Who, which: Which) -> bool:
    """Who is cut off says so of its own units; of the whole service whoever sends notices, or decides for the region."""
    if which.unit is not None:
        return who.acts_for(which.unit)
    return (who.municipality is None and who.sends_events) or (who.of_region and who.decides_reviews)


def _concerned(_: Who, which: Which) -> bool:
    return which.case is not None and which.unit in which.case.concerned


def _ward(_: Who, which: Which) -> bool:
    return which.case is not None and which.unit is not None and which.unit == which.case.ward


def _ward_is_own(who: Who, which: Which) -> bool:
    return which.case is not None and who.acts_for(which.case.ward)


def _responsible(who: Who, which: Which) -> bool:
    plan = which.plan
    return plan is not None and (leads(who, plan) or (plan.main_unit in plan.units and who.acts_for(plan.main_unit)))


_OWN: Final = (Reason.UNIT_FOREIGN, _own_unit)
_IS_WARD: Final = (Reason.NOT_THE_WARD, _ward)
_IS_CONCERNED: Final = (Reason.NOT_CONCERNED, _concerned)

RULES: Final[Mapping[Action, tuple[_Standing, tuple[tuple[Reason, _Condition], ...]]]] = {
    Action.READ_CASE: (_of_case, ()),
    Action.READ_HISTORY: (_of_case, ()),
    Action.SEARCH: (_of_case, ()),
    Action.INFORM_PATIENT: (_of_case, ((Reason.NOT_THE_WARD, _ward_is_own),)),
    Action.STATE_PLANNING: (_of_case, ((Reason.UNIT_FOREIGN, lambda who, which: which.owner == who.organisation), _OWN)),
    Action.SET_CARE_CONTACT: (
        _of_case,
        ((Reason.NOT_THE_CARE_UNIT, lambda _, which: which.case is not None and which.unit == which.case.outpatient_unit), _OWN),
    ),
    Action.STATE_REASON: (_of_case, (_IS_WARD, _OWN)),
    Action.DECLINE: (_of_case, (_OWN,)),
    Action.BLOCK: (_of_case, (_OWN,)),
    Action.CONTEST_BLOCK: (_of_case, ((Reason.NOT_THE_REGION, lambda who, _: who.role != "municipality"),)),
    Action.PLACE: (_of_case, ((Reason.NOT_A_MUNICIPALITY, lambda who, _: who.municipality is not None or who.imports_history), _OWN)),
    Action.CONTEST_SIP: (_of_case, (_OWN, (Reason.NOT_THE_WARD, lambda who, which: who.role == "municipality" or _ward(who, which)))),
    Action.WITHDRAW_STATEMENT: (_of_case, ((Reason.NOT_ITS_STEP, lambda who, which: any(map(who.acts_for, which.stated_by))),)),
    Action.RECORD_CONSENT: (_of_case, (_OWN,)),
    Action.WITHDRAW_CONSENT: (_of_case, ()),
    Action.READ_CONSENTS: (_of_case, ()),
    Action.SEND_MESSAGE: (_of_case, (_OWN, _IS_CONCERNED)),
    Action.READ_MESSAGES: (_of_case, ()),
    Action.REPORT_DEVIATION: (_of_case, (_OWN, _IS_CONCERNED)),
    Action.READ_DEVIATION: (_of_deviation, ()),
    Action.ASSIGN_DEVIATION: (_of_deviation, ((Reason.CASE_LOST, lambda who, which: _of_case(who, which) is not None),)),
    Action.ANSWER_DEVIATION: (_of_deviation, ((Reason.NOT_ITS_STEP, lambda who, which: who.acts_for(which.assigned_to)),)),
    Action.CLOSE_DEVIATION: (_of_deviation, ((Reason.NOT_ITS_STEP, lambda who, which: who.acts_for(which.reporter)),)),
    Action.OPEN_PLAN: (_of_new_plan, (_OWN, (Reason.NOT_THE_REGION, lambda who, which: which.case is None or who.municipality is None))),
    Action.READ_PLAN: (_of_plan, ()),
    Action.LEAD_PLAN: (_of_plan, ((Reason.NOT_ITS_STEP, lambda who, which: which.plan is not None and leads(who, which.plan)),)),
    Action.GO_ON_WITH_PLAN: (_of_plan, ((Reason.NOT_ITS_STEP, _responsible),)),
    Action.TAKE_PART_IN_PLAN: (
        _of_plan,
        ((Reason.NOT_ITS_STEP, lambda who, which: which.plan is not None and takes_part(who, which.plan)),),
    ),
    Action.READ_MAILBOX: (_of_mailbox, ()),
    Action.ACKNOWLEDGE: (_of_mailbox, ()),
    Action.RETURN: (_of_mailbox, ()),
    Action.FORWARD: (_of_mailbox, ()),
    Action.READ_PROTECTED: (
        _of_mailbox,
        ((Reason.NOT_A_NAMED_READER, _named_reader),),
    ),
    Action.STATE_OUTAGE: (_everybody, ((Reason.UNIT_FOREIGN, _speaks_of),)),
    Action.END_OUTAGE: (_of_organisation, ((Reason.UNIT_FOREIGN, _speaks_of),)),
    Action.CONFIRM_OUTAGE: (_of_the_region, ()),
    Action.KEEP_DIRECTORY: (
        _everybody,
        ((Reason.FOREIGN, lambda who, which: who.of_region or which.owner == who.organisation),),
    ),
}


def decide(who: Who, action: Action, which: Which) -> Decision:
    """Decide by the table whether somebody may do something with a thing.

    Args:
        who: Who asks.
        action: What it wants to do.
        which: What of the thing decides.

    Returns:
        The decision with its reason; of what is not the caller's it says that it must not be known.

    Source:
        Lag (2017:612) 2-4 kap.; offentlighets- och sekretesslagen (2009:400) 25 kap. 1 §, 26 kap. 1 §; domain rule 2.2.
    """
    standing, conditions = RULES[action]
    because = standing(who, which)
    if because is None:
        return Decision(allowed=False, reason=Reason.FOREIGN, known=False)
    broken = next((reason for reason, holds in conditions if not holds(who, which)), None)
    return Decision(allowed=broken is None, reason=broken or because, known=True)
