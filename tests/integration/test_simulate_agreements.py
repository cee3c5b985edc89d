"""`dirigent simulate-agreements`: the same calculation as the job, straight on the database."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dirigent.cli import build
from dirigent.databases import Access
from dirigent.embedded.account import own_account
from dirigent.failure import CannotStart
from dirigent.secrets_store import load_or_make
from dirigent.simulate_agreements import command, simulate_all
from dirigent.supervisor.folder import chosen_folder
from services.billing.usecases.simulations import Wish, go_on
from shared.dates import Month
from shared.errors import Malformed, NotFound
from tests.integration.billing.parts import Billing, a_billing, a_stay_fact

FEBRUARY, MARCH = Month(2026, 2), Month(2026, 3)


@pytest.fixture
async def billing(billing_database: str, tmp_path: Path) -> AsyncIterator[Billing]:
    async with a_billing(billing_database, tmp_path) as running:
        await running.price()
        await running.tell(*(a_stay_fact(days) for days in (2, 5, 6, 7)), a_stay_fact(12, municipality="1481"))
        yield running


async def test_it_finds_what_the_job_finds(billing: Billing, billing_database: str) -> None:
    told: list[tuple[int, int]] = []
    wish = Wish(("law-2018",), FEBRUARY, MARCH)
    outcomes = await simulate_all(billing_database, wish, lambda done, total: told.append((done, total)))
    assert told[-1] == (6, 6)
    who = billing.token("controller", "controller", "simulations:run")
    body = {"profiles": ["law-2018"], "from": "2026-02", "to": "2026-03"}
    job = (await billing.post("/v1/simulations", who, body)).json()["id"]
    more = True
    while more:
        async with billing.database.transaction() as work:
            more = await go_on(work)
    result = (await billing.get(f"/v1/simulations/{job}", who)).json()["result"]
    theirs = {
        (one["municipality"], month["month"], row["profile"]): (row["stays"], row["individual_days"], row["amount"]["amount"])
        for one in result["municipalities"]
        for month in one["months"]
        for row in month["profiles"]
    }
    ours = {(one.municipality, str(one.month), one.profile): (one.stays, one.individual_days, str(one.amount)) for one in outcomes}
    assert ours == theirs
    assert len(ours) == 12


async def test_one_municipality_can_be_picked(billing_database: str, billing: Billing) -> None:
    outcomes = await simulate_all(billing_database, Wish(("law-2018",), MARCH, MARCH, ("1481",)), lambda _done, _total: None)
    assert {one.municipality for one in outcomes} == {"1481"}


@pytest.mark.parametrize("wish", [Wish(("nobody",), MARCH, MARCH), Wish(("law-2018",), MARCH, FEBRUARY)])
async def test_what_cannot_be_tried_is_refused(billing_database: str, billing: Billing, wish: Wish) -> None:
    with pytest.raises(Malformed):
        await simulate_all(billing_database, wish, lambda _done, _total: None)


async def test_an_unknown_municipality_is_refused(billing_database: str, billing: Billing) -> None:
    with pytest.raises(NotFound):
        await simulate_all(billing_database, Wish(("law-2018",), MARCH, MARCH, ("9999",)), lambda _done, _total: None)


async def invoked(data: Path, *options: str) -> Result:
    told = ["simulate-agreements", "--data", str(data), "--from", "2026-02", "--to", "2026-03", *options]
    return await asyncio.to_thread(lambda: CliRunner().invoke(build("simulate-agreements"), told))


@pytest.fixture
def data_folder(databases: dict[str, Access], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder whose databases are those of the test."""
    for service, access in databases.items():
        monkeypatch.setenv(f"DIRIGENT_{service.upper()}_DATABASE_URL", access.app)
    folder = chosen_folder(tmp_path / "data")
    folder.prepare(account=own_account())
    load_or_make(folder.secrets)
    return folder.path


@pytest.mark.usefixtures("billing")
async def test_the_command_shows_what_each_rule_set_costs_and_how_far_it_is_from_ours(data_folder: Path) -> None:
    shown = await invoked(data_folder, "--profiles", "law-2018, vgr-2018")
    assert shown.exit_code == 0, shown.output
    rows = [" ".join(line.split()) for line in shown.output.splitlines()]
    # Göteborg: 8 days above the free average against 9 days by the statute; Mölndal: 9 days either way.
    assert "1480 96 000.00 108 000.00 96 000.00" in rows
    assert "in_force 5 8 9 204 000.00 +0.00" in rows
    assert "law-2018 5 0 18 216 000.00 +12 000.00" in rows


@pytest.mark.usefixtures("billing")
async def test_the_command_tells_every_month_as_json(data_folder: Path) -> None:
    told = json.loads((await invoked(data_folder, "--profiles", "law-2018", "--municipality", "1481", "--json")).output)
    assert [(one["profile"], one["amount"], one["difference"]) for one in told["totals"]] == [
        ("in_force", "108000.00", "0.00"),
        ("law-2018", "108000.00", "0.00"),
    ]
    assert [(one["month"], one["profile"]) for one in told["months"]] == [
        (month, profile) for month in ("2026-02", "2026-03") for profile in ("in_force", "law-2018")
    ]


def test_a_month_that_is_none_is_told_by_its_option() -> None:
    with pytest.raises(CannotStart, match="--from"):
        command(profiles="law-2018", first="mars", last="2026-03")
