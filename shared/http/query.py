"""The query of an address, as strictly as a body: nothing unknown, nothing twice, numbers in plain digits."""

import re
from collections.abc import Mapping
from typing import Any, Final, get_args
from urllib.parse import parse_qsl

from fastapi.dependencies.models import Dependant

from shared.errors import FieldError
from shared.http.problems import HttpProblem

QueryForms = Mapping[str, re.Pattern[str]]
"""Every parameter a route takes, and the form in which its text may stand."""

_WHOLE: Final = re.compile(r"[0-9]{1,20}")
_DECIMAL: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_ANY: Final = re.compile(r"(?s).*")
_MOST: Final = 50


def declared_query(dependant: Dependant) -> QueryForms:
    """What a handler declares, with whatever it depends on."""
    forms: dict[str, re.Pattern[str]] = {}
    for inner in dependant.dependencies:
        forms |= declared_query(inner)
    return forms | {field.alias: _form_of(field.field_info.annotation) for field in dependant.query_params}


def refuse_odd_query(query: bytes, forms: QueryForms) -> None:
    """Refuse a query with unknown or repeated parameters, or numbers written in any other way than in digits.

    Raises:
        HttpProblem: 400 `request.parameter_invalid`; the name of an unknown parameter may hold anything and is not told.
    """
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST)
    except ValueError as error:
        raise _refusal("", "unreadable") from error
    seen: set[str] = set()
    for name, value in pairs:
        form = forms.get(name)
        if form is None:
            raise _refusal("", "unknown_parameter")
        if name in seen:
            raise _refusal(f"/{name}", "repeated")
        if not form.fullmatch(value):
            raise _refusal(f"/{name}", "format")
        seen.add(name)


def _form_of(annotation: Any) -> re.Pattern[str]:
    kinds = {annotation, *get_args(annotation)}
    if int in kinds:
        return _WHOLE
    return _DECIMAL if float in kinds else _ANY


def _refusal(pointer: str, code: str) -> HttpProblem:
    problem = HttpProblem("request.parameter_invalid")
    problem.errors = (FieldError(pointer, code),)
    return problem
