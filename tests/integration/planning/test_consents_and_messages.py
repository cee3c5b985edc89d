"""Consents, and the messages that rest on them: the text never leaves without one, and never travels at all."""

from typing import Any

from tests.builders import CARE_CENTRE, HARRYDA, WARD
from tests.integration.planning.conftest import GOTEBORG_UNIT, HARRYDA_NUMBER, Planning
from tests.integration.planning.plan_calls import a_case, care, done, everything_told, facts, get, municipality, post, refused

SECRET = "Hon vill ha hjälp med morgonmedicinen"


def a_consent(case: str, **changed: Any) -> dict[str, Any]:
    return {"case_id": case, "answer": "given", "purposes": ["free_text"], "unit": CARE_CENTRE, "asked_by": "Anna Test"} | changed


def a_question(**changed: Any) -> dict[str, Any]:
    return {"unit": GOTEBORG_UNIT, "to": CARE_CENTRE, "topic": "medication", "written_by": "Maja Test"} | changed


async def test_a_question_is_asked_and_answered(planning: Planning) -> None:
    case = await a_case(planning)
    await done(post(planning, care(planning), "/v1/consents", a_consent(case)))
    asked = await done(post(planning, municipality(planning), f"/v1/cases/{case}/messages", a_question(text=SECRET)))
    assert (asked["state"], asked["recipient"]) == ("open", CARE_CENTRE)
    notice = (await planning.mailbox(care(planning)))["entries"][-1]
    assert (notice["type"], notice["about"]["message_id"], notice["personal"]) == ("notice.message", asked["id"], None)
    (read,) = (await get(planning, care(planning), f"/v1/cases/{case}/messages"))["messages"]
    assert (read["text"], read["withheld"]) == (SECRET, False)
    answer = {"unit": CARE_CENTRE, "answers": asked["id"], "topic": "medication", "text": "Vi ordnar det", "written_by": "Anna Test"}
    given = await done(post(planning, care(planning), f"/v1/cases/{case}/messages", answer))
    assert (given["state"], given["recipient"]) == ("answer", GOTEBORG_UNIT)
    seen = (await get(planning, municipality(planning), f"/v1/cases/{case}/messages"))["messages"]
    assert [one["state"] for one in seen] == ["answered", "answer"]
    assert await refused(
        post(
            planning,
            municipality(planning),
            f"/v1/cases/{case}/messages",
            {"unit": GOTEBORG_UNIT, "answers": given["id"], "topic": "other", "written_by": "Maja Test"},
        )
    ) == (409, "message.not_a_question")


async def test_without_consent_a_topic_may_be_sent_and_free_text_may_not(planning: Planning) -> None:
    case = await a_case(planning)
    path = f"/v1/cases/{case}/messages"
    assert await refused(post(planning, municipality(planning), path, a_question(text=SECRET))) == (409, "consent.missing")
    await done(post(planning, municipality(planning), path, a_question()))
    await done(post(planning, care(planning), "/v1/consents", a_consent(case, answer="refused")))
    assert await refused(post(planning, municipality(planning), path, a_question(text=SECRET))) == (409, "consent.missing")


async def test_who_wants_to_read_does_not_overrule_a_no_that_another_unit_was_given(planning: Planning) -> None:
    case = await a_case(planning)
    await done(post(planning, care(planning), "/v1/consents", a_consent(case, answer="refused")))
    theirs = a_consent(case, unit=GOTEBORG_UNIT, asked_by="Maja Test")
    assert await refused(post(planning, municipality(planning), "/v1/consents", theirs)) == (409, "consent.refused_elsewhere")
    await done(post(planning, municipality(planning), "/v1/consents", theirs | {"answer": "refused"}))
    assert await refused(post(planning, care(planning), "/v1/consents", a_consent(case))) == (409, "consent.refused_elsewhere")
    await done(post(planning, municipality(planning), "/v1/consents", theirs))


async def test_who_reads_what_a_patient_answered_is_logged(planning: Planning) -> None:
    case = await a_case(planning)
    await done(post(planning, care(planning), "/v1/consents", a_consent(case, answer="refused")))
    await get(planning, municipality(planning), f"/v1/cases/{case}/consents")
    (line,) = await facts(planning, "consents.read")
    assert (line["client"], line["cases"]) == ("kommun-1480", [case])


async def test_when_the_consent_is_withdrawn_the_text_is_no_longer_shown_to_the_other_side(planning: Planning) -> None:
    case = await a_case(planning)
    consent = await done(post(planning, care(planning), "/v1/consents", a_consent(case)))
    await done(post(planning, municipality(planning), f"/v1/cases/{case}/messages", a_question(text=SECRET)))
    withdrawn = await done(post(planning, municipality(planning), f"/v1/consents/{consent['id']}/withdraw", {"told_by": "Maja Test"}))
    assert withdrawn["state"] == "withdrawn"
    (theirs,) = (await get(planning, care(planning), f"/v1/cases/{case}/messages"))["messages"]
    (ours,) = (await get(planning, municipality(planning), f"/v1/cases/{case}/messages"))["messages"]
    assert (theirs["text"], theirs["withheld"], ours["text"]) == (None, True, SECRET)
    told = [(fact["state"], fact["purposes"]) for fact in await facts(planning, "consent.changed")]
    assert told == [("given", ["free_text"]), ("withdrawn", ["free_text"])]
    (listed,) = (await get(planning, care(planning), f"/v1/cases/{case}/consents"))["consents"]
    assert listed["state"] == "withdrawn"


async def test_a_refusal_cannot_be_withdrawn_and_a_withdrawal_may_be_repeated(planning: Planning) -> None:
    case = await a_case(planning)
    no = await done(post(planning, care(planning), "/v1/consents", a_consent(case, answer="refused")))
    yes = await done(post(planning, care(planning), "/v1/consents", a_consent(case)))
    gone = {"told_by": "Anna Test"}
    assert await refused(post(planning, care(planning), f"/v1/consents/{no['id']}/withdraw", gone)) == (409, "consent.refused")
    first = await done(post(planning, care(planning), f"/v1/consents/{yes['id']}/withdraw", gone))
    again = await done(post(planning, care(planning), f"/v1/consents/{yes['id']}/withdraw", gone))
    assert first == again


async def test_the_text_of_a_message_is_in_no_envelope_or_fact(planning: Planning) -> None:
    case = await a_case(planning)
    await done(post(planning, care(planning), "/v1/consents", a_consent(case)))
    sent = await done(post(planning, municipality(planning), f"/v1/cases/{case}/messages", a_question(text=SECRET)))
    told = await everything_told(planning)
    assert sent["id"] in told, "positive control"
    assert SECRET not in told
    assert "Maja Test" not in told


async def test_only_units_concerned_in_the_case_write_and_are_written_to(planning: Planning) -> None:
    case = await a_case(planning)
    path = f"/v1/cases/{case}/messages"
    foreign = municipality(planning, HARRYDA, HARRYDA_NUMBER)
    own = f"SE{HARRYDA_NUMBER}-E1"
    assert await refused(post(planning, foreign, path, a_question(unit=own))) == (404, "not_found")
    assert await refused(post(planning, foreign, "/v1/consents", a_consent(case, unit=own))) == (404, "not_found")
    assert (await planning.http.get(path, headers=foreign)).status_code == 404
    assert await refused(post(planning, municipality(planning), path, a_question(to=own))) == (422, "case.unit_not_concerned")
    assert await refused(post(planning, municipality(planning), path, a_question(unit=CARE_CENTRE))) == (403, "access.denied")
    assert await refused(post(planning, municipality(planning), "/v1/consents", a_consent(case))) == (403, "access.denied")
    both = a_question(answers="01900000-0000-7000-8000-000000000000")
    assert await refused(post(planning, municipality(planning), path, both)) == (422, "request.malformed")
    assert (await done(post(planning, municipality(planning), path, a_question(to=WARD))))["recipient"] == WARD
