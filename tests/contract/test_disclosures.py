"""An access that cannot be logged does not happen (P13): every public route, in one county, with and without a log that takes entries.

A route stands in `LOGGED` (its answer tells of patients and leaves an entry), or there is a reason why it leaves none, for the route or for
all of its policy. A route with neither fails.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import asyncpg
import httpx
from structlog.testing import capture_logs

from dirigent.databases import Access, dsn
from shared.http.access import BY_TEMPLATE, ROUTES, Route
from shared.http.policies import Policy
from tests.canaries import Canaries
from tests.contract.making import Told, told
from tests.contract.matrix import ASKED, Ask
from tests.contract.system import System
from tests.contract.test_examples import county, examples_of

Key = tuple[str, str]
SERVICES: Final = ("planning", "billing", "notifications")
CASE, PLAN, NOTICE, DEVIATION = "/v1/cases/{case_id}", "/v1/plans/{plan_id}", "/v1/notices/{notice_id}", "/v1/deviations/{deviation_id}"
BASIS: Final = "/v1/months/{month}/{municipality}"
LOGGED: Final[frozenset[Key]] = frozenset(
    {
        ("GET", "/v1/cases"),
        ("GET", "/v1/worklist"),
        ("GET", "/v1/findings"),
        ("GET", CASE),
        ("GET", f"{CASE}/history"),
        ("GET", f"{CASE}/patient-information"),
        ("GET", f"{CASE}/consents"),
        ("GET", f"{CASE}/messages"),
        ("POST", "/v1/cases/search"),
        ("GET", "/v1/cases/paper"),
        ("GET", "/v1/notices"),
        ("GET", NOTICE),
        ("GET", PLAN),
        ("GET", "/v1/deviations"),
        ("GET", DEVIATION),
        ("GET", "/v1/fhir/Encounter/{id}"),
        ("GET", "/v1/fhir/Patient/{id}"),
        ("GET", "/v1/fhir/Task/{id}"),
        ("GET", "/v1/fhir/CarePlan/{id}"),
        ("POST", "/v1/fhir/Encounter/_search"),
        ("POST", "/v1/fhir/Patient/_search"),
        ("POST", "/v1/fhir/Task/_search"),
        ("POST", "/v1/fhir/CarePlan/_search"),
        ("GET", "/v1/audit"),
        ("POST", "/v1/audit/search"),
        ("POST", "/v1/persons/export"),
        ("GET", BASIS),
        ("GET", f"{BASIS}/explanation"),
        ("GET", "/v1/disputes"),
        ("GET", "/v1/disputes/{dispute_id}"),
        ("GET", "/v1/comparisons/{comparison_id}"),
        ("GET", "/v1/invoices/{number}"),
        ("GET", "/v1/invoices/{number}.xml"),
        ("GET", "/v1/invoices/{number}.pdf"),
        ("GET", "/v1/invoices/{number}.csv"),
    }
)
"""Whose answer leaves an entry in the access log."""

_OWN_WORDS: Final = "answers with the caller's own step, and shows nobody"
_IDS: Final = "ids, states and days without a person; whoever wants more reads the case"
_FIGURES: Final = "sums and counts, no stay of anybody's"
TELLS_OF_NOBODY: Final[Mapping[Policy, str]] = {
    Policy.SENDER: "tells the sender what became of what it sent",
    Policy.OUTAGE: "an outage is a unit's, not a patient's",
    Policy.FIGURES: _FIGURES,
    Policy.DIRECTORY_READ: "units and mailboxes",
    Policy.DIRECTORY_WRITE: "units and mailboxes",
    Policy.CAPABILITY: "what the service can do",
    Policy.MONTHS_OF_EVERYONE: _FIGURES,
    Policy.TERMS: "rules and prices",
    Policy.CREDITOR: "steps of the region's offices, and its books: sums of months, no stay",
    Policy.DEBTOR: _OWN_WORDS,
    Policy.OWN_SIMULATION: _FIGURES,
    Policy.OWN_SUBSCRIPTION: "where thin messages went: ids, no person",
    Policy.STREAM: "thin messages: ids, no person",
    Policy.OWN_CONTACT: "addresses of the organisation's own",
    Policy.OWN_ESCALATION: _IDS,
}
"""Policies none of whose routes shows a patient."""
QUIET: Final[Mapping[Key, str]] = {
    ("GET", "/v1/mailboxes"): "mailboxes and how far they go",
    ("GET", "/v1/notices/digest"): "a hash",
    ("POST", "/v1/persons/erasure"): "says how much was overwritten, and of nobody who she was",
    ("GET", "/v1/months/{month}"): _FIGURES,
    ("GET", "/v1/invoices"): _FIGURES,
    ("GET", "/v1/receivables"): _FIGURES,
    ("GET", "/v1/accruals"): _FIGURES,
    ("GET", "/v1/debtors"): "municipalities",
    ("GET", "/v1/debtors/{municipality}"): "a municipality",
    ("GET", "/v1/comparisons"): _FIGURES,
}
"""Readings by policies that do show patients, which show none."""


def reason_of(route: Route) -> str | None:
    """Why a route leaves no entry; none when that is not known."""
    key = (route.method, route.path)
    return QUIET.get(key) or TELLS_OF_NOBODY.get(route.policy) or (_OWN_WORDS if is_step(route) else None)


def is_step(route: Route) -> bool:
    """Whether a route writes: its answer is what the caller has just said or done. A search is none."""
    return route.method in {"PUT", "DELETE"} or (route.method == "POST" and not route.path.endswith(("search", "/export")))


def test_of_every_route_it_is_known_whether_it_tells_of_patients() -> None:
    keys = {(route.method, route.path) for route in ROUTES}
    unknown = [f"{route.method} {route.path}" for route in ROUTES if (route.method, route.path) not in LOGGED and reason_of(route) is None]
    assert unknown == [], "log what it tells, or say why it need not"
    assert (LOGGED | QUIET.keys()) - keys == set(), "a line for a route that is not there"
    assert LOGGED & QUIET.keys() == set()
    assert LOGGED - ASKED.keys() == set(), "each is asked below"


async def entries(databases: Mapping[str, Access]) -> int:
    """How many accesses were logged by now, in all services."""
    count = 0
    for service in ("planning", "billing"):
        connection = await asyncpg.connect(dsn(databases[service].owner))
        try:
            for table in ("outbox", "feed_entries"):
                count += int(await connection.fetchval(f"SELECT count(*) FROM {table} WHERE feed = 'access'"))  # noqa: S608  # our own
        finally:
            await connection.close()
    return count


@asynccontextmanager
async def a_log_that_takes_nothing(databases: Mapping[str, Access]) -> AsyncIterator[None]:
    """Refuse entries of the access log, and nothing else that goes the same way."""
    for service in ("planning", "billing"):
        connection = await asyncpg.connect(dsn(databases[service].owner))
        try:
            await connection.execute("""
                CREATE FUNCTION refuse_access() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN RAISE EXCEPTION 'the log takes nothing' USING ERRCODE = 'insufficient_privilege'; END $$;
                CREATE TRIGGER refuse_access BEFORE INSERT ON outbox FOR EACH ROW WHEN (NEW.feed = 'access')
                    EXECUTE FUNCTION refuse_access()""")
        finally:
            await connection.close()
    with capture_logs():
        yield


def whoever_the_document_tells_of(county: Told) -> Canaries:
    """The person of the document's own example, whom the county was told of; debtors of other examples live in her street."""
    _, example = examples_of(county.document, county.document["paths"]["/v1/events"]["post"])[0]
    person = example["data"]["person"]
    return Canaries(frozenset({person["id"]}), frozenset({person["name"]["family"]}))


async def test_exactly_the_routes_that_tell_of_patients_are_logged(system: System, databases: dict[str, Access]) -> None:
    async with county(system) as client:
        known = await told(system, client)
        wrong = []
        for key, asks in ASKED.items():
            answer, logged = await asked(known, databases, BY_TEMPLATE[key], asks[0])
            if (key in LOGGED) != logged or (key in LOGGED and not answer.is_success):
                wrong.append(f"{key}: {answer.status_code}, logged: {logged}, {answer.text[:200]}")
        assert wrong == []


async def asked(known: Told, databases: Mapping[str, Access], route: Route, ask: Ask) -> tuple[httpx.Response, bool]:
    """An answer, and whether it was logged."""
    before = await entries(databases)
    answer = await known.ask(route, ask.owner, ask)
    return answer, await entries(databases) > before


async def test_nobody_reads_of_a_patient_while_the_log_takes_nothing(system: System, databases: dict[str, Access]) -> None:
    async with county(system) as client:
        known = await told(system, client)
        person = whoever_the_document_tells_of(known)
        every = [(BY_TEMPLATE[key], ask) for key, asks in ASKED.items() for ask in asks]
        shows, wrong, named = [], [], 0
        for route, ask in every:
            if (route.method, route.path) in LOGGED:
                answer, logged = await asked(known, databases, route, ask)
                named += bool(person.within(answer.content))
                shows += [ask] if logged else []
        assert len(shows) >= len(LOGGED), "positive control: with a log all of them tell something"
        assert named > len(LOGGED) / 3, "positive control: and many of them who she is"
        async with a_log_that_takes_nothing(databases):
            for route, ask in every:
                answer, logged = await asked(known, databases, route, ask)
                refused = answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
                if logged or person.within(answer.content) or refused != any(ask is one for one in shows):
                    wrong.append(f"{route.method} {route.path}: {answer.status_code} {answer.text[:200]}")
        assert wrong == []
