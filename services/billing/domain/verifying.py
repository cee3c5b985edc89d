"""Making an explanation again from its own inputs, and seeing whether it is the same: to the last byte of every line and the amount."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services.billing.domain.basis import MonthBasis
from services.billing.domain.correcting import DocumentKind
from services.billing.domain.explained_steps import steps_of
from services.billing.domain.explanation import FORMAT, SEAL, derived, sealed
from services.billing.domain.identity import Json, canonical_json, fingerprint, money_text
from services.billing.domain.month import MonthInputs
from services.billing.domain.retelling import Unreadable, inputs_fingerprint, inputs_of, inputs_text
from services.billing.domain.terms import NoRuleInForce
from services.billing.domain.wording import WORDS
from shared.money import Money

MEMBERS: Final = frozenset(
    {"format", "municipality", "month", "known_at", "calculation", "result", "rule_sets", "prices", "rules", "steps", "stays", "agreements"}
    | {"documents", "inputs", "words", SEAL}
)
# What was told before words had a version is in the words of the first.
FIRST_WORDS: Final = 1
LANGUAGES: Final = frozenset({"sv", "en"})
TOLD_IN_WORDS: Final = ("rules", "steps", "stays")


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where an explanation does not hold: what stands there, and what its inputs give."""

    where: str
    told: str
    found: str


def verify(text: str) -> Difference | None:
    """Recompute an explanation from its inputs alone; None when everything in it holds.

    Words are compared when they are of the version that is told now (`words_compared`), everything else always, and before them.

    Source:
        Domain rule 3.8, explanation (it can be recomputed offline from the explanation alone).
    """
    try:
        told = json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return Difference("", "not JSON", FORMAT)
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        return Difference("/format", _shown(told.get("format") if isinstance(told, dict) else told), FORMAT)
    odd = sorted(MEMBERS ^ (set(told) | {"words"}))
    if odd:
        return Difference(f"/{odd[0]}", "there" if odd[0] in told else "missing", "missing" if odd[0] in told else "there")
    try:
        inputs = inputs_of(canonical_json(told["inputs"]))
        return next(_differences(told, inputs), None)
    except Unreadable as error:
        return Difference(f"/inputs{error.where}", "unreadable", error.why)
    except (NoRuleInForce, ValueError) as error:
        return Difference("/inputs", "nothing can be calculated from them", str(error))


def words_compared(told: Mapping[str, Json]) -> bool:
    """Whether an explanation is told in the words of now, so that each of them must be the same."""
    return words_version(told) == WORDS


def words_version(told: Mapping[str, Json]) -> Json:
    """The version of the words that an explanation is told in."""
    return told.get("words", FIRST_WORDS)


def sentences(told: Mapping[str, Json]) -> list[str]:
    """How the amount of an explanation that holds comes about, in Swedish and in the words of now, whatever words it was told in.

    Raises:
        Unreadable: Its inputs are not.
    """
    inputs = inputs_of(canonical_json(told["inputs"]))
    return [str(step["sv"]) for step in steps_of(inputs, inputs.basis()) if isinstance(step, dict)]


def _differences(told: dict[str, Json], inputs: MonthInputs) -> Iterator[Difference]:
    basis = inputs.basis()
    # What was told before a field existed was read with the field's default, and is the same inputs.
    text = canonical_json(told["inputs"])
    yield from _compare("/inputs", told["inputs"], _of_its_time(told["inputs"], json.loads(inputs_text(inputs))))
    made: dict[str, Json] = {"municipality": basis.municipality, "month": str(basis.month), **derived(inputs, basis)}
    words = words_version(told)
    if type(words) is not int or words < FIRST_WORDS:
        yield Difference("/words", _shown(words), str(WORDS))
    for name, value in made.items():
        yield from _compare(f"/{name}", *((_wordless(told[name]), _wordless(value)) if name in TOLD_IN_WORDS else (told[name], value)))
    calculation = told["calculation"]
    version = calculation.get("version") if isinstance(calculation, dict) else None
    named: Json = {"version": version, "sha256": fingerprint(basis), "inputs_sha256": inputs_fingerprint(text)}
    yield from _compare("/calculation", calculation, named)
    yield from _documents(told["documents"], version, basis)
    if words_compared(told):
        for name in TOLD_IN_WORDS:
            yield from _compare(f"/{name}", told[name], made[name])
    yield from _compare(f"/{SEAL}", told[SEAL], sealed(told)[SEAL])


def _wordless(value: Json) -> Json:
    """The same with nothing where words stand, and where a rule of the catalogue says by which title it is quoted."""
    if isinstance(value, dict):
        worded = LANGUAGES | {"source"} if {"rule", "source"} <= value.keys() else LANGUAGES
        return {name: "" if name in worded and isinstance(inner, str) else _wordless(inner) for name, inner in value.items()}
    return [_wordless(inner) for inner in value] if isinstance(value, list) else value


def _of_its_time(told: Json, found: Json) -> Json:
    """What was found, without the members that what was told does not know."""
    if isinstance(told, dict) and isinstance(found, dict):
        return {name: _of_its_time(told[name], value) for name, value in found.items() if name in told}
    if isinstance(told, list) and isinstance(found, list) and len(told) == len(found):
        return [_of_its_time(one, other) for one, other in zip(told, found, strict=True)]
    return found


def _documents(documents: Json, version: Json, basis: MonthBasis) -> Iterator[Difference]:
    """What was issued up to this calculation comes to its amount, once something was issued on it."""
    try:
        told = [_document(one) for one in (documents if isinstance(documents, list) else [None])]
    except (TypeError, KeyError, ValueError, ArithmeticError):
        yield Difference("/documents", "unreadable", "kind, amount and version of each document")
        return
    if any(one == version for one, _, _ in told):
        billed = Money(sum(-amount.ore if kind == DocumentKind.CREDIT_NOTE else amount.ore for _, kind, amount in told))
        yield from _compare("/documents", str(billed), money_text(basis.amount))


def _document(told: Json) -> tuple[Json, str, Money]:
    if not isinstance(told, dict):
        raise TypeError("a document is an object")
    return told["version"], str(told["kind"]), Money.of_kronor(str(told["amount"]))


def _compare(where: str, told: Json, found: Json) -> Iterator[Difference]:
    """Every place where two values differ, the first one first."""
    if isinstance(told, dict) and isinstance(found, dict):
        for name in sorted(told.keys() | found.keys()):
            if name not in told or name not in found:
                yield Difference(f"{where}/{name}", _shown(told.get(name)), _shown(found.get(name)))
            else:
                yield from _compare(f"{where}/{name}", told[name], found[name])
    elif isinstance(told, list) and isinstance(found, list):
        for index, (one, other) in enumerate(zip(told, found, strict=False)):
            yield from _compare(f"{where}/{index}", one, other)
        if len(told) != len(found):
            yield Difference(where, f"{len(told)} entries", f"{len(found)} entries")
    elif type(told) is not type(found) or told != found:
        yield Difference(where, _shown(told), _shown(found))


def _shown(value: Json) -> str:
    """A value short enough for one line."""
    return value if isinstance(value, str) else canonical_json(value)


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Of a member that stands twice nobody knows which one counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands twice")
    return found


def _refuse(name: str) -> Json:
    raise ValueError(name)
