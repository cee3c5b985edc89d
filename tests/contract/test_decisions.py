"""The policy that the route table names is the one that decides: which rows of the decision table each route of planning asks for."""

from typing import Final

import pytest

from services.planning.domain.access import Action, Decision, Which, Who, decide
from services.planning.usecases import authorising
from services.planning.usecases.authorising import ACTIONS
from shared.http.access import ROUTES
from shared.http.policies import Policy
from tests.contract.making import told
from tests.contract.system import System
from tests.contract.test_examples import county
from tests.contract.test_isolation import asked

PLANNING: Final = {route.policy for route in ROUTES if route.service == "planning"}
DECIDED_ELSEWHERE: Final = {
    Policy.SENDER: "the ward that sends is compared with the token by the handlers of events and the adapters",
    Policy.CAPABILITY: "nothing about anybody",
    Policy.DIRECTORY_READ: "everybody's to read",
    Policy.FIGURES: "sums, by role and municipality; no row of the table is about one",
    Policy.AUDIT: "whose accesses are shown is part of the query; the units must be the whole organisation",
    Policy.PERSON_REGISTER: "what is the organisation's is part of the query; the units must be the whole organisation",
}
HANGS_ON_A_CASE: Final = frozenset({Policy.PLAN, Policy.CONSENT, Policy.DEVIATION})
BY_QUERY: Final = {
    ("GET", "/v1/cases"): "a page of what the caller may see",
    ("GET", "/v1/worklist"): "what the caller's units owe",
    ("GET", "/v1/findings"): "a page of what the caller may see",
    ("GET", "/v1/cases/paper"): "the caller's open cases",
    ("GET", "/v1/mailboxes"): "the caller's mailboxes",
    ("GET", "/v1/notices"): "the caller's mailboxes",
    ("GET", "/v1/notices/digest"): "the caller's mailboxes",
    ("GET", "/v1/deviations"): "a page of what the caller may see",
}
"""Lists: the condition is the query's, and a test compares it with the table (test_row_level_security.py)."""


def test_every_action_keeps_one_policy_and_every_policy_of_planning_has_actions_or_says_why_not() -> None:
    bound = [action for actions in ACTIONS.values() for action in actions]
    assert sorted(bound) == sorted(Action)
    assert ACTIONS.keys() & DECIDED_ELSEWHERE.keys() == set()
    assert ACTIONS.keys() | DECIDED_ELSEWHERE.keys() == PLANNING


async def test_each_route_decides_by_the_rows_of_its_policy(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[Action] = []

    def noted(who: Who, action: Action, which: Which) -> Decision:
        asked_for.append(action)
        return decide(who, action, which)

    found: dict[tuple[str, str], str] = {}
    async with county(system) as client:
        known = await told(system, client)
        monkeypatch.setattr(authorising, "decide", noted)
        for route, ask in asked(system, ["planning"]):
            if route.policy in DECIDED_ELSEWHERE or (route.method, route.path) in BY_QUERY:
                continue
            asked_for.clear()
            await known.ask(route, ask.owner, ask)
            own = ACTIONS[route.policy]
            allowed = own | {Action.READ_CASE} if route.policy in HANGS_ON_A_CASE else own
            if not own.intersection(asked_for) or not allowed.issuperset(asked_for):
                found[route.method, route.path] = f"{route.policy}: {sorted(set(asked_for))}"
    assert found == {}
