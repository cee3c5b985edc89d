"""An office of the region is one of this region: whoever was registered as one for another organisation is nobody here."""

from shared.http.access import ROUTES
from shared.http.policies import OF_THE_REGION, REGION_OFFICES
from tests.contract.system import System, headers_of, path_of
from tests.contract.test_door import code_of

ANOTHER = "2120001355"


async def test_the_finance_office_of_a_municipality_sees_nothing_of_the_regions_books(system: System) -> None:
    regional = [route for route in ROUTES if route.policy in OF_THE_REGION and route.method == "GET"]
    assert len(regional) > 15
    async with system.opened() as client:
        for role in sorted(REGION_OFFICES):
            token = system.token(org=ANOTHER, units=[f"SE{ANOTHER}-"], role=role)
            for route in regional:
                answer = await client.get(path_of(route), headers=headers_of(route, token))
                assert (answer.status_code, code_of(answer)) == (403, "access.denied"), f"{route.path} {role}"
        own = await client.get("/v1/averages?month=2026-10", headers={"Authorization": f"Bearer {system.token(role='finance')}"})
        assert own.status_code == 200
