"""Which mailboxes of a recipient a notice is entered in, by need, care type, place and date."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.planning.domain.addressing import AddressingRule, Box, Boxes, Forward, addressed, deliveries, forwarded_origin
from services.planning.domain.events import Admission, CareType, Need
from services.planning.domain.fold import fold
from services.planning.domain.notices import wanted_notices
from services.planning.domain.parties import Recipient
from tests.builders import CARE_CENTRE, DIRECTORY, GOTEBORG, a_person, admitted, date_changed, ready

ALL, SOCIAL, HEALTH, DISTRICT, CARE = (UUID(int=number) for number in range(1, 6))
MUNICIPALITY = Recipient("municipality", GOTEBORG)
BOXES = (Box(ALL, "municipality"), Box(SOCIAL, "social_services"), Box(HEALTH, "health_care"), Box(DISTRICT, "district", "Hisingen"))
DAY = date(2026, 11, 3)


def a_rule(
    mailbox: UUID,
    need: Need | None = None,
    *,
    care_type: CareType | None = None,
    postal_code: str = "",
    first: date = date(2026, 1, 1),
    last: date | None = None,
) -> AddressingRule:
    return AddressingRule(mailbox, need, care_type, postal_code, first, last)


BY_NEED = (a_rule(SOCIAL, "municipal_social"), a_rule(HEALTH, "municipal_health"))


def told(*needs: Need, rules: Iterable[AddressingRule] = BY_NEED, day: date = DAY, protected: bool = False) -> tuple[UUID, ...]:
    about = admitted(needs=needs).data
    assert isinstance(about, Admission)
    if protected:
        about = Admission(about.person, GOTEBORG, "somatic", frozenset(needs), protected=True)
    return addressed(Boxes(BOXES, tuple(rules)), MUNICIPALITY, about, day)


def test_a_recipient_without_rules_has_one_mailbox() -> None:
    assert told("municipal_social", "municipal_health", rules=()) == (ALL,)


def test_each_stated_need_reaches_the_mailbox_of_its_rule() -> None:
    assert told("municipal_social") == (SOCIAL,)
    assert set(told("municipal_social", "municipal_health", "outpatient")) == {SOCIAL, HEALTH}


def test_a_need_that_no_rule_fits_goes_to_the_default_mailbox() -> None:
    assert set(told("municipal_social", "municipal_health", rules=BY_NEED[:1])) == {SOCIAL, ALL}


def test_without_a_default_a_mailbox_for_planning_comes_before_those_for_duty_and_money() -> None:
    boxes = Boxes((Box(ALL, "controller"), Box(HEALTH, "on_call"), Box(SOCIAL, "social_services")))
    assert boxes.default.id == SOCIAL


def test_a_rule_counts_from_its_first_to_its_last_day() -> None:
    rules = (a_rule(SOCIAL, first=date(2026, 11, 2), last=date(2026, 11, 3)),)
    days = [date(2026, 11, day) for day in (1, 2, 3, 4)]
    assert [told("municipal_social", rules=rules, day=day) for day in days] == [(ALL,), (SOCIAL,), (SOCIAL,), (ALL,)]


def test_the_narrowest_rule_wins() -> None:
    rules = (a_rule(ALL), a_rule(SOCIAL, "municipal_social"), a_rule(DISTRICT, "municipal_social", postal_code="411"))
    assert told("municipal_social", rules=rules) == (DISTRICT,)
    assert told("municipal_health", rules=rules) == (ALL,)
    assert told("municipal_social", rules=(*rules, a_rule(HEALTH, "municipal_social", care_type="somatic"))) == (HEALTH,)


def test_where_a_person_with_protected_identity_lives_routes_nothing() -> None:
    rules = (a_rule(SOCIAL), a_rule(DISTRICT, postal_code="411"))
    assert told("municipal_social", rules=rules, protected=True) == (SOCIAL,)


@given(st.permutations([*BY_NEED, a_rule(DISTRICT, postal_code="41"), a_rule(ALL, care_type="psychiatric")]))
def test_the_order_of_the_rules_does_not_matter(rules: list[AddressingRule]) -> None:
    assert told("municipal_social", "municipal_health", rules=rules) == told(
        "municipal_social", "municipal_health", rules=sorted(rules, key=str)
    )


KNOWN = {MUNICIPALITY: Boxes(BOXES, BY_NEED), Recipient("unit", CARE_CENTRE): Boxes((Box(CARE, "care_unit"),))}


def test_each_mailbox_gets_every_notice_under_an_origin_of_its_own() -> None:
    state = fold([admitted(), ready()], DIRECTORY)
    found = deliveries(wanted_notices(state), state.about, KNOWN)
    assert sorted((delivery.mailbox, delivery.notice.type.value) for delivery in found) == sorted(
        (box, kind) for box in (SOCIAL, HEALTH, CARE) for kind in ("notice.admission", "notice.ready")
    )
    assert len({delivery.notice.origin for delivery in found}) == len(found)


def test_a_single_mailbox_keeps_the_origins_it_always_had() -> None:
    state = fold([admitted(), ready()], DIRECTORY)
    wanted = wanted_notices(state)
    one = {MUNICIPALITY: Boxes(BOXES[:1]), Recipient("unit", CARE_CENTRE): Boxes((Box(CARE, "care_unit"),))}
    assert [delivery.notice for delivery in deliveries(wanted, state.about, one)] == list(wanted)


def test_a_copy_that_was_sent_on_follows_its_notice_and_may_be_sent_on_again() -> None:
    state = fold([admitted(needs=["municipal_social"], outpatient_unit=None), date_changed()], DIRECTORY)
    wanted = wanted_notices(state)
    first = deliveries(wanted, state.about, KNOWN)[0].notice.origin
    forwards = [Forward(first, HEALTH), Forward(forwarded_origin(first, HEALTH), DISTRICT), Forward("gone", ALL)]
    found = {delivery.notice.origin: delivery.mailbox for delivery in deliveries(wanted, state.about, KNOWN, forwards)}
    assert found[forwarded_origin(first, HEALTH)] == HEALTH
    assert found[forwarded_origin(forwarded_origin(first, HEALTH), DISTRICT)] == DISTRICT
    assert len(found) == len(wanted) + 2


def test_a_person_without_an_address_is_routed_by_what_needs_none() -> None:
    about = Admission(a_person(registered_address=None), GOTEBORG, "somatic", frozenset({"municipal_social"}))
    assert addressed(Boxes(BOXES, (a_rule(DISTRICT, postal_code="4"),)), MUNICIPALITY, about, DAY) == (ALL,)
