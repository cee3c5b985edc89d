"""A person signs in with the demo's provider and takes a notice on under her own name, in a running Dirigent."""

import re
from datetime import timedelta
from uuid import uuid4

import httpx

from shared.dates import now
from tests.journeys.stories import County, Stay

REGISTRY = re.compile(r'href="([^"]+/as/[^"/]+/maja)"')


async def signed_in(browser: httpx.AsyncClient) -> None:
    """Click through as Maja Test of Göteborg."""
    begun = await browser.get("/sign-in/start", params={"issuer": "demo"})
    page = await browser.get(begun.headers["location"])
    found = REGISTRY.search(page.text)
    assert found is not None, page.text
    back = await browser.get(found[1])
    ended = await browser.get(back.headers["location"])
    assert (ended.status_code, ended.headers["location"]) == (303, "/staff"), ended.text


async def test_a_municipal_officer_acknowledges_under_her_own_name(county: County) -> None:
    case = (await county.post_event(Stay(municipality="1480").admission(now() - timedelta(hours=1)))).body["case_id"]
    notice = await county.notice("kommun-1480", "notice.admission", case)
    address = f"/v1/notices/{notice['id']}/acknowledgement"
    url = county.api.url
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as browser:
        await signed_in(browser)
        staff = (await browser.get("/staff")).text
        assert ("Maja Test" in staff, "<strong>Göteborg (demo)</strong>" in staff) == (True, True)
        headers = {"Origin": url, "Idempotency-Key": str(uuid4())}
        somebody = await browser.post(address, json={"acknowledged_by": "Bo Test"}, headers=headers)
        assert (somebody.status_code, somebody.json()["errors"][0]["code"]) == (422, "person_differs")
        taken = await browser.post(address, json={}, headers={**headers, "Idempotency-Key": str(uuid4())})
        assert (taken.status_code, taken.json()["acknowledged_by"]) == (201, "Maja Test"), taken.text
        elsewhere = await browser.post("/sign-out", headers={"Origin": "https://elsewhere.test"})
        assert elsewhere.status_code == 403
        assert (await browser.post("/sign-out", headers={"Origin": url})).status_code == 303
        assert (await browser.get(f"/v1/notices/{notice['id']}")).status_code == 401
    seen = await county.api.call("kommun-1480", "GET", f"/v1/notices/{notice['id']}")
    assert seen.body["standing"]["acknowledged_by"] == "Maja Test"
