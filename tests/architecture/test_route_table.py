"""The one table of public routes says what the services serve, no more and no less."""

from collections import Counter
from typing import Final

import pytest

from shared.http.access import BY_TEMPLATE, ROUTES, SCOPES
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
