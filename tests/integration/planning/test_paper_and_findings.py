"""What remains when the network is down, and the list of what does not fit."""

from pathlib import Path

from sqlalchemy import text

from services.planning import usecases
from services.planning.worker import write_pages
from tests.builders import CARE_CENTRE, HARRYDA, WARD, a_person, a_ward_event, admission_data
from tests.integration.planning.conftest import GOTEBORG_UNIT, Planning
from tests.integration.planning.test_parties import READY_FROM, admitted, care, municipality, state, ward


async def paper(planning: Planning, who: dict[str, str]) -> str:
    answer = await planning.http.get("/v1/cases/paper", headers=who)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    return answer.text


async def test_the_paper_list_holds_what_a_ward_must_know_without_the_network(planning: Planning) -> None:
    case = await admitted(planning)
    await state(planning, case, GOTEBORG_UNIT, READY_FROM)
    await planning.http.put(f"/v1/cases/{case}/care-contact", headers=care(planning), json={"unit": CARE_CENTRE, "name": "Kim Testsson"})
    page = await paper(planning, ward(planning))
    for part in ("Test Testsson", "189001019802", "2026-11-09", "kan ta emot 2026-11-09 13:00", "Kim Testsson"):
        assert part in page, part


async def test_a_stay_that_is_over_is_not_on_the_paper_list_and_a_foreign_one_neither(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    assert "Testsson" not in await paper(planning, municipality(planning, HARRYDA))
    await planning.tell(a_ward_event("stay.discharged", id="SU-2", time="2026-11-05T10:00:00+01:00"))
    assert "Testsson" not in await paper(planning, ward(planning))


async def test_a_protected_person_is_not_named_on_paper(planning: Planning) -> None:
    await planning.tell(a_ward_event(data=admission_data(person=a_person(protected=True))))
    page = await paper(planning, ward(planning))
    assert "Skyddade personuppgifter" in page
    assert "189001019802" not in page
    assert "Testsson" not in page


async def test_nothing_a_sender_wrote_becomes_markup(planning: Planning) -> None:
    person = a_person(name={"given": "<script>alert(1)</script>", "family": "Testsson"})
    await planning.tell(a_ward_event(data=admission_data(person=person)))
    assert "<script" not in await paper(planning, ward(planning))


async def test_reading_the_paper_list_is_logged(planning: Planning) -> None:
    case = await admitted(planning)
    await paper(planning, ward(planning))
    async with planning.database.transaction() as work:
        assert [page.ward for page in await usecases.paper_pages(work)] == [None, WARD]
    await planning.number()
    async with planning.database.transaction() as work:
        found = await work.connection.execute(text("SELECT body FROM feed_entries WHERE feed = 'access' AND kind = 'cases.paper'"))
        bodies = list(found.scalars())
    assert len(bodies) == 2
    assert all(case in body for body in bodies)


async def test_at_night_a_ward_finds_its_own_list_by_its_name_and_no_patient_stands_on_the_first_page(planning: Planning) -> None:
    await admitted(planning)
    await planning.tell(a_ward_event(id="B-1", subject="other", source=f"urn:hsa:{WARD}") | {"data": admission_data(person=a_person())})
    async with planning.database.transaction() as work:
        first, own = await usecases.paper_pages(work)
    assert (first.file, own.file) == ("index.html", f"{WARD}.html")
    assert f'<a href="{WARD}.html">Avdelning 1 {WARD}</a>' in first.html
    assert "Testsson" not in first.html
    assert "Avdelning 1" in own.html
    assert own.html.count("Testsson") == 2


def test_the_pages_in_the_folder_are_the_wards_own_and_old_ones_go(tmp_path: Path) -> None:
    folder = tmp_path / "paper"
    write_pages(folder, {"SE1-A.html": "one", "SE1-B.html": "two"})
    (folder / "SE1-C.html.part").write_text("what a killed worker left")
    write_pages(folder, {"SE1-A.html": "three"})
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"SE1-A.html": "three"}
    assert (folder.stat().st_mode & 0o777, (folder / "SE1-A.html").stat().st_mode & 0o777) == (0o700, 0o600)


async def test_what_does_not_fit_is_listed_for_those_concerned(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    await planning.tell(a_ward_event("stay.ready_withdrawn", id="SU-2", time="2026-11-05T10:00:00+01:00"))
    for who in (ward(planning), care(planning), municipality(planning)):
        found = (await planning.http.get("/v1/findings", headers=who)).json()["findings"]
        assert ("withdrawal_without_ready", "SU-2") in {(one["code"], one["event_id"]) for one in found}
    assert (await planning.http.get("/v1/findings", headers=municipality(planning, HARRYDA))).json()["findings"] == []
    other = await planning.http.get("/v1/findings", headers=ward(planning), params={"code": "two_admissions"})
    assert other.json()["findings"] == []
    elsewhere = await planning.http.get("/v1/findings", headers=ward(planning), params={"unit": "SE2321000131-X"})
    assert elsewhere.json()["findings"] == []


async def test_findings_come_in_pages_of_cases(planning: Planning) -> None:
    for number in range(3):
        event = a_ward_event("stay.discharged", id=f"SU-{number}", subject=f"stay-{number}")
        await planning.tell(
            a_ward_event(id=f"A-{number}", subject=f"stay-{number}") | {"data": admission_data(planned_discharge_date=None)}
        )
        await planning.tell(event | {"time": "2026-11-05T10:00:00+01:00"})
    seen: set[str] = set()
    address: str | None = "/v1/findings?limit=2"
    while address:
        answer = await planning.http.get(address, headers=ward(planning))
        seen |= {one["case_id"] for one in answer.json()["findings"]}
        address = answer.links["next"]["url"] if "next" in answer.links else None
    assert len(seen) == 3


async def test_a_notice_of_which_nothing_says_that_secrecy_was_checked_goes_out_and_is_found(planning: Planning) -> None:
    await planning.tell(a_ward_event())
    answer = await planning.tell(a_ward_event("stay.ready", {}, id="SU-2", time="2026-11-05T10:00:00+01:00"))
    assert "secrecy_not_checked" in [finding["code"] for finding in answer.json()["findings"]]
    at = "2026-11-06T10:00:00+01:00"
    answer = await planning.tell(a_ward_event("stay.discharged", {"discharged_to": "home", "secrecy_checked": False}, id="SU-3", time=at))
    listed = (await planning.http.get("/v1/findings", params={"code": "secrecy_not_checked"}, headers=planning.ward)).json()["findings"]
    assert [one["event_id"] for one in listed] == ["SU-2", "SU-3"]
    assert "notice.ready" in [entry["type"] for entry in (await planning.mailbox(planning.municipality()))["entries"]]
