"""One patient from emergency admission to closed SIP: ward, care centre and municipality, each led by its own check list."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dirigent.simulate.command import last_full_month
from dirigent.simulate.course import at_clock
from shared.dates import Month, format_instant, local_date, now, parse_instant, start_of_day
from tests.journeys.checklist import Checklist, page
from tests.journeys.stories import CARE_CENTRE, WARD, County, Stay, contains, unit_of
from tests.patience import until

WRONG, RIGHT = "1463", "1465"
NEXT_WARD = "SE2321000131-E000000000102"
NEEDS = ("municipal_social", "municipal_health", "outpatient")
CLIENTS = {"ward": "ward-su", "care": "care-goteborg", "wrong": f"kommun-{WRONG}", "right": f"kommun-{RIGHT}"}
LINK = "https://video.test/sip/2"
ANNA, MAJA, OLLE = "Anna Test", "Maja Test", "Olle Test"


@dataclass(slots=True)
class Story:
    """The stay as the ward tells it, and the check lists of all who have to do with it."""

    county: County
    stay: Stay
    lists: Checklist
    admission: dict[str, Any]

    @property
    def case(self) -> str:
        return self.lists.case

    async def tell(self, kind: str, ago: timedelta, data: dict[str, Any] | None = None) -> dict[str, Any]:
        event = self.stay.tell(kind, now() - ago, data)
        told = await self.county.post_event(event)
        assert told.status == 201, told
        assert told.body["case_id"] == self.case
        return event

    async def read(self, party: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.county.read(CLIENTS[party], f"/v1/cases/{self.case}")
        return found

    async def open(self) -> dict[str, list[str]]:
        return await self.lists.open()


async def two_mailboxes(county: County, code: str) -> None:
    """Let a municipality read what concerns social services and what concerns health care apart."""
    unit, client = unit_of(code), f"kommun-{code}"
    functions = {"municipal_social": "social_services", "municipal_health": "health_care"}
    boxes = [{"function": function} for function in functions.values()]
    named = {"organisation": unit[2:12], "name": "Kommunens mottagning", "kind": "municipal", "mailboxes": boxes}
    entered = await county.api.call("controller", "PUT", f"/v1/units/{unit}", body=named)
    assert entered.ok, entered
    rules = [{"function": function, "need": need, "valid_from": "2020-01-01"} for need, function in functions.items()]
    ruled = await county.api.call("controller", "PUT", f"/v1/addressing/municipality:{code}", body={"rules": rules})
    assert ruled.ok, ruled
    assert {box["function"] for box in (await county.read(client, "/v1/mailboxes"))["mailboxes"]} >= set(functions.values())


async def admitted(county: County) -> Story:
    """An emergency: nobody can know yet when the patient goes home, and nobody is asked to."""
    stay = Stay(municipality=WRONG, needs=NEEDS)
    admission = stay.admission(now() - timedelta(hours=3))
    told = await county.post_event(admission)
    assert told.status == 201, told
    assert [finding["code"] for finding in told.body["findings"]] == ["planned_date_missing"]
    return Story(county, stay, Checklist(county, told.body["case_id"], CLIENTS), admission)


async def everybody_begins_to_plan(story: Story) -> None:
    lists = story.lists
    assert await story.open() == {
        "ward": ["state_planned_date"],
        "care": ["acknowledge", "appoint_care_contact", "open_plan", "start_planning"],
        "wrong": ["acknowledge", "start_planning"],
    }
    for party, person in (("care", ANNA), ("wrong", MAJA)):
        notice = await lists.told(party, "notice.admission")
        assert notice["personal"]["content"] == {"planned_discharge_date": None}
        duty = await lists.duty(party, "acknowledge")
        assert (duty["legal_basis"], duty["fulfilled_by"]) == (
            "lag (2017:612) 2 kap. 6 §",
            f"POST /v1/notices/{notice['id']}/acknowledgement",
        )
        assert parse_instant(duty["due_at"]) == parse_instant(notice["sent_at"]) + timedelta(hours=24)
        await lists.follow(party, "acknowledge", {"acknowledged_by": person})
        await lists.follow(party, "start_planning", {"status": "assessing"})
    assert (await story.read("ward"))["state"] == "planning"
    status = await lists.told("ward", "notice.planning_status", in_box=WARD)
    assert status["personal"]["content"]["status"] == "assessing"

    assert (await lists.duty("care", "appoint_care_contact"))["legal_basis"] == "lag (2017:612) 2 kap. 5 §"
    await lists.follow("care", "appoint_care_contact", {"unit": CARE_CENTRE, "name": ANNA, "role": "Sjuksköterska"})
    for party, box in (("ward", WARD), ("wrong", None)):
        assert (await lists.told(party, "notice.care_contact", in_box=box))["personal"]["content"]["name"] == ANNA

    assert (await lists.duty("ward", "state_planned_date"))["fulfilled_by"] == "POST /v1/events"
    in_a_week = (local_date(now()) + timedelta(days=7)).isoformat()
    changed = story.stay.tell("planned_discharge_changed", now() - timedelta(minutes=90), {"planned_discharge_date": in_a_week})
    await lists.follow("ward", "state_planned_date", changed)
    assert (await story.read("ward"))["findings"] == []
    for party in ("care", "wrong"):
        assert (await lists.told(party, "notice.planned_discharge_changed"))["legal_basis"] == "lag (2017:612) 2 kap. 4 §"
        assert await lists.take_on(party, ANNA) == 1
    opened = await lists.follow("care", "open_plan", {"case_id": story.case, "consent": "given"})
    assert opened.body["state"] == "consented"
    assert await story.open() == {"care": ["invite_to_plan"]}
    assert (await lists.duty("care", "invite_to_plan"))["due_at"] is None, "three days since the ready notice, and there is none yet"


async def ready_too_early(story: Story) -> None:
    """The patient is ready, and then needs the hospital again: the clock stops, and everybody hears of both."""
    lists = story.lists
    await story.tell("ready", timedelta(minutes=80), {"secrecy_checked": True})
    assert await story.open() == {"care": ["acknowledge", "answer_ward", "invite_to_plan"], "wrong": ["acknowledge", "answer_ward"]}
    ready = await lists.told("wrong", "notice.ready")
    duty = await lists.duty("wrong", "answer_ward")
    assert parse_instant(duty["due_at"]) == parse_instant(ready["sent_at"]) + timedelta(hours=24)
    invite = await lists.duty("care", "invite_to_plan")
    assert invite["legal_basis"] == "lag (2017:612) 4 kap. 3 §"
    assert parse_instant(invite["due_at"]) == start_of_day(local_date(parse_instant(ready["sent_at"])) + timedelta(days=4))
    soon = {"date": local_date(now()).isoformat(), "time": "15:00"}
    await lists.follow("care", "answer_ward", {"status": "ready_from", "ready_from": soon})

    await story.tell("ready_withdrawn", timedelta(minutes=70), {"reason": "Feber"})
    assert (await story.read("ward"))["state"] == "planning"
    assert await story.open() == {"care": ["acknowledge"] * 2 + ["invite_to_plan"], "wrong": ["acknowledge"] * 2}
    assert [await lists.take_on(party, MAJA) for party in ("care", "wrong")] == [2, 2]


async def the_municipality_proves_to_be_the_wrong_one(story: Story) -> None:
    """Ready again; now the municipality sees that the person is not registered there, and the ward corrects what it said."""
    county, lists = story.county, story.lists
    await story.tell("ready", timedelta(minutes=60), {"secrecy_checked": True})
    returned = await lists.told("wrong", "notice.ready", times=2)
    back = await county.post(CLIENTS["wrong"], f"/v1/notices/{returned['id']}/return", {"returned_by": MAJA, "reason": "Flyttad 2019"})
    assert (back.status, back.body["state"]) == (201, "returned")
    heard = await lists.told("ward", "notice.returned", in_box=WARD)
    assert heard["personal"]["content"] == {"reason": "Flyttad 2019", "returned_by": MAJA}
    found = await county.read("ward-su", "/v1/findings", code="wrongly_addressed", unit=WARD)
    assert [one["about"] for one in found["findings"] if one["case_id"] == story.case] == [WRONG]

    assert (await county.api.call(CLIENTS["wrong"], "GET", f"/v1/cases/{story.case}")).status == 404
    entries = await lists.entries("wrong")
    told = [entry for entry in entries if entry["personal"] is not None]
    assert len(told) >= 5
    assert {entry["personal"].get("withheld") for entry in told} == {"returned"}
    assert not contains(entries, story.stay.person["id"])
    cancelled = [entry["supersedes"] for entry in entries if entry["type"] == "notice.cancelled"]
    of_the_stay = {entry["id"] for entry in told if entry["type"] != "notice.care_contact"}
    assert set(cancelled) == of_the_stay - {returned["id"]}
    assert await lists.take_on("wrong", MAJA) == len(cancelled)

    assert {(await lists.duty("ward", rule))["legal_basis"] for rule in ("acknowledge", "correct_addressing")} == {
        "lag (2017:612) 2 kap. 1-2 §§"
    }
    assert await lists.take_on("ward", ANNA) == 1, "what was returned is somebody's to see to"
    story.stay.municipality = RIGHT
    corrected = story.stay.tell("person_changed", now() - timedelta(minutes=5), {"person": story.stay.person})
    await lists.follow("ward", "correct_addressing", corrected)
    assert (await story.read("ward"))["findings"] == []


async def the_right_municipality_takes_over(story: Story) -> None:
    lists = story.lists
    for box in ("social_services", "health_care"):
        fresh = await lists.told("right", "notice.admission", in_box=box)
        ready = await lists.told("right", "notice.ready", in_box=box)
        assert fresh["personal"]["person"]["id"] == story.stay.person["id"]
        assert parse_instant(fresh["sent_at"]) <= parse_instant(ready["sent_at"])
        assert parse_instant(fresh["sent_at"]) > parse_instant((await lists.told("care", "notice.ready", times=2))["sent_at"])
    assert await story.open() == {
        "care": ["acknowledge", "invite_to_plan"],
        "right": ["acknowledge"] * 4 + ["answer_ward"],  # N1 and N5, each in two mailboxes
    }
    assert await lists.take_on("right", OLLE) == 4
    await lists.follow("right", "answer_ward", {"status": "needs", "needs": ["plan_meeting"]})
    status = await lists.told("ward", "notice.planning_status", in_box=WARD)
    assert status["personal"]["content"]["needs"] == ["plan_meeting"]
    await lists.take_on("care", ANNA)


async def questions_only_with_consent(story: Story) -> None:
    """A question in one's own words goes beyond the statute: refused, then allowed, then withheld again."""
    county, unit = story.county, unit_of(RIGHT)
    path = f"/v1/cases/{story.case}/messages"
    question = {"unit": unit, "to": WARD, "topic": "aids", "text": "Behövs rullstol hemma?", "written_by": OLLE}
    refused = await county.post(CLIENTS["right"], path, question)
    assert refused.status == 409, refused
    asked = {"case_id": story.case, "answer": "given", "purposes": ["free_text"], "unit": CARE_CENTRE, "asked_by": ANNA}
    consent = await county.post(CLIENTS["care"], "/v1/consents", asked)
    assert consent.status == 201, consent
    sent = await county.post(CLIENTS["right"], path, question)
    assert sent.status == 201, sent
    notice = await story.lists.told("ward", "notice.message", in_box=WARD)
    assert notice["about"]["message_id"] == sent.body["id"]
    assert not contains(notice, question["text"]), "the text never travels"
    (read,) = (await county.read("ward-su", path))["messages"]
    assert read["text"] == question["text"]
    answer = {"unit": WARD, "answers": sent.body["id"], "topic": "aids", "text": "Ja, lånad från oss", "written_by": MAJA}
    assert (await story.lists.duty("ward", "answer_question"))["fulfilled_by"] == f"POST {path}"
    await story.lists.follow("ward", "answer_question", answer)
    assert [one["text"] for one in (await county.read(CLIENTS["right"], path))["messages"]] == [question["text"], answer["text"]]
    withdrawn = await county.post(CLIENTS["care"], f"/v1/consents/{consent.body['id']}/withdraw", {"told_by": ANNA})
    assert withdrawn.status == 201, withdrawn
    after = (await county.read(CLIENTS["right"], path))["messages"]
    assert [(one["text"], one["withheld"]) for one in after] == [(question["text"], False), (None, True)]


async def moved_to_another_ward(story: Story) -> None:
    """Another ward with an id of its own for the stay: the same case under both names, and the clock goes on."""
    before = (await story.read("ward"))["ready"]
    await story.tell("transferred", timedelta(minutes=3), {"to_unit": NEXT_WARD, "to_subject": f"{story.stay.subject}-B"})
    story.stay.ward, story.stay.subject = NEXT_WARD, f"{story.stay.subject}-B"
    shown = await story.read("right")
    assert (shown["ward"], shown["ready"], shown["state"]) == (NEXT_WARD, before, "ready")
    for party in ("care", "right"):
        assert (await story.lists.told(party, "notice.transferred"))["case_id"] == story.case
        assert await story.lists.take_on(party, OLLE) == {"care": 1, "right": 2}[party]


async def called_to_a_plan(story: Story) -> str:
    lists, unit = story.lists, unit_of(RIGHT)
    assert await story.open() == {"care": ["invite_to_plan"]}
    meeting = {"at": format_instant(now() + timedelta(days=1)), "link": LINK}
    called = await lists.follow("care", "invite_to_plan", {"units": [unit], "meeting": meeting})
    invitation = await lists.told("right", "notice.sip_invitation")
    assert (invitation["legal_basis"], invitation["personal"]["content"]["meeting"]["link"]) == ("lag (2017:612) 4 kap. 3 §", LINK)
    assert await story.open() == {"care": ["hold_meeting"], "right": ["acknowledge", "answer_invitation"]}
    assert await lists.take_on("right", OLLE) == 1
    await lists.follow("right", "answer_invitation", {"unit": unit, "answer": "accepted", "answered_by": OLLE})
    held = {"at": format_instant(now() - timedelta(minutes=1)), "link": LINK, "held": True, "attended": [{"role": "patient"}]}
    assert (await lists.follow("care", "hold_meeting", held)).body["state"] == "held"
    assert await story.open() == {"care": ["write_measures"]}
    measures = {
        "needs": ["Klara dagen hemma"],
        "measures": [{"what": "Hemtjänst", "by": "unit", "unit": unit}, {"what": "Hembesök", "by": "unit", "unit": CARE_CENTRE}],
        "main_responsibility": unit,
        "follow_up_on": (local_date(now()) + timedelta(days=14)).isoformat(),
    }
    await lists.follow("care", "write_measures", measures)
    assert await story.open() == {"right": ["follow_up"]}
    assert parse_instant((await lists.duty("right", "follow_up"))["due_at"]) == start_of_day(local_date(now()) + timedelta(days=15))
    return f"/v1/plans/{called.body['plan_id']}"


async def a_fault_in_the_co_operation(story: Story) -> None:
    """Reported, assigned to the ward, answered with measures, closed; the statistics count it under its step."""
    county, lists, unit = story.county, story.lists, unit_of(RIGHT)
    notice = await lists.told("right", "notice.admission", in_box="social_services")
    report = {"unit": unit, "notice_id": notice["id"], "category": "wrong_recipient", "step": "admission", "text": "Tre timmar för sent"}
    told = await county.post(CLIENTS["right"], "/v1/deviations", report)
    assert (told.status, told.body["state"], told.body["case_id"]) == (201, "reported", story.case)
    path = f"/v1/deviations/{told.body['id']}"
    assigned = await lists.follow("right", "assign_deviation", {"unit": NEXT_WARD})
    assert (assigned.body["state"], assigned.body["assigned_to"]) == ("assigned", NEXT_WARD)
    assert (await lists.told("ward", "notice.deviation", in_box=NEXT_WARD))["about"]["deviation_id"] == told.body["id"]
    measures = [{"what": "Folkbokföring läses vid inskrivning", "by_day": "2027-01-31"}]
    answer = {"text": "Fel val i listan", "measures": measures, "answered_by": MAJA}
    assert (await lists.follow("ward", "answer_deviation", answer)).body["state"] == "answered"
    assert (await lists.follow("right", "close_deviation", {"text": "Bra"})).body["state"] == "closed"
    shown = await county.read(CLIENTS["right"], path)
    assert [said["what"] for said in shown["history"]] == ["reported", "assigned", "answered", "closed"]
    today = local_date(now()).isoformat()
    counted = await county.read(CLIENTS["right"], "/v1/deviations/statistics", **{"from": today, "to": today})
    (step,) = counted["steps"]
    assert (step["step"], step["reported"], step["answered"], step["closed"]) == ("admission", 1, 1, 1)


async def home_and_followed_up(story: Story, plan: str) -> None:
    lists = story.lists
    printed = await page(story.county, "ward-su", f"/v1/cases/{story.case}/patient-information")
    for part in ("Test Testsson", ANNA, "socialtjänsten", "huvudansvar: Kommunens mottagning"):
        assert part in printed, part
    await story.tell("discharged", timedelta(), {"discharged_to": "home", "secrecy_checked": True})
    assert (await lists.told("right", "notice.discharged"))["legal_basis"] == "lag (2017:612) 3 kap. 2 §"
    assert [await lists.take_on(party, OLLE) for party in ("care", "right")] == [1, 2]
    assert await story.open() == {"right": ["follow_up"]}
    followed = {"held_at": format_instant(now()), "outcome": "goals_met"}
    assert (await lists.follow("right", "follow_up", followed)).body["state"] == "follow_up"
    assert await story.open() == {"right": ["close_plan"]}
    assert (await lists.follow("right", "close_plan", {"reason": "goals_met"})).body["state"] == "closed"
    assert await story.open() == {}
    shown = await story.county.read(CLIENTS["right"], plan)
    assert (shown["state"], shown["measures"]["main_responsibility"], shown["meeting"]["link"]) == ("closed", unit_of(RIGHT), LINK)


async def who_did_what_when(story: Story) -> None:
    history = (await story.county.read(CLIENTS["right"], f"/v1/cases/{story.case}/history"))["history"]
    assert [line["at"] for line in history] == sorted(line["at"] for line in history)
    by_whom = {(line["client"], line["what"]) for line in history}
    expected = {
        ("ward-su", "stay.admitted"),
        (CLIENTS["wrong"], "notice.acknowledged"),
        (CLIENTS["wrong"], "notice.returned"),
        ("ward-su", "stay.person_changed"),
        (CLIENTS["right"], "party.planning_status"),
        (CLIENTS["care"], "case.care_contact_set"),
        (CLIENTS["care"], "plan.invited"),
        (CLIENTS["right"], "plan.answered"),
        (CLIENTS["right"], "message.sent"),
        (CLIENTS["right"], "deviation.reported"),
        (CLIENTS["right"], "plan.followed_up"),
        (CLIENTS["right"], "plan.closed"),
        ("ward-su", "deviation.answered"),
    }
    assert expected <= by_whom
    stays = [line["what"] for line in history if line["what"].startswith("stay.")]
    assert stays == [
        "stay.admitted",
        "stay.planned_discharge_changed",
        "stay.ready",
        "stay.ready_withdrawn",
        "stay.ready",
        "stay.person_changed",
        "stay.transferred",
        "stay.discharged",
    ]


async def what_billing_makes_of_it(story: Story) -> None:
    """The stay is the right municipality's alone; its ready notice is the fresh one, and the call to the plan is known."""
    month = str(Month.of(local_date(now())))
    line: dict[str, Any] = {}

    async def counted() -> bool:
        detail = await story.county.read("controller", f"/v1/months/{month}/{RIGHT}")
        line.update(next((one for one in detail["lines"] if one["case"] == story.case), {}))
        return bool(line)

    await until(counted)
    ready = await story.lists.told("right", "notice.ready")
    invited = await story.lists.told("right", "notice.sip_invitation")
    assert parse_instant(line["ready_notice_sent_at"]) == parse_instant(ready["sent_at"])
    assert parse_instant(line["invited_at"]) == parse_instant(invited["sent_at"])
    assert (line["days"], line["counted_as"]) == (0, "average")
    other = await story.county.read("controller", f"/v1/months/{month}/{WRONG}")
    assert story.case not in [one["case"] for one in other["lines"]]


async def test_one_patient_from_emergency_admission_to_closed_plan(county: County) -> None:
    await two_mailboxes(county, RIGHT)
    story = await admitted(county)
    await everybody_begins_to_plan(story)
    await ready_too_early(story)
    await the_municipality_proves_to_be_the_wrong_one(story)
    await the_right_municipality_takes_over(story)
    await questions_only_with_consent(story)
    await moved_to_another_ward(story)
    plan = await called_to_a_plan(story)
    await a_fault_in_the_co_operation(story)
    await home_and_followed_up(story, plan)
    await who_did_what_when(story)
    await what_billing_makes_of_it(story)


async def rerouted_long_ago(county: County, *, invited: bool) -> str:
    """Stated as history: ready eight days before discharge, the registration corrected five days before it."""
    stay = Stay(municipality="1470", needs=("municipal_social", "outpatient"))
    gone = last_full_month().first + timedelta(days=20)
    admitted, ready, corrected = (at_clock(gone - timedelta(days=days), 10) for days in (10, 8, 5))
    known = [stay.admission(admitted, sent=admitted), stay.tell("ready", ready, sent=ready)]
    stay.municipality = "1471"
    known.append(stay.tell("person_changed", corrected, {"person": stay.person}, sent=corrected))
    known.append(stay.tell("discharged", at_clock(gone, 15), {"discharged_to": "home"}, sent=at_clock(gone, 15)))
    case: str = (await county.import_events(known))[0]["accepted"]["case_id"]
    if invited:
        plan = await county.post("history", "/v1/plans", {"case_id": case, "consent": "given", "care_centre": CARE_CENTRE})
        called = {"units": [unit_of("1471")], "sent_at": format_instant(corrected + timedelta(days=1))}
        assert (await county.post("history", f"/v1/plans/{plan.body['id']}/invitations", called)).status == 201
    return case


async def test_the_days_of_a_rerouted_stay_count_from_the_ready_notice_of_the_municipality_that_pays(county: County) -> None:
    called, never_called = [await rerouted_long_ago(county, invited=invited) for invited in (True, False)]
    month = str(last_full_month())
    lines: dict[str, Any] = {}

    async def counted_as(*expected: str) -> bool:
        detail = await county.read("controller", f"/v1/months/{month}/1471")
        lines.update({line["case"]: line for line in detail["lines"]})
        return [lines.get(case, {}).get("counted_as") for case in (called, never_called)] == list(expected)

    await until(lambda: counted_as("review", "excluded"))
    assert (lines[called]["days"], lines[called]["reason"]) == (5, "late_admission_notice"), "five days since its own notices, not eight"
    assert lines[never_called]["reason"] == "no_sip_invitation"
    decision = {"case": called, "reason": "late_admission_notice", "outcome": "accept"}
    body = {"decisions": [decision], "explanation": "Kommunen tog emot patienten samma dag"}
    decided = await county.post("controller", "/v1/reviews/decide", body)
    assert decided.ok, decided
    await until(lambda: counted_as("average", "excluded"))
    other = await county.read("controller", f"/v1/months/{month}/1470")
    assert not {called, never_called} & {line["case"] for line in other["lines"]}
