"""Which kind of number a person's number is, by who gives it out: what callers name is looked up and not kept."""

import weakref
from collections.abc import Callable

import pytest

from services.planning.adapters.person_ids import KINDS, kind_by_oid, kind_by_system, system_of


class _Named(str):
    """A name that one can ask whether it is still there."""

    __slots__ = ("__weakref__",)


@pytest.mark.parametrize("look_up", [kind_by_system, kind_by_oid], ids=["system", "oid"])
def test_what_a_caller_names_is_not_kept_in_memory(look_up: Callable[[str], object]) -> None:
    """Every search by a number and every message names an issuer, and whoever calls may name as many as there are requests."""
    named = _Named("urn:example:" + "x" * 100)
    kept = weakref.ref(named)
    assert look_up(named) is None
    del named
    assert kept() is None


def test_every_kind_is_found_by_the_system_it_is_written_with() -> None:
    assert [kind_by_system(system_of(kind)) for kind in KINDS] == list(KINDS)
