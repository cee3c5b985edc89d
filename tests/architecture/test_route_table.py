"""The one table of public routes says what the services serve, no more and no less."""

from collections import Counter
from dataclasses import MISSING, fields
from typing import Final

import pytest

from shared.http.access import BY_TEMPLATE, ROUTES, SCOPES, Route
from shared.http.policies import REGION_OFFICES, Policy
from tests.architecture.web import applications, routes_of

BEHIND: Final = ("planning", "billing", "notifications")
# Addresses of a service that no public route leads to.
INSIDE: Final = frozenset({("GET", "/internal/streams/{name}"), ("GET", "/health/live"), ("GET", "/health/ready")})
MONEY_OR_LAW: Final = ("/v1/months/", "/v1/tariffs", "/v1/plans", "/v1/reviews")


def served(service: str) -> set[tuple[str, str]]:
    return {(method, route.path) for route in routes_of(applications()[service].routes) for method in route.methods or ()}


@pytest.mark.parametrize("service", BEHIND)
def test_a_service_serves_exactly_its_rows_of_the_table(service: str) -> None:
    rows = {(route.method, route.path) for route in ROUTES if route.service == service}
    assert rows
    assert served(service) - INSIDE == rows


@pytest.mark.parametrize("service", BEHIND)
def test_what_is_inside_is_in_no_table_and_no_description(service: str) -> None:
    assert served(service) >= INSIDE
    assert not INSIDE & set(BY_TEMPLATE)
    assert set(applications()[service].openapi()["paths"]) == {route.path for route in ROUTES if route.service == service}


def test_every_row_stands_once_and_belongs_to_a_service() -> None:
    assert Counter((route.method, route.path) for route in ROUTES).most_common(1)[0][1] == 1
    assert {route.service for route in ROUTES} == set(BEHIND)


def test_every_route_asks_for_a_scope() -> None:
    assert all(route.scopes for route in ROUTES)
    assert all(":" in scope for scope in SCOPES)


def test_every_post_where_money_or_law_is_involved_requires_an_idempotency_key() -> None:
    posts = [route for route in ROUTES if route.method == "POST" and route.path.startswith(MONEY_OR_LAW)]
    assert len(posts) > 8
    assert [route.path for route in posts if not route.idempotency_key] == []


def test_every_route_names_whose_things_it_answers_about() -> None:
    assert {route.policy for route in ROUTES} == set(Policy)
    assert [policy for policy in Policy if not policy.meaning.endswith(".")] == []


def test_a_route_cannot_be_written_without_a_policy() -> None:
    policy = next(field for field in fields(Route) if field.name == "policy")
    assert policy.default is MISSING
    assert policy.default_factory is MISSING


def test_what_only_the_creditor_may_do_asks_for_one_of_its_offices() -> None:
    assert [route.path for route in ROUTES if (route.policy is Policy.CREDITOR) != (route.roles == REGION_OFFICES)] == []


def test_a_service_has_the_policies_of_its_own_things() -> None:
    """A plan cannot be guarded as if it were an invoice: no policy is used by two services."""
    users = {policy: {route.service for route in ROUTES if route.policy is policy} for policy in Policy}
    assert {policy: services for policy, services in users.items() if len(services) != 1} == {}
