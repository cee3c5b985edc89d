"""Requests made up from the OpenAPI document, valid and invalid, sent to the whole system over real HTTP (P15).

No answer may be a 5xx, every answer must be one that the document tells of, and its body must have the form told there. A hundred and more
requests are made of each operation with `DIRIGENT_GENERATED_REQUESTS=100`.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from dirigent.supervisor.sockets import listen, url_of
from services.gateway.app import build_document
from shared.http.feed_query import MAX_WAIT_SECONDS
from tests.contract.system import PATIENCE, PUBLIC_URL, System
from tests.contract.test_examples import token_for

REQUESTS = int(os.environ.get("DIRIGENT_GENERATED_REQUESTS", "3"))
SECONDS = PATIENCE
CHECKS: list[Callable[..., Any]] = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# A stream has no end to wait for.
ENDLESS = {("GET", "/v1/stream")}


class Served:
    """The system behind a socket, its event loop in a thread of its own: the generator of requests waits for each answer."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._socket = listen("127.0.0.1", 0)
        self._server = uvicorn.Server(uvicorn.Config(system.gateway, lifespan="on", log_level="critical", timeout_graceful_shutdown=1))
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve(sockets=[self._socket])))
        self.url = url_of(self._socket)

    def start(self) -> None:
        self._thread.start()
        requests.get(f"{self.url}/health/live", timeout=SECONDS).raise_for_status()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(SECONDS)
        self._socket.close()


@pytest.fixture
def served(system: System) -> Iterator[Served]:
    running = Served(system)
    running.start()
    yield running
    running.stop()


def asking(operation: Any, mode: GenerationMode, url: str, session: requests.Session) -> Callable[[], None]:
    """A run of requests to one operation, each answer held against the document."""

    @settings(
        max_examples=REQUESTS,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def ask(case: Case[Any]) -> None:
        patience = SECONDS + asked_to_wait(case)
        answer = case.call(base_url=url, session=session, timeout=patience)  # so long for each piece of it
        assert answer.elapsed < patience, f"answered after {answer.elapsed:.1f} s"
        case.validate_response(answer, checks=CHECKS)

    return ask


def asked_to_wait(case: Case[Any]) -> float:
    """How long a request itself asks to be kept waiting, if anybody listens to that."""
    try:
        wait = float((case.query or {}).get("wait", 0))
    except (TypeError, ValueError):
        return 0
    return wait if 0 <= wait <= MAX_WAIT_SECONDS else 0


def impatient(document: dict[str, Any]) -> dict[str, Any]:
    """The same document, by which nobody asks for a long poll: there is nothing to be told of here, and it would last to its end."""
    for item in document["paths"].values():
        for operation in item.values():
            for one in operation.get("parameters", ()):
                if one["name"] == "wait":
                    one["schema"]["maximum"] = 0.1
    return document


def test_no_generated_request_gets_an_answer_that_the_document_does_not_tell_of(system: System, served: Served) -> None:
    document = impatient(build_document(system.gateway, system.services, PUBLIC_URL))
    schema = schemathesis.openapi.from_dict(document)
    everything = [(method.upper(), path) for path, item in document["paths"].items() for method in item]
    wrong: dict[str, str] = {}
    session = requests.Session()
    session.trust_env = False
    for who in ("region", "municipality"):
        session.headers["Authorization"] = f"Bearer {token_for(system, who)}"
        for method, path in everything:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                if (method, path) in ENDLESS:
                    continue
                try:
                    asking(schema[path][method], mode, served.url, session)()
                except Unsatisfiable:
                    continue  # an operation that takes nothing cannot be asked wrongly
                except (Exception, FailureGroup) as error:  # noqa: BLE001  # told of with all the others
                    wrong[f"{method} {path} ({mode.value}, {who})"] = str(error)[:2000]
    assert not wrong, "\n\n".join(f"{name}\n{told}" for name, told in wrong.items())


def test_an_answer_that_the_document_does_not_tell_of_is_found(system: System, served: Served) -> None:
    document = build_document(system.gateway, system.services, PUBLIC_URL)
    document["paths"]["/v1/organisations"]["get"]["responses"] = {"204": {"description": "never"}}
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token_for(system, 'region')}"
    operation = schemathesis.openapi.from_dict(document)["/v1/organisations"]["GET"]
    with pytest.raises(FailureGroup):
        asking(operation, GenerationMode.POSITIVE, served.url, session)()
