"""What must hold of every public route, asked of all of them."""

import base64
import json
from pathlib import Path

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from shared.http.access import ROUTES, SCOPES, Route
from tests.contract.system import ENDLESS, System, headers_of, path_of

BAD_BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no json": b"{",
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "1e400": b'{"a": 1e400}',
    "duplicate keys": b'{"a": 1, "a": 2}',
    "deep": b"[" * 100_000,
    "17 levels": b"[" * 17 + b"]" * 17,
    "NUL": b'{"a": "\\u0000"}',
    "raw NUL": b'{"a": "\x00"}',
    "lone surrogate": b'{"a": "\\ud800"}',
    "bad UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "BOM": b"\xef\xbb\xbf{}",
}
WRONG_BODIES: dict[str, bytes] = {
    "array": b"[]",
    "null": b"null",
    "number": b"1",
    "string": b'"a"',
    "huge integer": b'{"a": 123456789012345678901234567890}',
    "unknown field": b'{"person_number_189001019802": 1}',
    "wrong kinds": b'{"id": true, "month": 7, "calculation": [], "actions": {}, "person": "x", "url": null, "specversion": 1}',
    "bidi": '{"reason": "\u202eabc", "id": "\u202e"}'.encode(),
}
ODD_QUERIES = (
    "after=-1",
    "after=abc",
    "after=9223372036854775808",
    "after=99999999999999999999",
    "after=100000000000000000000",
    "limit=0",
    "limit=100000",
    "limit=1e3",
    "wait=-1",
    "wait=nan",
    "wait=inf",
    "epoch=-1",
    "epoch=99999999999999999999",
    "through=-1",
    "through=x",
    "month=2026-13",
    "month=0000-01",
    "month=%00",
    "from=x&to=y",
    "known_at=yesterday",
    "known_at=9999-12-31T23:59:59Z",
    "unit=%00",
    "type=%F0%9F%98%80",
    "mailbox=%00",
    "mailbox=x",
    "state=%27%3B--",
    "after=%EF%BC%91",
    "before=1",
    "%00=1",
    "a=1&a=2",
)


def names(route: Route) -> str:
    return f"{route.method} {route.path}"


def ending(route: Route) -> str:
    """A path of a route that answers to its end."""
    return path_of(route) + ("?seconds=0" if route.path in ENDLESS else "")


def code_of(answer: httpx.Response) -> object:
    """The problem's code; on FHIR's routes it stands in an OperationOutcome, and there is none in what is no problem."""
    if not answer.headers.get("content-type", "").startswith(("application/problem+json", "application/fhir+json")):
        return None
    problem = answer.json()
    if problem.get("resourceType") == "OperationOutcome":
        return problem["issue"][0]["details"]["coding"][0]["code"]
    return problem.get("code")


async def test_no_route_lets_a_bad_token_in_or_says_what_was_wrong_with_it(system: System, tmp_path: Path) -> None:
    public = (tmp_path / "TOKEN_KEYS_FILE").read_bytes()
    good = system.token()
    head, payload, signature = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=").decode()
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    confused = jwt.encode({"alg": "HS256", "typ": "at+jwt"}, claims, OctKey.import_key(public), algorithms=["HS256"])
    stranger = ECKey.generate_key("P-256")
    bad = {
        "none at all": None,
        "alg none": f"Bearer {none}.{payload}.",
        "HS256 with the public key": f"Bearer {confused}",
        "another key": "Bearer " + jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": system.key.kid}, claims, stranger),
        "expired": f"Bearer {system.token(iat=1, exp=2)}",
        "no exp": f"Bearer {system.token(without='exp')}",
        "no aud": f"Bearer {system.token(without='aud')}",
        "wrong aud": f"Bearer {system.token(aud='https://other.test')}",
        "wrong iss": f"Bearer {system.token(iss='https://other.test')}",
        "no org": f"Bearer {system.token(without='org')}",
        "id token": f"Bearer {system.token(header={'typ': 'JWT'})}",
        "jku": f"Bearer {system.token(header={'jku': 'https://evil.test'})}",
        "altered": f"Bearer {head}.{payload[:-2]}AA.{signature}",
        "truncated": f"Bearer {good[:-1]}",
        "basic": "Basic Y29udHJhY3Q6c2VjcmV0",
        "twice": f"Bearer {good} {good}",
        "huge": "Bearer " + "a" * 5_000,
    }
    async with system.opened():
        for place, route in enumerate(ROUTES):
            client = system.client(f"10.0.0.{place}")  # so many failures from one address would be refused for being many
            for name, authorization in bad.items():
                headers = {"Authorization": authorization} if authorization else {}
                answer = await client.request(route.method, path_of(route), headers=headers, content=b"{}")
                assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid"), f"{names(route)} with {name}"
                assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_every_route_wants_one_of_its_scopes_and_no_other(system: System) -> None:
    async with system.opened() as client:
        for route in ROUTES:
            others = system.token(SCOPES - set(route.scopes))
            body = b"{}" if route.method in {"POST", "PUT"} else b""
            refused = await client.request(route.method, ending(route), headers=headers_of(route, others), content=body)
            assert (refused.status_code, code_of(refused)) == (403, "access.denied"), names(route)
            for scope in route.scopes:
                one = await client.request(route.method, ending(route), headers=headers_of(route, system.token([scope])), content=body)
                assert one.status_code not in {401, 403} or code_of(one) != "access.denied" or route.roles, f"{names(route)} {scope}"


async def test_a_route_that_wants_an_idempotency_key_does_nothing_without_one(system: System) -> None:
    async with system.opened() as client:
        for route in (route for route in ROUTES if route.idempotency_key):
            headers = headers_of(route, system.token())
            del headers["Idempotency-Key"]
            answer = await client.request(route.method, path_of(route), headers=headers, content=b"{}")
            assert (answer.status_code, answer.json()["code"]) == (400, "idempotency.key_missing"), names(route)


async def test_no_body_makes_a_5xx_and_what_cannot_be_read_is_400(system: System) -> None:
    wrong: list[str] = []
    async with system.opened() as client:
        for route in (route for route in ROUTES if route.method in {"POST", "PUT"}):
            for name, body in (BAD_BODIES | WRONG_BODIES).items():
                answer = await client.request(route.method, path_of(route), headers=headers_of(route, system.token()), content=body)
                if not 200 <= answer.status_code < 500:
                    wrong.append(f"{names(route)} {name}: {answer.status_code}")
                if name in BAD_BODIES and _reads_json(system, route) and code_of(answer) != "json.unreadable":
                    wrong.append(f"{names(route)} {name}: {code_of(answer)}")
    assert not wrong


async def test_the_name_of_an_unknown_field_is_not_repeated(system: System) -> None:
    person = "189001019802"
    wrong: list[str] = []
    async with system.opened() as client:
        for route in (route for route in ROUTES if route.method in {"POST", "PUT"} and _reads_json(system, route)):
            body = f'{{"{person}": 1, "person": {{"{person}": "{person}"}}}}'
            answer = await client.request(route.method, path_of(route), headers=headers_of(route, system.token()), content=body)
            if answer.status_code not in {400, 422} or person in answer.text:
                wrong.append(f"{names(route)}: {answer.status_code} {answer.text}")
    assert not wrong


def _reads_json(system: System, route: Route) -> bool:
    return _reads_a_body(system, route) and "application/json" in route.content_types


def _reads_a_body(system: System, route: Route) -> bool:
    item = system.services[route.service].openapi()["paths"][route.path]
    return "requestBody" in item[route.method.lower()]


async def test_no_parameter_makes_a_5xx(system: System) -> None:
    wrong: list[str] = []
    async with system.opened() as client:
        for route in (route for route in ROUTES if route.method == "GET"):
            for query in ODD_QUERIES:
                answer = await client.get(f"{path_of(route)}?{query}", headers=headers_of(route, system.token()))
                if answer.status_code >= 500:
                    wrong.append(f"{names(route)}?{query}: {answer.status_code}")
    assert not wrong


async def test_what_a_route_does_not_take_or_takes_once_is_refused_in_its_query(system: System) -> None:
    wrong: list[str] = []
    async with system.opened() as client:
        for route in ROUTES:
            body = b"{}" if route.method in {"POST", "PUT"} else b""
            for query in ("unknown=1", "189001019802=1", "after=1&after=2", "after=1_0", "after=%2B1", "after=%201", "after=0&x"):
                answer = await client.request(
                    route.method, f"{path_of(route)}?{query}", headers=headers_of(route, system.token()), content=body
                )
                if (answer.status_code, code_of(answer)) != (400, "request.parameter_invalid") or "189001019802" in answer.text:
                    wrong.append(f"{names(route)}?{query}: {answer.status_code} {answer.text}")
    assert not wrong


async def test_no_name_that_nobody_can_see_is_taken(system: System) -> None:
    async with system.opened() as client:
        for path in ("/v1/notices/01890a5d-ac96-774b-bcce-b302099a8057/acknowledgement", "/v1/months/2026-10/1480/prepare"):
            field = "acknowledged_by" if "notices" in path else "acted_by"
            for name in (" ", "\u200b", "Anna\u200bTest", "\u3164", "\u202eanna"):
                headers = {"Authorization": f"Bearer {system.token()}", "Idempotency-Key": "k"}
                answer = await client.post(path, json={field: name}, headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (422, "request.malformed"), (path, ascii(name))
                assert answer.json()["errors"][0]["pointer"] == f"/{field}"
                assert answer.json()["errors"][0]["code"] in {"text.blank", "text.not_printable"}


async def test_a_batch_that_is_wrong_all_over_gets_a_small_answer_soon(system: System) -> None:
    few = [{f"k{number}": 1 for number in range(60)}] * 900
    many = [{f"k{number}": 1 for number in range(800)}] * 450
    headers = {"Authorization": f"Bearer {system.token()}"}
    async with system.opened() as client:
        answer = await client.post("/v1/events/batch", json=few, headers=headers)
        assert answer.status_code == 200
        assert {outcome["problem"]["code"] for outcome in answer.json()["outcomes"]} <= {"event.invalid", "event.type_unknown"}
        assert len(answer.content) < 600 * len(few)
        refused = await client.post("/v1/events/batch", json=many, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (400, "json.unreadable")


async def test_no_path_parameter_makes_a_5xx(system: System) -> None:
    async with system.opened() as client:
        for route in (route for route in ROUTES if "{" in route.path):
            for odd in ("x", "-1", "0", "9" * 40, "2026-99", "1999", "..a", "null", "A" * 300):
                path = "/".join(odd if part.startswith("{") else part for part in route.path.split("/"))
                answer = await client.request(route.method, path, headers=headers_of(route, system.token()), content=b"{}")
                assert 400 <= answer.status_code < 500, f"{names(route)} {odd}: {answer.status_code}"


async def test_a_content_type_that_is_not_taken_is_415(system: System) -> None:
    async with system.opened() as client:
        for route in (route for route in ROUTES if route.method in {"POST", "PUT"} and _reads_a_body(system, route)):
            for kind in {"text/plain", "application/xml", "multipart/form-data", ""} - set(route.content_types):
                headers = headers_of(route, system.token()) | {"Content-Type": kind}
                answer = await client.request(route.method, path_of(route), headers=headers, content=b"{}")
                assert (answer.status_code, answer.json()["code"]) == (415, "request.content_type"), f"{names(route)} {kind}"


async def test_a_person_number_that_should_not_be_there_never_reaches_a_log(system: System, capfd: pytest.CaptureFixture[str]) -> None:
    person = "189001019802"
    async with system.opened() as client:
        headers = {"Authorization": f"Bearer {system.token()}", "X-Request-Id": person, "Idempotency-Key": person, "User-Agent": person}
        for path in (f"/v1/cases/{person}", f"/v1/{person}", f"/v1/cases?state={person}", f"/problems/{person}", f"/docs?q={person}"):
            await client.get(path, headers=headers)
        body = f'{{"person": {{"type": "personnummer", "id": "{person}x"}}}}'
        answer = await client.post("/v1/cases/search", content=body, headers=headers | {"Content-Type": "application/json"})
        assert answer.status_code == 422
        assert person not in (await client.get("/metrics")).text
    printed = capfd.readouterr()
    assert person not in printed.out + printed.err
