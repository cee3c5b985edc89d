"""The paper routine as an operator meets it: Dirigent goes down and comes back, and what was given on paper meanwhile counts."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from dirigent.county.secrets import read_secrets
from dirigent.replay.api import PublicApi
from dirigent.replay.command import secret_of
from dirigent.supervisor.system import Options, running
from shared.dates import format_instant, now, parse_instant
from tests.builders import WARD, a_ward_event
from tests.patience import until


@pytest.fixture
def data_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("DIRIGENT_PLANNING_BEAT_EVERY_SECONDS", "0.2")
    monkeypatch.setenv("DIRIGENT_PLANNING_OUTAGE_AFTER_SECONDS", "1")
    outer = Path(tempfile.mkdtemp(prefix="dirigent-paper-"))
    outer.chmod(0o711)  # the embedded servers of root run as somebody else
    yield outer / "data"
    shutil.rmtree(outer, ignore_errors=True)


@asynccontextmanager
async def up(folder: Path) -> AsyncIterator[PublicApi]:
    options = Options(data=folder, port=0, environment="demo", steps=("dirigent.seed",), say=lambda _line: None)
    async with running(options) as system:
        secrets = read_secrets(folder)
        async with PublicApi(system.public_url, lambda client: secret_of(secrets, client)) as api:
            yield api


async def outages(api: PublicApi) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.call("ward-su", "GET", "/v1/outages")).body["outages"]
    return found


async def admit(api: PublicApi, subject: str, time: datetime, given: datetime) -> dict[str, Any]:
    event = a_ward_event(id=subject, subject=subject, time=format_instant(time))
    event["data"]["given_on_paper_at"] = format_instant(given)
    answer = await api.call("ward-su", "POST", "/v1/events", body=event)
    assert answer.status == 201, answer.body
    found: dict[str, Any] = answer.body
    return found


def codes(answer: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in answer["findings"]}


async def test_what_was_given_on_paper_while_dirigent_was_down_counts_and_each_ward_has_its_list(data_folder: Path) -> None:
    folder = data_folder / "paper"
    async with up(data_folder) as api:
        await until((folder / "index.html").exists)
        assert folder.stat().st_mode & 0o777 == 0o700
        await admit(api, "before", now() - timedelta(hours=2), now() - timedelta(hours=1))
    stopped = now()
    async with up(data_folder) as api:
        await until((folder / f"{WARD}.html").exists)
        page = (folder / f"{WARD}.html").read_text(encoding="utf-8")
        assert ("Testsson" in page, page.count("<tr>")) == (True, 2)

        async def noticed() -> bool:
            return any(parse_instant(one["ended_at"]) > stopped for one in await outages(api))

        await until(noticed)
        outage = next(one for one in await outages(api) if parse_instant(one["ended_at"]) > stopped)
        assert (outage["origin"], outage["counts"], outage["unit"]) == ("recorded", True, None)
        began, ended = parse_instant(outage["started_at"]), parse_instant(outage["ended_at"])
        inside = await admit(api, "inside", began - timedelta(hours=1), began + (ended - began) / 2)
        assert "paper_time_unconfirmed" not in codes(inside)


async def test_a_stated_outage_counts_once_the_region_has_confirmed_it_and_the_worker_judges_the_cases(data_folder: Path) -> None:
    async with up(data_folder) as api:
        began = now() - timedelta(hours=30)
        answer = await admit(api, "cut-off", began, began + timedelta(hours=1))
        assert codes(answer) >= {"paper_time_unconfirmed", "late_admission_notice"}
        told = {
            "started_at": format_instant(began),
            "ended_at": format_instant(now()),
            "unit": WARD,
            "cause": "network",
            "stated_by": "Anna Test",
        }
        stated = await api.call("ward-su", "POST", "/v1/outages", body=told, key=str(uuid4()))
        assert stated.status == 201, stated.body
        path = f"/v1/outages/{stated.body['id']}/confirmation"
        confirmed = await api.call("controller", "POST", path, body={"confirmed_by": "Maja Test"}, key=str(uuid4()))
        assert confirmed.status == 201, confirmed.body

        async def judged() -> bool:
            case = (await api.call("ward-su", "GET", f"/v1/cases/{answer['case_id']}")).body
            return not codes(case) & {"paper_time_unconfirmed", "late_admission_notice"}

        await until(judged)
