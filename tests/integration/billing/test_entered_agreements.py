"""Rule sets that the region enters: two persons, versions, no overlap, and every month they touch counted anew; nothing issued moves."""

from copy import deepcopy
from typing import Any

import pytest
from sqlalchemy import text

from services.billing.agreements import agreement_files
from shared.dates import format_instant, now
from shared.identifiers import uuid7
from tests.integration.billing.parts import Billing, a_stay_fact

MONTH = "/v1/months/2026-03/1480"


def shipped(name: str = "vgr-2018") -> dict[str, Any]:
    """A rule set that is shipped, as a caller would send it."""
    return next(file for file in agreement_files() if file.name == name).model_dump(mode="json", exclude_none=True)


def with_threshold(days: str, name: str = "vgr-2018") -> dict[str, Any]:
    told = deepcopy(shipped(name))
    told["average"][0]["threshold"]["value"] = days
    return told


async def proposed(billing: Billing, told: dict[str, Any], source: str = "Made up for a test") -> Any:
    return await billing.post("/v1/agreements", billing.controller(), {"agreement": told, "source": source})


async def entered(billing: Billing, told: dict[str, Any]) -> dict[str, Any]:
    """Let two persons enter a rule set."""
    proposal = await proposed(billing, told)
    assert proposal.status_code == 201, proposal.text
    answer = await billing.post(f"/v1/agreements/{proposal.json()['id']}/approval", billing.approver(), {})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def amount(billing: Billing) -> str:
    found: str = (await billing.get(MONTH, billing.controller())).json()["amount"]["amount"]
    return found


async def test_an_approved_version_counts_and_every_month_it_touches_is_counted_anew(billing: Billing) -> None:
    await billing.price()
    await billing.tell(*[a_stay_fact(days) for days in (2, 5, 6, 7)])
    assert await amount(billing) == "96000.00"
    answer = await entered(billing, with_threshold("4.0"))
    assert (answer["version"], answer["state"], answer["counts"]) == (1, "approved", True)
    assert await amount(billing) == "48000.00"
    averages = (await billing.get("/v1/averages", billing.controller(), month="2026-03")).json()["averages"]
    assert [one["excess_days"] for one in averages if one["municipality"] == "1480"] == [4]


async def test_a_proposal_alone_changes_nothing(billing: Billing) -> None:
    await billing.price()
    await billing.tell(*[a_stay_fact(days) for days in (2, 5, 6, 7)])
    answer = (await proposed(billing, with_threshold("4.0"))).json()
    assert (answer["version"], answer["state"], answer["counts"]) == (1, "proposed", False)
    assert await amount(billing) == "96000.00"


async def test_an_issued_month_stands_and_can_be_corrected(billing: Billing) -> None:
    await billing.price()
    await billing.tell(*[a_stay_fact(days) for days in (2, 5, 6, 7)])
    assert (await billing.close_month()).status_code == 200
    before = (await billing.get(MONTH, billing.controller())).json()
    await entered(billing, with_threshold("4.0"))
    after = (await billing.get(MONTH, billing.controller())).json()
    assert (after["state"], after["amount"], after["documents"]) == ("issued", before["amount"], before["documents"])
    assert (after["outdated"], after["correction"]["direction"]) == (True, "credit")


async def test_the_newest_approved_version_counts_and_an_older_one_is_refused(billing: Billing) -> None:
    first = (await proposed(billing, with_threshold("4.0"))).json()
    second = await entered(billing, with_threshold("5.0"))
    assert (first["version"], second["version"]) == (1, 2)
    answer = await billing.post(f"/v1/agreements/{first['id']}/approval", billing.approver(), {})
    assert (answer.status_code, answer.json()["code"]) == (409, "agreement.outdated")
    listed = (await billing.get("/v1/agreements", billing.municipality())).json()["agreements"]
    versions = [(one["version"], one["state"], one["counts"]) for one in listed if one["name"] == "vgr-2018"]
    assert versions == [(0, "shipped", False), (1, "proposed", False), (2, "approved", True)]


async def test_a_second_person_approves_and_once_only(billing: Billing) -> None:
    proposal = (await proposed(billing, with_threshold("4.0"))).json()
    path = f"/v1/agreements/{proposal['id']}/approval"
    same = await billing.post(path, billing.controller(), {})
    assert (same.status_code, same.json()["code"]) == (409, "agreement.same_person")
    assert (await billing.post(path, billing.approver(), {})).status_code == 200
    again = await billing.post(path, billing.approver(), {})
    assert (again.status_code, again.json()["code"]) == (409, "agreement.approved")


async def test_an_unknown_proposal_is_not_found(billing: Billing) -> None:
    answer = await billing.post(f"/v1/agreements/{uuid7()}/approval", billing.approver(), {})
    assert (answer.status_code, answer.json()["code"]) == (404, "agreement.unknown")


async def test_a_rule_set_that_answers_for_the_stays_of_another_is_refused_and_leaves_nothing(billing: Billing) -> None:
    rival = shipped() | {"name": "rival", "parties": ["1480"], "first": "2026-01-01"}
    answer = await proposed(billing, rival)
    assert (answer.status_code, answer.json()["code"]) == (409, "agreement.overlap")
    async with billing.database.transaction() as work:
        assert (await work.connection.execute(text("SELECT count(*) FROM agreement_proposals"))).scalar_one() == 0


async def test_an_overlap_that_came_between_proposal_and_approval_is_refused(billing: Billing) -> None:
    ended = shipped() | {"last": "2025-12-31"}
    follower = shipped() | {"name": "vgr-2026", "first": "2026-01-01"}
    await entered(billing, ended)
    waiting = (await proposed(billing, follower)).json()
    await entered(billing, shipped())
    answer = await billing.post(f"/v1/agreements/{waiting['id']}/approval", billing.approver(), {})
    assert (answer.status_code, answer.json()["code"]) == (409, "agreement.overlap")


async def test_an_agreement_that_takes_over_from_another_counts_from_its_first_day(billing: Billing) -> None:
    await billing.price()
    await billing.tell(*[a_stay_fact(days) for days in (2, 5, 6, 7)])
    assert (await billing.close_month()).status_code == 200
    await entered(billing, shipped() | {"last": "2026-03-31"})
    await entered(billing, with_threshold("9.0") | {"name": "vgr-2026", "first": "2026-04-01"})
    march = (await billing.get(MONTH, billing.controller())).json()
    april = (await billing.get("/v1/months/2026-04/1480", billing.controller())).json()
    assert (march["agreement"], march["outdated"], april["agreement"]) == ("vgr-2018", False, "vgr-2026")


async def test_what_is_only_for_simulation_binds_nobody(billing: Billing) -> None:
    await billing.price()
    await billing.tell(*[a_stay_fact(days) for days in (2, 5, 6, 7)])
    only = {"value": True, "unit": "choice", "mark": "D", "source": "Made up for a test"}
    await entered(billing, with_threshold("9.0") | {"name": "idea", "only_for_simulation": only})
    assert await amount(billing) == "96000.00"


@pytest.mark.parametrize(
    ("path", "value", "pointer", "code"),
    [
        (("average", 0, "threshold", "value"), "-3.0", "/agreement/average/0/threshold/value", "invalid"),
        (("average", 0, "long_over", "value"), -7, "/agreement/average/0/long_over/value", None),
        (("care", 0, "model"), "guesswork", "/agreement/care/0/model", "invalid"),
        (("switches", 0, "death_while_ready", "value"), "perhaps", "/agreement/switches/0/death_while_ready/value", "invalid"),
        (("switches", 0, "<script>"), 1, "/agreement/switches/0", "unknown_field"),
        (("parties",), ["148O"], "/agreement/parties/0", "invalid"),
        (("first",), "2026-02-30", "/agreement/first", "day.format"),
        (("name",), "../vgr", "/agreement/name", "invalid"),
        (("switches",), [], "/agreement/switches", "invalid"),
    ],
)
async def test_a_rule_set_that_cannot_be_read_is_refused_with_its_place_and_without_what_was_sent(
    billing: Billing, path: tuple[str | int, ...], value: Any, pointer: str, code: str | None
) -> None:
    told: Any = shipped()
    inner = told
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    answer = await proposed(billing, told)
    assert (answer.status_code, answer.json()["code"]) == (422, "agreement.malformed")
    (error,) = answer.json()["errors"]
    assert error["pointer"].startswith(pointer)
    assert code in {None, error["code"]}
    assert str(value) not in str(answer.json()["errors"]) or str(value) in pointer
    assert "<script>" not in answer.text


async def test_overlapping_tables_within_a_rule_set_are_refused(billing: Billing) -> None:
    told = shipped()
    told["switches"] = [told["switches"][0], told["switches"][0]]
    answer = await proposed(billing, told)
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": "/agreement", "code": "periods_overlap"}])


async def test_a_municipality_enters_nothing(billing: Billing) -> None:
    who = billing.token("kommun-1480", "municipality", "averages:read agreements:write", "1480")
    answer = await billing.post("/v1/agreements", who, {"agreement": shipped(), "source": "x"})
    assert (answer.status_code, answer.json()["code"]) == (403, "access.denied")


@pytest.mark.parametrize("price", ["-12000.00", "-0.01", "0.00"])
async def test_a_price_that_is_not_above_zero_is_refused(billing: Billing, price: str) -> None:
    body = {"first": "2026-01-01", "last": "2026-12-31", "price": {"amount": price}, "source": "Made up for a test"}
    answer = await billing.post("/v1/tariffs", billing.controller(), body)
    assert (answer.status_code, answer.json()["code"]) == (422, "tariff.price_negative")


async def test_who_pays_for_a_patient_who_moved_follows_the_switch_of_the_version_that_counts(billing: Billing) -> None:
    moved = a_stay_fact(
        6,
        residences=({"municipality": "1480"}, {"municipality": "1481", "since": "2026-03-16T09:00:00+01:00"}),
        municipal_needs=("municipal_social",),
        other_municipalities=(
            {
                "municipality": "1481",
                "admission_notice_sent_at": "2026-03-16T09:00:00+01:00",
                "ready": ({"notice_sent_at": "2026-03-16T09:00:00+01:00", "ready_at": "2026-03-14T09:00:00+01:00"},),
            },
        ),
    )
    await billing.tell(moved)
    known_at = format_instant(now())
    told = shipped()
    told["switches"][0]["changed_registration"]["value"] = "at_discharge"
    await entered(billing, told)
    for code, lines_now, lines_then in (("1480", 0, 1), ("1481", 1, 0)):
        path = f"/v1/months/2026-03/{code}"
        assert len((await billing.get(path, billing.controller())).json()["lines"]) == lines_now
        assert len((await billing.get(path, billing.controller(), known_at=known_at)).json()["lines"]) == lines_then
