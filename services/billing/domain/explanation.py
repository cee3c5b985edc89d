"""The explanation of a month: every krona traces to stays, every stay to its notices, every rule to its paragraph or clause.

Made from the inputs of the calculation alone, so that whoever holds an explanation can make it again and see whether it is the same.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from services.billing.domain.basis import MonthBasis
from services.billing.domain.explained_stays import stays_explained
from services.billing.domain.explained_steps import steps_of
from services.billing.domain.identity import Json, canonical_json, content, fingerprint, instant_text, money_text
from services.billing.domain.month import MonthInputs
from services.billing.domain.retelling import inputs_fingerprint, inputs_text
from services.billing.domain.wording import RULES, WORDS

FORMAT: Final = "dirigent-explanation/1"
SEAL: Final = "sha256"


@dataclass(frozen=True, slots=True)
class Explained:
    """What is explained: the inputs, the calculation's version (None = not prepared), and what stands beside it.

    `agreements` are the rule sets as their files have them, each value with unit, mark and source; `documents` what was issued for it.
    """

    inputs: MonthInputs
    version: int | None = None
    known_at: datetime | None = None
    agreements: Sequence[Mapping[str, Json]] = ()
    documents: Sequence[Mapping[str, Json]] = ()


def explain(told: Explained) -> dict[str, Json]:
    """The explanation of a month as plain JSON, sealed with the SHA-256 of all of it.

    Source:
        Domain rule 3.8, explanation.
    """
    basis = told.inputs.basis()
    text = inputs_text(told.inputs)
    return sealed(
        {
            "format": FORMAT,
            "words": WORDS,
            "municipality": basis.municipality,
            "month": str(basis.month),
            "known_at": instant_text(told.known_at),
            "calculation": {"version": told.version, "sha256": fingerprint(basis), "inputs_sha256": inputs_fingerprint(text)},
            **derived(told.inputs, basis),
            "agreements": [dict(one) for one in told.agreements],
            "documents": [dict(one) for one in told.documents],
            "inputs": json.loads(text),
        }
    )


def derived(inputs: MonthInputs, basis: MonthBasis) -> dict[str, Json]:
    """What follows from the inputs: the result, how the amount comes about step by step, and every stay.

    Source:
        Domain rule 3.8, explanation (every krona traces to stays, every excluded stay to its reason).
    """
    return {
        "result": content(basis),
        "rule_sets": [*rule_sets(basis)],
        "prices": [*_prices(basis)],
        "rules": [{"rule": one.code, "source": one.source, "sv": one.words.sv, "en": one.words.en} for one in RULES],
        "steps": [*steps_of(inputs, basis)],
        "stays": [*stays_explained(inputs, basis)],
    }


def rule_sets(basis: MonthBasis) -> tuple[str, ...]:
    """The names of the rule sets that anything in the month was counted by."""
    named = {line.agreement for line in basis.lines} | {group.agreement for group in basis.groups}
    return tuple(sorted(named - {""})) or (basis.agreement,)


def sealed(explanation: Mapping[str, Json]) -> dict[str, Json]:
    """The explanation with the SHA-256 of its canonical text, in place of any seal that it had."""
    bare = {name: value for name, value in explanation.items() if name != SEAL}
    return {**bare, SEAL: sha256(canonical_json(bare).encode()).hexdigest()}


def _prices(basis: MonthBasis) -> list[Json]:
    """Every price that something in the month was charged at, with its source."""
    charged = [part for line in basis.lines for part in line.charges] + [group.excess for group in basis.groups if group.excess.days]
    known = sorted({(money_text(part.price) or "", part.source) for part in charged})
    return [{"price": price or None, "source": source} for price, source in known]
