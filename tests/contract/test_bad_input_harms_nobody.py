"""What bad input must not do beside its answer: keep somebody waiting, call an address, read a file, or stay in memory (P15)."""

import asyncio
import gc
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from shared.http.access import ROUTES, Route
from tests.contract.system import Hung, Patient, System, headers_of, path_of
from tests.contract.test_bad_input import EVENTS, TABLE, send
from tests.contract.test_examples import county, token_for

SECRET: Final = "what stands in a file of this machine"
ROUNDS: Final = 3
MOST_LEFT: Final = 512 << 10
"""Bytes that may be left of all rounds: they hold 8 MB of bodies, and 30 kB were measured."""
MOST_AT_ONCE: Final = 16 << 20
"""Bytes that may be held for a moment; 1.5 MB were measured."""


class Overheard:
    """A listener that counts who connects."""

    def __init__(self) -> None:
        self.connections = 0
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Count, and answer anything, so that whoever asked believes it and goes on."""
        self.connections += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def overhearing() -> AsyncIterator[Overheard]:
    there = Overheard()
    server = await asyncio.start_server(there.answer, "127.0.0.1", 0)
    there.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        yield there
    finally:
        server.close()
        await server.wait_closed()


def documents(address: str, file: Path) -> Iterator[bytes]:
    """Every way a document has to name what stands elsewhere."""
    for place in (address, file.as_uri()):
        begin = '<?xml version="1.0"?>'
        yield f'{begin}<!DOCTYPE a [<!ENTITY x SYSTEM "{place}">]><a>&x;</a>'.encode()
        yield f'{begin}<!DOCTYPE a SYSTEM "{place}"><a/>'.encode()
        yield f'{begin}<!DOCTYPE a [<!ENTITY % x SYSTEM "{place}"> %x;]><a/>'.encode()
        yield f'{begin}<?xml-stylesheet href="{place}"?><a/>'.encode()
        yield f'<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="{place}" parse="text"/></a>'.encode()
        yield f'<a xmlns:s="http://www.w3.org/2001/XMLSchema-instance" s:schemaLocation="urn:a {place}"/>'.encode()
        yield f"MSH|^~\\&|{place}|SU|DIRIGENT||20261103140612||ADT^A01|1|P|2.5\rOBX|1|RP|{place}\r".encode()
        yield f'{{"$ref": "{place}", "resourceType": "Bundle", "link": [{{"relation": "next", "url": "{place}"}}]}}'.encode()
        yield f'{{"$schema": "{place}", "dataschema": "{place}", "@context": "{place}"}}'.encode()


KINDS: Final = ("application/xml", "text/xml", "application/fhir+xml", "application/hl7-v2+xml", "application/soap+xml")


async def test_no_document_makes_us_call_an_address_or_read_a_file(system: System, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    wrong: list[str] = []
    async with overhearing() as there, county(system) as client, httpx.AsyncClient(trust_env=False) as own:
        await own.get(there.url)
        assert there.connections == 1, "positive control: a connection is noticed"
        for route in (route for route in ROUTES if route.method in {"POST", "PUT"}):
            for body in documents(there.url, file):
                for kind in route.content_types:
                    answer = await client.request(route.method, path_of(route), headers=telling(system, route, kind), content=body)
                    if SECRET in answer.text or answer.status_code >= 500:
                        wrong.append(f"{route.method} {route.path} {kind} {body[:80]!r}: {answer.status_code}")
            for kind in KINDS:
                entity = next(documents(there.url, file))
                answer = await client.request(route.method, path_of(route), headers=telling(system, route, kind), content=entity)
                if answer.status_code not in {404, 415}:
                    wrong.append(f"{route.method} {route.path} {kind}: {answer.status_code}")
        pointed = {"Authorization": f"Bearer {system.token(header={'jku': there.url, 'x5u': there.url})}", "Referer": there.url}
        assert (await client.get("/v1/cases", headers=pointed)).status_code == 401
        await own.get(there.url)  # whoever called before it was heard before it
        assert there.connections == 2, "somebody else connected"
    assert wrong == []


def telling(system: System, route: Route, kind: str) -> dict[str, str]:
    return headers_of(route, system.token()) | {"Content-Type": kind}


async def test_all_bad_input_sent_again_and_again_leaves_nothing_in_memory(system: System) -> None:
    every = [sent for rows in TABLE.values() for sent in rows()]
    token = token_for(system, "region")  # one, as clients do: a token that was verified is remembered until it expires
    with counting():
        async with county(system) as client:
            for _ in range(2):  # what is learnt once: compiled patterns, connections, statements
                for sent in every:
                    await send(client, system, sent, token)
            begin, resident = held(), of_status("VmRSS")
            tracemalloc.reset_peak()
            for _ in range(ROUNDS):
                for sent in every:
                    await send(client, system, sent, token)
            left, most = held() - begin, tracemalloc.get_traced_memory()[1] - begin
            assert left < MOST_LEFT
            assert most < MOST_AT_ONCE, "nor does any one of them need much"
            assert of_status("VmRSS") - resident < MOST_AT_ONCE, "nor do the libraries that are no Python"
            kept = [bytearray(sent.body) for sent in every if sent.path == EVENTS]
            assert held() - begin - left > MOST_LEFT, "positive control: with the bodies of one kind and one round kept it would be more"
            del kept


@contextmanager
def counting() -> Iterator[None]:
    """Count every byte that Python holds."""
    tracemalloc.start(1)
    try:
        yield
    finally:
        tracemalloc.stop()


def held() -> int:
    """Bytes that Python holds after everything nobody needs was given back."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def of_status(name: str) -> int:
    """A number of bytes that the system tells of this process."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name)]
    return int(line.split()[1]) << 10


async def sleeping(_scope: Any, _receive: Any, _send: Any) -> None:
    await asyncio.Event().wait()


async def blocking(_scope: Any, _receive: Any, answer: Any) -> None:
    time.sleep(0.2)  # noqa: ASYNC251  # what must be noticed: nobody else is served meanwhile
    await answer({"type": "http.response.start", "status": 200, "headers": []})
    await answer({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("app", [sleeping, blocking])
async def test_an_answer_that_does_not_come_or_comes_too_late_is_noticed(app: Any) -> None:
    """The control of every test that asks through `System`."""
    patient = Patient(app)
    patient.patience = 0.1
    async with httpx.AsyncClient(transport=patient, base_url="http://dirigent.test") as client:
        with pytest.raises(Hung):
            await client.get("/")
