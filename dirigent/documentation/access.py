"""`docs/access.md`: who may call which address, read from the route table, and the decisions behind it from planning's decision table."""

from collections.abc import Iterator
from typing import Final

from dirigent.documentation.markdown import NOTE, table
from services.planning.domain.access import RULES
from shared.http.access import ROUTES, Route
from shared.http.policies import Policy

INTRODUCTION: Final = """\
Who calls is what the token says: client, organisation, units, role and scopes. A route asks for one of its scopes and, where it names
roles, for one of those: without them 403. Then its *policy* decides about the thing itself: what is somebody else's looks exactly like
what does not exist, 404 or a list without it. The services decide it twice: in the use case, and by row-level security in PostgreSQL.
A route with a key takes an `Idempotency-Key` and refuses to work without one.
"""
DECISIONS: Final = """\
What a policy of planning says of a caller and a thing is decided by one table, `services/planning/domain/access.py`. Who may not know of
a thing gets 404; who may, but whose step it is not, gets 403. The reason reaches the log, never the caller.
"""
_SERVICES: Final = ("planning", "billing", "notifications")


def access_page() -> str:
    """The whole page."""
    parts = [f"# Who may call what\n\n{NOTE}\n\n{INTRODUCTION}", "## Policies\n\n" + table(("Policy", "Who"), _policies())]
    parts += [f"## Routes of {service}\n\n" + table(("Route", "Scope", "Role", "Policy", "Key"), _routes(service)) for service in _SERVICES]
    parts.append(f"## Decisions in planning\n\n{DECISIONS}\n" + table(("Action", "May know of it", "Refused, when it may"), _decisions()))
    return "\n".join(parts)


def _decisions() -> Iterator[tuple[str, str, str]]:
    for action, (standing, conditions) in RULES.items():
        yield f"`{action}`", (standing.__doc__ or "").rstrip("."), "; ".join(reason.value for reason, _ in conditions)


def _policies() -> Iterator[tuple[str, str]]:
    return ((f"`{policy}`", policy.meaning) for policy in Policy)


def _routes(service: str) -> Iterator[tuple[str, ...]]:
    return (_row(route) for route in ROUTES if route.service == service)


def _row(route: Route) -> tuple[str, ...]:
    scopes = ", ".join(f"`{scope}`" for scope in route.scopes)
    roles = ", ".join(sorted(route.roles)) or "any"
    return f"`{route.method} {route.path}`", scopes, roles, f"`{route.policy}`", "required" if route.idempotency_key else ""
