"""Rule 5 of the house, second half: a rule is a function whose docstring cites its source."""

import ast
from collections.abc import Iterator
from typing import Final

import pytest

from dirigent.documentation.law import TITLES
from dirigent.documentation.reach import reached_by_tests
from dirigent.documentation.sources import Paragraph, cited_by_code, read_source, source_of
from tests.architecture.source import Module, module, modules

RULES_IN: Final = ("services/planning/domain/", "services/billing/domain/")
# What carries rules out without being one. Everything else public that takes arguments in the folders above must cite its source.
MECHANICS: Final = {
    "amend": "corrections and cancellations: the order of the public interface, not of the law",
    "standing_admission": "the same",
    "fold_order": "the same",
    "sent_order": "the same",
    "ward_of": "takes an address apart",
    "fold": "reads the story; the rules it applies cite their own",
    "parties": "replays who knew what; `concerned` cites the law",
    "routing_findings": "what the directory lacks",
    "move": "a table of states",
    "acknowledge": "a table of states; the use case cites the law",
    "urgency": "the order of a list",
    "changes": "from what stands in a mailbox to what should",
    "led_to": "takes an event apart",
    "names_protected": "what a notice says; `disclosed` cites the law",
    "persons_of": "whose a stay is, to keep two apart",
    "told_apart": "keeps two patients apart; no rule of the law moves by it",
    "led_from": "which stays are one case; no rule of the law moves by it",
    "joined": "the same",
    "holder_of": "the same",
    "links_of": "the same",
    "begun_by": "where `holding_of` begins, which cites the rule",
    "led_by": "takes an event apart",
    "by_others": "what is found; `holding_of` and `same_hands` cite the rule",
    "is_stranger": "the same",
    "leaves_of": "pairs beginnings and ends",
    "leaves_told": "what a notice says; `wanted_notices` cites the law",
    "transfers_told": "the same",
    "blocks_told": "the same; `blocks_of` cites the law",
    "declines_told": "the same; `declined_of` cites the rule",
    "first_stating": "which statement said it first",
    "precedence": "the order of mailboxes that would all do",
    "deliveries": "one notice to several mailboxes; `addressed` cites the law",
    "forwarded_origin": "how a copy is known",
    "hours_on": "a duty calendar; no rule of the law moves by it",
    "attended": "the same",
    "next_attended": "the same",
    "reader_of": "the same",
    "charged_in": "subtracts what earlier months charged; `due_by` cites the agreement",
    "months_touched": "where a stay can count at all",
    "last_day": "calendar",
    "changes_amount": "arithmetic of the gate; `inspect` cites the rule",
    "total": "a sum that may be unknown",
    "fingerprint": "identity of a calculation",
    "canonical": "the same",
    "canonical_json": "the same",
    "content": "the same",
    "line_content": "the same",
    "decimal_text": "how a value is written",
    "money_text": "the same",
    "instant_text": "the same",
    "group_content": "identity of a calculation",
    "key_of": "tells the averages of a month apart; `groups_of` cites the agreements",
    "overlap": "arithmetic of days; `refuse_repeated` cites the rule",
    "compare": "holds two calculations against each other; `absence` cites the law",
    "comparison_content": "how it is kept",
    "charged_days": "a sum of two numbers",
    "profiles_known": "names",
    "books_for": "names; the rule sets cite their own",
    "look_back": "which months are read; `settle` cites the agreement",
    "outcomes_of": "calculates by rules that cite their own",
    "totals_of": "sums",
    "difference": "arithmetic",
    "months_from": "calendar",
    "next_group": "how much one transaction takes on",
    "inputs_text": "how inputs are kept",
    "inputs_of": "the same",
    "inputs_fingerprint": "the same",
    "tell": "the same",
    "read_back": "the same",
    "rule_sets": "names",
    "sealed": "identity of an explanation",
    "reason_words": "how it reads",
    "kronor": "the same",
    "number": "the same",
    "days": "the same",
    "stays": "the same",
    "clock": "the same",
    "span": "the same",
    "words_version": "the same",
    "words_compared": "the same",
    "sentences": "the same",
    "numbered": "the numbers of lines",
    "ore_of": "takes a line apart",
    "money": "how a value is written",
    "forecast": "looks ahead; no amount that anybody owes rests on it",
}


def rules(one: Module) -> Iterator[tuple[str, str | None]]:
    """The public functions of a module that take arguments, each with the text of its source."""
    for node in one.tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and (node.args.args or node.args.kwonlyargs):
            yield node.name, source_of(ast.get_docstring(node) or "")


def without_source(one: Module) -> Iterator[str]:
    for name, source in rules(one):
        if source is None and name not in MECHANICS:
            yield f"{one.path} {name}"


def domain() -> list[Module]:
    return [one for one in modules("services") if one.path.startswith(RULES_IN)]


def test_every_rule_cites_its_source() -> None:
    assert len([name for one in domain() for name, source in rules(one) if source]) > 15
    assert [place for one in domain() for place in without_source(one)] == []


@pytest.mark.parametrize("docstring", ["How many days are free.", "How many days are free.\n\n    Source:\n"])
def test_a_rule_without_source_is_seen(docstring: str) -> None:
    text = f'def free_days(stay):\n    """{docstring}"""'
    assert list(without_source(module("services/billing/domain/charge.py", text)))


def test_no_exception_has_outlived_its_function() -> None:
    without = {name for one in domain() for name, source in rules(one) if source is None}
    assert set(MECHANICS) - without == set()


def test_every_citation_can_be_read() -> None:
    unread = [f"{one.path} {one.name}" for one in cited_by_code() if not one.paragraphs and not one.others]
    unread += [f"{one.path} {one.name}: {other}" for one in cited_by_code() for other in one.others if "kap." in other or "§" in other]
    assert unread == []
    assert {paragraph.law for one in cited_by_code() for paragraph in one.paragraphs} <= set(TITLES)


def test_every_rule_of_the_law_is_exercised_by_a_test() -> None:
    law = [one for one in cited_by_code() if one.path.startswith(RULES_IN)]
    assert len(law) > 15
    found = [one.name for one in law if not reached_by_tests((one.path.removesuffix(".py").replace("/", "."), one.owner)).files]
    assert found == []


def test_a_function_that_no_test_calls_is_seen_as_such() -> None:
    assert not reached_by_tests(("services.billing.domain.charge", "a_rule_that_nobody_tries")).files


@pytest.mark.parametrize(
    ("text", "paragraphs", "others"),
    [
        ("Lag (2017:612) 2 kap. 1–3 §§", ["2 kap. 1 §", "2 kap. 2 §", "2 kap. 3 §"], ()),
        ("Lag (2017:612) 2 kap. 1 § and 3 §: within 24 hours", ["2 kap. 1 §", "2 kap. 3 §"], ()),
        ("Lag (2017:612) 4 kap. 1 and 3 §§, 5 kap. 3 §; switch x", ["4 kap. 1 §", "4 kap. 3 §", "5 kap. 3 §"], ("switch x",)),
        ("Lag (2017:612) 5 kap.; VGR agreement", ["5 kap."], ("VGR agreement",)),
        ("Lag (1930:173) om beräkning av lagstadgad tid, 2 §", ["2 §"], ()),
    ],
)
def test_citations_are_taken_apart_into_paragraphs(text: str, paragraphs: list[str], others: tuple[str, ...]) -> None:
    found, rest = read_source(text)
    assert ([str(paragraph) for paragraph in found], rest) == (paragraphs, others)


def test_each_law_of_a_citation_keeps_its_own_paragraphs() -> None:
    found, _ = read_source("Lag (2017:612) 2 kap. 3 §; lag (1930:173) 2 §")
    assert found == (Paragraph("2017:612", 2, 3), Paragraph("1930:173", 0, 2))
