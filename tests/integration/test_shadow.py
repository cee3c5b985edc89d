"""`dirigent shadow`: a file of today's service against both databases, kept, read over HTTP, and signed."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from dirigent.cli import build
from dirigent.databases import Access
from dirigent.embedded.account import own_account
from dirigent.secrets_store import load_or_make
from dirigent.shadow.command import compare_file
from dirigent.shadow.file import COLUMNS, UnreadableRows, read_month
from dirigent.supervisor.folder import chosen_folder
from services.billing.usecases.comparisons import ComparisonView, require_signed
from shared.db import Database
from shared.errors import Refused
from shared.identifiers import uuid7
from tests.integration.billing.parts import Billing, a_billing, a_stay_fact

PROVIDER = "2321000131"
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "shadow.csv"
_KNOWN = text(
    """
    INSERT INTO cases (id, space, subject, provider, version, joined_to) VALUES (:id, :space, :subject, :provider, :version, :joined)
    """
)
SIGNATURE = {"explanation": "Genomgången med kommunerna.", "acted_by": "Anna Test"}


@dataclass
class Shadow:
    """Both services' databases, and a file to compare with them."""

    billing: Billing
    databases: dict[str, Access]
    folder: Path
    rows: list[str] = field(default_factory=list)

    async def stay(
        self,
        days: int,
        name: str,
        *,
        code: str = "1480",
        told: bool = True,
        space: str = PROVIDER,
        joined: UUID | None = None,
        **changed: Any,
    ) -> UUID:
        """A stay that both services know by the ward's id."""
        case = uuid7()
        planning = Database(self.databases["planning"].app)
        async with planning.transaction() as work:
            values = {"id": case, "space": space, "subject": name, "provider": PROVIDER, "version": 1, "joined": joined}
            await work.connection.execute(_KNOWN, values)
        await planning.close()
        if told:
            await self.billing.tell(a_stay_fact(days, case=case, municipality=code, **changed))
        return case

    def row(self, name: str, days: int, counted: str = "ja", amount: str = "", code: str = "1480", provider: str = PROVIDER) -> None:
        self.rows.append(f"{code};2026-03;{provider};{name};{days};{counted};{amount}")

    def total(self, days: str, amount: str, code: str = "1480") -> None:
        self.rows.append(f"{code};2026-03;;;{days};;{amount}")

    async def compare(self) -> ComparisonView:
        path = self.folder / "today.csv"
        path.write_text("\n".join([";".join(COLUMNS), *self.rows]))
        return await compare_file(self.databases, read_month(path), "Maja Test")

    async def command(self, *options: str) -> Result:
        """The command as an operator gives it, on the data folder of a system that is stopped."""
        path = self.folder / "today.csv"
        path.write_text("\n".join([";".join(COLUMNS), *self.rows]))
        told = ["shadow", "--compare", str(path), "--data", str(self.folder / "data"), *options]
        return await asyncio.to_thread(lambda: CliRunner().invoke(build("shadow"), told))

    async def kept(self) -> int:
        async with self.billing.database.transaction() as work:
            return int((await work.connection.execute(text("SELECT count(*) FROM comparisons"))).scalar_one())


@pytest.fixture
def data_folder(databases: dict[str, Access], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder whose databases are those of the test."""
    for service, access in databases.items():
        monkeypatch.setenv(f"DIRIGENT_{service.upper()}_DATABASE_URL", access.app)
    folder = chosen_folder(tmp_path / "data")
    folder.prepare(account=own_account())
    load_or_make(folder.secrets)
    return folder.path


@pytest.fixture
async def shadow(databases: dict[str, Access], tmp_path: Path) -> AsyncIterator[Shadow]:
    async with a_billing(databases["billing"].app, tmp_path) as billing:
        await billing.price()
        yield Shadow(billing, databases, tmp_path)


async def agreeing(shadow: Shadow) -> list[UUID]:
    """Göteborg's March with 2, 5, 6 and 7 days, and a file that says the same."""
    cases = []
    for number, days in enumerate((2, 5, 6, 7)):
        cases.append(await shadow.stay(days, f"SU-{number}"))
        shadow.row(f"SU-{number}", days)
    shadow.total("8", "96000,00")
    return cases


async def test_a_month_that_agrees_has_no_differences_and_is_kept(shadow: Shadow) -> None:
    await agreeing(shadow)
    view = await shadow.compare()
    assert (view.differing, view.row.rows, view.told["stays"], view.row.compared_by) == (0, 5, 4, "Maja Test")
    assert await shadow.kept() == 1


async def test_every_difference_is_told_with_our_rule(shadow: Shadow) -> None:
    cases = await agreeing(shadow)
    shadow.rows[1] = shadow.rows[1].replace(";5;", ";4;")
    shadow.rows[-1] = "1480;2026-03;;;7;;84000"
    shadow.row("SU-unknown", 3)
    view = await shadow.compare()
    days, unknown = view.told["differing_stays"]
    assert (days["case"], days["differs"], days["because"][0]["code"]) == (str(cases[1]), ["days"], "average")
    assert (unknown["case"], unknown["differs"], unknown["theirs"]["line"]) == (None, ["only_theirs"], 7)
    (month,) = view.told["differing_months"]
    assert (month["differs"], month["ours"]["amount"], month["ours"]["average"]) == (["days", "amount"], "96000.00", "5.000000")


async def test_a_municipality_that_the_file_leaves_out_differs(shadow: Shadow) -> None:
    await agreeing(shadow)
    await shadow.stay(5, "SU-9", code="1481")
    view = await shadow.compare()
    assert [one["differs"] for one in view.told["differing_stays"]] == [["only_ours"]]
    assert [(one["municipality"], one["differs"]) for one in view.told["differing_months"]] == [("1481", ["only_ours"])]


async def test_a_stay_of_another_month_is_explained(shadow: Shadow) -> None:
    await agreeing(shadow)
    await shadow.stay(5, "SU-8", discharged="2026-04-02T11:00")
    shadow.row("SU-8", 5)
    (one,) = (await shadow.compare()).told["differing_stays"]
    assert one["because"][0]["code"] == "other_month"


async def test_both_ids_of_a_transferred_stay_name_one_case(shadow: Shadow) -> None:
    cases = await agreeing(shadow)
    await shadow.stay(0, "SU-after", told=False, joined=cases[0])
    shadow.rows[0] = shadow.rows[0].replace("SU-0", "SU-after")
    assert (await shadow.compare()).differing == 0


async def test_a_stay_is_found_by_its_record_system_where_the_provider_has_several(shadow: Shadow) -> None:
    await agreeing(shadow)
    await shadow.stay(0, "SU-0", told=False, space="melior-skas")
    with pytest.raises(UnreadableRows) as caught:
        await shadow.compare()
    assert [(fault.line, fault.code) for fault in caught.value.faults] == [(2, "ambiguous")]
    assert await shadow.kept() == 0


async def test_a_municipality_we_do_not_know_stops_everything(shadow: Shadow) -> None:
    await agreeing(shadow)
    shadow.total("0", "0", code="9999")
    with pytest.raises(UnreadableRows) as caught:
        await shadow.compare()
    assert [(fault.line, fault.code) for fault in caught.value.faults] == [(7, "municipality_unknown")]
    assert await shadow.kept() == 0


async def test_a_month_that_is_not_over_is_not_compared(shadow: Shadow) -> None:
    shadow.rows.append("1480;2199-12;;;0;;0")
    with pytest.raises(Refused, match=r"month\.not_over"):
        await shadow.compare()


async def test_the_wards_own_ids_are_not_kept_by_billing(shadow: Shadow) -> None:
    await agreeing(shadow)
    shadow.row("SU-unknown", 3)
    view = await shadow.compare()
    assert "SU-" not in view.row.body
    assert json.loads(view.row.body) == view.told


async def test_the_comparison_is_read_by_the_region_with_a_line_in_the_access_log(shadow: Shadow) -> None:
    cases = await agreeing(shadow)
    shadow.rows[1] = shadow.rows[1].replace(";5;", ";4;")
    view = await shadow.compare()
    billing = shadow.billing
    listed = (await billing.get("/v1/comparisons", billing.controller())).json()["comparisons"]
    assert [(one["id"], one["differing"], one["signature"]) for one in listed] == [(str(view.row.id), 1, None)]
    told = (await billing.get(f"/v1/comparisons/{view.row.id}", billing.controller())).json()
    assert (told["rows"], told["stays"], told["differing_stays"][0]["case"]) == (5, 4, str(cases[1]))
    async with billing.database.transaction() as work:
        read = await work.connection.execute(text("SELECT body FROM outbox WHERE feed = 'access' ORDER BY id"))
        logged = [json.loads(body) for body in read.scalars()]
    assert [(one["client"], one["action"], len(one["cases"])) for one in logged] == [
        ("dirigent shadow", "comparison.made", 4),
        ("controller", "comparison.read", 1),
    ]


async def test_a_municipality_sees_what_concerns_itself(shadow: Shadow) -> None:
    cases = await agreeing(shadow)
    await shadow.stay(5, "SU-9", code="1481")
    shadow.rows[1] = shadow.rows[1].replace(";5;", ";4;")
    shadow.rows[2] = shadow.rows[2].replace("1480", "1490")
    shadow.total("0", "0", code="1490")
    view = await shadow.compare()
    billing = shadow.billing
    seen = {
        code: (await billing.get(f"/v1/comparisons/{view.row.id}", billing.municipality(code))).json() for code in ("1480", "1481", "1490")
    }
    assert [one["case"] for one in seen["1480"]["differing_stays"]] == [str(cases[1])]
    assert [one["differs"] for one in seen["1481"]["differing_stays"]] == [["only_ours"]]
    (others,) = seen["1490"]["differing_stays"]
    assert (others["differs"], others["case"], others["ours"]) == (["municipality"], None, None)
    assert {(one["rows"], one["stays"]) for one in seen.values()} == {(None, None)}
    assert (await billing.get(f"/v1/comparisons/{uuid7()}", billing.controller())).status_code == 404
    ward = billing.token("ward", "ward", "averages:read")
    assert (await billing.get(f"/v1/comparisons/{view.row.id}", ward)).status_code == 404


async def test_a_named_person_signs_once(shadow: Shadow) -> None:
    await agreeing(shadow)
    view, billing = await shadow.compare(), shadow.billing
    path = f"/v1/comparisons/{view.row.id}/signature"
    assert (await billing.post(path, billing.approver(), {"explanation": "x"})).status_code == 422
    answer = await billing.post(path, billing.approver(), SIGNATURE)
    assert (answer.status_code, answer.json()["signature"]["signed_by"]) == (201, "Anna Test")
    explained = {
        who: (await billing.get(f"/v1/comparisons/{view.row.id}", getattr(billing, who)())).json()["signature"]["explanation"]
        for who in ("controller", "municipality")
    }
    assert explained == {"controller": SIGNATURE["explanation"], "municipality": None}
    again = await billing.post(path, billing.approver(), SIGNATURE)
    assert (again.status_code, again.json()["code"]) == (409, "comparison.signed")
    unknown = await billing.post(f"/v1/comparisons/{uuid7()}/signature", billing.approver(), SIGNATURE)
    assert unknown.status_code == 404
    kommun = billing.token("kommun-1480", "municipality", "months:approve", "1480")
    assert (await billing.post(path, kommun, SIGNATURE)).status_code == 403


async def test_where_it_is_required_nothing_may_be_issued_before_a_comparison_is_signed(shadow: Shadow) -> None:
    await agreeing(shadow)
    view, billing = await shadow.compare(), shadow.billing
    async with billing.database.transaction() as work:
        await require_signed(work, required=False)
        with pytest.raises(Refused, match=r"month\.comparison_unsigned"):
            await require_signed(work, required=True)
    assert (await billing.post(f"/v1/comparisons/{view.row.id}/signature", billing.approver(), SIGNATURE)).status_code == 201
    async with billing.database.transaction() as work:
        await require_signed(work, required=True)


@pytest.mark.parametrize(
    "statement", ["UPDATE comparisons SET differing = 0", "DELETE FROM comparisons", "DELETE FROM comparison_signatures"]
)
async def test_a_comparison_that_was_kept_stands(shadow: Shadow, statement: str) -> None:
    await agreeing(shadow)
    view, billing = await shadow.compare(), shadow.billing
    await billing.post(f"/v1/comparisons/{view.row.id}/signature", billing.approver(), SIGNATURE)
    access = shadow.databases["billing"]
    for database in (Database(access.app), Database(access.owner, role=None)):
        with pytest.raises(Exception, match=r"append-only|permission denied|refused"):
            await _run(database, statement)
        await database.close()


async def _run(database: Database, statement: str) -> None:
    async with database.transaction() as work:
        await work.connection.execute(text(statement))


@pytest.mark.usefixtures("data_folder")
async def test_the_command_succeeds_only_when_nothing_differs(shadow: Shadow) -> None:
    await agreeing(shadow)
    agreed = await shadow.command()
    assert (agreed.exit_code, "0 differ" in agreed.output) == (0, True), agreed.output
    shadow.rows[1] = shadow.rows[1].replace(";5;", ";4;")
    shadow.rows[-1] = "1480;2026-03;;;7;;84000"
    differing = await shadow.command("--as", "Maja Test")
    assert differing.exit_code == 1
    for told in ("2 differ", "20 days / 4 stays = 5", "VGR agreement 2018-09-25", "96000.00 kr", "84000.00 kr", "kept as comparison"):
        assert told in " ".join(differing.output.split()), differing.output
    assert await shadow.kept() == 2


@pytest.mark.usefixtures("data_folder")
async def test_the_command_tells_the_comparison_as_json(shadow: Shadow) -> None:
    await agreeing(shadow)
    told = json.loads((await shadow.command("--json", "--month", "2026-03")).output)
    assert (told["format"], told["month"], told["rows"], told["differing"]) == ("dirigent-comparison/1", "2026-03", 5, 0)


@pytest.mark.usefixtures("data_folder")
async def test_bad_rows_are_named_by_line_and_nothing_is_kept(shadow: Shadow) -> None:
    await agreeing(shadow)
    shadow.row("SU-9", 3, counted="kanske")
    shadow.row("SU-10", 3, code="189001019802")
    refused = await shadow.command()
    assert refused.exit_code == 1
    assert "line 7, raknas: neither ja nor nej" in refused.output
    assert "line 8, kommun: not a municipality's code of four digits" in refused.output
    assert "189001019802" not in refused.output
    told = json.loads((await shadow.command("--json")).output)
    assert [(fault["line"], fault["code"]) for fault in told["rejected"]] == [(7, "yes_or_no"), (8, "municipality_format")]
    assert await shadow.kept() == 0


async def test_the_example_file_can_be_read_and_names_stays_that_nobody_told_of(shadow: Shadow) -> None:
    view = await compare_file(shadow.databases, read_month(EXAMPLE), "Maja Test")
    assert {ground["code"] for one in view.told["differing_stays"] for ground in one["because"]} == {"unknown_stay"}


async def test_an_invoice_waits_for_a_signed_comparison_where_the_installation_asks_for_it(
    databases: dict[str, Access], tmp_path: Path
) -> None:
    async with a_billing(databases["billing"].app, tmp_path, comparison_required=True) as billing:
        shadow = Shadow(billing, databases, tmp_path)
        await billing.price()
        await agreeing(shadow)
        view = await shadow.compare()
        refused = await billing.close_month()
        assert (refused.status_code, refused.json()["code"]) == (409, "month.comparison_unsigned")
        assert (await billing.get("/v1/months/2026-03/1480", billing.controller())).json()["state"] == "approved"
        await billing.post(f"/v1/comparisons/{view.row.id}/signature", billing.approver(), SIGNATURE)
        issued = await billing.step("issue", billing.approver())
        assert (issued.status_code, issued.json()["state"]) == (200, "issued")
