"""Bad input as `promises.md` lists it: every line of that list in order, each with the answer it must get, over the public interface.

What is asked of every route stands elsewhere: tokens and spoofed headers in `test_door.py` and `tests/integration/gateway`, foreign ids in
`test_isolation.py`, targets that change their mind in `tests/integration/notifications`, a credit above the rest in billing's tests (no
request can ask for one). Here stands one row for each thing that somebody might send, so that the list can be read beside the promise. No
answer repeats what was sent.
"""

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from stdnum import luhn

from services.gateway.clients import Client, register_client
from shared.dates import now
from shared.identifiers import uuid7
from tests.adt import a_reservnummer, answer_of
from tests.builders import a_ward_event
from tests.contract.system import PUBLIC_URL, REGION, System
from tests.contract.test_door import BAD_BODIES, code_of
from tests.contract.test_examples import county, token_for

EVENTS, SEARCH, SUBSCRIPTIONS = "/v1/events", "/v1/cases/search", "/v1/subscriptions"
HL7V2, FHIR = "/v1/hl7v2", "/v1/fhir/$process-message"
JSON, CLOUD_EVENT = "application/json", "application/cloudevents+json"
CANARY = "189001019802"
TOO_LARGE = b'{"a": "' + b"x" * (1 << 20) + b'"}'


@dataclass(frozen=True)
class Sent:
    """One thing sent, and the answer it must get; `code` is the problem's, or the first field's after a colon."""

    what: str
    status: int
    code: str
    path: str = EVENTS
    body: bytes = b"{}"
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    who: str = "region"


def event(**members: Any) -> bytes:
    return json.dumps(a_ward_event() | {"id": str(uuid7())} | members).encode()


def admission(**data: Any) -> bytes:
    stated = a_ward_event()
    return json.dumps(stated | {"id": str(uuid7()), "data": stated["data"] | data}).encode()


def person(kind: str, number: str) -> bytes:
    return json.dumps({"person": {"type": kind, "id": number}}).encode()


def unreadable() -> Iterable[Sent]:
    """NaN, Infinity, 1e400, duplicate keys, 100 000 nested brackets, 17 levels, NUL, lone surrogates, bad UTF-8, UTF-16, BOM → 400."""
    for path in (EVENTS, "/v1/events/batch", SEARCH, SUBSCRIPTIONS, "/v1/tariffs"):
        for name, body in BAD_BODIES.items():
            yield Sent(f"{name} to {path}", 400, "json.unreadable", path, body)


def too_large_or_of_another_kind() -> Iterable[Sent]:
    """Body over the limit, with and without Content-Length → 413. Wrong or missing content type, gzip → 415."""
    yield Sent("over the limit, length stated", 413, "request.too_large", body=TOO_LARGE)
    yield Sent("over the limit, chunked", 413, "request.too_large", body=TOO_LARGE, headers={"Transfer-Encoding": "chunked"})
    for kind in ("", "text/plain", "application/xml", "application/json; charset=utf-16", "multipart/form-data; boundary=x"):
        yield Sent(f"content type {kind!r}", 415, "request.content_type", headers={"Content-Type": kind})
    yield Sent("gzip", 415, "request.content_type", headers={"Content-Encoding": "gzip"})
    yield Sent("a length besides chunks", 400, "request.framing", headers={"Transfer-Encoding": "chunked", "Content-Length": "2"})


def wrong_fields() -> Iterable[Sent]:
    """Unknown field, true or "7" for a number, naive time, epoch number, year 1 or 9999, control characters or bidi overrides → 422."""
    yield Sent("unknown field", 422, "event.invalid:unknown_field", body=event(colour="red"))
    yield Sent("unknown field in data", 422, "event.invalid:unknown_field", body=admission(colour="red"))
    for name, number in (("true", True), ("text", "7"), ("fraction", 7.5)):
        body = json.dumps({"calculation": {"version": number, "sha256": "5f" * 32}, "acted_by": "Anna Test"}).encode()
        yield Sent(f"{name} for a number", 422, "request.malformed:type", "/v1/months/2026-10/1480/publish", body)
    times: tuple[object, ...] = (
        "2026-11-03T14:05:00",
        1_793_712_300,
        "1793712300",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2026-11-03 14:05:00+01:00",
        "2026-02-30T10:00:00Z",
        "2026-11-03T14:05:00+25:00",
        "２０２６-11-03T14:05:00Z",
        None,
        True,
    )
    for time in times:
        yield Sent(f"time {time}", 422, "event.invalid:time.format", body=event(time=time))
    for name, text in (("control", "a\u0007b"), ("bidi", "a\u202eb"), ("line separator", "a\u2028b"), ("tag", "a\U000e0041b")):
        named = a_person(name={"given": text, "family": "Testsson"})
        yield Sent(f"{name} in a name", 422, "event.invalid:text.not_printable", body=admission(person=named))


def a_person(**changes: Any) -> dict[str, Any]:
    known: dict[str, Any] = a_ward_event()["data"]["person"]
    return known | changes


def numbered(eleven: str) -> str:
    """A number with the check digit that belongs to it, so that something else must be what is wrong with it."""
    return eleven + str(luhn.calc_check_digit(eleven[2:]))


def wrong_persons() -> Iterable[Sent]:
    """Wrong check digit, 30 February, future date, birth number 000, other digits, blanks, one kind sent as another → 422."""
    assert numbered(CANARY[:-1]) == CANARY, "the check digits are right where nothing else is said"
    wrong = {
        "wrong check digit": ("personnummer", "189001019803", "person_id.check_digit"),
        "wrong check digit of a samordningsnummer": ("samordningsnummer", "189001619808", "person_id.check_digit"),
        "30 February": ("personnummer", numbered("18900230980"), "person_id.date"),
        "90 February": ("samordningsnummer", numbered("18900290980"), "person_id.date"),
        "29 February of no leap year": ("personnummer", numbered("19000229980"), "person_id.date"),
        "future date": ("personnummer", numbered("20990101980"), "person_id.date"),
        "birth number 000": ("personnummer", numbered("18900101000"), "person_id.birth_number"),
        "full-width digits": ("personnummer", "１８９００１０１９８０２", "person_id.format"),
        "Arabic-Indic digits": ("personnummer", "١٨٩٠٠١٠١٩٨٠٢", "person_id.format"),
        "blank before": ("personnummer", " 189001019802", "too_long"),
        "blank after": ("personnummer", "189001019802 ", "too_long"),
        "newline after": ("personnummer", "189001019802\n", "too_long"),
        "blanks for the century": ("personnummer", "  9001019802", "person_id.format"),
        "newline for the check digit": ("personnummer", "18900101980\n", "person_id.format"),
        "hyphen": ("personnummer", "18900101-9802", "too_long"),
        "hyphen without century": ("personnummer", "900101-9802", "person_id.format"),
        "without century": ("personnummer", "9001019802", "person_id.format"),
        "samordningsnummer as personnummer": ("personnummer", numbered("18900161980"), "person_id.date"),
        "personnummer as samordningsnummer": ("samordningsnummer", CANARY, "person_id.date"),
        "personnummer as reservnummer": ("reservnummer", CANARY, "person_id.format"),
        "reservnummer as personnummer": ("personnummer", a_reservnummer(), "person_id.format"),
        "empty": ("personnummer", "", "person_id.format"),
        "unknown kind": ("passport", CANARY, "not_allowed"),
    }
    for name, (kind, number, code) in wrong.items():
        yield Sent(f"{name}, searched", 422, f"request.malformed:{code}", SEARCH, person(kind, number))
        yield Sent(f"{name}, admitted", 422, f"event.invalid:{code}", body=admission(person=a_person(type=kind, id=number)))


def right_persons() -> Iterable[Sent]:
    """The control of those that are wrong: each kind of number by its own name."""
    yield from (
        Sent(f"{kind}, searched", 200, "", SEARCH, person(kind, number))
        for kind, number in (
            ("personnummer", CANARY),
            ("samordningsnummer", numbered("18900161980")),
            ("reservnummer", a_reservnummer()),
            ("personnummer", numbered("19000228980")),
        )
    )


def wrong_units_and_positions() -> Iterable[Sent]:
    """HSA-id with å ä ö, 32 characters or lower-case prefix → 422. Cursor −1, abc, 10^20; limit 0 or 100 000 → 400.

    Every other parameter of every other address: `test_query_parameters.py`.
    """
    for unit in ("SE2321000131-Å1", "SE2321000131-" + "A" * 19, "se2321000131-E1", "SE2321000131-", "NO2321000131-E1"):
        yield Sent(f"unit {unit}", 422, "event.invalid:format", body=event(source=f"urn:hsa:{unit}"))
    yield Sent("unit of no organisation", 422, "event.invalid:hsa_id.check_digit", body=event(source="urn:hsa:SE2321000132-E1"))
    for path in ("/v1/notices", "/v1/invoices"):
        for query in ("after=-1", "after=abc", f"after={10**20}", "limit=7.0"):
            yield Sent(f"{path}?{query}", 400, "request.parameter_invalid:format", f"{path}?{query}", b"", "GET")
        for query in ("limit=0", "limit=100000"):
            yield Sent(f"{path}?{query}", 400, "request.parameter_invalid:out_of_range", f"{path}?{query}", b"", "GET")


def wrong_targets() -> Iterable[Sent]:
    """Webhook URL http, loopback, private, decimal or mapped IPv6, userinfo, odd port → 422 at registration."""
    wrong = {
        "url_not_https": ("http://hooks.kommun.se/",),
        "url_not_public": ("https://localhost/",),
        "url_not_a_name": (
            "https://127.0.0.1/",
            "https://10.1.2.3/",
            "https://192.168.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[fe80::1]/",
        ),
        "url_with_credentials": ("https://user:secret@hooks.kommun.se/",),
        "url_port_not_allowed": ("https://hooks.kommun.se:8443/",),
        "url_with_fragment": ("https://hooks.kommun.se/#part",),
        "url_malformed": (
            "https://hooks.kommun.se\\@127.0.0.1/",
            "ftp://hooks.kommun.se/",
            "file:///etc/passwd",
            "gopher://hooks.kommun.se/",
            "javascript:alert(1)",
            "",
        ),
    }
    for code, urls in wrong.items():
        for url in urls:
            yield Sent(f"target {url}", 422, f"request.malformed:{code}", SUBSCRIPTIONS, json.dumps({"url": url}).encode())


def naming(address: str) -> bytes:
    """A document whose one entity stands at an address."""
    return f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "{address}">]><a>&x;</a>'.encode()


def foreign_markup() -> Iterable[Sent]:
    """HL7/XML with DOCTYPE, entities, missing MSH → negative ACK or 400, no outbound packet."""
    entity = naming("http://127.0.0.1:9/")
    for name, body in (("entities", entity), ("no MSH", b"PID|1||189001019802\r"), ("nothing", b""), ("bytes", b"\xff\xfe\x00\x01")):
        yield Sent(f"HL7 of {name}", 400, "hl7.unreadable", HL7V2, body, headers={"Content-Type": "application/hl7-v2"})
    said = b"MSH|^~\\&|" + entity
    yield Sent("HL7 with a header and entities", 200, "AR:hl7.type_unknown", HL7V2, said, headers={"Content-Type": "application/hl7-v2"})
    yield Sent("HL7 as XML", 415, "request.content_type", HL7V2, entity, headers={"Content-Type": "application/xml"})
    yield Sent("FHIR as XML", 415, "request.content_type", FHIR, entity, headers={"Content-Type": "application/fhir+xml"})
    yield Sent("FHIR of entities", 400, "json.unreadable", FHIR, entity, headers={"Content-Type": "application/fhir+json"})


def against_the_rules() -> Iterable[Sent]:
    """Approving an outdated version → 409."""
    body = json.dumps({"calculation": {"version": 9, "sha256": "5f" * 32}, "acted_by": "Anna Test"}).encode()
    for step in ("publish", "approve", "issue"):
        yield Sent(f"{step} what is no longer so", 409, "calculation.outdated", f"/v1/months/2026-10/1480/{step}", body)


TABLE: dict[str, Callable[[], Iterable[Sent]]] = {
    "unreadable": unreadable,
    "size and kind": too_large_or_of_another_kind,
    "fields": wrong_fields,
    "persons": wrong_persons,
    "persons as they should be": right_persons,
    "units and positions": wrong_units_and_positions,
    "webhook targets": wrong_targets,
    "markup": foreign_markup,
    "rules": against_the_rules,
}


@pytest.mark.parametrize("name", TABLE)
async def test_bad_input_gets_the_answer_that_was_promised(system: System, name: str) -> None:
    wrong: list[str] = []
    async with county(system) as client:
        for sent in TABLE[name]():
            answer = await send(client, system, sent)
            if not as_promised(sent, answer):
                wrong.append(f"{sent.what}: {answer.status_code} {answer.text[:300]}")
            if CANARY in answer.text:
                wrong.append(f"{sent.what} is repeated")
        after = await client.get("/v1/cases", headers={"Authorization": f"Bearer {token_for(system, 'region')}"})
        assert after.json()["cases"] == [], "what was refused left something behind"
    assert wrong == []


async def send(client: httpx.AsyncClient, system: System, sent: Sent, token: str = "") -> httpx.Response:
    kind = CLOUD_EVENT if sent.path == EVENTS else JSON
    headers = {
        "Authorization": f"Bearer {token or token_for(system, sent.who)}",
        "Idempotency-Key": str(uuid7()),
        "Content-Type": kind,
    } | sent.headers
    headers = {key: value for key, value in headers.items() if value}
    content: Any = sent.body
    if sent.headers.get("Transfer-Encoding") == "chunked":

        async def chunks() -> Any:
            for at in range(0, len(sent.body), 65_536):
                yield sent.body[at : at + 65_536]

        content = chunks()
    return await client.request(sent.method, sent.path, headers=headers, content=content)


def as_promised(sent: Sent, answer: httpx.Response) -> bool:
    """Whether the answer has that status, that code, and that code of its first field where one was promised."""
    code, _, of_field = sent.code.partition(":")
    return answer.status_code == sent.status and (not code or said(answer) == (code, of_field))


def said(answer: httpx.Response) -> tuple[object, str]:
    """The code of a refusal and that of the first field it names; of an acknowledgement the same."""
    if answer.headers["content-type"].startswith("application/hl7-v2"):
        acknowledged, remarks = answer_of(answer.content)
        return acknowledged, remarks[0][2]
    errors = [] if "fhir" in answer.headers["content-type"] else answer.json().get("errors", [])
    return code_of(answer), errors[0]["code"] if errors else ""


def test_a_promised_code_of_a_field_is_looked_at() -> None:
    """The control of the whole table."""
    problem = {"code": "event.invalid", "errors": [{"pointer": "/time", "code": "time.format"}]}
    answer = httpx.Response(422, json=problem, headers={"Content-Type": "application/problem+json"})
    assert as_promised(Sent("", 422, "event.invalid:time.format"), answer)
    for status, code in (
        (400, "event.invalid:time.format"),
        (422, "event.invalid:missing"),
        (422, "event.invalid"),
        (422, "other:time.format"),
    ):
        assert not as_promised(Sent("", status, code), answer)


async def test_a_time_inside_the_spring_gap_with_a_valid_offset_is_fine(system: System) -> None:
    async with county(system) as client:
        for time in ("2026-03-29T02:30:00+01:00", "2026-03-29T02:30:00+02:00", "2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00"):
            headers = {"Authorization": f"Bearer {token_for(system, 'region')}", "Content-Type": CLOUD_EVENT}
            answer = await client.post(EVENTS, content=event(time=time, subject=time), headers=headers)
            assert answer.status_code == 201, answer.text


async def test_the_same_id_with_another_body_is_refused_and_the_first_stands(system: System) -> None:
    async with county(system) as client:
        headers = {"Authorization": f"Bearer {token_for(system, 'region')}", "Content-Type": CLOUD_EVENT}
        first = await client.post(EVENTS, json=a_ward_event(), headers=headers)
        other = a_ward_event() | {"time": "2026-11-03T14:06:00+01:00"}
        refused = await client.post(EVENTS, json=other, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (422, "event.id_reused")
        again = await client.post(EVENTS, json=a_ward_event(), headers=headers)
        assert (again.status_code, again.content) == (200, first.content)


async def test_the_same_key_with_another_body_is_refused(system: System) -> None:
    async with county(system) as client:
        headers = {"Authorization": f"Bearer {token_for(system, 'region')}", "Idempotency-Key": "one"}
        first = {"url": "https://hooks.kommun.se/one"}
        assert (await client.post(SUBSCRIPTIONS, json=first, headers=headers)).status_code == 201
        other = await client.post(SUBSCRIPTIONS, json={"url": "https://hooks.kommun.se/two"}, headers=headers)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency.key_reused")


async def test_nobody_approves_a_price_of_her_own(system: System) -> None:
    async with county(system) as client:
        headers = {"Authorization": f"Bearer {token_for(system, 'region')}"}
        price = {"amount": "12500.00", "currency": "SEK"}
        body = {"first": "2027-01-01", "last": "2027-12-31", "price": price, "source": "made up", "acted_by": "Anna Test"}
        made = await client.post("/v1/tariffs", json=body, headers=headers | {"Idempotency-Key": "1"})
        assert made.status_code == 201, made.text
        for key, name in enumerate(("Anna Test", "anna  TEST", "Test, Anna", "Аnna Test")):
            path = f"/v1/tariffs/{made.json()['id']}/approval"
            refused = await client.post(path, json={"acted_by": name}, headers=headers | {"Idempotency-Key": f"a{key}"})
            assert (refused.status_code, refused.json()["code"]) == (409, "tariff.same_person"), name


async def test_a_used_assertion_is_refused_like_any_other_wrong_one(system: System) -> None:
    key = ECKey.generate_key("P-256", {"kid": "own"})
    audience = f"{PUBLIC_URL}/oauth2/token"
    at = int(now().timestamp())
    claims = {"iss": "ward", "sub": "ward", "aud": audience, "iat": at, "exp": at + 60, "jti": "once"}
    assertion = jwt.encode({"alg": "ES256", "kid": "own"}, claims, key, algorithms=["ES256"])
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    async with county(system) as client:
        async with system.gateway.state.database.transaction() as work:
            keys = {"keys": [key.as_dict(private=False)]}
            await register_client(work, Client("ward", REGION, (f"SE{REGION}-",), "ward", ("events:write",), public_keys=keys))
        assert (await client.post("/oauth2/token", data=form)).status_code == 200
        again = await client.post("/oauth2/token", data=form)
        head, payload, _ = assertion.split(".")
        unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        for wrong in (f"{unsigned}.{payload}.", f"{head}.{payload}.AAAA", "x.y.z", ""):
            refused = await client.post("/oauth2/token", data=form | {"client_assertion": wrong})
            assert (refused.status_code, refused.content) == (again.status_code, again.content), wrong
        assert again.status_code == 401
