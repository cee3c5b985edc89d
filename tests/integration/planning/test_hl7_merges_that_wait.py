"""That two numbers are one person's holds for her stay, whichever of the two the hospital's systems send first."""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, event, text

from services.planning import usecases
from services.planning.usecases.merges import MERGES_KEPT
from services.planning.worker import keep_forgetting
from shared.dates import now
from shared.db import Database
from tests.adt import PERSONNUMMER, RESERVNUMMER, a_reservnummer, admission, answer_of, at, message, pid, pv1
from tests.builders import GOTEBORG, HARRYDA, OTHER_WARD, WARD, a_personnummer, a_ward_event
from tests.integration.planning.conftest import Planning
from tests.integration.planning.plan_calls import post
from tests.integration.planning.test_audit_and_person_rights import auditor, log
from tests.integration.planning.test_hl7v2 import HL7, taken, tell
from tests.integration.planning.test_sealed_persons import seal_all
from tests.patience import until
from tests.services import bearer

NIGHT, MORNING = "20261104080000", "20261105100000"
RESERVE = a_reservnummer()


def a_merge(name: str, old: str, new: str, *, oid: str = RESERVNUMMER, when: str = NIGHT, person: str = "Testsson^Test") -> bytes:
    who = pid(new, oid, name=person) if oid == RESERVNUMMER else pid(new, name=person)
    return message("A40", name, who, f"MRG|{old}^^^&{RESERVNUMMER}&ISO", when=when)


def merged(name: str = "M-1", number: int = 0, **more: str) -> bytes:
    """A reserve number becomes a personnummer."""
    return a_merge(name, a_reservnummer(number), a_personnummer(number), oid="", **more)


async def person_of(planning: Planning, stay: str) -> dict[str, Any]:
    """What the ward sees of its stay: who it is, and what its case came to."""
    async with planning.database.transaction() as work:
        case = (await work.connection.execute(text("SELECT id FROM cases WHERE subject = :stay"), {"stay": stay})).scalar_one()
    shown = (await planning.http.get(f"/v1/cases/{case}", headers=planning.ward)).json()
    told = (await planning.http.get(f"/v1/cases/{case}/history", headers=planning.ward)).json()["history"]
    names = sorted(line["event_id"].replace(stay, "S").split(".")[0] for line in told if line["event_id"])
    return {
        "person": shown["person"]["id"],
        "state": shown["state"],
        "findings": sorted({one["code"] for one in shown["findings"]}),
        "events": names,
    }


async def number_of(planning: Planning, stay: str) -> str:
    return str((await person_of(planning, stay))["person"])


async def test_in_whatever_order_they_come_admission_merges_and_discharge_make_the_same_case(planning: Planning) -> None:
    for order, names in enumerate(itertools.permutations(["admitted", "merged", "merged again", "discharged"])):
        stay, reserve, between, own = f"ST-{order:02}", a_reservnummer(order), a_reservnummer(1_000 + order), a_personnummer(order)
        told = {
            "admitted": admission(f"{stay}-A", stay=stay, number=reserve, oid=RESERVNUMMER),
            "merged": a_merge(f"{stay}-M", reserve, between, when="20261104080000"),
            "merged again": a_merge(f"{stay}-N", between, own, oid="", when="20261104090000"),
            "discharged": message("A03", f"{stay}-D", pid(own), pv1(stay=stay, disposition="01"), when=MORNING),
        }
        for _ in range(1 if order % 5 else 2):  # some come twice, which is slow enough
            for name in names:
                await taken(planning, told[name])
            assert await person_of(planning, stay) == {
                "person": own,
                "state": "discharged",
                "findings": ["late_admission_notice", "late_discharge_notice", "secrecy_not_checked"],
                "events": [f"MILLENNIUM:S-{letter}" for letter in "ADMN"],
            }, names


WAITING = """
    SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.objid = 17 AND NOT l.granted
"""
HELD_BACK = (
    """
    CREATE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(17); RETURN NULL; END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER hold_back AFTER INSERT ON waiting_merges DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION hold_back()
    """,
)


async def test_an_admission_that_comes_while_its_merge_is_being_kept_is_found_by_it(planning: Planning) -> None:
    owner = Database(planning.owner_url, role=None)
    async with owner.transaction() as work:
        for statement in HELD_BACK:
            await work.connection.execute(text(statement))
    async with owner.transaction() as work:
        await work.connection.execute(text("SELECT pg_advisory_xact_lock(17)"))
        merging = asyncio.create_task(taken(planning, merged()))

        async def commits() -> bool:
            return bool((await work.connection.execute(text(WAITING))).scalar_one())

        await until(commits)
        await taken(planning, admission("A-1", stay="S-1", number=RESERVE, oid=RESERVNUMMER))
        assert await number_of(planning, "S-1") == RESERVE, "positive control: the merge is not there yet"
    assert await merging == []
    await owner.close()
    assert await number_of(planning, "S-1") == a_personnummer()


async def test_a_merge_that_left_out_the_name_takes_the_one_that_the_admission_gives(planning: Planning) -> None:
    assert await taken(planning, merged(person="")) == ["hl7.person_unknown"]
    await taken(planning, admission("A-1", stay="S-1", number=RESERVE, oid=RESERVNUMMER))
    await taken(planning, message("A08", "A-2", pid(name="Testsson^Test Maria"), pv1(stay="S-1"), when=MORNING))
    for _ in range(2):
        assert await taken(planning, merged(person="")) == []
    assert await number_of(planning, "S-1") == a_personnummer()


async def test_a_stay_that_gets_the_merged_number_later_is_merged_then(planning: Planning) -> None:
    await taken(planning, merged(when=MORNING))
    await taken(planning, admission("A-1", stay="S-1", number=a_reservnummer(7), oid=RESERVNUMMER))
    assert await number_of(planning, "S-1") == a_reservnummer(7)
    await taken(planning, message("A08", "A-2", pid(RESERVE, RESERVNUMMER), pv1(stay="S-1"), when=NIGHT))
    assert await number_of(planning, "S-1") == a_personnummer()


async def test_a_discharge_that_is_cancelled_after_the_merge_leaves_her_merged(planning: Planning) -> None:
    await taken(planning, admission("A-1", stay="S-1", number=RESERVE, oid=RESERVNUMMER))
    await taken(planning, message("A03", "D-1", pid(RESERVE, RESERVNUMMER), pv1(stay="S-1", disposition="01"), when=NIGHT))
    await taken(planning, merged(when=MORNING))
    assert await number_of(planning, "S-1") == RESERVE
    await taken(planning, message("A13", "D-2", pid(), pv1(stay="S-1"), when="20261104090000"))
    assert await number_of(planning, "S-1") == a_personnummer()


async def test_a_merge_that_has_held_is_not_taken_back_by_a_discharge_before_it_that_is_told_afterwards(planning: Planning) -> None:
    for number, first in enumerate(("admitted", "merged")):
        stay, reserve = f"ST-{number}", a_reservnummer(number)
        told = {
            "admitted": admission(f"{stay}-A", stay=stay, number=reserve, oid=RESERVNUMMER),
            "merged": merged(f"{stay}-M", number, when="20261106080000"),
        }
        for name in sorted(told, key=lambda name: name != first):
            await taken(planning, told[name])
        await taken(planning, message("A03", f"{stay}-D", pid(reserve, RESERVNUMMER), pv1(stay=stay, disposition="01"), when=MORNING))
        shown = await person_of(planning, stay)
        assert (shown["person"], shown["state"]) == (a_personnummer(number), "discharged"), first


async def test_of_a_merge_that_came_after_she_had_left_nothing_follows(planning: Planning) -> None:
    await taken(planning, merged(when="20261106080000"))
    await taken(planning, message("A03", "D-1", pid(RESERVE, RESERVNUMMER), pv1(stay="S-1", disposition="01"), when=MORNING))
    await taken(planning, admission("A-1", stay="S-1", number=RESERVE, oid=RESERVNUMMER))
    assert await number_of(planning, "S-1") == RESERVE


async def test_the_first_notice_goes_where_a_merge_that_waited_says_she_lives_and_nowhere_else(planning: Planning) -> None:
    for number, protected in enumerate(([], ["PD1||||||||||||Y"])):
        stay, reserve, between = f"S-{number}", a_reservnummer(number), a_reservnummer(1_000 + number)
        who = pid(a_personnummer(number), municipality=HARRYDA)
        await taken(planning, a_merge(f"M-{number}", reserve, between))
        await taken(planning, message("A40", f"N-{number}", who, *protected, f"MRG|{between}^^^&{RESERVNUMMER}&ISO", when=MORNING))
        await taken(planning, admission(f"A-{number}", stay=stay, number=reserve, oid=RESERVNUMMER))
    both = [(await planning.mailbox(planning.municipality(code)))["entries"] for code in (GOTEBORG, HARRYDA)]
    assert both[0] == [], "where the merged number said that she lives"
    assert [entry["type"] for entry in both[1]] == ["notice.admission"] * 2
    assert [entry["personal"].get("withheld") for entry in both[1]] == [None, "protected"]


async def test_of_two_merges_of_one_moment_the_second_holds_whatever_they_are_called(planning: Planning) -> None:
    for number, (first, second) in enumerate((("0", "9"), ("9", "0"))):
        reserve, between = a_reservnummer(number), a_reservnummer(1_000 + number)
        await taken(planning, a_merge(f"M-{first}-{number}", reserve, between))
        await taken(planning, a_merge(f"M-{second}-{number}", between, a_personnummer(number), oid=""))
        await taken(planning, admission(f"A-{number}", stay=f"S-{number}", number=reserve, oid=RESERVNUMMER))
        assert await number_of(planning, f"S-{number}") == a_personnummer(number), f"{first}, {second}"


async def test_a_merge_of_a_patient_who_has_moved_on_is_nothing_that_a_person_must_judge(planning: Planning) -> None:
    hospital = bearer(planning.tokens.token("ward-su", scopes=["events:write", "cases:read"], units=[WARD, OTHER_WARD]))
    told = {
        "admitted": admission("A-1", stay="S-1", number=RESERVE, oid=RESERVNUMMER),
        "moved": message("A02", "T-1", pid(RESERVE, RESERVNUMMER), pv1(OTHER_WARD, stay="S-1", before=WARD), when="20261103180000"),
        "merged": merged(when=MORNING),
    }
    for body in told.values():
        answer = await planning.http.post("/v1/hl7v2", content=body, headers={**hospital, **HL7})
        assert answer_of(answer.content)[0] == "AA"
    (case,) = (await planning.http.get("/v1/cases", headers=hospital)).json()["cases"]
    shown = (await planning.http.get(f"/v1/cases/{case['id']}", headers=hospital)).json()
    found = {one["code"] for one in shown["findings"]}
    assert (shown["person"]["id"], shown["ward"], found) == (a_personnummer(), OTHER_WARD, {"late_admission_notice"})


async def test_a_merge_holds_for_the_stays_of_its_own_sender_only(planning: Planning) -> None:
    other = bearer(planning.tokens.token("ward-nu", scopes=["events:write"], units=[OTHER_WARD]))
    answer = await planning.http.post("/v1/hl7v2", content=merged(), headers={**other, **HL7})
    assert answer_of(answer.content)[0] == "AA"
    await taken(planning, admission("A-1", stay="S-1", number=RESERVE, oid=RESERVNUMMER))
    assert await number_of(planning, "S-1") == RESERVE
    async with planning.database.transaction() as work:  # positive control; and a repetition makes good what a crash left undone
        await work.connection.execute(text("UPDATE waiting_merges SET client = 'ward-su'"))
    await taken(planning, admission("A-1", stay="S-1", number=RESERVE, oid=RESERVNUMMER))
    assert await number_of(planning, "S-1") == a_personnummer()


async def test_who_is_admitted_under_a_number_after_its_merge_came_is_somebody_else(planning: Planning) -> None:
    last = await merged_long_ago(planning, came="2026-11-05 12:00+01")
    for number, when in enumerate(("20261105120000", "20261106100000")):
        await taken(planning, admission(f"A-{number}", stay=f"S-{number}", number=RESERVE, oid=RESERVNUMMER, when=when))
        await taken(planning, last)
    assert [await number_of(planning, f"S-{number}") for number in range(2)] == [a_personnummer(), RESERVE]
    assert await taken(planning, merged("M-2", when="20261106110000")) == []
    assert await number_of(planning, "S-1") == a_personnummer(), "said of her as well it holds"


async def test_who_was_told_of_before_the_merge_came_is_meant_also_when_she_is_admitted_hours_from_now(
    planning: Planning,
) -> None:
    evening = at(now() + timedelta(hours=3))
    await taken(planning, admission("A-1", stay="S-1", number=RESERVE, oid=RESERVNUMMER, when=evening))
    assert await taken(planning, merged()) == []
    assert await number_of(planning, "S-1") == a_personnummer()


async def merged_long_ago(planning: Planning, *, came: str) -> bytes:
    """A merge that came at another time than now."""
    told = merged()
    await taken(planning, told)
    async with planning.database.transaction() as work:
        await work.connection.execute(
            text("UPDATE waiting_merges SET received_at = CAST(CAST(:came AS text) AS timestamptz)"), {"came": came}
        )
    return told


async def test_ever_so_many_merges_of_one_number_have_its_stay_read_a_few_times(planning: Planning) -> None:
    """A system that repeats a merge under ever new names would hold up everybody's messages: each was one more look at the whole stay."""
    for number in range(20):
        await taken(planning, a_merge(f"M-{number}", RESERVE, RESERVE))
    with stays_read() as read:
        await taken(planning, admission("A-1", stay="S-1", number=RESERVE, oid=RESERVNUMMER))
    assert 0 < len(read) < 10
    assert len((await person_of(planning, "S-1"))["events"]) == 21


@contextmanager
def stays_read() -> Iterator[list[str]]:
    """The statements that read the events of a stay for an adapter."""
    found: list[str] = []

    def look(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.strip().startswith("WITH spaces"):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", look)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", look)


async def kept(planning: Planning) -> list[str]:
    async with planning.database.transaction() as work:
        return list((await work.connection.execute(text("SELECT CAST(m AS text) FROM waiting_merges m ORDER BY message"))).scalars())


async def test_a_merge_waits_some_days_and_is_gone_then(planning: Planning) -> None:
    await taken(planning, merged())
    await taken(planning, merged("M-2", 2))
    async with planning.database.transaction() as work:
        await work.connection.execute(
            text("UPDATE waiting_merges SET received_at = :at WHERE message = 'MILLENNIUM:M-1'"),
            {"at": work.at - MERGES_KEPT - timedelta(minutes=1)},
        )
    await taken(planning, admission("A-1", stay="S-1", number=RESERVE, oid=RESERVNUMMER))
    assert await number_of(planning, "S-1") == RESERVE
    forgetting = asyncio.create_task(keep_forgetting(planning.database))

    async def one_is_gone() -> bool:
        return len(await kept(planning)) == 1

    await until(one_is_gone)
    forgetting.cancel()
    assert ["MILLENNIUM:M-2" in row for row in await kept(planning)] == [True]


REFUSED = {
    "no person": (message("A40", "X", f"MRG|{RESERVE}^^^&{RESERVNUMMER}&ISO"), ("PID-3", "101", "missing")),
    "nobody merged": (message("A40", "X", pid()), ("MRG-1", "101", "missing")),
    "a wrong check digit": (a_merge("X", RESERVE, "189001019803", oid=""), ("PID-3", "102", "person_id.check_digit")),
    "a name that holds the merged number": (
        message("A40", a_personnummer(3)[2:], pid(), f"MRG|{a_personnummer(3)}^^^&{PERSONNUMMER}&ISO"),
        ("MSH-10", "102", "event_id.is_person"),
    ),
    "the future": (merged("X", when="20991104080000"), ("EVN-6", "102", "in_future")),
    "a time that is none": (merged("X", when="20261304080000"), ("EVN-6", "102", "time.format")),
    "two names in one": (merged("X", person="A\x07^B"), ("PID-5", "102", "text.not_printable")),
}


async def test_a_merge_that_cannot_be_taken_is_refused_when_it_comes_and_does_not_wait(planning: Planning) -> None:
    for name, (body, remark) in REFUSED.items():
        assert await tell(planning, body) == ("AE", [remark]), name
    assert await kept(planning) == []
    assert await taken(planning, a_merge("M-12", "12", a_personnummer(), oid="")) == ["hl7.person_unknown"], (
        "what is no number is in no name"
    )
    await taken(planning, merged())
    another = merged(person="Annan^Test")
    assert await tell(planning, another) == ("AE", [("MSH-10", "205", "event.id_reused")])
    assert len(await kept(planning)) == 2


async def test_a_merge_that_waits_is_sealed_told_to_her_and_erased_with_her(planning: Planning) -> None:
    await taken(planning, merged())
    (row,) = await kept(planning)
    assert [part for part in (a_personnummer(), RESERVE, "Testsson", "Testgatan") if part in row] == []
    asked = {"person": {"type": "personnummer", "id": a_personnummer()}}
    answer = await planning.http.post("/v1/persons/export", json=asked, headers=auditor(planning))
    assert answer.status_code == 200, answer.text
    (told,) = answer.json()["merges"]
    assert (told["message"], told["person"]["id"], answer.json()["cases"]) == ("MILLENNIUM:M-1", a_personnummer(), [])
    (line,) = await log(planning)
    assert (line["action"], len(line["patients"])) == ("person.export", 1)
    await seal_all(planning)
    async with planning.database.transaction() as work:
        assert await usecases.persons_that_do_not_open(work) == []
    erasure = {"person": {"type": "reservnummer", "id": RESERVE}, "basis": "beslut 17", "acted_by": "Nils Test"}
    assert (await post(planning, auditor(planning), "/v1/persons/erasure", erasure)).status_code == 201
    assert await kept(planning) == []
    assert (await planning.http.post("/v1/persons/export", json=asked, headers=auditor(planning))).status_code == 404


async def test_of_whom_nothing_but_a_merge_is_kept_an_export_tells_who_read_of_her_and_of_nobody_else(planning: Planning) -> None:
    another = (await planning.tell(a_ward_event())).json()["case_id"]
    assert (await planning.http.get(f"/v1/cases/{another}", headers=planning.ward)).status_code == 200
    await taken(planning, merged(number=40))
    asked = {"person": {"type": "personnummer", "id": a_personnummer(40)}}
    told = []
    for _ in range(2):
        assert await log(planning), "positive control: somebody read of another patient"
        answer = await planning.http.post("/v1/persons/export", json=asked, headers=auditor(planning))
        told.append([access["action"] for access in answer.json()["accesses"]])
    assert told == [[], ["person.export"]]
