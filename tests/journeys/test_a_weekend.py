"""A weekend: the office is closed, the patient becomes ready all the same. Whoever is on call hears of it; no deadline and no krona moves.

Journeys run on the real clock, so the weekend comes to the day: the mailboxes' calendars say that today nobody is there. What the days
after bring is told at chosen instants in `tests/integration/planning/test_a_weekend.py`.
"""

from datetime import timedelta
from typing import Any

from dirigent.county.load import load_county
from shared.dates import format_instant, local_date, now, parse_instant, start_of_day
from tests.integration.notifications.receivers import receiver
from tests.journeys.checklist import Checklist
from tests.journeys.stories import County, Stay, unit_of
from tests.patience import until

CLOSED, OPEN = "1472", "1473"
OFFICE = [{"start": "08:00", "end": "16:30"}]
WEEKLY = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), OFFICE)


def closed_today() -> list[str]:
    """Today, and tomorrow in case midnight passes while the story is told."""
    return [(local_date(now()) + timedelta(days=days)).isoformat() for days in (0, 1)]


async def gone_home(county: County, client: str, unit: str, kind: str, named: str) -> None:
    """Office hours for the unit's own mailbox, nobody there today, and a mailbox on call outside them."""
    entered = {"organisation": unit[2:12], "name": named, "kind": kind, "mailboxes": [{"function": "on_call"}]}
    put = await county.api.call("controller", "PUT", f"/v1/units/{unit}", body=entered)
    assert put.ok, put
    boxes = (await county.read(client, "/v1/mailboxes"))["mailboxes"]
    own = next(box["id"] for box in boxes if box["unit"] == unit and box["function"] != "on_call")
    calendar = {"weekly": WEEKLY, "closed": closed_today(), "outside": "on_call"}
    said = await county.api.call("controller", "PUT", f"/v1/mailboxes/{own}/duty-calendar", body=calendar)
    assert said.ok, said


async def ready_at(county: County, code: str) -> Checklist:
    """A patient of a municipality is admitted, taken on, and becomes ready."""
    stay = Stay(municipality=code)
    told = await county.post_event(stay.admission(now() - timedelta(hours=2)))
    lists = Checklist(county, told.body["case_id"], {"municipality": f"kommun-{code}"})
    await lists.told("municipality", "notice.admission")
    await lists.take_on("municipality", "Maja Test")
    assert (await county.post_event(stay.tell("ready", now() - timedelta(minutes=1)))).status == 201
    return lists


async def test_a_ready_notice_when_the_office_is_closed_reaches_whoever_is_on_call(county: County) -> None:
    await gone_home(county, f"kommun-{CLOSED}", unit_of(CLOSED), "municipal", "Kommunens mottagning")
    async with receiver() as hook:
        subscribed = await county.post(f"kommun-{CLOSED}", "/v1/subscriptions", {"url": hook.url})
        assert subscribed.status == 201, subscribed
        lists = await ready_at(county, CLOSED)
        reminder = await lists.told("municipality", "notice.reminder", in_box="on_call")
        ready = await lists.told("municipality", "notice.ready", in_box="municipality")
        assert (reminder["about"]["rule"], reminder["about"]["step"]) == ("acknowledge", "came_in")
        assert reminder["personal"]["person"]["name"] == ready["personal"]["person"]["name"], "on call one must know who it is about"
        assert not [one for one in await lists.entries("municipality", in_box="municipality") if one["type"] == "notice.reminder"]

        def pushed() -> list[dict[str, Any]]:
            return [hook.verified(subscribed.body["secret"], index)["data"] for index in range(len(hook.received))]

        await until(lambda: reminder["id"] in [data["notice_id"] for data in pushed()])
        assert not any(ready["personal"]["person"]["id"].encode() in body for _, _, body in hook.received)
    done = await lists.call("municipality", reminder["about"]["fulfilled_by"], {"acknowledged_by": "Jour Test"})
    assert (done.status, done.body["notice_id"]) == (201, ready["id"])


async def test_no_deadline_moves_because_nobody_is_there(county: County) -> None:
    await gone_home(county, f"kommun-{CLOSED}", unit_of(CLOSED), "municipal", "Kommunens mottagning")
    for code in (CLOSED, OPEN):
        lists = await ready_at(county, code)
        ready = await lists.told("municipality", "notice.ready")
        sent = parse_instant(ready["sent_at"])
        assert parse_instant(ready["acknowledge_by"]) == sent + timedelta(hours=24)
        for rule in ("acknowledge", "answer_ward"):
            assert parse_instant((await lists.duty("municipality", rule))["due_at"]) == sent + timedelta(hours=24)


async def test_what_is_overdue_when_the_office_is_closed_is_brought_to_whoever_is_on_call(county: County) -> None:
    """The patient goes home today and has no care contact: overdue since midnight, closed or not."""
    centre = load_county().care_centres_of("1490")[0]
    await gone_home(county, "care-boras", centre.unit, "care_centre", centre.name)
    stay = Stay(municipality=CLOSED, needs=("outpatient",))
    admission = stay.admission(now() - timedelta(minutes=5))
    today = local_date(now())
    admission["data"] |= {"outpatient_unit": centre.unit, "planned_discharge_date": today.isoformat()}
    told = await county.post_event(admission)
    assert told.status == 201, told
    lists = Checklist(county, told.body["case_id"], {"care": "care-boras"})
    reminder = await lists.told("care", "notice.reminder", in_box="on_call")
    duty = await lists.duty("care", "appoint_care_contact")
    assert (reminder["about"]["rule"], reminder["about"]["step"]) == ("appoint_care_contact", "overdue")
    assert (duty["due_at"], duty["overdue"]) == (format_instant(start_of_day(today)), True)
    assert reminder["about"]["due_at"] == duty["due_at"]
    assert reminder["legal_basis"] == "lag (2017:612) 2 kap. 5 §"
    contact = {"unit": centre.unit, "name": "Jour Test"}
    assert (await lists.call("care", reminder["about"]["fulfilled_by"], contact)).ok
    assert "appoint_care_contact" not in [one["rule"] for one in await lists.duties("care")]
