"""Every paragraph of chapters 2–5 of lag (2017:612) is carried out by a function that a test tries, or says why it needs none."""

import ast
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from dirigent.documentation.law import THE_STATUTE, Provision, carried_out, provisions
from dirigent.documentation.reach import Reached, reached_by_tests
from dirigent.documentation.routes import Called, Place, calls, routes_called
from dirigent.documentation.sources import ROOT, Cited, Paragraph, cited_by_code

CHAPTERS = range(2, 6)
ROUTES: Mapping[Called, Place] = {
    Called("GET", "/v1/cases/{case_id}"): ("cases", "get_case"),
    Called("GET", "/v1/cases/paper"): ("paper", "get_paper"),
    Called("POST", "/v1/plans/{plan_id}/invitations"): ("plans", "post_invitation"),
    Called("POST", "/v1/plans/{plan_id}/invitations/{invitation_id}/answer"): ("plans", "post_answer"),
    Called("POST", "/v1/deviations/{deviation_id}/answer"): ("deviations", "post_deviation_answer"),
    Called("PUT", "/v1/plans/{plan_id}/consent"): ("plans", "put_consent"),
}


def faults(listed: Iterable[Provision], cited: list[Cited]) -> Iterator[str]:
    """What is wrong with the map: a paragraph that nothing carries out or nothing tries, or a reason that is needed no more."""
    for one in listed:
        found = carried_out(one.paragraph, cited)
        if one.without:
            yield from (f"{one.paragraph} is carried out by {function.name} and still says why it is not" for function, _ in found)
        elif not found:
            yield f"{one.paragraph} has no function"
        yield from (f"{one.paragraph}: {function.name} has no test" for function, reached in found if not reached.files)


def of_the_statute(cited: Iterable[Cited]) -> set[Paragraph]:
    return {one for rule in cited for one in rule.paragraphs if one.law == THE_STATUTE and one.chapter in CHAPTERS and one.number}


def test_every_paragraph_has_a_function_and_a_test_or_a_reason() -> None:
    assert len(provisions()) > 15
    assert list(faults(provisions(), cited_by_code())) == []


def test_no_paragraph_is_cited_that_is_not_listed_and_none_is_left_out() -> None:
    listed = [one.paragraph for one in provisions()]
    assert listed == sorted(set(listed))
    assert of_the_statute(cited_by_code()) <= set(listed)
    for chapter in CHAPTERS:
        numbers = [one.number for one in listed if one.chapter == chapter]
        assert numbers == list(range(1, len(numbers) + 1)), f"chapter {chapter}"


def test_every_function_that_cites_a_source_names_the_tests_that_reach_it() -> None:
    cited = cited_by_code()
    reached = {one: reached_by_tests((one.path.removesuffix(".py").replace("/", "."), one.owner)) for one in cited}
    assert [f"{one.path} {one.name}" for one, found in reached.items() if not found.files] == []
    assert [file for found in reached.values() for file in found.files if not (ROOT / file).is_file()] == []
    assert any(through.startswith("PUT /v1/") for found in reached.values() for through in found.through), "some are reached over HTTP"


def test_what_is_missing_from_the_map_is_seen() -> None:
    unheard = Provision(Paragraph(THE_STATUTE, 9, 9), "nothing of the kind")
    needless = Provision(Paragraph(THE_STATUTE, 5, 4), "from which day", without="nobody does it")
    untried = Cited("services/billing/domain/charge.py", "a_rule_that_nobody_tries", "", (Paragraph(THE_STATUTE, 9, 9),), ())
    assert list(faults([unheard], cited_by_code())) == ["9 kap. 9 § has no function"]
    assert list(faults([needless], cited_by_code()))
    assert list(faults([unheard], [untried])) == ["9 kap. 9 §: a_rule_that_nobody_tries has no test"]
    assert reached_by_tests(("services.billing.domain.charge", untried.name)) == Reached((), ())


@pytest.mark.parametrize(
    ("line", "handlers"),
    [
        ('await http.get(f"/v1/cases/{case}", headers=who)', ["get_case"]),
        ('await http.get("/v1/cases/paper")', ["get_paper"]),
        ('await county.post("care", f"{path}/invitations", {})', ["post_invitation"]),
        ('await api.call("care", "PUT", f"{plan}/consent", body={})', ["put_consent"]),
        ('await county.post("care", f"{path}/answer", {})', []),
        ('await county.post("care", f"{path}/invitations/{called}/answer", {})', ["post_answer"]),
        ('await county.post("care", f"/v1/cases/{case}", {})', []),
        ('paths = ["/v1/cases/paper"]', []),
    ],
)
def test_a_call_leads_to_the_one_handler_it_can_mean(line: str, handlers: list[str]) -> None:
    tree = ast.parse(f"async def test_it():\n    {line}\n")
    assert [handler[1] for _, called in calls(tree) for handler in routes_called(called, ROUTES)] == handlers


def test_an_address_kept_in_a_name_is_followed() -> None:
    text = """
    async def test_it(county, case):
        path, other = f"/v1/deviations/{case}", 1
        await county.post("kommun", f"{path}/answer", {})
    """
    ((function, called),) = calls(ast.parse(textwrap.dedent(text)))
    assert (function, called, routes_called(called, ROUTES)) == (
        "test_it",
        Called("POST", "/v1/deviations/{}/answer"),
        [("deviations", "post_deviation_answer")],
    )


def test_the_page_lists_every_paragraph_and_leaves_no_row_without_tests() -> None:
    page = (ROOT / Path("docs/law.md")).read_text(encoding="utf-8")
    assert all(f"| {one.paragraph} " in page for one in provisions())
    rows = [line for line in page.partition("## What each notice rests on")[0].splitlines() if line.startswith("| ")]
    assert len(rows) > 50
    assert [row for row in rows if row.endswith("|  |")] == []
