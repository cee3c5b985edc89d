"""A municipality signs a month, and the office of the region hears of it: in its mailbox, and by webhook."""

from tests.integration.notifications.receivers import receiver
from tests.journeys.stories import County
from tests.journeys.test_from_month_to_money import MONTH, import_stays, published, step
from tests.patience import until

CODE = "1443"
ACCEPTED = "notice.month_accepted"


async def test_a_signed_month_reaches_the_office_of_the_region_by_mailbox_and_webhook_and_nobody_else(county: County) -> None:
    async with receiver() as hook:
        subscribed = await county.post("office", "/v1/subscriptions", {"url": hook.url, "types": [ACCEPTED]})
        assert subscribed.ok, subscribed
        await import_stays(county, CODE, 2, 5, 6, 7)
        await county.counted(CODE, MONTH, 4)
        calculation = await published(county, CODE)
        signed = await step(county, f"kommun-{CODE}", CODE, "sign", calculation)
        assert (signed.ok, signed.body["accepted"]) == (True, "signed"), signed
        await until(lambda: hook.received)
        told = hook.verified(subscribed.body["secret"])
    assert (await county.api.call("office", "DELETE", f"/v1/subscriptions/{subscribed.body['id']}")).ok

    entries = (await county.mailbox("office")).entries
    (notice,) = [one for one in entries if (one["type"], one["about"]["municipality"]) == (ACCEPTED, CODE)]
    assert (notice["about"]["accepted"], notice["about"]["calculation"]) == ("signed", calculation["sha256"])
    assert (told["type"], told["data"]["notice_id"]) == (ACCEPTED, notice["id"])
    assert {one["type"] for one in (await county.mailbox(f"kommun-{CODE}")).entries}.isdisjoint({ACCEPTED})
    # The whole region's controller takes in every ward and care centre: it signs in at the office's unit, or reads no mailbox.
    refused = await county.api.call("controller", "GET", "/v1/notices")
    assert (refused.status, refused.code) == (403, "access.denied")
