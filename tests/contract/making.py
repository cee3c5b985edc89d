"""A county in which somebody made something of every kind, and how to ask for it, or for the same under ids that nobody has."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from services.billing.usecases import Debtor, enter_debtors
from services.billing.usecases.comparisons import TheirMonth, compare_month
from services.notifications.usecases import hear_escalations
from services.planning.usecases import DirectoryEntries, MailboxAt, Organisation, Unit, load_directory
from shared.dates import Month, local_date, now
from shared.db import Database, Role
from shared.events.alarm_facts import NoticeEscalated
from shared.http.access import BY_TEMPLATE, Route
from shared.identifiers import uuid7
from shared.streams.consumer import Delivered
from tests.builders import OTHER_CARE_CENTRE, OTHER_WARD, a_personnummer
from tests.contract.matrix import CLAIMS, EXAMPLE, Ask
from tests.contract.system import REGION, System
from tests.contract.test_examples import NOWHERE, STORY, beforehand, document_of, examples_of, learnt, missing
from tests.integration.billing.parts import a_stay_fact, apply

MOLNDAL = "2120001363"
OTHERS = DirectoryEntries(
    organisations=[Organisation(MOLNDAL, "Mölndal", "1481")],
    units=[
        Unit(OTHER_WARD, REGION, "Avdelning 2", "ward"),
        Unit(OTHER_CARE_CENTRE, REGION, "Vårdcentral 2", "care_centre"),
        Unit(f"SE{MOLNDAL}-E1", MOLNDAL, "Socialtjänst", "municipal"),
    ],
    mailboxes=[
        MailboxAt(OTHER_CARE_CENTRE, REGION, f"unit:{OTHER_CARE_CENTRE}", "care_unit"),
        MailboxAt(f"SE{MOLNDAL}-E1", MOLNDAL, "municipality:1481", "municipality"),
    ],
)
# What tells of nobody that it stands in an answer, and what of it an unknown thing has as well.
EVERYWHERE: Final = frozenset({"month", "this_month", "unit", "tariff_id", "agreement_id"})
NO_SECRET: Final = EVERYWHERE | {"recipient", "hsa_id", "municipality", "own_unit", "ward", "organisation", "outage_id", "comparison_id"}
NOT_COMPARED: Final = frozenset({"x-request-id", "date", "content-length", "server-timing"})
# What a message has of its own: its id, its control id and when it was made.
MADE_ANEW: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9T:.-]{19,}Z|(?<=\|)[0-9]{14}[+-][0-9]{4}|(?<=\^ACK\|)\w+")
UNKNOWN: Final = {
    "number": "2026-999999",
    "contact": "ingen@kommun.se",
    "municipality": "1499",
    "person": a_personnummer(7000),
    "ward": "SE2321000131-E000000000777",
    "own_unit": "SE2120001264-E7",
    "recipient": "municipality:1499",
    "hsa_id": "SE2120001355-E000000000779",
    "debtor_number": "2120001595",
}


@dataclass
class Told:
    """A county in which things were made, by whom the matrix says, and how to ask about them."""

    system: System
    client: httpx.AsyncClient
    document: dict[str, Any]
    made: dict[str, str]
    unknown: dict[str, str] = field(default_factory=dict)
    unknown_answers: dict[tuple[str, str, str, str], tuple[int, dict[str, str], str]] = field(default_factory=dict)

    async def answer_for_nobodys(self, route: Route, who: str, ask: Ask) -> tuple[int, dict[str, str], str]:
        """What somebody hears who asks for what does not exist; asked once."""
        place = (route.method, route.path, repr(ask), who)
        if place not in self.unknown_answers:
            self.unknown_answers[place] = self.comparable(await self.ask(route, who, ask, unknown=True))
        return self.unknown_answers[place]

    def token(self, who: str) -> str:
        return self.system.token(sub=who, demo=True, **CLAIMS[who])

    async def ask(self, route: Route, who: str, ask: Ask, *, unknown: bool = False) -> httpx.Response:
        """Ask for what was made, or for the same under ids that nobody has."""
        names = self.made | (self.unknown if unknown else {})
        path = path_for(route, self.made).format_map(names)
        query = {name: value.format_map(names) for name, value in ask.query.items()}
        headers = {"Authorization": f"Bearer {self.token(who)}", "Idempotency-Key": str(uuid7())}
        body = self.body_of(route, ask)
        if body is not None:
            headers["Content-Type"] = route.content_types[0]
        content = None if body is None else self.under_other_ids(body) if unknown else body
        return await self.client.request(route.method, path, params=query or None, content=content, headers=headers)

    def body_of(self, route: Route, ask: Ask) -> str | None:
        """The body as text: the document's example with what the matrix puts over it, or what the matrix has."""
        if ask.body is not EXAMPLE:
            return None if ask.body is None else str(ask.body).format_map(self.made)
        operation = self.document["paths"][route.path][route.method.lower()]
        if "requestBody" not in operation:
            return None
        _, example = examples_of(self.document, operation)[0]
        if isinstance(example, str):
            return example
        return json.dumps({**example, **filled(ask.over, self.made)} if isinstance(example, dict) else example)

    def under_other_ids(self, text: str) -> str:
        """The same text with every id that was made put in for one that nobody has."""
        for name, value in sorted(self.made.items(), key=lambda one: -len(one[1])):  # an id may stand inside another
            if name in self.unknown:
                text = text.replace(value, self.unknown[name])
        return text

    def under_made_ids(self, text: str) -> str:
        """The other way round, for an answer that repeats what it was asked for."""
        for name, value in self.unknown.items():
            text = text.replace(value, self.made[name])
        return text

    def comparable(self, answer: httpx.Response) -> tuple[int, dict[str, str], str]:
        """What of an answer must not tell somebody else's from nobody's."""
        headers = dict(sorted(answer.headers.items()))
        compared = {name: value for name, value in headers.items() if name not in NOT_COMPARED and not name.startswith("ratelimit")}
        told = self.under_made_ids(without_request_id(answer))
        if "fhir" in answer.headers.get("content-type", "") or "hl7" in answer.headers.get("content-type", ""):
            told = MADE_ANEW.sub(lambda found: found[0] if found[0] in self.made.values() else "", told)
        return answer.status_code, compared, told

    def named_in(self, answer: httpx.Response) -> list[str]:
        """What was made and is nobody else's to know, that an answer names."""
        return [name for name, value in self.made.items() if name not in NO_SECRET and value != NOWHERE and value in answer.text]


def path_for(route: Route, made: Mapping[str, str]) -> str:
    """A route's path; `{id}` of FHIR is that of the case, notice or plan."""
    kind = {"Encounter": "case_id", "Patient": "case_id", "Task": "notice_id", "CarePlan": "plan_id"}
    path = re.sub(r"/fhir/(\w+)/\{id\}", lambda found: f"/fhir/{found[1]}/{{{kind[found[1]]}}}", route.path)
    path = path.replace("/organisations/{number}", "/organisations/{debtor_number}")  # the other number is an invoice's
    assert not missing(path, dict(made)), (path, sorted(made))
    return path


def filled(value: Any, made: Mapping[str, str]) -> Any:
    """The same with every {name} in its texts put in."""
    match value:
        case str():
            return value.format_map(made)
        case Mapping():
            return {name: filled(one, made) for name, one in value.items()}
        case list():
            return [filled(one, made) for one in value]
    return value


def without_request_id(answer: httpx.Response) -> str:
    """The body, but for the id of the request wherever a problem stands in it."""
    if not answer.content or "json" not in answer.headers.get("content-type", ""):
        return answer.text
    return json.dumps(_without(answer.json(), "request_id"), sort_keys=True)


def _without(value: Any, member: str) -> Any:
    match value:
        case dict():
            return {name: _without(one, member) for name, one in value.items() if name != member}
        case list():
            return [_without(one, member) for one in value]
    return value


async def told(system: System, client: httpx.AsyncClient) -> Told:
    """Tell the document's story, close a month on it, and note what was made."""
    document = document_of(system)
    made = await planning_things(system, client, document)
    made |= await billing_things(system, client)
    made |= await notification_things(system, client, document)
    made |= {"municipality": "1480", "month": "2026-03", "this_month": str(Month.of(local_date(now())))}
    made |= {"person": a_known_person(document), "own_unit": "SE2120001355-E1", "ward": str(CLAIMS["ward"]["units"][0])}
    unknown = {name: UNKNOWN.get(name) or str(uuid7()) for name in made if name not in EVERYWHERE}
    return Told(system, client, document, made, unknown)


def a_known_person(document: Mapping[str, Any]) -> str:
    _, example = examples_of(dict(document), document["paths"]["/v1/events"]["post"])[0]
    return str(example["data"]["person"]["id"])


async def planning_things(system: System, client: httpx.AsyncClient, document: dict[str, Any]) -> dict[str, str]:
    async with system.services["planning"].state.database.transaction(role=Role.WORKER) as work:
        await load_directory(work, OTHERS)
    made = await beforehand(system, client)
    for method, template, who, _ in STORY:
        # Once the municipality has named another one, or the notice was returned, the case is no longer theirs; money is told of below.
        service = BY_TEMPLATE[method, template].service
        if service != "planning" or template.endswith(("/liable-municipality", "/return")):
            continue
        if template.startswith("/v1/notices"):
            made["notice_id"] = await a_notice_of(system, client, "care")
        if missing(template, made):
            continue
        for _, example in examples_of(document, document["paths"][template][method.lower()])[:1]:
            headers = sending(system, who, BY_TEMPLATE[method, template])
            body = example | {"case_id": made["case_id"]} if "case_id" in example else example
            answer = await client.request(method, template.format_map(made), json=body, headers=headers)
            if answer.is_success and isinstance(answer.json(), dict):
                made |= learnt(template, answer.json())
    return made


def sending(system: System, who: str, route: Route) -> dict[str, str]:
    token = system.token(sub=who, demo=True, **CLAIMS[who])
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid7())}
    return headers | ({"Content-Type": route.content_types[0]} if route.method in {"POST", "PUT"} else {})


async def a_notice_of(system: System, client: httpx.AsyncClient, who: str) -> str:
    await system.number("planning")
    answer = await client.get("/v1/notices", headers={"Authorization": f"Bearer {system.token(sub=who, demo=True, **CLAIMS[who])}"})
    return str(answer.json()["entries"][0]["id"])


async def billing_things(system: System, client: httpx.AsyncClient) -> dict[str, str]:
    """A closed month of two municipalities, a dispute, a simulation of a municipality's own, a comparison."""
    stay, contested, other = a_stay_fact(9), a_stay_fact(8), a_stay_fact(9, municipality="1481")
    database = Database(system.database_url("billing"))
    async with database.transaction() as work:
        await enter_debtors(work, [Debtor("1480", "Göteborg", "2120001355"), Debtor("1481", "Mölndal", MOLNDAL)])
        await apply(work, [stay, contested, other])

    async def post(who: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await client.post(path, json=body, headers=sending(system, who, BY_TEMPLATE["POST", "/v1/plans"]))
        assert answer.is_success, (path, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    price = {"first": "2026-01-01", "last": "2026-12-31", "price": {"amount": "12000.00"}, "source": "Made up for a test"}
    tariff = await post("region", "/v1/tariffs", price | {"acted_by": "A Test"})
    await post("approver", f"/v1/tariffs/{tariff['id']}/approval", {"acted_by": "B Test"})
    numbers = {}
    for code, debtor in (("1480", "municipality"), ("1481", "other_municipality")):
        named = (await post("region", f"/v1/months/2026-03/{code}/prepare", {"acted_by": "A Test"}))["calculation"]
        for who, action, person in (
            ("region", "publish", "A Test"),
            (debtor, "sign", "D Test"),
            ("approver", "approve", "B Test"),
            ("approver", "issue", "B Test"),
        ):
            done = await post(who, f"/v1/months/2026-03/{code}/{action}", {"calculation": named, "acted_by": person})
            numbers[code] = done["invoice"]
    about = {"month": "2026-03", "case": str(contested.case_id), "reason": "readiness_contested", "explanation": "Inte klar"}
    dispute = await post("municipality", "/v1/disputes", about | {"acted_by": "D Test"})
    wish = {"profiles": ["law-2018"], "from": "2026-01", "to": "2026-06", "acted_by": "D Test"}
    simulation = await post("municipality", "/v1/simulations", wish)
    async with database.transaction() as work:
        comparison = await compare_month(work, TheirMonth(Month.parse("2026-03"), "5f" * 32, 0, [], []), "test")
    await database.close()
    await system.number("billing")
    return {
        "number": numbers["1480"],
        "stay": str(stay.case_id),
        "dispute_id": dispute["id"],
        "simulation_id": simulation["id"],
        "comparison_id": str(comparison.row.id),
        "debtor_number": "2120001355",
    }


KEPT_FOR_THE_DEBTOR: Final = (
    ("POST", "/v1/subscriptions", "subscription_id"),
    ("POST", "/v1/digests", "digest_id"),
    ("PUT", "/v1/contacts", ""),
)


async def notification_things(system: System, client: httpx.AsyncClient, document: dict[str, Any]) -> dict[str, str]:
    made = {"delivery_id": NOWHERE, "digest_id": NOWHERE, "contact": "samordning@kommun.se"}
    for method, path, name in KEPT_FOR_THE_DEBTOR:
        if method.lower() not in document["paths"].get(path, {}):
            continue
        _, example = examples_of(document, document["paths"][path][method.lower()])[0]
        answer = await client.request(method, path, json=example, headers=sending(system, "municipality", BY_TEMPLATE[method, path]))
        if answer.is_success and name:
            made[name] = answer.json()["id"]
    log = f"/v1/subscriptions/{made['subscription_id']}"
    await client.post(f"{log}/test", headers=sending(system, "municipality", BY_TEMPLATE["POST", "/v1/plans"]))
    answer = await client.get(f"{log}/deliveries", headers=sending(system, "municipality", BY_TEMPLATE["GET", "/v1/cases"]))
    deliveries = answer.json().get("deliveries", []) if answer.is_success else []
    made |= {"delivery_id": deliveries[0]["id"]} if deliveries else {}
    made |= await nobody_took_on(system, escalation="municipality", care_escalation="care")
    return made | await kept_for_the_care_centre(system, client)


async def nobody_took_on(system: System, **owners: str) -> dict[str, str]:
    """A notice of each of them that nobody acknowledged in time, as planning would tell; what is named is the notice."""
    made = {}
    database = Database(system.database_url("notifications"))
    for name, who in owners.items():
        claims = CLAIMS[who]
        unit, notice_id, at = str(claims["units"][0]), uuid7(), now()
        fact = NoticeEscalated(
            notice_id=notice_id,
            notice_type="notice.admission",
            mailbox=str(uuid7()),
            organisation=claims.get("org", REGION),
            unit=f"{unit}E1" if unit.endswith("-") else unit,
            step="contact",
            sent_at=at,
            due_at=at,
            escalated_at=at,
        )
        async with database.transaction() as work:
            await hear_escalations(work, [Delivered(1, uuid7(), None, fact)])
        made[name] = str(notice_id)
    await database.close()
    return made


async def kept_for_the_care_centre(system: System, client: httpx.AsyncClient) -> dict[str, str]:
    """The same of one unit of an organisation that has many: its neighbours there are told nothing of it either."""
    headers = {"Authorization": f"Bearer {system.token(sub='care', demo=True, **CLAIMS['care'])}"}
    made = {"care_contact": "vardcentralen@region.se"}
    for name, method, path, body in (
        ("care_subscription_id", "POST", "/v1/subscriptions", {"url": "https://hooks.kommun.se/dirigent"}),
        ("care_digest_id", "POST", "/v1/digests", {"email": "sammanfattning@region.se", "at": "07:30"}),
        ("", "PUT", "/v1/contacts", {"contacts": [{"email": made["care_contact"]}]}),
    ):
        answer = await client.request(method, path, json=body, headers=headers | {"Idempotency-Key": str(uuid7())})
        assert answer.is_success, answer.text
        made |= {name: answer.json()["id"]} if name else {}
    return made
