"""From admission to discharge, live: what the ward tells, the municipality sees, takes on, is told again, and finds in its average."""

from datetime import timedelta

from dirigent.simulate.command import last_full_month
from shared.dates import Month, local_date, now
from tests.integration.notifications.receivers import receiver
from tests.journeys.stories import CARE_CENTRE, County, Stay, contains, unit_of
from tests.patience import until


async def test_a_patient_comes_becomes_ready_and_goes_home(county: County) -> None:
    stay = Stay(municipality="1499", needs=("municipal_social", "municipal_health", "outpatient"))
    begun = now()
    async with receiver() as hook:
        subscribed = await county.post("kommun-1499", "/v1/subscriptions", {"url": hook.url})
        assert subscribed.status == 201, subscribed
        admitted = await county.post_event(stay.admission(begun - timedelta(hours=2)))
        assert admitted.status == 201, admitted
        case = admitted.body["case_id"]

        notice = await county.notice("kommun-1499", "notice.admission", case)
        assert notice["legal_basis"] == "lag (2017:612) 2 kap. 1-3 §§"
        assert notice["personal"]["person"]["id"] == stay.person["id"]
        centre = await county.notice("care-goteborg", "notice.admission", case)
        assert centre["recipient"] == f"unit:{CARE_CENTRE}"

        await until(
            lambda: (
                notice["id"]
                in [hook.verified(subscribed.body["secret"], index)["data"]["notice_id"] for index in range(len(hook.received))]
            )
        )
        assert not any(stay.person["id"].encode() in body for _, _, body in hook.received)

        taken_on = await county.post("kommun-1499", f"/v1/notices/{notice['id']}/acknowledgement", {"acknowledged_by": "Maja Mottagare"})
        assert (taken_on.status, taken_on.body["state"]) == (201, "acknowledged")
        assert (await county.read("ward-su", f"/v1/cases/{case}"))["state"] == "planning"

        ready = await county.post_event(stay.tell("ready", begun - timedelta(minutes=30)))
        assert ready.status == 201
        assert (await county.notice("kommun-1499", "notice.ready", case))["legal_basis"] == "lag (2017:612) 3 kap. 1 §"

        month = str(Month.of(local_date(now())))
        before = (await county.average("1499", month))["stays"] or 0
        gone = await county.post_event(stay.tell("discharged", now(), {"discharged_to": "home"}))
        assert gone.status == 201
        assert (await county.notice("kommun-1499", "notice.discharged", case))["case_id"] == case
        assert (await county.counted("1499", month, before + 1))["in_average"] >= 1

        history = (await county.read("kommun-1499", f"/v1/cases/{case}/history"))["history"]
        told = [line["what"] for line in history]
        assert [what for what in told if what.startswith(("stay.", "notice."))] == [
            "stay.admitted",
            "notice.acknowledged",
            "stay.ready",
            "stay.discharged",
        ]
        await until(lambda: len(hook.received) >= 3)


async def test_a_care_centre_calls_to_a_plan(county: County) -> None:
    stay = Stay(municipality="1401", needs=("municipal_social", "outpatient"))
    case = (await county.post_event(stay.admission(now() - timedelta(hours=1)))).body["case_id"]
    plan = await county.post("care-goteborg", "/v1/plans", {"case_id": case, "consent": "given"})
    assert plan.status == 201, plan
    called = await county.post("care-goteborg", f"/v1/plans/{plan.body['id']}/invitations", {"units": [unit_of("1401")]})
    assert called.status == 201, called
    notice = await county.notice("kommun-1401", "notice.sip_invitation", case)
    assert notice["legal_basis"] == "lag (2017:612) 4 kap. 3 §"


async def test_without_consent_nobody_is_called(county: County) -> None:
    stay = Stay(municipality="1402", needs=("municipal_social", "outpatient"))
    case = (await county.post_event(stay.admission(now() - timedelta(hours=1)))).body["case_id"]
    plan = await county.post("care-goteborg", "/v1/plans", {"case_id": case, "consent": "refused"})
    called = await county.post("care-goteborg", f"/v1/plans/{plan.body['id']}/invitations", {"units": [unit_of("1402")]})
    assert (called.status, called.code) == (409, "plan.consent_refused")


async def test_an_event_wrongly_sent_is_taken_back_in_the_mailbox(county: County) -> None:
    stay = Stay(municipality="1407")
    admission = stay.admission(now() - timedelta(hours=1))
    case = (await county.post_event(admission)).body["case_id"]
    notice = await county.notice("kommun-1407", "notice.admission", case)
    await county.post_event(stay.tell("event_cancelled", now(), {"event": admission["id"], "reason": "Fel patient"}))
    cancelled = await county.notice("kommun-1407", "notice.cancelled", case)
    assert cancelled["supersedes"] == notice["id"]
    assert (await county.read("ward-su", f"/v1/cases/{case}"))["state"] == "cancelled"


async def test_events_in_any_order_end_in_the_same_case(county: County) -> None:
    day = last_full_month().first + timedelta(days=15)
    forward, backward = Stay(municipality="1415"), Stay(municipality="1415")
    first = await county.import_events(forward.as_history(day, 4))
    second = [await county.import_events([event]) for event in reversed(backward.as_history(day, 4))][-1]
    seen = []
    for outcomes in (first, second):
        case = await county.read("kommun-1415", f"/v1/cases/{outcomes[0]['accepted']['case_id']}")
        case["findings"] = [finding["code"] for finding in case["findings"]]
        seen.append({name: case[name] for name in ("state", "ready", "discharged_at", "findings", "parties", "version")})
    assert seen[0] == seen[1]


async def test_the_same_event_again_gets_the_same_answer(county: County) -> None:
    event = Stay(municipality="1419").admission(now() - timedelta(hours=1))
    first, again = await county.post_event(event), await county.post_event(event)
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    changed = await county.post_event(event | {"time": "2026-01-01T00:00:00Z"})
    assert (changed.status, changed.code) == (422, "event.id_reused")


async def test_a_refusal_never_gives_back_what_was_sent(county: County) -> None:
    stay = Stay(municipality="1421")
    event = stay.admission(now() - timedelta(hours=1))
    event["data"]["person"]["id"] = stay.person["id"][:-1] + str((int(stay.person["id"][-1]) + 1) % 10)
    refused = await county.post_event(event)
    assert refused.status == 422
    assert refused.body["errors"]
    assert not contains(refused.body, event["data"]["person"]["id"])


async def test_history_makes_notices_but_no_pushes(county: County) -> None:
    day = last_full_month().first + timedelta(days=10)
    async with receiver() as hook:
        subscribed = await county.post("kommun-1427", "/v1/subscriptions", {"url": hook.url})
        outcomes = await county.import_events(Stay(municipality="1427").as_history(day, 1))
        await county.notice("kommun-1427", "notice.discharged", outcomes[0]["accepted"]["case_id"])
        live = await county.post_event(Stay(municipality="1427").admission(now() - timedelta(hours=1)))
        await until(lambda: hook.received)
        told = hook.verified(subscribed.body["secret"], 0)["data"]
        assert told["case_id"] == live.body["case_id"]
