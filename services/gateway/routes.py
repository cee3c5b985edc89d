"""Which public path belongs to which service; what is not in the route table does not exist outside."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.http.access import Route

# Ids of ours need no escapes. What could be read in two ways (percent signs, doubled slashes, dot segments, backslashes) matches nothing.
_CLEAN_PATH: Final = re.compile(rb"(/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~:@$-]+)+")
_PARAMETER: Final = re.compile(r"\{[^}/]+\}")


@dataclass(frozen=True, slots=True)
class WrongMethod:
    """The path exists, the method does not; these do."""

    allowed: tuple[str, ...]


class RouteMap:
    """The public routes, ready to be looked up; a path without parameters beats one with."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._fixed: dict[str, dict[str, Route]] = defaultdict(dict)
        templates: dict[str, dict[str, Route]] = defaultdict(dict)
        for route in routes:
            known = templates[route.path] if "{" in route.path else self._fixed[route.path]
            known[route.method] = route
        self._templates: dict[int, list[tuple[re.Pattern[str], dict[str, Route]]]] = defaultdict(list)
        for template, methods in sorted(templates.items(), key=lambda entry: entry[0].count("{")):
            pattern = "[^/]+".join(re.escape(part) for part in _PARAMETER.split(template))
            self._templates[template.count("/")].append((re.compile(pattern), methods))

    def find(self, method: str, raw_path: bytes) -> Route | WrongMethod | None:
        """The route of a request; None when there is no such public path."""
        if not _CLEAN_PATH.fullmatch(raw_path):
            return None
        path = raw_path.decode("ascii")
        methods = self._fixed.get(path) or self._by_template(path)
        if methods is None:
            return None
        return methods.get(method) or WrongMethod(tuple(sorted(methods)))

    def _by_template(self, path: str) -> dict[str, Route] | None:
        for pattern, methods in self._templates.get(path.count("/"), ()):
            if pattern.fullmatch(path):
                return methods
        return None


def shape(path: str) -> str:
    """A path template without the names of its parameters, so that two spellings of one route compare equal."""
    return _PARAMETER.sub("{}", path)
