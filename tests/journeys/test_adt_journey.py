"""A hospital that speaks HL7 and nothing else: over HTTP and over MLLP its ADT messages do what plain events do."""

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hl7.mllp import open_hl7_connection

from shared.dates import now
from tests.adt import RESERVNUMMER, a_reservnummer, answer_of, at, message, pid, pv1, pv2
from tests.certificates import an_authority
from tests.journeys.stories import CARE_CENTRE, WARD, County, Stay

NEXT_WARD = "SE2321000131-E000000000102"
MUNICIPALITY = "1480"
NEEDS = f"ZNE|municipal_social~municipal_health~outpatient|{CARE_CENTRE}|somatic"
Send = Callable[[bytes], Awaitable[bytes]]
_runs = itertools.count(1)


@asynccontextmanager
async def over_http(county: County, data: Path, folder: Path) -> AsyncIterator[Send]:
    async with httpx.AsyncClient(base_url=county.api.url, trust_env=False) as client:

        async def send(body: bytes) -> bytes:
            headers = {"Authorization": f"Bearer {await county.api.token('ward-su')}", "Content-Type": "application/hl7-v2"}
            answer = await client.post("/v1/hl7v2", content=body, headers=headers)
            assert answer.status_code == 200, answer.text
            return answer.content

        yield send


@asynccontextmanager
async def over_mllp(county: County, data: Path, folder: Path) -> AsyncIterator[Send]:
    """The listener as the operator starts it, and a peer that shows its certificate."""
    authority = an_authority(folder)
    certificate, key = authority.issue("listener")
    tls = ["--certificate", certificate, "--key", key, "--client-ca", authority.file, "--peer", "integration"]
    command = ["-m", "dirigent", "mllp", "--client", "ward-su", "--port", "0", "--url", county.api.url, "--data", data, *tls]
    # What it says is kept beside what the others say, for the search after all journeys.
    log = data / "logs" / f"mllp-{next(_runs)}.log"
    with log.open("wb") as told:
        program = await asyncio.create_subprocess_exec(sys.executable, *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=told)
    assert program.stdout
    try:
        line = (await asyncio.wait_for(program.stdout.readline(), 60)).decode()
        port = int(line.split(" port ")[1].split()[0])
        context = authority.client_context("integration")
        reader, writer = await open_hl7_connection("127.0.0.1", port, ssl=context, server_hostname="listener")

        async def send(body: bytes) -> bytes:
            writer.writeblock(body)
            await writer.drain()
            block: bytes = await asyncio.wait_for(reader.readblock(), 60)
            return block

        yield send
        writer.close()
    finally:
        program.terminate()
        said, _ = await program.communicate()
        log.write_bytes(log.read_bytes() + said)


def the_file(stay: Stay, reserve: str) -> list[bytes]:
    """Everything the hospital sends of one stay, in its order."""
    begin = now() - timedelta(hours=20)
    patient = pid(reserve, RESERVNUMMER, municipality=MUNICIPALITY)
    known = pid(stay.person["id"], municipality=MUNICIPALITY)
    here, there = pv1(WARD, stay=stay.subject), pv1(NEXT_WARD, stay=stay.subject)

    def one(trigger: str, hours: float, *segments: str) -> bytes:
        return message(trigger, f"{stay.subject}-{hours}", *segments, when=at(begin + timedelta(hours=hours)))

    return [
        one("A01", 0, patient, here, pv2(planned="20270109"), NEEDS),
        one("A02", 1, patient, pv1(NEXT_WARD, stay=stay.subject, before=WARD)),
        one("A21", 2, patient, there, pv2(back=at(begin + timedelta(hours=4)))),
        one("A22", 3, patient, there),
        one("A08", 4, patient, there, pv2(planned="20270109"), NEEDS, f"ZRD|READY|{at(begin + timedelta(hours=4))}|none|Y"),
        one("A03", 5, patient, pv1(NEXT_WARD, stay=stay.subject, disposition="01"), "ZRD||||Y"),
        one("A13", 6, patient, there),
        one("A40", 7, known, f"MRG|{reserve}^^^&{RESERVNUMMER}&ISO"),
        one("A03", 8, known, pv1(NEXT_WARD, stay=stay.subject, disposition="01"), "ZRD||||Y"),
    ]


async def of_the_case(county: County, case_id: str) -> dict[str, Any]:
    """What may not change when the file comes again."""
    client = f"kommun-{MUNICIPALITY}"
    history = await county.read(client, f"/v1/cases/{case_id}/history")
    entries = [entry["id"] for entry in (await county.mailbox(client)).entries if entry["case_id"] == case_id]
    return {"case": await county.read(client, f"/v1/cases/{case_id}"), "history": history, "notices": entries}


@pytest.mark.parametrize("way", [over_http, over_mllp])
async def test_an_adt_feed_tells_a_whole_stay_and_may_be_sent_again(way: Any, county: County, data_folder: Path, tmp_path: Path) -> None:
    client, stay = f"kommun-{MUNICIPALITY}", Stay(municipality=MUNICIPALITY)
    messages = the_file(stay, a_reservnummer(100 + next(_runs)))
    async with way(county, data_folder, tmp_path) as send:
        assert answer_of(await send(messages[0]))[0] == "AA"
        mailbox = (await county.api.call(client, "GET", "/v1/cases", params={"limit": 500})).body["cases"]
        case_id = max(one["id"] for one in mailbox)
        assert (await county.read(client, f"/v1/cases/{case_id}"))["subject"] == stay.subject
        await county.notice(client, "notice.admission", case_id)
        for told in messages[1:]:
            code, remarks = answer_of(await send(told))
            assert code == "AA", remarks
        for kind in ("transferred", "leave", "ready", "discharged"):
            assert (await county.notice(client, f"notice.{kind}", case_id))["case_id"] == case_id
        before = await of_the_case(county, case_id)
        case = before["case"]
        assert (case["state"], case["ward"], case["person"]["id"]) == ("discharged", NEXT_WARD, stay.person["id"])
        assert len(before["history"]["history"]) >= len(messages)
        for told in messages:
            assert answer_of(await send(told))[0] == "AA"
        assert await of_the_case(county, case_id) == before


async def test_a_listener_for_a_client_that_may_send_nothing_does_not_begin(county: County, data_folder: Path) -> None:
    client = f"kommun-{MUNICIPALITY}"
    command = ["-m", "dirigent", "mllp", "--client", client, "--port", "0", "--plaintext", "--url", county.api.url, "--data", data_folder]
    program = await asyncio.create_subprocess_exec(
        sys.executable, *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, told = await asyncio.wait_for(program.communicate(), 60)
    refusal = f"dirigent: {client} may not send messages: it has no scope events:write\n"
    assert (program.returncode, said, told.decode()) == (1, b"", refusal)
