"""Who somebody is stands in the token alone: a county in which things were made, asked by one who says in headers that he is another."""

from collections.abc import Mapping
from typing import Any, Final

from shared.http.access import Route
from tests.contract.making import told
from tests.contract.matrix import CLAIMS, Ask
from tests.contract.system import REGION, System
from tests.contract.test_examples import county
from tests.contract.test_isolation import asked

WHO: Final = "other_municipality"
SERVICES: Final = ("planning", "billing", "notifications")


def spoofed(who: str) -> dict[str, str]:
    """What the products of others, proxies and tokens call the organisation, units, role and name of a caller."""
    claims: Mapping[str, Any] = CLAIMS[who]
    organisation, units, role = claims.get("org", REGION), ",".join(claims["units"]), claims["role"]
    told = {
        "organisation": organisation,
        "organization": organisation,
        "org": organisation,
        "org-id": organisation,
        "tenant": organisation,
        "tenant-id": organisation,
        "units": units,
        "unit": units,
        "hsa-id": units,
        "municipality": str(claims.get("municipality", "")),
        "role": role,
        "scope": "cases:read notices:read invoices:read audit:read",
        "client-id": who,
        "user": who,
        "sub": who,
    }
    prefixes = ("", "X-", "X-Dirigent-", "X-Auth-", "X-Forwarded-")
    named = {f"{prefix}{name}": value for name, value in told.items() for prefix in prefixes if value}
    return named | {"Forwarded": "for=127.0.0.1;host=dirigent.test", "X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "From": who}


async def test_an_organisation_in_a_header_changes_nothing(system: System) -> None:
    wrong: list[str] = []
    shown: list[tuple[Route, Ask]] = []
    async with county(system) as client:
        known = await told(system, client)
        every = [(route, ask) for route, ask in asked(system, SERVICES) if route.method == "GET" and WHO in ask.foreigners]
        for route, ask in every:
            own = await known.ask(route, ask.owner, ask)
            plain = await known.ask(route, WHO, ask)
            client.headers.update(spoofed(ask.owner))
            tricked = await known.ask(route, WHO, ask)
            for name in spoofed(ask.owner):
                del client.headers[name]
            if known.named_in(tricked) or known.comparable(tricked) != known.comparable(plain):
                wrong.append(f"{route.path} {dict(ask.query)}: {tricked.status_code} {tricked.text[:300]} but {plain.text[:300]}")
            if own.is_success and known.comparable(own) != known.comparable(plain):
                shown.append((route, ask))
    assert wrong == []
    assert len(every) > 40, "there are things of others to ask for"
    hidden = {route.path for route, ask in every if ask.tells} - {route.path for route, _ in shown}
    assert hidden == set(), "positive control: whoever is what the headers say sees something else"
