"""Searching over FHIR: a page holds what was asked for and nothing is passed over; what is found is what can be read, and is logged so."""

from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import parse_qsl

from sqlalchemy import text

from services.planning.adapters.fhir.resources import ENCOUNTER_STATUS, STATUSES
from services.planning.api.cases import StateShown
from services.planning.repository.mailbox_search import OF_STAY
from services.planning.repository.plans import TAKES_PART
from services.planning.usecases import DirectoryEntries, MailboxAt, Unit, load_directory
from shared.dates import format_instant, now
from tests.builders import (
    CARE_CENTRE,
    HARRYDA,
    OTHER_CARE_CENTRE,
    OTHER_SOURCE,
    OTHER_WARD,
    WARD,
    a_person,
    a_personnummer,
    a_ward_event,
    admission_data,
)
from tests.integration.planning.conftest import GOTEBORG_UNIT, HARRYDA_NUMBER, Planning
from tests.integration.planning.plan_calls import ADULT, CHILD, TEAM, care, done, municipality, post, put, with_school_and_team
from tests.integration.planning.test_fhir import FORM, PERSONNUMMER, UNKNOWN, ids, search
from tests.integration.planning.test_whole_plans import held, invited, measures
from tests.services import PUBLIC_URL, REGION, bearer

DAY = "2026-11-{:02}T14:05:00+01:00"
Said = tuple[str, dict[str, Any]]
SCOPES = ["events:write", "cases:read", "plans:write", "notices:read"]


def hers(number: int) -> dict[str, str]:
    return {"patient.identifier": f"{PERSONNUMMER}|{a_personnummer(number)}"}


async def told(planning: Planning, number: int, *more: Said, **person: object) -> str:
    """A case of its own person, and what the ward told of it then, a day apart."""
    stay = {"subject": f"STAY-{number}"}
    data = admission_data(person=a_person(id=a_personnummer(number), **person))
    answer = await planning.tell(a_ward_event(id=f"{number}-0", data=data, **stay))
    assert answer.status_code == 201, answer.text
    for day, (kind, said) in enumerate(more, start=1):
        event = a_ward_event(kind, said or None, id=f"{number}-{day}", time=DAY.format(3 + day), **stay)
        assert (await planning.tell(event)).status_code == 201, kind
    return str(answer.json()["case_id"])


async def paged(planning: Planning, kind: str, who: dict[str, str], form: Mapping[str, str]) -> list[dict[str, Any]]:
    """The resources of a search, one page after the other, each of one."""
    found: list[dict[str, Any]] = []
    asked = {**form, "_count": "1"}
    while True:
        page = await search(planning, kind, who, form=asked)
        found += [entry["resource"] for entry in page.get("entry", [])]
        following = [link["url"] for link in page["link"] if link["relation"] == "next"]
        if not following:
            return found
        assert "entry" in page, f"{asked}: an empty page leads nowhere"
        asked = dict(parse_qsl(following[0].partition("?")[2]))
        assert "patient.identifier" not in asked


async def logged(planning: Planning, action: str) -> list[list[str]]:
    await planning.number()
    about = text("SELECT CAST(body AS jsonb) -> 'cases' FROM feed_entries WHERE feed = 'access' AND kind = :kind ORDER BY position")
    async with planning.database.transaction() as work:
        return list((await work.connection.execute(about, {"kind": action})).scalars())


async def test_a_page_of_encounters_in_one_status_holds_those_and_passes_over_the_others(planning: Planning) -> None:
    leave: Said = ("stay.leave_started", {})
    back: Said = ("stay.leave_ended", {})
    left: Said = ("stay.discharged", {})
    mistaken: Said = ("stay.event_cancelled", {"event": "4-0", "reason": "Fel patient"})
    cases = [
        await told(planning, number, *then) for number, then in enumerate([(), (leave,), (leave, back), (left,), (mistaken,), (left,), ()])
    ]
    plan, _ = await invited(planning, [GOTEBORG_UNIT], case_id=cases[5], person=None)
    await held(planning, plan)
    await done(put(planning, care(planning), f"{plan}/measures", measures()))
    await done(post(planning, care(planning), f"{plan}/follow-up", {"held_at": format_instant(now()), "outcome": "goals_met"}))
    who = planning.ward
    every = await paged(planning, "Encounter", who, {})
    assert [one["id"] for one in every] == sorted(cases)
    shown = {one["id"]: one["status"] for one in every}
    assert [shown[case] for case in cases] == [
        *("in-progress", "onleave", "in-progress", "finished", "entered-in-error", "finished", "in-progress")
    ]
    for status in STATUSES["Encounter"]:
        found = await paged(planning, "Encounter", who, {"status": status})
        assert [one["id"] for one in found] == sorted(case for case, stands in shown.items() if stands == status), status
    assert ids(await search(planning, "Encounter", who, form={"_id": cases[3], "status": "finished"})) == [cases[3]]
    assert ids(await search(planning, "Encounter", who, form={"status": "planned", **hers(3)})) == []
    assert (await search(planning, "Encounter", who, 400, status="requested"))["resourceType"] == "OperationOutcome"
    states = {case["id"]: case["state"] for case in (await planning.http.get("/v1/cases", headers=who)).json()["cases"]}
    assert states[cases[5]] == "followed_up"
    assert set(states.values()) | set(get_args(StateShown)) == set(ENCOUNTER_STATUS)


async def test_plans_are_found_by_pages_by_stay_and_by_person_and_each_only_by_whom_it_is_read(planning: Planning) -> None:
    await with_school_and_team(planning)
    case, other = await told(planning, 1), await told(planning, 2)
    plans = [
        (await invited(planning, [GOTEBORG_UNIT], case_id=case, person=None))[0],
        f"/v1/plans/{(await done(post(planning, care(planning), '/v1/plans', {'case_id': other})))['id']}",
        (await invited(planning, [TEAM]))[0],
        f"/v1/plans/{(await done(post(planning, care(planning), '/v1/plans', {'person': ADULT, 'consent': 'refused'})))['id']}",
    ]
    await another_member(planning)
    admission = admission_data(outpatient_unit=TEAM, person=a_person(id=a_personnummer(3)))
    of_team = (await done(planning.tell(a_ward_event(data=admission))))["case_id"]
    by_member = {"case_id": of_team, "care_centre": CARE_CENTRE}
    plans.append(f"/v1/plans/{(await done(post(planning, care(planning), '/v1/plans', by_member)))['id']}")
    names = [plan.rpartition("/")[2] for plan in plans]
    units = {
        "ward": [WARD],
        "another ward": [OTHER_WARD],
        "the whole region": [f"SE{REGION}-"],
        "a team": [TEAM],
        "a member": [OTHER_CARE_CENTRE],
    }
    callers = {who: bearer(planning.tokens.token(who, scopes=SCOPES, units=of)) for who, of in units.items()}
    callers |= {"care": care(planning), "municipality": municipality(planning), "another": municipality(planning, HARRYDA, HARRYDA_NUMBER)}
    can_read = {}
    for who, headers in callers.items():
        can_read[who] = [
            name for name, plan in zip(names, plans, strict=True) if (await planning.http.get(plan, headers=headers)).is_success
        ]
        assert [one["id"] for one in await paged(planning, "CarePlan", headers, {})] == can_read[who], who
        for about, name in ((case, names[0]), (other, names[1])):
            found = [one["id"] for one in await paged(planning, "CarePlan", headers, {"encounter": about})]
            assert found == [one for one in can_read[who] if one == name], who
    assert can_read == {
        "ward": [*names[:2], names[4]],
        "another ward": [],
        "the whole region": names,
        "a team": [names[2], names[4]],
        "a member": names[4:],
        "care": names,
        "municipality": [*names[:3], names[4]],
        "another": [],
    }
    lead = callers["care"]
    for written in (f"Encounter/{case}", f"{PUBLIC_URL}/v1/fhir/Encounter/{case}"):
        assert ids(await search(planning, "CarePlan", lead, encounter=written)) == names[:1]
    for nothing in (UNKNOWN, "nothing", f"Patient/{case}", f"https://elsewhere.test/Encounter/{case}"):
        assert ids(await search(planning, "CarePlan", lead, encounter=nothing)) == []
    by_id = await search(planning, "CarePlan", lead, _id=names[0])
    assert (await search(planning, "CarePlan", lead, encounter=case))["entry"] == by_id["entry"]
    assert ids(await search(planning, "CarePlan", lead, form=hers(1))) == names[:1]
    of_adult = {"patient.identifier": f"{PERSONNUMMER}|{ADULT['id']}"}
    assert ids(await search(planning, "CarePlan", lead, form=of_adult)) == names[2:4]
    assert ids(await search(planning, "CarePlan", callers["municipality"], form=of_adult)) == names[2:3]
    assert ids(await search(planning, "CarePlan", callers["another"], form=of_adult)) == []
    for wrong in (
        {"encounter": case, "_id": names[0]},
        {"encounter": case, **hers(1)},
        {"_cursor": names[0], **hers(1)},
        {"status": "active"},
    ):
        assert (await search(planning, "CarePlan", lead, 400, wrong))["resourceType"] == "OperationOutcome"


async def test_of_a_person_who_was_erased_a_plan_is_found_among_the_others_and_names_nobody(planning: Planning) -> None:
    lead = care(planning)
    opened = await done(post(planning, lead, "/v1/plans", {"person": ADULT, "consent": "refused"}))
    kept = await done(post(planning, lead, "/v1/plans", {"person": CHILD}))
    office = bearer(planning.tokens.token("auditor", scopes=["persons:write"], role="auditor", units=[f"SE{REGION}-"]))
    why = {"basis": "beslut 17", "acted_by": "Nils Test"}
    sought = {"type": "personnummer", "id": ADULT["id"]}
    await done(post(planning, office, "/v1/persons/erasure", {"person": sought, **why}))
    found = await search(planning, "CarePlan", lead)
    assert ids(found) == [opened["id"], kept["id"]]
    (erased,) = found["entry"][0]["resource"]["contained"]
    assert erased["name"][0]["extension"][0]["valueCode"] == "masked"
    assert ids(await search(planning, "CarePlan", lead, form={"patient.identifier": f"{PERSONNUMMER}|{ADULT['id']}"})) == []


async def test_after_a_transfer_every_id_of_the_case_finds_what_hangs_on_it(planning: Planning) -> None:
    wards = bearer(planning.tokens.token("wards", scopes=SCOPES, units=[WARD, OTHER_WARD]))
    there: dict[str, Any] = {"source": OTHER_SOURCE, "subject": "NU-2026-000456"}
    for event in (
        a_ward_event(),
        a_ward_event("stay.transferred", id="SU-2", time="2026-11-04T10:00:00+01:00"),
        a_ward_event("stay.ready", id="NU-1", time="2026-11-05T10:00:00+01:00", **there),
    ):
        assert (await planning.http.post("/v1/events", json=event, headers=wards)).status_code == 201
    async with planning.database.transaction() as work:
        parts = list((await work.connection.execute(text("SELECT CAST(id AS text) FROM cases ORDER BY id"))).scalars())
    assert len(parts) == 2, "one case of two stays"
    plan, _ = await invited(planning, [GOTEBORG_UNIT], case_id=parts[0], person=None)
    them, notices = municipality(planning), [one["id"] for one in (await planning.mailbox(municipality(planning)))["entries"]]
    for part in parts:
        assert ids(await search(planning, "CarePlan", them, encounter=part)) == [plan.rpartition("/")[2]]
        assert ids(await search(planning, "Task", them, encounter=part)) == notices


async def another_member(planning: Planning) -> None:
    """A second care centre that is a member of the team, and a mailbox for it."""
    unit, box = Unit(OTHER_CARE_CENTRE, REGION, "Vårdcentral 2", "care_centre"), MailboxAt(TEAM, REGION, f"unit:{TEAM}", "team")
    async with planning.database.transaction() as work:
        await load_directory(work, DirectoryEntries([], [unit], [box]))
        member = {"team": TEAM, "unit": OTHER_CARE_CENTRE}
        await work.connection.execute(text("INSERT INTO team_members (team, unit, valid_from) VALUES (:team, :unit, '2018-01-01')"), member)


async def test_a_plan_that_does_not_say_whose_it_is_is_not_found_by_her_number(planning: Planning) -> None:
    case, protected = await told(planning, 1), await told(planning, 2, protected=True)
    plan, _ = await invited(planning, [GOTEBORG_UNIT], case_id=case, person=None)
    await invited(planning, [GOTEBORG_UNIT], case_id=protected, person=None)
    beside, _ = await invited(planning, [GOTEBORG_UNIT], person=ADULT | {"protected": True})
    them, lead, of_adult = municipality(planning), care(planning), {"patient.identifier": f"{PERSONNUMMER}|{ADULT['id']}"}
    assert len(ids(await search(planning, "CarePlan", them, form=hers(1)))) == 1, "positive control"
    await done(put(planning, them, f"{plan}/consent", {"consent": "withdrawn", "asked_by": "Maja Test"}))
    before = len(await logged(planning, "plan.read"))
    for who, number in ((them, hers(1)), (planning.ward, hers(1)), (them, hers(2)), (lead, hers(2)), (them, of_adult)):
        assert ids(await search(planning, "CarePlan", bearer_of(planning, who), form=number)) == []
    assert len(await logged(planning, "plan.read")) == before, "what was not told was not read"
    assert ids(await search(planning, "CarePlan", lead, form=of_adult)) == [beside.rpartition("/")[2]], "who entered her knows her"
    (withdrawn,) = (await search(planning, "CarePlan", them, encounter=case))["entry"]
    assert withdrawn["resource"]["meta"]["security"][0]["code"] == "R"
    assert a_personnummer(1) not in str(withdrawn)


def bearer_of(planning: Planning, who: dict[str, str]) -> dict[str, str]:
    """The same caller; the ward with the scope that plans are asked for with."""
    return bearer(planning.tokens.token("ward-su", scopes=SCOPES, units=[WARD])) if who == planning.ward else who


async def test_every_plan_of_a_page_leaves_the_line_that_reading_it_leaves(planning: Planning) -> None:
    cases = [await told(planning, number) for number in range(3)]
    for case in cases[:2]:
        await invited(planning, [GOTEBORG_UNIT], case_id=case, person=None)
    await done(post(planning, care(planning), "/v1/plans", {"case_id": cases[2]}))
    answer = await planning.http.post("/v1/fhir/CarePlan/_search", content="", headers={**municipality(planning), **FORM})
    assert len(ids(answer.json())) == 3
    assert sorted(await logged(planning, "plan.read")) == sorted([case] for case in cases[:2]), "of the third nothing is shared"


async def test_who_takes_part_in_a_plan_is_found_by_key_however_many_cases_there_are(planning: Planning) -> None:
    """As planning's services run (`by_key`): one table that can only be read whole, and reading all cases costs no more beside it."""
    async with planning.database.transaction() as work:
        await work.connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = text("EXPLAIN SELECT" + TAKES_PART.format(plan="CAST(:id AS uuid)", unit="'x'"))
        planned = (await work.connection.execute(explain, {"id": UNKNOWN})).scalars().all()
        assert [line for line in planned if "Seq Scan" in line] == []


async def test_the_notices_of_a_stay_are_found_by_its_key_however_long_the_mailbox_is(planning: Planning) -> None:
    """Of twenty thousand in one mailbox all were read to find one: 23 ms, and now 0.7."""
    asked = {"case": UNKNOWN, "mailbox": UNKNOWN, "feed": "mailbox/x", "after": 0, "limit": 50, "states": None}
    async with planning.database.transaction() as work:
        await work.connection.execute(text("SET LOCAL enable_seqscan = off"))
        planned = (await work.connection.execute(text(f"EXPLAIN {OF_STAY.text}"), asked)).scalars().all()
    assert [line for line in planned if "Index" in line and "notices_case" in line]
    assert [line for line in planned if "Seq Scan" in line] == []


async def test_what_was_found_and_not_told_for_its_status_is_not_logged_as_read(planning: Planning) -> None:
    case = await told(planning, 1)
    await planning.number()
    who, (notice,) = municipality(planning), await unread(planning)
    for kind, form, status, other, action in (
        ("Encounter", {"_id": case}, "in-progress", "finished", "case.read"),
        ("Encounter", hers(1), "in-progress", "onleave", "case.search"),
        ("Task", {"_id": notice["id"]}, "requested", "received", "notice.read"),
    ):
        assert ids(await search(planning, kind, who, form=form, status=other)) == []
        assert await logged(planning, action) == [], (kind, form)
        assert len(ids(await search(planning, kind, who, form=form, status=status))) == 1
        assert await logged(planning, action) == [[case]], (kind, form)


async def test_notices_are_found_by_stay_and_by_status_in_the_order_of_the_mailbox(planning: Planning) -> None:
    cases = [await told(planning, number, ("stay.ready", {})) for number in range(3)]
    await planning.number()
    who = municipality(planning)
    entries = [one for one in await unread(planning) if one["case_id"] in cases]
    assert len(entries) == 6, "each was told of an admission and of a readiness"
    (first,) = [one["resource"] for one in (await search(planning, "Task", who, encounter=f"Encounter/{cases[1]}", _count="1"))["entry"]]
    assert first["id"] == next(one["id"] for one in entries if one["case_id"] == cases[1])
    assert await delivered(planning) == [first["id"]], "what was passed over was not fetched"
    of_one = await paged(planning, "Task", who, {"encounter": cases[1]})
    assert [one["id"] for one in of_one] == [one["id"] for one in entries if one["case_id"] == cases[1]]
    await done(post(planning, who, f"/v1/notices/{first['id']}/acknowledgement", {"acknowledged_by": "Maja Test"}))
    shown = {one["id"]: one["status"] for one in await paged(planning, "Task", who, {})}
    assert list(shown) == [one["id"] for one in entries]
    assert set(shown.values()) == {"accepted", "received"}
    for status in STATUSES["Task"]:
        found = await paged(planning, "Task", who, {"status": status})
        assert [one["id"] for one in found] == [name for name, stands in shown.items() if stands == status], status
    both = await paged(planning, "Task", who, {"status": "received", "encounter": cases[1]})
    assert [one["id"] for one in both] == [of_one[1]["id"]]
    assert ids(await search(planning, "Task", who, form={"_id": first["id"], "status": "received"})) == []
    assert ids(await search(planning, "Task", municipality(planning, HARRYDA, HARRYDA_NUMBER), encounter=cases[1])) == []
    assert ids(await search(planning, "Task", who, encounter="nothing")) == []
    for refused, why in (({"status": "finished"}, 400), ({"status": "received", "_cursor": "99"}, 410), ({"_cursor": "99"}, 410)):
        assert (await search(planning, "Task", who, why, refused))["resourceType"] == "OperationOutcome"
    described = (await planning.http.get("/openapi.json")).json()["paths"]["/v1/fhir/Task/_search"]["post"]["responses"]
    assert {"400", "410"} <= set(described), "and says so in its description"


async def test_a_notice_that_nobody_fetched_is_found_as_what_it_is_once_it_is_found(planning: Planning) -> None:
    await told(planning, 1)
    await planning.number()
    who = municipality(planning)
    (notice,) = await unread(planning)
    assert ids(await search(planning, "Task", who, form={"_id": notice["id"], "status": "requested"})) == [notice["id"]]
    assert ids(await search(planning, "Task", who, status="requested")) == []
    assert await delivered(planning) == []
    (found,) = (await search(planning, "Task", who, status="received"))["entry"]
    assert (found["resource"]["id"], found["resource"]["status"]) == (notice["id"], "received")
    assert await delivered(planning) == [notice["id"]]


async def unread(planning: Planning) -> list[dict[str, Any]]:
    """The notices of the municipality in the order of its mailbox, without fetching them."""
    statement = text(
        "SELECT CAST(n.id AS text) AS id, CAST(n.case_id AS text) AS case_id FROM feed_entries e JOIN notices n ON n.id = e.entry_id"
        " WHERE n.recipient = 'municipality:1480' ORDER BY e.position"
    )
    async with planning.database.transaction() as work:
        return [dict(row) for row in (await work.connection.execute(statement)).mappings()]


async def delivered(planning: Planning) -> list[str]:
    async with planning.database.transaction() as work:
        found = await work.connection.execute(text("SELECT CAST(id AS text) FROM notices WHERE delivered_at IS NOT NULL ORDER BY id"))
        return list(found.scalars())


async def test_a_result_says_what_was_searched_by_but_never_a_persons_number(planning: Planning) -> None:
    """FHIR R4, search: the server returns the parameters that it used, in the link `self`."""
    case = await told(planning, 1)
    who = municipality(planning)
    used: dict[str, str] = {"status": "in-progress", "_count": "1"}
    for form, stated in (
        (used, used),
        ({"_cursor": UNKNOWN, **used}, {"_cursor": UNKNOWN, **used}),
        ({"_id": case}, {"_id": case, "_count": "50"}),
        ({"status": "in-progress", **hers(1)}, {"status": "in-progress", "_count": "50"}),
        ({"_id": a_personnummer(1)}, {"_count": "50"}),
    ):
        result = await search(planning, "Encounter", who, form=form)
        itself = next(link["url"] for link in result["link"] if link["relation"] == "self")
        assert dict(parse_qsl(itself.partition("?")[2])) == stated
        assert a_personnummer(1) not in str(result["link"])


async def test_several_values_are_refused_and_not_said_to_find_nothing(planning: Planning) -> None:
    cases = [await told(planning, number) for number in (1, 2)]
    who = bearer(planning.tokens.token("ward-su", scopes=SCOPES, units=[WARD]))
    both, number = ",".join(cases), next(iter(hers(1).values()))
    for kind, form in (
        ("Encounter", {"_id": both}),
        ("Encounter", {"_id": f"|{cases[0]}"}),
        ("Encounter", {"status": "planned,in-progress"}),
        ("Encounter", {"status:not": "planned"}),
        ("Encounter", {"patient.identifier": f"{number},{number}"}),
        ("Patient", {"_id": both}),
        ("Task", {"_id": both}),
        ("Task", {"encounter": f"Encounter/{both}"}),
        ("CarePlan", {"_id": both}),
        ("CarePlan", {"encounter": both}),
    ):
        refusal = await search(planning, kind, who, 400, form)
        assert refusal["issue"][0]["details"]["coding"][0]["code"] == "fhir.search", (kind, form)
        assert cases[0] not in str(refusal)


async def test_a_search_that_passes_over_what_is_new_is_no_reading_of_the_mailbox(planning: Planning) -> None:
    """That it was read silences the alarm, and lets silence count as acceptance of a month (domain rule 3.8)."""
    case = await told(planning, 1)
    await planning.number()
    who = municipality(planning)
    for looking in ({"encounter": case}, {"encounter": UNKNOWN}, {"status": "rejected"}, {"status": "requested"}):
        await search(planning, "Task", who, form=looking)
        assert not await was_read(planning), looking
    for reading in ({}, {"status": "received"}):
        await search(planning, "Task", who, form=reading)
        assert await was_read(planning), reading


async def was_read(planning: Planning) -> bool:
    """Whether a mailbox was noted as read since this was asked last."""
    statement = text("UPDATE mailboxes SET last_polled_at = NULL WHERE last_polled_at IS NOT NULL RETURNING id")
    async with planning.database.transaction() as work:
        return bool((await work.connection.execute(statement)).all())
