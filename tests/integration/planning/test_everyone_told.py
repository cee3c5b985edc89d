"""What is told names everybody who may read it, what asks to be taken on escalates, and what bears on plan or bill is told at all."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.planning import usecases
from services.planning.consumers import BILLING
from services.planning.usecases import DirectoryEntries, MailboxAt, load_directory
from shared.dates import now
from shared.events.debtor_facts import AgreementApproved, TariffApproved
from shared.events.fact import Fact
from shared.identifiers import uuid7
from shared.streams.consumer import Delivered
from tests.builders import CARE_CENTRE, GOTEBORG, HARRYDA, WARD
from tests.integration.planning.conftest import GOTEBORG_NUMBER, GOTEBORG_UNIT, Planning
from tests.integration.planning.plan_calls import ADULT, TEAM, a_case, care, done, facts, municipality, post, with_school_and_team
from tests.integration.planning.test_reminders import look
from tests.integration.planning.test_whole_plans import invited
from tests.services import REGION, bearer

MEMBERS = [{"organisation": GOTEBORG_NUMBER, "unit": GOTEBORG_UNIT}, {"organisation": REGION, "unit": CARE_CENTRE}]
"""By organisation number, as the directory is read."""
WARD_BOX = DirectoryEntries([], [], [MailboxAt(WARD, REGION, f"unit:{WARD}", "ward")])
DECLINED = {
    "unit": GOTEBORG_UNIT,
    "measures": ["municipal_social"],
    "declined_at": "2026-11-03T12:00:00+01:00",
    "recorded_by": "Maja Test",
}


async def with_team_mailbox(planning: Planning) -> None:
    await with_school_and_team(planning)
    async with planning.database.transaction() as work:
        await load_directory(work, DirectoryEntries([], [], [MailboxAt(TEAM, REGION, f"unit:{TEAM}", "team")]))


async def with_ward_mailbox(planning: Planning) -> dict[str, str]:
    async with planning.database.transaction() as work:
        await load_directory(work, WARD_BOX)
    scopes = ["events:write", "cases:read", "cases:write", "notices:read", "notices:acknowledge"]
    return bearer(planning.tokens.token("ward-su", scopes=scopes, units=[WARD]))


async def sent_to(planning: Planning, unit: str) -> list[dict[str, Any]]:
    await planning.number()
    return [fact for fact in await facts(planning, "notice.sent") if fact["unit"] == unit]


async def test_who_belongs_to_a_team_is_named_with_what_comes_into_its_mailbox_and_with_no_other(planning: Planning) -> None:
    await with_team_mailbox(planning)
    async with planning.database.transaction() as work:
        await work.connection.execute(
            text("INSERT INTO team_members (team, unit, valid_from, valid_to) VALUES (:team, :unit, '2018-01-01', '2018-12-31')"),
            {"team": TEAM, "unit": WARD},
        )
    await invited(planning, [TEAM, GOTEBORG_UNIT], person=ADULT)
    (told,) = await sent_to(planning, TEAM)
    assert told["members"] == MEMBERS, "today's; the ward was one in 2018"
    others = [fact for fact in await facts(planning, "notice.sent") if fact["unit"] != TEAM]
    assert others
    assert {str(fact["members"]) for fact in others} == {"[]"}


async def test_members_are_named_when_nobody_takes_it_on_and_when_nobody_reads_the_mailbox(planning: Planning) -> None:
    await with_team_mailbox(planning)
    await invited(planning, [TEAM], person=ADULT)
    await look(planning, now() + timedelta(hours=25))
    escalated = [fact for fact in await facts(planning, "notice.escalated") if fact["unit"] == TEAM]
    assert [(fact["step"], fact["members"], fact["told_members"]) for fact in escalated] == [("contact", MEMBERS, [])]
    async with planning.database.transaction(now() + timedelta(hours=25)) as work:
        await usecases.tell_of_silence(work, timedelta(hours=24))
    await planning.number()
    silent = {fact["unit"]: fact["members"] for fact in await facts(planning, "mailbox.silent")}
    assert silent[TEAM] == MEMBERS
    assert all(members == [] for unit, members in silent.items() if unit != TEAM)


async def returned(planning: Planning, them: dict[str, str]) -> None:
    notice = (await planning.mailbox(them))["entries"][0]["id"]
    await done(post(planning, them, f"/v1/notices/{notice}/return", {"returned_by": "Maja Test", "reason": "Bor inte här"}))


async def test_a_returned_notice_that_no_ward_takes_on_is_a_duty_and_escalates_until_somebody_does(planning: Planning) -> None:
    ward = await with_ward_mailbox(planning)
    await a_case(planning)
    await returned(planning, municipality(planning))
    told = next(entry for entry in (await planning.mailbox(ward, unit=WARD))["entries"] if entry["type"] == "notice.returned")
    listed = (await planning.http.get("/v1/worklist", headers=ward)).json()
    assert told["acknowledge_by"] is not None
    (duty,) = [one for one in listed["duties"] if told["id"] in one["fulfilled_by"]]
    assert (duty["rule"], duty["legal_basis"]) == ("acknowledge", "lag (2017:612) 2 kap. 1-2 §§")
    await look(planning, now() + timedelta(hours=25))
    of_ward = [fact for fact in await facts(planning, "notice.escalated") if fact["unit"] == WARD]
    assert [(fact["notice_type"], fact["step"]) for fact in of_ward] == [("notice.returned", "contact")]
    await done(post(planning, ward, f"/v1/notices/{told['id']}/acknowledgement", {"acknowledged_by": "Anna Test"}))
    await look(planning, now() + timedelta(hours=100))
    await planning.number()
    assert len([fact for fact in await facts(planning, "notice.escalated") if fact["unit"] == WARD]) == 1
    assert told["id"] not in str((await planning.http.get("/v1/worklist", headers=ward)).json())


async def test_a_question_waits_for_its_answer_and_asks_nobody_to_take_its_notice_on(planning: Planning) -> None:
    case = await a_case(planning)
    question = {"unit": GOTEBORG_UNIT, "to": CARE_CENTRE, "topic": "medication", "written_by": "Maja Test"}
    await done(post(planning, municipality(planning), f"/v1/cases/{case}/messages", question))
    (told,) = [fact for fact in await sent_to(planning, CARE_CENTRE) if fact["notice_type"] == "notice.message"]
    assert told["acknowledge_by"] is None
    assert "answer_question" in str((await planning.http.get("/v1/worklist", headers=care(planning))).json())


async def test_ward_and_parties_are_told_what_the_patient_declined_and_that_it_was_a_mistake(planning: Planning) -> None:
    ward = await with_ward_mailbox(planning)
    case = await a_case(planning)
    kept = await done(post(planning, municipality(planning), f"/v1/cases/{case}/declined", DECLINED))
    content = {"measures": ["municipal_social"], "declined_at": "2026-11-03T11:00:00.000000Z", "stated_by": GOTEBORG_UNIT}
    boxes = [(ward, {"unit": WARD}), (care(planning), {}), (municipality(planning), {})]
    for who, which in boxes:
        (told,) = [one for one in (await planning.mailbox(who, **which))["entries"] if one["type"] == "notice.declined"]
        assert (told["personal"]["content"], told["acknowledge_by"]) == (content, None)
    assert "Maja" not in str(await facts(planning, "notice.sent"))
    withdrawal = f"/v1/cases/{case}/statements/{kept['id']}/withdrawal"
    await done(post(planning, municipality(planning), withdrawal, {"reason": "Fel patient"}))
    for who, which in boxes:
        entries = (await planning.mailbox(who, **which))["entries"]
        declined = next(entry for entry in entries if entry["type"] == "notice.declined")
        assert [entry["supersedes"] for entry in entries if entry["type"] == "notice.cancelled"] == [declined["id"]]


async def test_a_ward_that_states_itself_what_was_declined_is_not_told_so(planning: Planning) -> None:
    ward = await with_ward_mailbox(planning)
    case = await a_case(planning)
    await done(post(planning, ward, f"/v1/cases/{case}/declined", DECLINED | {"unit": WARD}))
    await planning.number()
    assert [one["type"] for one in (await planning.mailbox(ward, unit=WARD))["entries"]] == []
    assert "notice.declined" in [one["type"] for one in (await planning.mailbox(municipality(planning)))["entries"]]


def an_agreement(*municipalities: str) -> AgreementApproved:
    start = now()
    return AgreementApproved(
        agreement_id=uuid7(), name="vgr-2018", version=1, municipalities=municipalities or None, first=start.date(), approved_at=start
    )


TARIFF = TariffApproved(tariff_id=uuid7(), first=now().date(), last=now().date(), price="12000.00", approved_at=now())


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        (an_agreement(GOTEBORG), {GOTEBORG: ["notice.agreement_approved"], HARRYDA: []}),
        (an_agreement(), {GOTEBORG: ["notice.agreement_approved"], HARRYDA: ["notice.agreement_approved"]}),
        (TARIFF, {GOTEBORG: ["notice.tariff_approved"], HARRYDA: ["notice.tariff_approved"]}),
    ],
)
async def test_those_who_pay_by_a_rule_set_or_price_hear_that_it_counts(planning: Planning, fact: Fact, told: dict[str, list[str]]) -> None:
    async with planning.database.transaction() as work:
        await BILLING[fact.kind](work, [Delivered(1, uuid7(), None, fact)])
    await planning.number()
    for code, types in told.items():
        entries = (await planning.mailbox(planning.municipality(code)))["entries"]
        assert [entry["type"] for entry in entries] == types
    (first,) = (await planning.mailbox(planning.municipality(GOTEBORG)))["entries"]
    about = {"price": "12000.00"} if fact is TARIFF else {"agreement": "vgr-2018", "version": "1"}
    assert first["about"].items() >= about.items()
