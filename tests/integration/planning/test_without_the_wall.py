"""With the row-level policies taken away, in turn and all at once, the use cases alone still let nobody in (P12)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from shared.db import Database, Reader, Role
from tests.builders import CARE_CENTRE, HARRYDA, OTHER_CARE_CENTRE, OTHER_WARD, a_person
from tests.integration.planning.conftest import GOTEBORG_UNIT, HARRYDA_NUMBER, HARRYDA_UNIT, Planning
from tests.integration.planning.plan_calls import a_case, care, done, get, municipality, post, put
from tests.services import REGION, bearer

EVERY_SCOPE = ["cases:read", "cases:write", "plans:write", "consents:write", "deviations:write", "notices:read", "notices:acknowledge"]


@dataclass
class Story:
    """What one stay's parties made, and the app role's database that foreign parties try to read it from."""

    planning: Planning
    case: str
    plan: str
    consent: str
    deviation: str
    notice: str
    app: Database
    owner: Database

    @property
    def foreign(self) -> dict[str, tuple[dict[str, str], str]]:
        """Who is no party of it, each with a unit of its own: inside the region too."""
        tokens = self.planning.tokens
        ward = tokens.token("ward-2", scopes=EVERY_SCOPE, units=[OTHER_WARD])
        other_care = tokens.token("care-2", scopes=EVERY_SCOPE, role="care", units=[OTHER_CARE_CENTRE])
        return {
            "another ward": (bearer(ward), OTHER_WARD),
            "another care centre": (bearer(other_care), OTHER_CARE_CENTRE),
            "another municipality": (municipality(self.planning, HARRYDA, HARRYDA_NUMBER), HARRYDA_UNIT),
        }

    async def asked_by(self, who: dict[str, str], unit: str) -> list[Any]:
        """Every read and command about it; the answers that are neither 404 nor empty."""
        http, one = self.planning.http, f"/v1/cases/{self.case}"
        answers = [
            *[
                await http.get(path, headers=who)
                for path in (
                    one,
                    f"{one}/history",
                    f"{one}/consents",
                    f"{one}/messages",
                    f"{one}/patient-information",
                    f"/v1/plans/{self.plan}",
                    f"/v1/deviations/{self.deviation}",
                    f"/v1/notices/{self.notice}",
                )
            ],
            await put(self.planning, who, f"{one}/care-contact", {"unit": unit, "name": "Kim Test"}),
            await put(self.planning, who, f"{one}/parties/{unit}/planning-status", {"status": "assessing"}),
            await post(
                self.planning, who, f"{one}/messages", {"unit": unit, "to": CARE_CENTRE, "topic": "medication", "written_by": "Kim Test"}
            ),
            await post(self.planning, who, f"/v1/consents/{self.consent}/withdraw", {"told_by": "Kim Test"}),
            await post(self.planning, who, f"/v1/deviations/{self.deviation}/close", {}),
            await post(self.planning, who, f"/v1/notices/{self.notice}/acknowledgement", {"acknowledged_by": "Kim Test"}),
            await post(self.planning, who, f"/v1/notices/{self.notice}/return", {"returned_by": "Kim Test", "reason": "Fel"}),
            await post(self.planning, who, f"/v1/plans/{self.plan}/close", {"reason": "goals_met"}),
        ]
        found: list[Any] = [(answer.request.url.path, answer.status_code, answer.text) for answer in answers if answer.status_code != 404]
        person = a_person()
        listed = [
            (await http.get("/v1/cases", headers=who)).json()["cases"],
            (await http.post("/v1/cases/search", json={"person": {"type": person["type"], "id": person["id"]}}, headers=who)).json()[
                "cases"
            ],
            (await http.get("/v1/findings", headers=who)).json()["findings"],
            (await http.get("/v1/worklist", headers=who)).json()["duties"],
            (await http.get("/v1/deviations", headers=who)).json()["deviations"],
        ]
        return found + [one for one in listed if one]

    async def remove_walls(self, tables: list[str]) -> None:
        """Let the app role see every row of these tables, as if their policy had been forgotten."""
        async with self.owner.transaction() as work:
            for table in tables:
                await work.connection.execute(text(f"CREATE POLICY forgotten ON {table} USING (true)"))

    async def build_walls(self, tables: list[str]) -> None:
        """Undo it."""
        async with self.owner.transaction() as work:
            for table in tables:
                await work.connection.execute(text(f"DROP POLICY forgotten ON {table}"))

    async def walled(self) -> list[str]:
        """Every table with a wall."""
        async with self.owner.transaction() as work:
            found = text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relrowsecurity ORDER BY relname")
            return list((await work.connection.execute(found)).scalars())


@pytest.fixture
async def story(planning: Planning) -> AsyncIterator[Story]:
    case = await a_case(planning)
    us, them = care(planning), municipality(planning)
    await done(put(planning, us, f"/v1/cases/{case}/care-contact", {"unit": CARE_CENTRE, "name": "Kim Test"}))
    await done(put(planning, them, f"/v1/cases/{case}/parties/{GOTEBORG_UNIT}/planning-status", {"status": "assessing"}))
    consent = {
        "case_id": case,
        "answer": "given",
        "purposes": ["free_text"],
        "unit": CARE_CENTRE,
        "asked_by": "Kim Test",
    }
    message = {"unit": CARE_CENTRE, "to": GOTEBORG_UNIT, "topic": "medication", "written_by": "Kim Test"}
    deviation = {"unit": GOTEBORG_UNIT, "category": "self_care", "step": "discharge", "text": "x", "case_id": case}
    consent_id = (await done(post(planning, us, "/v1/consents", consent)))["id"]
    await done(post(planning, us, f"/v1/cases/{case}/messages", message))
    deviation_id = (await done(post(planning, them, "/v1/deviations", deviation)))["id"]
    plan = (await done(post(planning, us, "/v1/plans", {"case_id": case, "consent": "given"})))["id"]
    notice = (await planning.mailbox(them))["entries"][0]["id"]
    assert (await get(planning, us, f"/v1/plans/{plan}"))["id"] == plan
    assert (await get(planning, them, f"/v1/deviations/{deviation_id}"))["id"] == deviation_id
    app = Database(str(planning.database.engine.url.render_as_string(hide_password=False)), role=Role.APP)
    owner = Database(planning.owner_url, role=None)
    yield Story(planning, case, plan, consent_id, deviation_id, notice, app, owner)
    await app.close()
    await owner.close()


async def test_with_one_policy_after_the_other_removed_nobody_learns_anything(story: Story) -> None:
    who, unit = story.foreign["another care centre"]
    assert await story.asked_by(who, unit) == []
    for table in await story.walled():
        await story.remove_walls([table])
        assert await story.asked_by(who, unit) == [], table
        await story.build_walls([table])


@pytest.mark.parametrize("party", ["another ward", "another care centre", "another municipality"])
async def test_with_every_policy_removed_the_use_cases_alone_let_nobody_in(story: Story, party: str) -> None:
    tables = await story.walled()
    await story.remove_walls(tables)
    nobody = Reader("nobody", REGION, (), "ward")
    async with story.app.transaction(reader=nobody) as work:
        assert (await work.connection.execute(text("SELECT count(*) FROM cases"))).scalar_one() > 0, "the walls stand: nothing is tested"
    assert await story.asked_by(*story.foreign[party]) == []


async def test_whose_it_is_reads_it_all_the_same(story: Story) -> None:
    found = await story.asked_by(care(story.planning), CARE_CENTRE)
    assert len(found) > 10, "the control: the same calls by a party find something"
