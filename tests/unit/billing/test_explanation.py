"""The explanation: every krona and every exclusion traced, and made again offline from nothing but itself."""

import json
import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from services.billing.domain.basis import CountedAs
from services.billing.domain.explanation import sealed
from services.billing.domain.identity import canonical_json, fingerprint
from services.billing.domain.reasons import Reason
from services.billing.domain.stay import CareType
from services.billing.domain.verifying import verify
from services.billing.domain.wording import CARE_TYPES, COUNTED_AS, REASONS, RULES, kronor
from shared.dates import Month
from shared.money import Money
from tests.unit.billing.builders import a_stay, local
from tests.unit.billing.explanations import COMMAND, LAW_ALONE, a_month_of_every_kind, explained, inputs, run


def step(told: dict[str, Any], code: str) -> dict[str, Any]:
    return next(one for one in told["steps"] if one["code"] == code)


def test_the_steps_of_example_4_lead_from_the_stays_to_the_amount() -> None:
    told = explained(inputs(*(a_stay(days) for days in (2, 5, 6, 7))))
    assert [one["code"] for one in told["steps"]] == ["rule_set", "stays_counted", "average", "excess_days", "excess_price", "total"]
    assert "20/4 = 5" in step(told, "average")["sv"]
    assert "20 − 3 × 4 = 20 − 12, alltså 8 dagar" in step(told, "excess_days")["sv"]
    assert step(told, "excess_price")["sv"].startswith("8 dagar × 8\u00a0200,00\u00a0kr = 65\u00a0600,00\u00a0kr")
    assert step(told, "total")["values"]["amount"] == "65600.00"
    assert step(told, "total")["en"] == "The month comes to SEK\u00a065,600.00."


def test_exactly_at_the_threshold_is_explained_as_free() -> None:
    told = explained(inputs(*(a_stay(days) for days in (2, 3, 4))))
    assert step(told, "average_free")["values"]["excess_days"] == "0"
    assert step(told, "total")["values"]["amount"] == "0.00"


def test_an_average_that_no_decimal_number_writes_is_told_as_a_fraction_and_nearly() -> None:
    told = explained(inputs(*(a_stay(days) for days in (2, 5, 6))))
    assert "13/3 ≈ 4,333333" in step(told, "average")["sv"]


def test_new_year_splits_a_long_stay_into_two_prices() -> None:
    stay = a_stay(ready="2019-12-28T10:00", discharged="2020-01-05T11:00")
    told = explained(inputs(stay, month=Month(2020, 1)))
    charged = [one["values"] for one in told["steps"] if one["code"] == "stay_charged"]
    assert [(one["first"], one["last"], one["amount"]) for one in charged] == [
        ("2019-12-31", "2019-12-31", "7800.00"),
        ("2020-01-01", "2020-01-04", "32800.00"),
    ]
    assert step(told, "total")["values"]["amount"] == "40600.00"


def test_every_amount_of_the_steps_adds_up_to_the_total() -> None:
    told = explained(a_month_of_every_kind())
    parts = [Money.of_kronor(one["values"]["amount"]) for one in told["steps"] if one["code"] in {"stay_charged", "excess_price"}]
    assert sum(part.ore for part in parts) == Money.of_kronor(step(told, "total")["values"]["amount"]).ore > 0
    assert step(told, "total")["values"]["amount"] == told["result"]["amount"]


def test_every_stay_that_was_given_is_explained_and_every_excluded_one_with_its_reason() -> None:
    given = a_month_of_every_kind()
    told = {UUID(one["case"]): one for one in explained(given)["stays"]}
    assert told.keys() == {stay.case_id for stay in given.stays}
    kinds = {one["counted_as"] for one in told.values()}
    assert kinds >= {"average", "long", "excluded", "review", "cancelled", "other_month"} or kinds >= {"average", "long", "excluded"}
    for one in told.values():
        assert bool(one["reasons"]) or one["counted_as"] not in {"excluded", "review"}
        assert all(reason["sv"] and reason["en"] and reason["source"] for reason in one["reasons"])


def test_a_stay_shows_its_notices_with_swedish_times_and_what_each_rule_said() -> None:
    (told,) = explained(inputs(a_stay(10, sip_required=True)))["stays"]
    ready = next(one for one in told["notices"] if one["kind"] == "ready_notice")
    assert (ready["at"], ready["local"]) == ("2020-03-10T08:00:00.000000Z", "2020-03-10 09:00:00")
    said = {one["rule"]: (one["outcome"], one["reasons"]) for one in told["rules"]}
    assert said["sip_invitation"] == ("excludes", ["no_sip_invitation"])
    assert said["admission_notice"] == ("not_decisive", [])
    assert [one["local"] for one in told["notices"]] == sorted(one["local"] for one in told["notices"])


def test_a_counted_stay_meets_every_rule() -> None:
    (told,) = explained(inputs(a_stay(5)))["stays"]
    assert {one["outcome"] for one in told["rules"]} == {"met"}


def test_what_is_contested_is_told_with_both_amounts() -> None:
    told = explained(a_month_of_every_kind())
    disputed = step(told, "disputed")["values"]
    assert Money.of_kronor(disputed["counted"]) > Money.of_kronor(disputed["left_out"])
    assert told["result"]["amount"] == disputed["left_out"]


def test_every_way_to_count_every_care_type_and_every_reason_has_its_words_and_its_rule() -> None:
    assert set(COUNTED_AS) == set(CountedAs)
    assert set(CARE_TYPES) == set(CareType)
    assert {reason.value for reason in Reason} <= set(REASONS)
    spoken = [reason for rule in RULES for reason in rule.reasons]
    assert len(spoken) == len(set(spoken))
    assert set(spoken) == set(REASONS)


def test_an_explanation_holds_against_itself_and_names_its_calculation() -> None:
    given = a_month_of_every_kind()
    told = explained(given)
    assert verify(canonical_json(told)) is None
    assert verify(json.dumps(told, indent=2)) is None
    assert told["calculation"] == told["calculation"] | {"version": 3, "sha256": fingerprint(given.basis())}


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (("result", "amount"), "1.00", "/result/amount"),
        (("result", "lines", 0, "days"), 3, "/result/lines/0/days"),
        (("inputs", "stays", 0, "discharged_at"), "2020-03-21T10:00:00.000000Z", "/result"),
        (("inputs", "stays", 0, "ward"), "SE2321000131-E000000000999", "/result"),
        (("inputs", "stays", 0, "last_sign_of_life_at"), "2020-03-21T10:00:00.000000Z", "/calculation/inputs_sha256"),
        (("inputs", "stays", 0, "more"), 1, "/inputs/stays/0/more"),
        (("inputs", "as_of"), "someday", "/inputs/as_of"),
        (("calculation", "sha256"), "00" * 32, "/calculation/sha256"),
        (("calculation", "version"), 4, "/sha256"),
        (("steps", 0, "sv"), "Inget att betala.", "/steps/0/sv"),
        (("stays", 0, "notices", 0, "local"), "2020-01-01 00:00:00", "/stays/0/notices/0/local"),
        (("documents",), [{"number": "2026-000001"}], "/documents"),
        (("documents",), [{"kind": "invoice", "amount": "1.00", "version": 3}], "/documents"),
        (("documents",), [{"kind": "invoice", "amount": "1.00", "version": 2}], "/sha256"),
        (("documents",), "none", "/documents"),
        (("words",), "1", "/words"),
        (("words",), 0, "/words"),
        (("words",), True, "/words"),
        (("municipality",), "1481", "/municipality"),
        (("format",), "dirigent-explanation/2", "/format"),
    ],
)
def test_the_first_difference_is_named(path: tuple[str | int, ...], value: Any, where: str) -> None:
    told: Any = explained(a_month_of_every_kind())
    inner = told
    for one in path[:-1]:
        inner = inner[one]
    inner[path[-1]] = value
    found = verify(canonical_json(told))
    assert found is not None
    assert found.where.startswith(where)


def test_a_changed_result_does_not_hold_although_it_was_sealed_anew() -> None:
    told: Any = explained(a_month_of_every_kind())
    told["result"]["amount"] = "1.00"
    found = verify(canonical_json(sealed(told)))
    assert found is not None
    assert (found.where, found.told) == ("/result/amount", "1.00")


def test_any_flipped_byte_of_inputs_or_result_is_found() -> None:
    told = explained(inputs(*(a_stay(days) for days in (2, 5, 12))))
    text = canonical_json(told).encode()
    random = Random(7)
    parts = [canonical_json(told[name]).encode() for name in ("inputs", "result")]
    places = [text.index(part) + random.randrange(len(part)) for part in parts for _ in range(250)]
    for place in places:
        flipped = bytearray(text)
        flipped[place] ^= 1 << random.randrange(7)
        assert verify(flipped.decode("utf-8", errors="replace")) is not None, (place, bytes(flipped[place - 20 : place + 20]))


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"format":"dirigent-explanation/1"}', "[" * 100_000, '{"a":NaN}'])
def test_what_is_no_explanation_does_not_hold(text: str) -> None:
    assert verify(text) is not None


def test_money_and_numbers_are_written_as_each_language_writes_them() -> None:
    told = kronor(Money(123_456_789))
    assert (told.sv, told.en) == ("1\u00a0234\u00a0567,89\u00a0kr", "SEK\u00a01,234,567.89")
    assert kronor(Money(-5)).sv == "−0,05\u00a0kr"


def test_the_command_verifies_with_the_pure_package_alone(tmp_path: Path) -> None:
    told: Any = explained(a_month_of_every_kind())
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(canonical_json(told), encoding="utf-8")
    held = run(COMMAND, good)
    assert held.returncode == 0, held.stderr
    assert told["calculation"]["sha256"] in held.stdout
    told["result"]["lines"][0]["days"] += 1
    bad.write_text(canonical_json(told), encoding="utf-8")
    refused = run(COMMAND, bad, "--json")
    assert refused.returncode == 1, refused.stderr
    assert json.loads(refused.stdout)["difference"]["where"] == "/result/lines/0/days"
    assert refused.stderr == ""


def test_an_explanation_kept_from_before_a_rule_set_had_a_new_field_still_holds() -> None:
    given = inputs(*(a_stay(days) for days in (2, 5, 6, 7)))
    bare = tuple(replace(one, title_sv="") for one in given.book.agreements)
    told: Any = explained(replace(given, book=replace(given.book, agreements=bare)))
    for agreement in told["inputs"]["book"]["agreements"]:
        del agreement["title_sv"]
    assert verify(canonical_json(sealed(told))) is not None
    told["calculation"]["inputs_sha256"] = sha256(canonical_json(told["inputs"]).encode()).hexdigest()
    assert verify(canonical_json(sealed(told))) is None
    del told["inputs"]["book"]["agreements"][0]["title"]
    missing = verify(canonical_json(sealed(told)))
    assert missing is not None
    assert missing.where == "/inputs/book/agreements/0/title"


@pytest.mark.parametrize("text", ["{", '{"format": "dirigent-explanation/1"}'])
def test_what_cannot_be_verified_is_told_in_swedish_alone(text: str, tmp_path: Path) -> None:
    file = tmp_path / "explanation.json"
    file.write_text(text, encoding="utf-8")
    refused = run(COMMAND, file).stdout
    assert refused.startswith("Håller inte. ")
    assert not re.search(r"\b(not|missing|there|unreadable)\b", refused)


def test_the_law_alone_needs_no_installed_package(tmp_path: Path) -> None:
    file = tmp_path / "explanation.json"
    file.write_text(canonical_json(explained(a_month_of_every_kind())), encoding="utf-8")
    held = run(LAW_ALONE, file, bare=True)
    assert (held.returncode, held.stdout.strip()) == (0, "None"), held.stderr


def test_the_block_of_this_test_blocks() -> None:
    assert "blocked: services.billing.repository" in run("import services.billing.repository.months").stderr


def test_a_stay_ready_to_the_second_shows_its_seconds() -> None:
    stay = a_stay(5)
    noon = replace(stay, ready=(replace(stay.ready[0], sent_at=local("2020-03-15T12:00:01")),))
    (told,) = explained(inputs(noon))["stays"]
    assert "2020-03-15 12:00:01" in [one["local"] for one in told["notices"]]
