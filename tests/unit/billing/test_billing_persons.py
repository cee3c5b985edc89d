"""Four eyes: one person in two spellings is one person, two persons at one client are two."""

import pytest

from services.billing.domain.persons import Actor, normal_form

ANNA = Actor("controller", "Anna Test")


@pytest.mark.parametrize(
    "spelling",
    [
        "anna test",
        "ANNA TEST",
        " Anna  Test ",
        "Anna\u00a0Test",
        "Anna\u200b Test",
        "An\u00adna Test",
        "\ufeffAnna Test",
        "\uff21nna Test",
        "Anna\u2060 \u2003Test",
        "Anna Test\ufe0f",
        "Anna Test.",
        "Anna-Test",
        "Test, Anna",
        "\u0410nna Test",
        "Ann\u0430 T\u0435st",
        "\u0391\u039d\u039d\u0391 TEST",
    ],
)
def test_a_name_in_another_spelling_is_the_same_person(spelling: str) -> None:
    assert Actor("approver", spelling).is_same_person_as(ANNA)


def test_a_composed_and_a_decomposed_letter_are_the_same() -> None:
    assert normal_form("Åsa") == normal_form("A\u030asa")


@pytest.mark.parametrize("name", ["Anne Test", "Ann Test", "\u00c1nna Test", "Anna Testa", "Anna", "\u042f\u043d\u0430 Test"])
def test_another_name_is_another_person(name: str) -> None:
    assert not Actor("approver", name).is_same_person_as(ANNA)


def test_two_persons_whom_one_client_names_are_two() -> None:
    assert not Actor("controller", "Berit Test").is_same_person_as(ANNA)


def test_one_person_named_by_two_clients_is_one() -> None:
    assert Actor("approver", "Anna Test").is_same_person_as(ANNA)


def test_two_clients_that_name_nobody_stand_for_two_persons() -> None:
    assert not Actor("approver", "approver").is_same_person_as(Actor("controller", "controller"))


def test_a_client_that_names_nobody_may_be_anybody_it_names_elsewhere() -> None:
    nobody = Actor("controller", "controller")
    assert nobody.is_same_person_as(nobody)
    assert nobody.is_same_person_as(ANNA)
    assert ANNA.is_same_person_as(nobody)


def test_naming_another_client_as_person_is_no_way_around() -> None:
    assert Actor("approver", "Controller").is_same_person_as(Actor("controller", "controller"))
