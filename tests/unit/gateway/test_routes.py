import pytest

from services.gateway.routes import RouteMap, WrongMethod
from shared.http.access import ROUTES, Route

MAP = RouteMap(ROUTES)


def found(method: str, path: str) -> Route | WrongMethod | None:
    return MAP.find(method, path.encode("utf-8"))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_of_the_table_is_found_under_its_own_path(route: Route) -> None:
    path = route.path
    for name, value in {"{month}": "2026-10", "{municipality}": "1480", "{number}": "2026-000017"}.items():
        path = path.replace(name, value)
    path = "/".join("01890a5d-ac96-774b-bcce-b302099a8057" if part.startswith("{") else part for part in path.split("/"))
    assert found(route.method, path) is route


def test_a_fixed_path_beats_one_with_a_parameter() -> None:
    digest = found("GET", "/v1/notices/digest")
    assert isinstance(digest, Route)
    assert digest.path == "/v1/notices/digest"


def test_a_known_path_with_another_method_says_which_methods_there_are() -> None:
    assert found("PATCH", "/v1/subscriptions") == WrongMethod(("GET", "POST"))


@pytest.mark.parametrize(
    "path",
    [
        "/internal/streams/planning",
        "/v1/internal/streams/planning",
        "/%69nternal/streams/planning",
        "/v1/..%2finternal/streams/planning",
        "/v1/../internal/streams/planning",
        "/v1/cases/../../internal/streams/planning",
        "/v1/cases/..",
        "/v1/cases/.",
        "/v1/cases/%2e%2e",
        "//internal/streams/planning",
        "//v1/notices",
        "/v1//notices",
        "/v1/notices/",
        "/v1/cases/a%2Fhistory",
        "/v1/cases/a\\history",
        "/v1/cases/a;b",
        "/v1/cases/å",
        "/v1/cases/a\x00b",
        "/v1/cases/a\n",
        "/v1/cases/a b",
        "/V1/notices",
        "/planning/v1/notices",
        "http://127.0.0.1/internal/streams/planning",
        "*",
        "",
        "/",
    ],
)
def test_no_spelling_leads_to_what_is_not_in_the_table(path: str) -> None:
    assert found("GET", path) is None
