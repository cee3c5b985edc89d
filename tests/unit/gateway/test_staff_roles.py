import re

import httpx
import pytest

from dirigent.county.load import load_county
from dirigent.demo_issuer import demo_issuer
from dirigent.demo_issuer.people import staff_of
from services.gateway.staff.cookies import Origin, cookie_of
from services.gateway.staff.issuers import Issuer
from services.gateway.staff.roles import staff_roles
from services.gateway.tables import ROLES
from shared.http.access import SCOPES

# Shown by what is read, not asked of any route.
BESIDE_ROUTES = {"persons:protected"}
KINDS = {"region", "municipality", "provider"}
MADE_BY_SYSTEMS = {"events:write", "events:import"}


def test_every_role_is_named_in_both_languages_and_holds_scopes_that_exist() -> None:
    assert len(staff_roles()) == 13
    for role in staff_roles().values():
        assert set(role.names) == {"sv", "en"}
        assert role.scopes
        assert set(role.scopes) <= SCOPES | BESIDE_ROUTES
        assert role.acts_as
        assert role.acts_as.keys() <= KINDS
        assert set(role.acts_as.values()) <= set(ROLES)


def test_no_word_of_a_role_has_the_same_letter_three_times_in_a_row() -> None:
    for role in staff_roles().values():
        for name in role.names.values():
            assert not re.search(r"(\w)\1\1", name.lower()), name


def test_no_member_of_staff_stands_in_for_a_system() -> None:
    assert not [role.key for role in staff_roles().values() if MADE_BY_SYSTEMS & set(role.scopes)]


def test_nobody_prepares_publishes_and_approves_the_same_month_in_one_role() -> None:
    for role in staff_roles().values():
        assert not {"months:publish", "months:approve"} <= set(role.scopes)


def test_outside_the_region_nobody_acts_in_a_role_of_its_offices() -> None:
    offices = {"controller", "approver", "finance", "auditor"}
    for role in staff_roles().values():
        assert not offices & {acts_as for kind, acts_as in role.acts_as.items() if kind != "region"}


def test_the_demo_has_somebody_for_every_role() -> None:
    people = staff_of(load_county())
    assert {commission.role for person in people for commission in person.commissions} == set(staff_roles())
    assert len({person.key for person in people}) == len(people)
    assert all(person.name.endswith(" Test") for person in people)


async def test_a_role_that_somebody_has_on_two_wards_is_named_once_in_the_list_of_persons() -> None:
    url = "http://127.0.0.1:8080"
    asked = {"response_type": "code", "client_id": "dirigent", "redirect_uri": f"{url}/sign-in/callback", "code_challenge_method": "S256"}
    asked |= {"scope": "openid", "state": "s", "nonce": "n", "code_challenge": "c"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(demo_issuer(url, "demo").app), base_url=url) as browser:
        page = await browser.get("/authorize", params=asked, headers={"Accept-Language": "en"})
    assert page.text.count("Nurse on a ward") == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"client_secret": None},
        {"client_secret_file": "x"},
        {"algorithms": ["HS256"]},
        {"algorithms": ["none"]},
        {"organisations": []},
        {"organisations": ["232100-0131"]},
        {"roles": {"a": "king"}},
        {"issuer": "ftp://idp.test"},
        {"key": "No Spaces"},
        {"extra": 1},
    ],
    ids=str,
)
def test_a_provider_that_is_described_wrongly_is_refused(changed: dict[str, object]) -> None:
    right = {
        "key": "vgr",
        "name": "VGR",
        "issuer": "https://idp.test",
        "client_id": "dirigent",
        "client_secret": "secret",
        "organisations": ["2321000131"],
        "roles": {"a": "nurse"},
    }
    assert Issuer.model_validate(right).key == "vgr"
    with pytest.raises(ValueError):  # noqa: PT011  # whichever field
        Issuer.model_validate(right | changed)


@pytest.mark.parametrize(
    ("method", "headers", "ours"),
    [
        ("GET", {}, True),
        ("POST", {}, False),
        ("POST", {"origin": "https://dirigent.test"}, True),
        ("POST", {"origin": "https://dirigent.test:8443"}, False),
        ("POST", {"origin": "http://dirigent.test"}, False),
        ("POST", {"origin": "https://dirigent.test.evil.test"}, False),
        ("POST", {"origin": "null"}, False),
        ("POST", {"sec-fetch-site": "same-origin", "origin": "null"}, True),
        ("POST", {"sec-fetch-site": "cross-site", "origin": "https://dirigent.test"}, False),
        ("POST", {"sec-fetch-site": "none"}, False),
        ("GET", {"sec-fetch-site": "none"}, True),
        ("GET", {"sec-fetch-site": "cross-site"}, False),
        ("DELETE", {"sec-fetch-site": "same-site"}, False),
    ],
)
def test_a_request_is_ours_when_one_of_our_pages_sent_it(method: str, headers: dict[str, str], ours: bool) -> None:
    listed = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert Origin("https://dirigent.test").is_ours(method, listed) is ours


def test_a_header_that_stands_twice_is_not_believed() -> None:
    twice = [(b"origin", b"https://dirigent.test"), (b"origin", b"https://evil.test")]
    assert not Origin("https://dirigent.test").is_ours("POST", twice)
    assert not Origin("https://dirigent.test").is_ours("POST", [(b"sec-fetch-site", b"same-origin")] * 2)


@pytest.mark.parametrize(("stated", "found"), [("dirigent=abc", "abc"), ("a=b; dirigent=abc", "abc"), ("dirigent=", None), ("", None)])
def test_a_cookie_is_found_by_its_name(stated: str, found: str | None) -> None:
    assert cookie_of([(b"cookie", stated.encode())], "dirigent") == found
    assert cookie_of([(b"cookie", b"dirigent=" + b"x" * 101)], "dirigent") is None
