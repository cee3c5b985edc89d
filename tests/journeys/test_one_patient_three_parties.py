"""One patient from emergency admission to closed SIP: ward, care centre and municipality, each told by its check list what to do next."""

from datetime import timedelta
from typing import Any

from shared.dates import Month, format_instant, local_date, now, parse_instant, start_of_day
from tests.journeys.checklist import Checklist
from tests.journeys.stories import CARE_CENTRE, WARD, County, Stay, contains, unit_of
from tests.patience import until

WRONG, RIGHT = "1463", "1465"
OTHER_WARD = "SE2321000131-E000000000102"
NEEDS = ("municipal_social", "municipal_health", "outpatient")
CLIENTS = {"ward": "ward-su", "care": "care-goteborg", "wrong": f"kommun-{WRONG}", "right": f"kommun-{RIGHT}"}
BEGUN = format_instant(now() - timedelta(hours=3))


async def two_mailboxes(county: County, code: str) -> None:
    """The municipality reads what concerns social services and what concerns health care apart."""
    unit, client = unit_of(code), "kommun-directory"
    functions = ({"function": "social_services"}, {"function": "health_care"})
    organisation = unit[2:12]
    named = {"organisation": organisation, "name": "Mottagning", "kind": "municipal", "mailboxes": list(functions)}
    entered = await county.api.call("controller", "PUT", f"/v1/units/{unit}", body=named)
    assert entered.ok, (client, entered)
    rules = [
        {"function": "social_services", "need": "municipal_social", "valid_from": "2020-01-01"},
        {"function": "health_care", "need": "municipal_health", "valid_from": "2020-01-01"},
    ]
    ruled = await county.api.call("controller", "PUT", f"/v1/addressing/municipality:{code}", body={"rules": rules})
    assert ruled.ok, ruled
