"""One live stay: the ward tells of an admission now, the municipality sees it arrive and takes it on."""

import asyncio
import secrets
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from dirigent.county.load import load_county
from dirigent.demo.asking import DemoError, ask, tell, until
from dirigent.demo.mailboxes import PAGE, MailboxRead
from dirigent.replay.api import PublicApi
from dirigent.simulate.persons import Population
from dirigent.supervisor.step import one_failure
from shared.dates import format_instant, local_date, now

WARD_CLIENT: Final = "ward-su"
MUNICIPALITY: Final = "1480"
WAIT_SECONDS: Final = 20
TAKEN_ON_BY: Final = "Maja Mottagare (demo)"


@dataclass(frozen=True, slots=True)
class LiveStay:
    """What became of the live stay: its notice, how long it took, what is wrong with the mailbox's chain, and whom the notice names."""

    notice: dict[str, Any]
    milliseconds: float
    chain_faults: tuple[str, ...]
    standing: str
    acknowledged_by: str
    names_person: bool


async def admit(api: PublicApi, before: MailboxRead) -> LiveStay:
    """Post one admission as the ward, wait for its notice as the municipality, acknowledge it, and look at it as the ward.

    Args:
        api: The public interface.
        before: The municipality's mailbox as read so far; everything that arrives until the notice is there is added to it.

    Raises:
        DemoError: The event was refused, or the notice did not come.
    """
    event = live_event(date_of=local_date(now()))
    client = f"kommun-{MUNICIPALITY}"
    case_id: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with one_failure():
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(notice_of(api, before, case_id))
            begun = time.monotonic()
            answer = await api.call(WARD_CLIENT, "POST", "/v1/events", body=event, headers={"Content-Type": "application/cloudevents+json"})
            if not answer.ok:
                raise DemoError(f"the live event was refused: {answer.status} {answer.code}")
            case_id.set_result(answer.body["case_id"])
    notice, came = waiting.result()
    path = f"/v1/notices/{notice['id']}"
    await tell(api, client, f"{path}/acknowledgement", {"acknowledged_by": TAKEN_ON_BY}, key=f"live/{event['id']}")
    standing = (await ask(api, client, path))["standing"]
    return LiveStay(
        notice=notice,
        milliseconds=1_000 * (came - begun),
        chain_faults=tuple(before.faults),
        standing=standing["state"],
        acknowledged_by=standing["acknowledged_by"],
        names_person=event["data"]["person"]["id"] == (notice["personal"] or {}).get("person", {}).get("id"),
    )


async def notice_of(api: PublicApi, box: MailboxRead, case_id: Awaitable[str]) -> tuple[dict[str, Any], float]:
    """Read on in a mailbox until the notice of a case is there, and say when it came.

    Other notices may come before it at any time, such as that of an invoice issued a moment ago: they continue the chain and are
    nothing to act upon.

    Args:
        api: The public interface.
        box: The mailbox as read so far; every entry that comes is added to it.
        case_id: The case, which may become known only after its notice has come.

    Raises:
        DemoError: It did not come.
    """

    async def look() -> tuple[dict[str, Any], float] | None:
        while True:
            after = box.entries[-1]["number"] if box.entries else 0
            page = await ask(api, box.client, "/v1/notices", {"after": after, "limit": PAGE, "wait": WAIT_SECONDS})
            came = time.monotonic()
            for entry in page["entries"]:
                box.take(entry)
            for entry in page["entries"]:
                if entry["case_id"] == await case_id:
                    return entry, came
            if not page["entries"]:
                return None

    return await until("the live notice arrives", look)


def live_event(*, date_of: date) -> dict[str, Any]:
    """An admission that happens now, of a synthetic person."""
    county = load_county()
    municipality = next(one for one in county.municipalities if one.code == MUNICIPALITY)
    hospital = next(one for one in county.hospitals if f"ward-{one.key}" == WARD_CLIENT)
    mark = secrets.token_hex(4)
    person = Population(Random(mark)).draw(municipality)  # noqa: S311 - a made-up person, not a secret
    return {
        "specversion": "1.0",
        "id": f"SU-LIVE-{mark}",
        "source": f"urn:hsa:{hospital.wards[0].unit}",
        "type": "stay.admitted",
        "subject": f"SU-LIVE-{mark}",
        "time": format_instant(now() - timedelta(minutes=20)),
        "data": {
            "person": person.as_data() | {"protected": False},
            "care_type": "somatic",
            "planned_discharge_date": (date_of + timedelta(days=6)).isoformat(),
            "needs": ["municipal_social", "municipal_health", "outpatient"],
            "outpatient_unit": county.care_centres_of(MUNICIPALITY)[0].unit,
        },
    }
